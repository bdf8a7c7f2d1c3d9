//! Records for tests, written as in a zone file.

use crate::location::{Answer, Naptr, Question, Records, Srv};
use std::time::Duration;

/// A zone of `owner TYPE data` lines; `owner TYPE !` is refused, `owner TYPE ?` not answered.
pub(crate) fn answer(zone: &str, question: &Question) -> Answer {
    let kind = question.kind.name();
    let rows = zone.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let rows: Vec<Vec<&str>> =
        rows.filter(|row| row.len() > 2 && *row[0] == *question.name && row[1] == kind).collect();
    let number = |row: &[&str], n: usize| row[n].parse::<u16>().unwrap();
    let records = match rows.first().map(|row| row[2]) {
        None => return Answer::Absent { ttl: Duration::ZERO },
        Some("!") => return Answer::Refused,
        Some("?") => return Answer::Silent,
        _ if kind == "NAPTR" => Records::Naptr(
            rows.iter()
                .map(|row| Naptr {
                    order: number(row, 2),
                    preference: number(row, 3),
                    flags: row[4].trim_matches('"').into(),
                    service: row[5].trim_matches('"').into(),
                    replacement: row[6].into(),
                })
                .collect(),
        ),
        _ if kind == "SRV" => Records::Srv(
            rows.iter()
                .map(|row| Srv {
                    priority: number(row, 2),
                    weight: number(row, 3),
                    port: number(row, 4),
                    target: row[5].into(),
                })
                .collect(),
        ),
        _ => Records::Address(rows.iter().map(|row| row[2].parse().unwrap()).collect()),
    };
    Answer::Found { records, ttl: Duration::from_secs(60) }
}
