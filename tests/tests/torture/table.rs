//! The tables of `tests/data`, read.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// How a message is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Udp,
    Tcp,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    Respond,
    Deliver,
    Discard,
    Absorb,
}

/// One permitted outcome.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub what: Do,
    pub status: Vec<u16>,
    pub headers: Vec<(String, Vec<String>)>,
    pub answer: Option<u16>,
    pub far_has: Vec<String>,
    pub far_lacks: Vec<String>,
    pub body_crosses: bool,
    pub sends: Vec<String>,
    pub closes: bool,
    pub stops_retransmission: bool,
}

/// A request of ours that has to be under way.
#[derive(Clone, Debug)]
pub struct Pending {
    pub method: String,
    pub substitute: Vec<String>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    pub is_request: bool,
    pub wire: Wire,
    pub source: IpAddr,
    pub well_formed: bool,
    pub pending: Option<Pending>,
    pub facts: Table,
    pub strict: Vec<Outcome>,
    pub default: Vec<Outcome>,
    /// Status and Contacts of a registrar's answer.
    pub registrar: Option<(u16, Vec<String>)>,
    pub untouched: bool,
    pub replies: Option<usize>,
    pub lax_via: bool,
    pub lax_headers: bool,
}

/// Every row of both tables, in order.
pub fn all() -> Vec<Case> {
    ["torture.toml", "torture_ipv6.toml"].into_iter().flat_map(of).collect()
}

/// Every row of one table, in order.
fn of(file: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let table: Table = text.parse().unwrap();
    table["case"].as_array().unwrap().iter().map(case).collect()
}

/// The row of that name.
pub fn row(name: &str) -> Case {
    all().into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no row {name}"))
}

/// Where the messages and tables are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

const KEYS: &[&str] = &[
    "name",
    "file",
    "section",
    "title",
    "kind",
    "method",
    "wire",
    "source",
    "syntax",
    "setup",
    "pending",
    "facts",
    "strict",
    "default",
    "registrar",
    "untouched",
    "replies",
    "lax_via",
    "lax_headers",
    "quote",
    "why",
    "conforms",
];

fn case(value: &Value) -> Case {
    let row = value.as_table().unwrap();
    let name = text(row, "name").unwrap();
    for key in row.keys() {
        assert!(KEYS.contains(&key.as_str()), "{name}: the key {key} is not read");
    }
    let pending = row.get("pending").and_then(Value::as_table);
    let strict = outcomes(row, "strict").unwrap();
    Case {
        bytes: std::fs::read(folder().join(text(row, "file").unwrap())).unwrap(),
        is_request: text(row, "kind").unwrap() == "request",
        wire: if text(row, "wire").unwrap() == "udp" { Wire::Udp } else { Wire::Tcp },
        source: text(row, "source").unwrap_or_else(|| "192.0.2.250".to_owned()).parse().unwrap(),
        well_formed: text(row, "syntax").unwrap() == "well-formed",
        pending: pending.map(|pending| Pending {
            method: text(pending, "method").unwrap(),
            substitute: texts(pending, "substitute"),
        }),
        facts: row.get("facts").and_then(Value::as_table).cloned().unwrap_or_default(),
        default: outcomes(row, "default").unwrap_or_else(|| strict.clone()),
        strict,
        registrar: row.get("registrar").and_then(Value::as_table).map(|registrar| {
            (u16::try_from(registrar["status"].as_integer().unwrap()).unwrap(), texts(registrar, "contacts"))
        }),
        untouched: flag(row, "untouched"),
        replies: row.get("replies").map(|n| n.as_integer().unwrap().try_into().unwrap()),
        lax_via: flag(row, "lax_via"),
        lax_headers: flag(row, "lax_headers"),
        name,
    }
}

fn outcomes(row: &Table, key: &str) -> Option<Vec<Outcome>> {
    let list = row.get(key)?.as_array().unwrap();
    Some(list.iter().map(|outcome| outcome_of(outcome.as_table().unwrap())).collect())
}

fn outcome_of(row: &Table) -> Outcome {
    let number = |value: &Value| u16::try_from(value.as_integer().unwrap()).unwrap();
    let status = row.get("status").and_then(Value::as_array);
    let headers = row.get("headers").and_then(Value::as_table);
    let tokens = |(name, _): (&String, &Value)| (name.clone(), texts(headers.unwrap(), name));
    Outcome {
        what: match text(row, "do").unwrap().as_str() {
            "respond" => Do::Respond,
            "deliver" => Do::Deliver,
            "discard" => Do::Discard,
            "absorb" => Do::Absorb,
            other => panic!("{other}"),
        },
        status: status.into_iter().flatten().map(number).collect(),
        headers: headers.into_iter().flatten().map(tokens).collect(),
        answer: row.get("answer").map(number),
        far_has: texts(row, "far_has"),
        far_lacks: texts(row, "far_lacks"),
        body_crosses: flag(row, "body_crosses"),
        sends: texts(row, "sends"),
        closes: flag(row, "closes"),
        stops_retransmission: flag(row, "stops_retransmission"),
    }
}

fn text(row: &Table, key: &str) -> Option<String> {
    row.get(key).map(|value| value.as_str().unwrap().to_owned())
}

fn texts(row: &Table, key: &str) -> Vec<String> {
    let list = row.get(key).and_then(Value::as_array);
    list.into_iter().flatten().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn flag(row: &Table, key: &str) -> bool {
    row.get(key).is_some_and(|value| value.as_bool().unwrap())
}
