//! Every kind of request of ours × every class of answer: what RFC 3261 §8.1.3, §12.2.1.2, §14.1 and §15.1.1 ask of its sender.

use super::every_request::{KINDS, Kind, sent};
use super::message::{Msg, field, start, tag};
use super::ua::T64;
use crate::auth::client::Acceptance;
use crate::session::SessionStage;
use crate::{End, Event, Failure};
use std::collections::BTreeMap;

/// What a request meets: a status, or silence.
const ANSWERS: [Option<u16>; 18] = [
    Some(302),
    Some(305),
    Some(401),
    Some(407),
    Some(408),
    Some(420),
    Some(421),
    Some(422),
    Some(423),
    Some(481),
    Some(491),
    Some(494),
    Some(500),
    Some(501),
    Some(503),
    Some(580),
    Some(603),
    None,
];

/// What came with the answer, where its class has something.
fn answer(request: &str, status: u16) -> Msg {
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
        503 => msg.with("Retry-After", "30"),
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
fn outcome(kind: Kind, status: Option<u16>) -> String {
    let case = format!("{kind:?} {status:?}");
    let (mut ua, sid, first) = sent(kind, Acceptance::default());
    match status {
        Some(status) => ua.hear(&answer(&first, status)),
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
        follows(&case, if start(&sent.text).starts_with("ACK") { &first } else { &before }, &sent.text);
        said.push(sent.what().to_owned());
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
    format!("sends [{}], {}, {left}", said.join(" "), events.join(" + "))
}

/// Answers in words, ranges joined.
fn table(kind: Kind) -> String {
    let mut by_outcome: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for answer in ANSWERS {
        let name = answer.map_or("silence".to_owned(), |status| status.to_string());
        by_outcome.entry(outcome(kind, answer)).or_default().push(name);
    }
    let mut rows: Vec<_> =
        by_outcome.into_iter().map(|(outcome, names)| (names.join(" "), outcome)).collect();
    rows.sort();
    rows.iter().map(|(names, outcome)| format!("{names}: {outcome}\n")).collect()
}

/// Kinds that fare alike are written together.
#[test]
fn rfc3261_8_1_3_every_request_meets_every_class_of_answer() {
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for kind in KINDS {
        let (table, name) = (table(kind), format!("{kind:?}"));
        match alike.iter_mut().find(|(known, _)| *known == table) {
            Some((_, names)) => names.push(name),
            None => alike.push((table, vec![name])),
        }
    }
    let text: Vec<String> =
        alike.iter().map(|(table, names)| format!("{}\n{table}", names.join(", "))).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    Invite
    302 305 408 420 421 422 423 481 491 494 500 501 503 580 603: sends [ACK], rejected by the response, over
    401 407: sends [ACK], rejected by a challenge, over
    silence: sends [], rejected by silence, over

    Reinvite
    302 305 420 421 422 423 494 500 501 503 580 603: sends [ACK], re-INVITE failed by the response, stands
    401 407: sends [ACK], re-INVITE failed by a challenge, stands
    408 481: sends [ACK BYE], lost by the response, ending
    491: sends [ACK INVITE], , stands
    silence: sends [BYE], lost by silence, ending

    Bye
    302 305 408 420 421 422 423 481 491 494 500 501 503 580 603: sends [], hung up, answered, over
    401 407 silence: sends [], hung up, over

    Inside("PRACK"), Inside("UPDATE"), Inside("INFO"), Inside("MESSAGE"), Inside("REFER"), Inside("SUBSCRIBE"), Inside("NOTIFY"), Inside("OPTIONS"), Inside("FROBNICATE")
    302 305 420 421 422 423 491 494 500 501 503 580 603: sends [], failed by the response, stands
    401 407: sends [], failed by a challenge, stands
    408 481: sends [BYE], failed by the response + lost by the response, ending
    silence: sends [BYE], failed by silence + lost by silence, ending

    Outside("OPTIONS"), Outside("MESSAGE"), Outside("SUBSCRIBE"), Outside("PUBLISH"), Outside("FROBNICATE")
    302 305 408 420 421 422 423 481 491 494 500 501 503 580 603: sends [], failed by the response, over
    401 407: sends [], failed by a challenge, over
    silence: sends [], failed by silence, over

    Lasting("REGISTER"), Lasting("SUBSCRIBE"), Notify
    302 305 408 420 421 422 423 481 491 494 500 501 503 580 603: sends [], failed by the response, stands
    401 407: sends [], failed by a challenge, stands
    silence: sends [], failed by silence, stands
    "#);
}
