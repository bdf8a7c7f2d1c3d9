//! What a played phone does without being told (RFC 3261 §17, §13.3.1.4, RFC 3262 §3): what gets no answer is sent again, what comes
//! twice is taken once, and answered as the first time.

use crate::message::{Msg, branch, field, find, seq, start, tag, uri_in};
use sip::time::Mono;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const LIFETIME: Duration = Duration::from_secs(32);

/// What ends the repetition of a message.
#[derive(Clone, PartialEq, Eq)]
enum Until {
    /// A response, by branch and method.
    Answered(String, String),
    /// The ACK, by Call-ID and number.
    Acknowledged(String, u32),
    /// The PRACK, by Call-ID and RAck.
    Pracked(String, String),
}

/// A message that is sent again and again.
struct Repeat {
    text: String,
    at: Mono,
    wait: Duration,
    longest: Duration,
    end: Mono,
    until: Until,
}

/// A request of the other side, and what it was answered last.
struct Served {
    request: String,
    last: Option<String>,
}

/// A dialog that an INVITE has made, once it is confirmed.
pub struct Dialog {
    call_id: String,
    ours: String,
    /// The tag of the other side.
    pub theirs: String,
    target: String,
    /// Whether it has ended, as far as the phone knows.
    pub over: bool,
}

/// One phone's transactions and dialogs.
#[derive(Default)]
pub struct Line {
    repeats: Vec<Repeat>,
    /// Whole messages that have come.
    seen: BTreeSet<String>,
    served: BTreeMap<(String, String), Served>,
    /// Requests of its own that have had no final response yet.
    asked: BTreeMap<(String, String), String>,
    /// INVITEs of its own, by branch.
    invites: BTreeMap<String, String>,
    acks: BTreeMap<(String, u32), String>,
    /// Final responses to its INVITEs that are not acknowledged yet.
    owed: BTreeMap<(String, u32), String>,
    /// The highest number that it has used, by Call-ID.
    numbers: BTreeMap<String, u32>,
    /// Requests of its own that nobody has answered.
    pub unanswered: Vec<String>,
    /// Its dialogs.
    pub dialogs: Vec<Dialog>,
    /// Those that have ended, be it before they were confirmed.
    ended: BTreeSet<(String, String, String)>,
}

/// The method of a request, or of that which a response answers.
pub fn method(text: &str) -> String {
    match text.strip_prefix("SIP/2.0 ") {
        Some(_) => field(text, "CSeq").split(' ').nth(1).unwrap_or_default().to_owned(),
        None => text.split(' ').next().unwrap_or_default().to_owned(),
    }
}

/// The status of a response.
pub fn status(text: &str) -> Option<u16> {
    text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok())
}

fn transaction(text: &str) -> (String, String) {
    (branch(text), method(text))
}

impl Line {
    /// The phone sends a message.
    pub fn sent(&mut self, now: Mono, text: &str) {
        match status(text) {
            Some(status) => self.sent_response(now, text, status),
            None => self.sent_request(now, text),
        }
    }

    fn repeat(&mut self, now: Mono, text: &str, longest: Duration, until: Until) {
        self.repeats.push(Repeat {
            text: text.to_owned(),
            at: now + T1,
            wait: T1,
            longest,
            end: now + LIFETIME,
            until,
        });
    }

    fn sent_request(&mut self, now: Mono, text: &str) {
        let (call_id, number, key) = (field(text, "Call-ID"), seq(text), transaction(text));
        if key.1 == "ACK" {
            self.owed.remove(&(call_id.clone(), number));
            self.acks.insert((call_id, number), text.to_owned());
            return;
        }
        let highest = self.numbers.entry(call_id).or_default();
        *highest = number.max(*highest);
        let longest = if key.1 == "INVITE" { LIFETIME } else { T2 };
        if key.1 == "INVITE" {
            self.invites.insert(key.0.clone(), text.to_owned());
        }
        self.asked.insert(key.clone(), text.to_owned());
        self.repeat(now, text, longest, Until::Answered(key.0, key.1));
    }

    fn sent_response(&mut self, now: Mono, text: &str, status: u16) {
        let key = transaction(text);
        let (call_id, number) = (field(text, "Call-ID"), seq(text));
        if key.1 == "INVITE" && status >= 200 {
            let longest = Until::Acknowledged(call_id.clone(), number);
            self.repeats.retain(|repeat| !matches!(&repeat.until, Until::Pracked(of, _) if *of == call_id));
            self.repeat(now, text, T2, longest);
        } else if let Some(rseq) = find(text, "RSeq") {
            let rack = format!("{rseq} {number} INVITE");
            self.repeat(now, text, LIFETIME, Until::Pracked(call_id.clone(), rack));
        }
        let request = self.served.get_mut(&key).map(|served| {
            served.last = Some(text.to_owned());
            served.request.clone()
        });
        if key.1 == "INVITE"
            && (200..300).contains(&status)
            && let Some(request) = request
        {
            self.confirmed(call_id, tag(text, "To"), tag(text, "From"), &field(&request, "Contact"));
        }
    }

    fn confirmed(&mut self, call_id: String, ours: String, theirs: String, contact: &str) {
        let known = self.dialogs.iter().any(|d| d.call_id == call_id && d.ours == ours && d.theirs == theirs);
        if !known {
            let over = self.ended.contains(&(call_id.clone(), ours.clone(), theirs.clone()));
            self.dialogs.push(Dialog { call_id, ours, theirs, target: uri_in(contact), over });
        }
    }

    /// A message comes: what is sent at once, and whether the script has not seen it yet.
    pub fn came(&mut self, text: &str) -> (Option<String>, bool) {
        let is_new = self.seen.insert(text.to_owned());
        match status(text) {
            Some(status) => (self.response_came(text, status, is_new), is_new),
            None => (self.request_came(text, is_new), is_new),
        }
    }

    fn stop(&mut self, until: &Until) {
        self.repeats.retain(|repeat| repeat.until != *until);
    }

    fn response_came(&mut self, text: &str, status: u16, is_new: bool) -> Option<String> {
        let key = transaction(text);
        let (call_id, number) = (field(text, "Call-ID"), seq(text));
        if status >= 200 || key.1 == "INVITE" {
            self.stop(&Until::Answered(key.0.clone(), key.1.clone()));
        }
        if status < 200 {
            return None;
        }
        let asked = self.asked.remove(&key);
        if key.1 == "INVITE" {
            if let Some(ack) = self.acks.get(&(call_id.clone(), number)) {
                return Some(ack.clone());
            }
            self.owed.insert((call_id.clone(), number), text.to_owned());
            if status < 300 {
                let contact = find(text, "Contact").unwrap_or_default();
                self.confirmed(call_id.clone(), tag(text, "From"), tag(text, "To"), &contact);
            }
        }
        let is_gone = key.1 == "BYE" || matches!(status, 408 | 481);
        if is_new && is_gone && asked.is_some_and(|asked| !tag(&asked, "To").is_empty()) {
            self.end(&call_id, &tag(text, "From"), &tag(text, "To"));
        }
        None
    }

    fn request_came(&mut self, text: &str, is_new: bool) -> Option<String> {
        let key = transaction(text);
        let call_id = field(text, "Call-ID");
        match key.1.as_str() {
            "ACK" => {
                self.stop(&Until::Acknowledged(call_id, seq(text)));
                return None;
            }
            "PRACK" => self.stop(&Until::Pracked(call_id, field(text, "RAck"))),
            "BYE" => self.end(&call_id, &tag(text, "To"), &tag(text, "From")),
            _ => {}
        }
        if is_new {
            self.served.insert(key, Served { request: text.to_owned(), last: None });
            return None;
        }
        let last = self.served.get(&key).and_then(|served| served.last.clone());
        // RFC 6026 §7.1: an INVITE that is accepted has no answer but the 2xx, which goes by its own timer.
        last.filter(|last| key.1 != "INVITE" || !matches!(status(last), Some(200..300)))
    }

    fn end(&mut self, call_id: &str, ours: &str, theirs: &str) {
        self.ended.insert((call_id.to_owned(), ours.to_owned(), theirs.to_owned()));
        let of = |d: &&mut Dialog| d.call_id == call_id && d.ours == ours && d.theirs == theirs;
        self.dialogs.iter_mut().filter(of).for_each(|dialog| dialog.over = true);
    }

    /// When it next sends something by itself.
    pub fn next(&self) -> Option<Mono> {
        self.repeats.iter().map(|repeat| repeat.at.min(repeat.end)).min()
    }

    /// What is to be sent at that time.
    pub fn due(&mut self, now: Mono, at: &str) -> Vec<String> {
        let mut texts = Vec::new();
        let (ended, mut left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.repeats).into_iter().partition(|repeat| repeat.end <= now);
        for repeat in left.iter_mut().filter(|repeat| repeat.at <= now) {
            texts.push(repeat.text.clone());
            repeat.wait = (repeat.wait * 2).min(repeat.longest);
            repeat.at = now + repeat.wait;
        }
        self.repeats = left;
        for repeat in ended {
            let text = repeat.text;
            match repeat.until {
                Until::Answered(..) => {
                    self.asked.remove(&transaction(&text));
                    self.end(&field(&text, "Call-ID"), &tag(&text, "From"), &tag(&text, "To"));
                    self.unanswered.push(text);
                }
                Until::Acknowledged(call_id, _) => {
                    let ours = tag(&text, "To");
                    let bye =
                        self.dialogs.iter().position(|d| !d.over && d.call_id == call_id && d.ours == ours);
                    texts.extend(bye.map(|n| self.ask(at, n, "BYE")));
                }
                Until::Pracked(..) => {}
            }
        }
        texts
    }

    /// Whether that request has been sent before.
    pub fn has_sent(&self, text: &str) -> bool {
        self.asked.contains_key(&transaction(text))
    }

    /// A dialog that the phone still has.
    pub fn alive(&self) -> Option<usize> {
        self.dialogs.iter().position(|dialog| !dialog.over)
    }

    /// A request in a dialog.
    pub fn ask(&mut self, at: &str, dialog: usize, method: &str) -> String {
        let dialog = &self.dialogs[dialog];
        let number = self.numbers.get(&dialog.call_id).map_or(1, |number| number + 1);
        Msg::request(method, &dialog.target, at, number)
            .branch(&format!("leave-{}-{number}", dialog.ours))
            .set("From", &format!("<sip:phone@{at}>;tag={}", dialog.ours))
            .set("To", &format!("<{}>;tag={}", dialog.target, dialog.theirs))
            .set("Call-ID", &dialog.call_id)
            .text()
    }

    /// What is left to say once nobody plays the phone any more: answers that it owes, and ACKs.
    pub fn leftovers(&mut self, at: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for ((_, number), response) in &self.owed {
            let ack = match status(response) {
                Some(..300) => Msg::inside("ACK", at, *number, response)
                    .branch(&format!("ack-{number}-{}", tag(response, "To")))
                    .text(),
                _ => match self.invites.get(&branch(response)) {
                    Some(invite) => of_failed(invite, response),
                    None => continue,
                },
            };
            texts.push(ack);
        }
        let is_open =
            |served: &&Served| served.last.as_deref().and_then(status).is_none_or(|status| status < 200);
        for served in self.served.values().filter(is_open) {
            texts.extend(self.left(&served.request));
        }
        texts
    }

    /// What a request gets that nobody expects.
    fn left(&self, request: &str) -> Option<String> {
        let is_inside = !tag(request, "To").is_empty();
        let stands = is_inside && {
            let (call_id, ours) = (field(request, "Call-ID"), tag(request, "To"));
            self.dialogs.iter().any(|d| !d.over && d.call_id == call_id && d.ours == ours)
        };
        let status = match method(request).as_str() {
            "INVITE" if !is_inside => 480,
            "INVITE" | "UPDATE" if stands && request.contains("application/sdp") => 488,
            "UPDATE" if stands => 200,
            "INVITE" | "UPDATE" => 481,
            "NOTIFY" if !field(request, "Event").starts_with("refer") => 481,
            "REFER" => 603,
            "SUBSCRIBE" => 481,
            _ => 200,
        };
        Some(Msg::response(request, status, "gone").text())
    }

    /// A CANCEL ends what it is for, if nobody plays the phone any more.
    pub fn cancelled(&self, cancel: &str) -> Option<String> {
        let invite = self.served.get(&(branch(cancel), "INVITE".into()))?;
        let is_open = invite.last.as_deref().and_then(status).is_none_or(|status| status < 200);
        is_open.then(|| Msg::response(&invite.request, 487, "gone").text())
    }
}

/// The ACK of a failure: in the transaction of the INVITE (RFC 3261 §17.1.1.3).
fn of_failed(invite: &str, response: &str) -> String {
    let uri = start(invite).split(' ').nth(1).unwrap_or_default();
    let mut ack = Msg::request("ACK", uri, "unused", seq(invite)).without("Contact");
    for (name, value) in [
        ("Via", field(invite, "Via")),
        ("From", field(invite, "From")),
        ("To", field(response, "To")),
        ("Call-ID", field(invite, "Call-ID")),
    ] {
        ack = ack.set(name, &value);
    }
    ack.text()
}
