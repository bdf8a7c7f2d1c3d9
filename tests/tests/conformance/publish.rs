//! The ledger for readers: `docs/conformance.md`, and the same for the admin API.

use super::inventory::Demand;
use super::ledger::{Counts, Ledger, Status};
use serde_json::{Value, json};
use std::fmt::Write;

const HEAD: &str = "\
# Conformance

What the RFCs demand (every sentence with MUST, MUST NOT, SHALL, SHALL NOT or REQUIRED) and how Liaison stands to it. This page is made from
the tests, and a running process serves the same at `/v1/conformance` ([the admin API](admin-api.md)). A demand is

- *tested*: the tests named show that it is met, and they pass;
- *not ours*: it is on a role that Liaison never plays (a proxy, above all), on people, or on those who write specifications;
- *open*: it is to be met yet, or to be shown by a test.

[`tests/conformance`](../tests/conformance/README.md) says how the ledger is kept.

";

/// The page, in Markdown.
pub fn page(ledger: &Ledger) -> String {
    let mut page = HEAD.to_owned() + "| RFC | title | tested | not ours | open |\n|---|---|---:|---:|---:|\n";
    for (rfc, title) in &ledger.titles {
        line(&mut page, &format!("[{rfc}](#rfc-{rfc})"), title, ledger.counts(Some(*rfc)));
    }
    line(&mut page, "all", "", ledger.counts(None));
    for (rfc, title) in &ledger.titles {
        write!(page, "\n## RFC {rfc}\n\n{title}\n\n| demand | | status |\n|---|---|---|\n").unwrap();
        for (demand, status) in ledger.rows.iter().filter(|(demand, _)| demand.rfc == *rfc) {
            let status = match status {
                Status::Tested(tests) => format!(
                    "tested: {}",
                    tests.iter().map(|test| linked(test)).collect::<Vec<_>>().join(", ")
                ),
                Status::NotOurs(why) => format!("not ours: {why}"),
                Status::Open(why) => format!("**open**: {why}"),
            };
            let Demand { id, text, .. } = demand;
            writeln!(page, "| {id} | {} | {status} |", escaped(text)).unwrap();
        }
    }
    page
}

fn line(page: &mut String, rfc: &str, title: &str, counts: Counts) {
    let Counts { tested, not_ours, open } = counts;
    writeln!(page, "| {rfc} | {title} | {tested} | {not_ours} | {open} |").unwrap();
}

/// A test `file::name` as a link to its file.
fn linked(test: &str) -> String {
    let (file, name) = test.split_once("::").unwrap();
    format!("[`{name}`](../{file})")
}

/// A sentence as plain text in a cell of a table.
fn escaped(text: &str) -> String {
    let special = |c: char| matches!(c, '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '\\');
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// The document that the admin API serves from, a row on each line.
pub fn json(ledger: &Ledger) -> String {
    let rfcs = ledger.titles.iter().map(|(rfc, title)| json!({ "rfc": rfc, "title": title }));
    let rows = ledger.rows.iter().map(|(demand, status)| row(demand, status));
    let lines = |values: &mut dyn Iterator<Item = Value>| {
        values.map(|value| value.to_string()).collect::<Vec<_>>().join(",\n")
    };
    format!(
        "{{\"rfcs\":[\n{}\n],\"rows\":[\n{}\n]}}\n",
        lines(&mut rfcs.into_iter()),
        lines(&mut rows.into_iter())
    )
}

fn row(demand: &Demand, status: &Status) -> Value {
    let (status, tests, why) = match status {
        Status::Tested(tests) => ("tested", tests.as_slice(), None),
        Status::NotOurs(why) => ("not_ours", [].as_slice(), Some(why)),
        Status::Open(why) => ("open", [].as_slice(), Some(why)),
    };
    let Demand { id, rfc, section, text } = demand;
    json!({ "id": id, "rfc": rfc, "section": section, "text": text, "status": status, "tests": tests, "why": why })
}
