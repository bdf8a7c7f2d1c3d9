//! Phones that register, and one that watches, in a storm: each with one request at a time, sent again until it is answered.

use super::common::{World, ms, s};
use super::gate::answer_to;
use super::users::{BOB, REGISTRAR, challenges};
use liaison_tests::message::{Msg, body, branch, field, seq};
use sip::time::Mono;
use std::collections::BTreeMap;
use std::time::Duration;

/// A request that waits for its final response.
struct Pending {
    msg: Msg,
    given_up: Mono,
    again: Mono,
    interval: Duration,
}

/// A user agent: one Call-ID, numbers that go up, and credentials where they are asked for.
pub struct Line {
    pub address: String,
    user: &'static str,
    pub call_id: String,
    pub seq: u32,
    branches: u32,
    pending: Option<Pending>,
}

/// What became of a request.
pub enum Outcome {
    Answered(u16, String),
    GivenUp,
}

impl Line {
    pub fn new(user: &'static str, address: String, name: &str) -> Self {
        Self { call_id: format!("{name}-0"), address, user, seq: 0, branches: 0, pending: None }
    }

    /// Sends a request; the number, the Call-ID and the branch are its own.
    pub fn send(&mut self, world: &mut World, request: Msg) {
        self.seq += 1;
        self.branches += 1;
        let method = request.text().split(' ').next().unwrap().to_owned();
        let msg = request
            .set("Call-ID", &self.call_id)
            .set("CSeq", &format!("{} {method}", self.seq))
            .branch(&format!("{}-{}", self.call_id, self.branches));
        world.post(&self.address, REGISTRAR, &msg);
        let now = world.now.mono;
        self.pending = Some(Pending { msg, given_up: now + s(32), again: now + ms(500), interval: ms(500) });
    }

    /// Sends again what was not answered (RFC 3261 §17.1.2.2, Timers E and F).
    pub fn tick(&mut self, world: &mut World) -> Option<Outcome> {
        let now = world.now.mono;
        let pending = self.pending.as_mut()?;
        if pending.given_up <= now {
            self.pending = None;
            return Some(Outcome::GivenUp);
        }
        if pending.again <= now {
            pending.interval = (pending.interval * 2).min(s(4));
            pending.again = now + pending.interval;
            world.post(&self.address, REGISTRAR, &pending.msg);
        }
        None
    }

    /// Hears a response. A challenge is answered, as often as it comes.
    pub fn hear(&mut self, world: &mut World, text: &str) -> Option<Outcome> {
        let pending = self.pending.as_ref()?;
        let status: u16 = text.split(' ').nth(1)?.parse().ok()?;
        if branch(text) != branch(&pending.msg.text()) || status < 200 {
            return None;
        }
        let msg = self.pending.take()?.msg;
        if status != 401 {
            return Some(Outcome::Answered(status, text.to_owned()));
        }
        let line = msg.text();
        let mut words = line.split(' ');
        let (method, uri) = (words.next()?, words.next()?);
        let credentials = answer_to(&challenges(text), true, self.user, "wonderland", method, uri);
        self.send(world, msg.set("Authorization", &credentials));
        None
    }
}

/// Who subscribes to Bob's registrations, and what it knows of them.
pub struct Watcher {
    pub line: Line,
    lives: u32,
    /// Version of the last document, and the active contacts by id.
    version: Option<u32>,
    heard: u32,
    pub view: BTreeMap<String, String>,
}

impl Watcher {
    pub fn new(address: &str) -> Self {
        let line = Line::new("bob", address.to_owned(), "watch");
        Self { line, lives: 0, version: None, heard: 0, view: BTreeMap::new() }
    }

    /// Subscribes anew.
    pub fn subscribe(&mut self, world: &mut World) {
        self.lives += 1;
        self.line.call_id = format!("watch-{}", self.lives);
        (self.version, self.heard) = (None, 0);
        self.view.clear();
        let request = Msg::request("SUBSCRIBE", BOB, &self.line.address, 1)
            .set("From", &format!("<sip:bob@example.com>;tag=w{}", self.lives))
            .with("Event", "reg");
        self.line.send(world, request);
    }

    /// A NOTIFY: versions go up by one, and the first document has everything (RFC 3680 §4.6, §5.1).
    pub fn notified(&mut self, world: &mut World, text: &str) {
        let known = field(text, "Call-ID") == self.line.call_id;
        let status = if known { 200 } else { 481 };
        world.post(&self.line.address, REGISTRAR, &Msg::response(text, status, ""));
        // One that came before, or was overtaken.
        if !known || seq(text) <= self.heard {
            return;
        }
        self.heard = seq(text);
        let document = body(text);
        let of = |text: &str, name: &str| {
            let (_, rest) =
                text.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {text}"));
            rest.split('"').next().unwrap().to_owned()
        };
        let (_, head) = document.split_once("<reginfo").unwrap();
        let (version, full) = (of(head, "version").parse::<u32>().unwrap(), of(head, "state") == "full");
        match self.version {
            Some(last) => assert_eq!(version, last + 1, "versions go up by one: {document}"),
            None => assert!(version == 0 && full, "the first has everything: {document}"),
        }
        self.version = Some(version);
        if full {
            self.view.clear();
        }
        for contact in document.split("<contact ").skip(1) {
            let contact = format!(" {contact}");
            let uri = contact.split("<uri>").nth(1).unwrap().split("</uri>").next().unwrap().to_owned();
            match &*of(&contact, "state") {
                "active" => self.view.insert(of(&contact, "id"), uri),
                _ => self.view.remove(&of(&contact, "id")),
            };
        }
    }
}
