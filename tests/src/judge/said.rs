//! A message as the rules read it.

use crate::message::{body, branch, fields, find, start, tag};
use crate::stage::{method, status};
use sip::time::Mono;

/// A Call-ID with the tags of both: ours, then theirs.
pub(super) type DialogId = (String, String, String);

/// One message that Liaison has sent or got.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// When.
    pub at: Mono,
    /// All of it.
    pub text: String,
    /// Of a response.
    pub status: Option<u16>,
    /// That of the request, or of the one that it responds to.
    pub method: String,
    /// Of the topmost Via, with who has made it (RFC 3261 §17.2.3).
    pub branch: String,
    /// The number of its CSeq.
    pub number: u32,
    /// The dialog that it belongs to; without a tag of who has said none.
    pub dialog: DialogId,
    /// Of a request.
    pub uri: String,
    fields: Vec<(String, String)>,
}

fn sent_by(text: &str) -> String {
    let via = find(text, "Via").unwrap_or_default();
    via.split([' ', ';']).nth(1).unwrap_or_default().to_owned()
}

impl Said {
    pub(super) fn new(at: Mono, sent: bool, text: String) -> Self {
        let (status, fields) = (status(&text), fields(&text));
        let (from, to) = (tag(&text, "From"), tag(&text, "To"));
        let (ours, theirs) = if sent == status.is_none() { (from, to) } else { (to, from) };
        let mut said = Self {
            at,
            status,
            method: method(&text),
            branch: format!("{} of {}", branch(&text), sent_by(&text)),
            number: 0,
            dialog: (String::new(), ours, theirs),
            uri: start(&text).split(' ').nth(1).unwrap_or_default().to_owned(),
            fields,
            text,
        };
        said.dialog.0 = said.find("Call-ID").unwrap_or_default().to_owned();
        let number = said.find("CSeq").and_then(|cseq| cseq.split(' ').next()?.parse().ok());
        said.number = number.unwrap_or_default();
        said
    }

    /// The first field of that name.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The values of a field, in order.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let values = self.fields.iter().filter(|(known, _)| known == name);
        values.flat_map(|(_, value)| value.split(", ").map(str::to_owned)).collect()
    }

    /// Whether a field of options lists one.
    pub(super) fn lists(&self, name: &str, option: &str) -> bool {
        self.all(name).iter().any(|value| value.trim() == option)
    }

    /// The session description in it, which may be a part among others.
    pub(super) fn sdp(&self) -> Option<&str> {
        let body = body(&self.text);
        if body.starts_with("v=0") {
            return Some(body);
        }
        let (_, after) = body.split_once("\r\n\r\nv=0").filter(|_| body.starts_with("--"))?;
        let part = after.split("\r\n--").next()?;
        let start = body.len() - after.len() - "v=0".len();
        body.get(start..start + "v=0".len() + part.len())
    }

    /// What names the transaction.
    pub(super) fn transaction(&self) -> (String, String) {
        (self.branch.clone(), self.method.clone())
    }

    /// Whether it is a reliable provisional response (RFC 3262 §3).
    pub(super) fn is_reliable(&self) -> bool {
        self.status.is_some_and(|status| status < 200) && self.find("RSeq").is_some()
    }

    /// Whether it is a response of that class.
    pub(super) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it is a final response that refuses.
    pub(super) fn is_failure(&self) -> bool {
        self.status.is_some_and(|status| status >= 300)
    }
}
