//! Lost, doubled and late messages around a subscription: both sides agree on its end, and nothing stays behind.

use super::common::{ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, ms};
use liaison_tests::ids::Seeded;
use liaison_tests::message::{Msg, field, find, seq, start, tag};
use liaison_tests::network::Network;
use std::collections::BTreeMap;

/// A request that is sent again until it is answered, or 64*T1 have passed.
struct Pending {
    at: &'static str,
    to: &'static str,
    text: String,
    steps: u32,
}

/// Two phones that keep to RFC 3261 §17 and RFC 6665 in the simplest way.
#[derive(Default)]
struct Phones {
    pending: Vec<Pending>,
    /// What each request was answered with, to be said again.
    answers: BTreeMap<String, String>,
    /// The SUBSCRIBE that Bob got first.
    asked: Option<String>,
    /// What Alice was told, by the number of the NOTIFY.
    told: BTreeMap<u32, String>,
    /// The statuses that Alice and Bob got.
    heard: Vec<(String, String)>,
    count: u32,
    ends: bool,
}

/// What a message belongs to: its transaction.
fn key(text: &str) -> String {
    format!("{} {} {}", field(text, "Call-ID"), field(text, "CSeq"), tag(text, "From"))
}

impl Phones {
    fn send(&mut self, at: &'static str, msg: &Msg) {
        let to = if at == ALICE { OUTSIDE } else { INSIDE };
        self.pending.push(Pending { at, to, text: msg.text(), steps: 0 });
    }

    /// Half a second: what has no answer is sent again.
    fn step(&mut self, world: &mut World) {
        for pending in &mut self.pending {
            world.post_text(pending.at, pending.to, &pending.text);
            pending.steps += 1;
        }
        self.pending.retain(|pending| pending.steps < 64);
        world.run_for(ms(500));
        for datagram in std::mem::take(&mut world.mail) {
            let (at, text) = (
                if datagram.to == ALICE.parse::<std::net::SocketAddr>().unwrap() { ALICE } else { BOB },
                datagram.text(),
            );
            match text.starts_with("SIP/2.0") {
                true => self.response(at, &text),
                false => self.request(world, at, &text),
            }
        }
    }

    fn response(&mut self, at: &'static str, text: &str) {
        let Some(place) = self.pending.iter().position(|pending| key(&pending.text) == key(text)) else {
            return;
        };
        if start(text).starts_with('1') {
            return;
        }
        self.pending.remove(place);
        self.heard.push((field(text, "CSeq"), start(text)[..3].to_owned()));
        if at == ALICE && seq(text) == 1 && start(text).starts_with("200") {
            self.ends = true;
            let end = Msg::inside("SUBSCRIBE", ALICE, 2, text).with("Event", "presence").with("Expires", "0");
            self.send(ALICE, &end);
        }
    }

    fn request(&mut self, world: &mut World, at: &'static str, text: &str) {
        let name = key(text);
        let to = if at == ALICE { OUTSIDE } else { INSIDE };
        if let Some(answer) = self.answers.get(&name) {
            return world.post_text(at, to, answer);
        }
        let mut answer = Msg::response(text, 200, if at == BOB { "bob" } else { "" });
        if at == BOB {
            let expires = find(text, "Expires").unwrap();
            answer = answer.contact(BOB).with("Expires", &expires);
            let first = self.asked.get_or_insert_with(|| text.to_owned()).clone();
            self.count += 1;
            let state = if expires == "0" { "terminated;reason=timeout" } else { "active;expires=600" };
            let from = format!("{};tag=bob", field(&first, "To"));
            let notify = Msg::inside("NOTIFY", BOB, self.count, &first).set("From", &from);
            let notify = notify.branch(&format!("notify-{}", self.count));
            self.send(BOB, &notify.with("Event", "presence").with("Subscription-State", state));
        } else {
            self.told.insert(seq(text), field(text, "Subscription-State"));
        }
        let answer = answer.text();
        self.answers.insert(name, answer.clone());
        world.post_text(at, to, &answer);
    }
}

#[test]
fn a_subscription_in_a_storm_ends_on_both_sides() {
    let mut ended = 0;
    for seed in 0..60 {
        let mut world = super::common::by_hand(TWO_SIDES, seed);
        world.network = Network::new(ms(5), super::loss::storm(seed));
        let mut phones = Phones::default();
        let subscribe = Msg::request("SUBSCRIBE", NUMBER, ALICE, 1).with("Event", "presence");
        phones.send(ALICE, &subscribe.with("Expires", "600"));
        // Long enough for what a transaction takes, one after another.
        for _ in 0..300 {
            phones.step(&mut world);
        }
        assert_eq!(world.gauges().subscriptions_carried, 0, "seed {seed}: {:?}", phones.heard);
        assert!(phones.pending.is_empty(), "seed {seed}");
        if phones.ends {
            let last = phones.told.values().last().cloned().unwrap_or_default();
            ended += u32::from(last.starts_with("terminated"));
        }
        world.must_forget(&format!("seed {seed}"));
    }
    assert!(ended >= 55, "nearly all are told of their end: {ended}");
}

#[test]
fn a_message_in_a_storm_arrives_once() {
    for seed in 0..60 {
        let mut world = super::common::by_hand(TWO_SIDES, seed);
        let mut chance = Seeded(seed);
        world.network = Network::new(ms(5), super::loss::storm(chance.below(1 << 40)));
        let mut phones = Phones::default();
        let message =
            Msg::request("MESSAGE", NUMBER, ALICE, 2).with("Expires", "60").body("text/plain", "hello");
        phones.send(ALICE, &message);
        let mut calls = std::collections::BTreeSet::new();
        for _ in 0..80 {
            phones.pending.iter_mut().for_each(|pending| pending.steps += 1);
            for pending in &phones.pending {
                world.post_text(pending.at, pending.to, &pending.text);
            }
            world.run_for(ms(500));
            for datagram in std::mem::take(&mut world.mail) {
                let text = datagram.text();
                if text.starts_with("SIP/2.0") {
                    phones.response(ALICE, &text);
                } else {
                    calls.insert(key(&text));
                    world.post(BOB, INSIDE, &Msg::response(&text, 200, "bob"));
                }
            }
            phones.pending.retain(|pending| pending.steps < 64);
        }
        assert!(calls.len() <= 1, "seed {seed}: one transaction, however often it comes: {calls:?}");
        assert_eq!(phones.heard.len(), 1, "seed {seed}");
        world.must_forget(&format!("seed {seed}"));
    }
}
