//! Every kind of request of ours × every class of answer: what RFC 3261 §8.1.3, §12.2.1.2, §14.1 and §15.1.1 ask of its sender.

use super::every_request::{KINDS, Kind, ask, sent};
use super::message::{Msg, field, start, tag};
use super::ua::{PEER, T64, Ua};
use crate::auth::client::Acceptance;
use crate::location::TargetState;
use crate::session::{Parts, SessionId, SessionStage};
use crate::{End, Event, Failure};
use sip_types::HeaderName;
use std::collections::BTreeMap;

/// What a request meets: a status, or silence; and whether Retry-After comes with it.
type Answer = (Option<u16>, bool);

const ANSWERS: [Answer; 21] = [
    (Some(302), false),
    (Some(305), false),
    (Some(401), false),
    (Some(407), false),
    (Some(408), false),
    (Some(420), false),
    (Some(421), false),
    (Some(422), false),
    (Some(423), false),
    (Some(481), false),
    (Some(491), false),
    (Some(494), false),
    (Some(500), false),
    (Some(501), false),
    (Some(503), false),
    (Some(503), true),
    (Some(513), false),
    (Some(580), false),
    (Some(600), false),
    (Some(603), true),
    (None, false),
];

/// A request of ours, by the intent that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    Kind(Kind),
    Update,
    Prack,
    Refer,
    Subscribe,
    Cancel,
}

fn intents() -> impl Iterator<Item = Intent> {
    let own = [Intent::Update, Intent::Prack, Intent::Refer, Intent::Subscribe, Intent::Cancel];
    KINDS.into_iter().map(Intent::Kind).chain(own)
}

impl Intent {
    fn name(self) -> String {
        match self {
            Self::Kind(kind) => format!("{kind:?}"),
            own => format!("{own:?} by its intent"),
        }
    }

    /// It is sent, and waits for its response.
    fn sent(self) -> (Ua, SessionId, String) {
        let mut ua = Ua::udp();
        let sid = match self {
            Self::Kind(kind) => return sent(kind, Acceptance::default()),
            Self::Update => {
                let sid = ua.called().0;
                ua.act(|e, now| e.update(now, sid, None, 70, Parts::default())).unwrap();
                sid
            }
            Self::Prack => {
                ua = super::reliable::ua();
                let (sid, invite) = ua.call();
                let reliable = Msg::response(&invite, 183, "b1").contact(PEER);
                ua.hear(&reliable.with("Require", "100rel").with("RSeq", "7"));
                let Event::Progress { dialog: Some(no), .. } = ua.event() else { panic!() };
                ua.act(|e, now| e.prack(now, sid, no, 7, Parts::default())).unwrap();
                sid
            }
            Self::Refer => {
                let sid = ua.called().0;
                let mut parts = Parts::default();
                parts.fields.push(HeaderName::ReferTo, "<sip:carol@example.org>");
                ua.act(|e, now| e.refer(now, sid, 70, parts)).unwrap();
                sid
            }
            Self::Subscribe => {
                let mut ask = ask("SUBSCRIBE");
                ask.parts.fields.push(HeaderName::Event, "presence");
                ua.act(|e, now| e.subscribe(now, ask)).unwrap()
            }
            Self::Cancel => {
                let (sid, invite) = ua.call();
                ua.hear(&Msg::response(&invite, 180, "b1").contact(PEER));
                ua.events.clear();
                ua.end(sid);
                sid
            }
        };
        let text = ua.one().text;
        (ua, sid, text)
    }
}

/// What came with the answer, where its class has something.
fn answer(request: &str, status: u16, later: bool) -> Msg {
    let to = if field(request, "To").contains("tag=") { "" } else { "b1" };
    let msg = Msg::response(request, status, to);
    match status {
        302 | 305 => msg.with("Contact", "<sip:elsewhere@203.0.113.9>"),
        401 => msg.with("WWW-Authenticate", "Digest realm=\"foreign\", nonce=\"n\", qop=\"auth\""),
        407 => msg.with("Proxy-Authenticate", "Digest realm=\"foreign\", nonce=\"n\", qop=\"auth\""),
        420 => msg.with("Unsupported", "foo"),
        421 => msg.with("Require", "sec-agree"),
        422 => msg.with("Min-SE", "3600"),
        423 => msg.with("Min-Expires", "3600"),
        494 => msg.with("Security-Server", "tls;q=0.1").with("Require", "sec-agree"),
        _ if later => msg.with("Retry-After", "30"),
        _ => msg,
    }
}

fn seq(text: &str) -> u32 {
    field(text, "CSeq").split(' ').next().unwrap().parse().unwrap()
}

fn branch(text: &str) -> String {
    field(text, "Via").split("branch=").nth(1).unwrap().split(';').next().unwrap().to_owned()
}

/// Whatever follows is of the same dialog: the ACK of a failure in the transaction of its INVITE (RFC 3261 §17.1.1.3), all else
/// with the next number and a branch of its own.
fn follows(case: &str, before: &str, after: &str) {
    for same in ["Call-ID", "From"] {
        assert_eq!(field(before, same), field(after, same), "{case}");
    }
    if start(after).starts_with("ACK") {
        assert_eq!((seq(before), branch(before)), (seq(after), branch(after)), "{case}");
    } else {
        assert_eq!(seq(before) + 1, seq(after), "{case}");
        assert_ne!(branch(before), branch(after), "{case}");
        assert_eq!(tag(before, "To"), tag(after, "To"), "{case}");
    }
}

fn failure(why: &Failure) -> &'static str {
    match why {
        Failure::Response(_) => "the response",
        Failure::Challenged(_) => "a challenge",
        Failure::Timeout => "silence",
        Failure::Unreachable(_) => "no way",
        Failure::Full => "a limit",
    }
}

fn told(event: &Event) -> String {
    match event {
        Event::Ended { why: End::Rejected(why), .. } => format!("rejected by {}", failure(why)),
        Event::Ended { why: End::HungUp(Some(_)), .. } => "hung up, answered".to_owned(),
        Event::Ended { why: End::HungUp(None), .. } => "hung up".to_owned(),
        Event::Ended { why: End::Lost(why), .. } => format!("lost by {}", failure(why)),
        Event::ReinviteFailed { why, .. } => format!("re-INVITE failed by {}", failure(why)),
        Event::Responded { outcome: Err(why), .. } => format!("failed by {}", failure(why)),
        other => format!("{other:?}"),
    }
}

/// What follows from an answer: what is sent, what is told, and what is left of the session.
fn outcome(intent: Intent, (status, later): Answer) -> String {
    let case = format!("{intent:?} {status:?}");
    let (mut ua, sid, first) = intent.sent();
    match status {
        Some(status) => ua.hear(&answer(&first, status, later)),
        None => ua.wait(T64),
    }
    while let Some(needed) = ua.secrets.pop() {
        ua.act(|e, now| e.handle_secret(now, needed.id, Vec::new()));
    }
    ua.wait(4_000);
    let mut before = first.clone();
    let mut said: Vec<String> = Vec::new();
    for sent in ua.take() {
        // Retransmissions, which timers of transactions have their own tests for.
        if sent.text == before || sent.text == first {
            continue;
        }
        said.push(sent.what().to_owned());
        // That of another transaction, the INVITE's.
        if sent.what() == "CANCEL" {
            continue;
        }
        follows(&case, if start(&sent.text).starts_with("ACK") { &first } else { &before }, &sent.text);
        if !start(&sent.text).starts_with("ACK") {
            before = sent.text;
        }
    }
    let events: Vec<String> = std::mem::take(&mut ua.events).iter().map(told).collect();
    let left = match ua.endpoint.session(sid).map(|session| session.stage) {
        None | Some(SessionStage::Over) => "over",
        Some(SessionStage::Ending) => "ending",
        Some(_) => "stands",
    };
    let now = ua.now();
    let held = ua.endpoint.targets(now).iter().any(|target| matches!(target.state, TargetState::Held(..)));
    let target = if held { ", its target is held" } else { "" };
    format!("sends [{}], {}, {left}{target}", said.join(" "), events.join(" + "))
}

/// Answers in words, ranges joined.
fn table(intent: Intent) -> String {
    let mut by_outcome: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for answer in ANSWERS {
        let later = if answer.1 { " with Retry-After" } else { "" };
        let name = answer.0.map_or("silence".to_owned(), |status| format!("{status}{later}"));
        by_outcome.entry(outcome(intent, answer)).or_default().push(name);
    }
    let mut rows: Vec<_> =
        by_outcome.into_iter().map(|(outcome, names)| (names.join(", "), outcome)).collect();
    rows.sort();
    rows.iter().map(|(names, outcome)| format!("{names}: {outcome}\n")).collect()
}

/// Kinds that fare alike are written together.
#[test]
fn rfc3261_8_1_3_every_request_meets_every_class_of_answer() {
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for intent in intents() {
        let (table, name) = (table(intent), intent.name());
        match alike.iter_mut().find(|(known, _)| *known == table) {
            Some((_, names)) => names.push(name),
            None => alike.push((table, vec![name])),
        }
    }
    let text: Vec<String> =
        alike.iter().map(|(table, names)| format!("{}\n{table}", names.join(", "))).collect();
    insta::assert_snapshot!(text.join("\n"));
}
