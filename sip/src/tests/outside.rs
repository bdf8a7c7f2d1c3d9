//! Requests of ours outside a dialog.

use super::message::{Msg, field};
use super::ua::{PEER, T64, Ua, address};
use crate::session::{Ask, IntentError, Parts, Patience};
use crate::{Event, Failure, NetworkId};
use sip_types::Method;
use std::time::Duration;

fn ask(next_hop: &str, method: Method) -> Ask {
    Ask {
        network: NetworkId(0),
        label: 0,
        method,
        request_uri: "sip:example.com".parse().unwrap(),
        next_hop: next_hop.parse().unwrap(),
        from: "<sip:liaison@example.net>".into(),
        to: "<sip:example.com>".into(),
        max_forwards: 70,
        patience: Patience { target: Some(Duration::from_secs(2)), last_resort: true },
        parts: Parts::default(),
    }
}

fn outcome(ua: &mut Ua) -> Result<u16, Failure> {
    match ua.event() {
        Event::Responded { outcome, .. } => outcome.map(|response| response.status().as_u16()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rfc3261_8_1_1_a_request_outside_a_dialog_and_its_answer() {
    let mut ua = Ua::udp();
    ua.act(|e, now| e.ask(now, ask(&format!("sip:{PEER}"), Method::Options))).unwrap();
    let sent = ua.one();
    assert_eq!(sent.text.lines().next().unwrap(), "OPTIONS sip:example.com SIP/2.0");
    assert!(field(&sent.text, "From").starts_with("<sip:liaison@example.net>;tag="));
    assert_eq!(field(&sent.text, "To"), "<sip:example.com>");
    assert_eq!(field(&sent.text, "CSeq"), "1 OPTIONS");
    ua.hear(&Msg::response(&sent.text, 200, "x"));
    assert_eq!(outcome(&mut ua).unwrap(), 200);
    ua.must_forget();
    ua.act(|e, now| e.ask(now, ask(&format!("sip:{PEER}"), Method::Options))).unwrap();
    let sent = ua.one();
    ua.hear(&Msg::response(&sent.text, 404, "x"));
    assert!(matches!(outcome(&mut ua), Err(Failure::Response(_))));
    ua.must_forget();
}

#[test]
fn rfc3263_4_3_it_goes_on_to_the_next_target_like_an_invite() {
    let mut ua = Ua::udp();
    ua.act(|e, now| e.ask(now, ask("sip:example.com:5060", Method::Options))).unwrap();
    ua.resolve("example.com A 198.51.100.1\n example.com A 198.51.100.2");
    let first = ua.one();
    ua.wait(2_000);
    let second = ua.take().pop().unwrap();
    assert_eq!(second.to.peer(), address("198.51.100.2:5060"));
    ua.hear(&Msg::response(&first.text, 200, "x"));
    assert!(ua.events.is_empty(), "too late");
    ua.hear(&Msg::response(&second.text, 503, "x"));
    assert!(matches!(outcome(&mut ua), Err(Failure::Response(_))));
    ua.must_forget();
}

#[test]
fn silence_ends_it() {
    let mut ua = Ua::udp();
    ua.act(|e, now| e.ask(now, ask(&format!("sip:{PEER}"), Method::Message))).unwrap();
    ua.wait(T64);
    assert!(matches!(outcome(&mut ua), Err(Failure::Timeout)));
    ua.must_forget();
}

#[test]
fn what_has_an_intent_of_its_own_is_not_asked() {
    let mut ua = Ua::udp();
    for method in [Method::Invite, Method::Ack, Method::Cancel] {
        let error = ua.act(|e, now| e.ask(now, ask(&format!("sip:{PEER}"), method))).unwrap_err();
        assert_eq!(error, IntentError::WrongState);
    }
}
