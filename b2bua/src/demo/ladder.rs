//! The ladder: the messages of both legs, side by side, in the order of time.

use super::phone::{Entry, title};
use sip_types::Message;
use sip_types::header::{CSeq, CallId};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

/// Characters before the first line of the ladder.
const MARGIN: usize = 12;
/// Characters of an arrow.
const ARROW: usize = 39;
/// Characters between the lines of Liaison.
const BRIDGE: usize = 5;

/// What one leg has in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing.
    Idle,
    /// A message.
    Message {
        /// Whether it goes to the right.
        right: bool,
        /// Its method, or status and reason; and whether it has a body.
        title: String,
        /// Its CSeq.
        cseq: String,
    },
    /// Audio, both ways.
    Audio(String),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Time since the first one.
    pub(super) at: Duration,
    /// Leg A, between Alice and Liaison, and leg B, between Liaison and Bob.
    pub(super) legs: [Cell; 2],
}

/// Who stands at the four lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// Alice's telephone.
    pub(super) alice: SocketAddr,
    /// Liaison towards her.
    pub(super) outside: SocketAddr,
    /// Liaison towards him.
    pub(super) inside: SocketAddr,
    /// Bob's telephone.
    pub(super) bob: SocketAddr,
}

/// The rows of what both telephones have sent and got. `audio` stands where the first BYE is near.
pub(super) fn rows(alice: &[Entry], bob: &[Entry], audio: Option<String>) -> Vec<Row> {
    let hers = alice.iter().map(|entry| (entry, [cell(entry, entry.sent), Cell::Idle]));
    let his = bob.iter().map(|entry| (entry, [Cell::Idle, cell(entry, !entry.sent)]));
    let mut all: Vec<_> = hers.chain(his).collect();
    all.sort_by_key(|(entry, _)| entry.at);
    let Some(start) = all.first().map(|(entry, _)| entry.at) else { return Vec::new() };
    let bye = all.iter().position(|(entry, _)| cseq(entry).ends_with(" BYE"));
    let mut rows: Vec<Row> =
        all.into_iter().map(|(entry, legs)| Row { at: entry.at.since(start), legs }).collect();
    if let (Some(text), Some(bye)) = (audio, bye) {
        let at = rows.get(bye.saturating_sub(1)).map_or(Duration::ZERO, |row| row.at);
        rows.insert(bye, Row { at, legs: [Cell::Audio(text.clone()), Cell::Audio(text)] });
    }
    rows
}

fn cell(entry: &Entry, right: bool) -> Cell {
    let body = if entry.message.body().is_empty() { "" } else { " +SDP" };
    Cell::Message { right, title: format!("{}{body}", title(&entry.message)), cseq: cseq(entry) }
}

fn cseq(entry: &Entry) -> String {
    entry.message.headers().require::<CSeq>().map(|cseq| cseq.to_string()).unwrap_or_default()
}

/// The Call-ID of a telephone's leg.
pub(super) fn call_id(entries: &[Entry]) -> String {
    let first = entries.iter().find(|entry| matches!(entry.message, Message::Request(_)));
    let call_id = first.and_then(|entry| entry.message.headers().require::<CallId>().ok());
    call_id.map(|call_id| call_id.as_str().to_owned()).unwrap_or_default()
}

/// The ladder as text.
pub(super) fn render(rows: &[Row], ends: &Ends, call_ids: [&str; 2]) -> String {
    let mut out = String::new();
    let between = ARROW + 2;
    let gap = BRIDGE;
    // Writing to a string does not fail.
    let left = between - 1;
    let _ = writeln!(out, "{:MARGIN$}{:<left$}Liaison{:>left$}", "", "Alice", "Bob");
    let [outside, inside] = [ends.outside.to_string(), ends.inside.to_string()];
    let left = pair(&ends.alice.to_string(), &outside, between);
    let right = pair(&inside, &ends.bob.to_string(), between);
    let _ = writeln!(out, "{:MARGIN$}{left}{:gap$}{right}", "", "");
    let named = |id: &str| if id.is_empty() { String::new() } else { format!("Call-ID {id}") };
    let [a, b] = call_ids.map(|id| clip(&named(id), ARROW - 2));
    let inner = ARROW;
    let _ = writeln!(out, "{:MARGIN$}│{a:^inner$}│{:gap$}│{b:^inner$}│", "", "");
    for row in rows {
        let time = match row.legs {
            [Cell::Audio(_), _] => String::new(),
            _ => format!("{:.2} ms", row.at.as_secs_f64() * 1000.0),
        };
        let [a, b] = row.legs.each_ref().map(|cell| arrow(cell, ARROW));
        let _ = writeln!(out, "{time:>10}  │{a}│{:gap$}│{b}│", "");
    }
    out
}

/// Two texts at the ends of a width.
fn pair(left: &str, right: &str, width: usize) -> String {
    let rest = width.saturating_sub(left.chars().count());
    format!("{left}{right:>rest$}")
}

fn arrow(cell: &Cell, width: usize) -> String {
    match cell {
        Cell::Idle => " ".repeat(width),
        Cell::Message { right, title, cseq } => {
            let (tail, head) = if *right { ("─", "─>") } else { ("<─", "─") };
            let room = width.saturating_sub(cseq.chars().count() + 8);
            let title = clip(title, room);
            let fill = "─".repeat(room.saturating_sub(title.chars().count()) + 1);
            format!("{tail} {title} {fill} {cseq} {head}")
        }
        Cell::Audio(text) => {
            let text = format!(" {} ", clip(text, width.saturating_sub(6)));
            let room = width.saturating_sub(text.chars().count() + 2);
            let (before, after) = ("═".repeat(room / 2), "═".repeat(room - room / 2));
            format!("<{before}{text}{after}>")
        }
    }
}

/// At most that many characters; what is cut off ends in an ellipsis.
pub(super) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
