//! Requests of ours outside a dialog.

use super::message::{Msg, field};
use super::ua::{PEER, T64, Ua, address, flow};
use crate::session::{Ask, IntentError, Invite, Parts, Patience};
use crate::{Destination, Event, Failure, ListenerId, NetworkId};
use sip_types::Method;
use std::time::Duration;

fn ask(next_hop: &str, method: Method) -> Ask {
    Ask {
        network: NetworkId(0),
        label: 0,
        conduct: None,
        method,
        request_uri: "sip:example.com".parse().unwrap(),
        next_hop: next_hop.parse().unwrap(),
        routes: Box::default(),
        flow: None,
        outbound: false,
        keep: false,
        from: "<sip:liaison@example.net>".into(),
        to: "<sip:example.com>".into(),
        contact_user: None,
        max_forwards: 70,
        patience: Patience { target: Some(Duration::from_secs(2)), last_resort: true },
        everywhere: false,
        parts: Parts::default(),
    }
}

fn outcome(ua: &mut Ua) -> String {
    match ua.event() {
        Event::Responded { outcome: Ok(response) | Err(Failure::Response(response)), .. } => {
            response.status().as_u16().to_string()
        }
        Event::Responded { outcome: Err(Failure::Timeout), .. } => "timeout".to_owned(),
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
    assert_eq!(outcome(&mut ua), "200");
    ua.must_forget();
    ua.act(|e, now| e.ask(now, ask(&format!("sip:{PEER}"), Method::Options))).unwrap();
    let sent = ua.one();
    ua.hear(&Msg::response(&sent.text, 404, "x"));
    assert_eq!(outcome(&mut ua), "404");
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
    assert_eq!(outcome(&mut ua), "503");
    ua.must_forget();
}

#[test]
fn a_probe_goes_to_every_target_whatever_is_known_of_it() {
    let mut ua = Ua::udp();
    let probe = || Ask {
        everywhere: true,
        patience: Patience { last_resort: false, ..ask("sip:x", Method::Options).patience },
        ..ask("sip:example.com:5060", Method::Options)
    };
    let zone = "example.com A 198.51.100.1\n example.com A 198.51.100.2\n example.com A 198.51.100.3";
    for _ in 0..3 {
        ua.act(|e, now| e.ask(now, probe())).unwrap();
        ua.resolve(zone);
        let sent = ua.take();
        let mut peers: Vec<_> = sent.iter().map(|one| one.to.peer().to_string()).collect();
        peers.sort();
        assert_eq!(peers, ["198.51.100.1:5060", "198.51.100.2:5060", "198.51.100.3:5060"]);
        let ids: std::collections::BTreeSet<_> = sent.iter().map(|one| field(&one.text, "Call-ID")).collect();
        assert_eq!(ids.len(), 3);
        for one in sent.iter().filter(|one| one.to.peer() != address("198.51.100.2:5060")) {
            ua.hear(&Msg::response(&one.text, 405, "x"));
        }
        ua.wait(2_000);
        assert_eq!(ua.events.len(), 1, "{:?}", ua.events);
        ua.events.clear();
        ua.take();
        let gauges = ua.endpoint.target_gauges();
        assert_eq!((gauges.up, gauges.down), (2, 1));
    }
    ua.must_forget();
}

#[test]
fn silence_ends_it() {
    let mut ua = Ua::udp();
    ua.act(|e, now| e.ask(now, ask(&format!("sip:{PEER}"), Method::Message))).unwrap();
    ua.wait(T64);
    assert_eq!(outcome(&mut ua), "timeout");
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

// conforms: RFC3261-10.2-6,7
#[test]
fn rfc3261_10_2_requests_that_belong_together_share_call_id_and_count_up() {
    let mut ua = Ua::udp();
    let register = || Ask {
        contact_user: Some("gw".into()),
        parts: Parts { contact_params: ";expires=60".into(), ..Parts::default() },
        ..ask(&format!("sip:{PEER}"), Method::Register)
    };
    let (session, _) = ua.act(|e, now| e.ask_lasting(now, register())).unwrap();
    let first = ua.one();
    assert!(field(&first.text, "Contact").starts_with("<sip:gw@"), "{}", first.text);
    assert!(field(&first.text, "Contact").ends_with(">;expires=60"), "{}", first.text);
    let early = ua.act(|e, now| e.ask_again(now, session, register()));
    assert_eq!(early.unwrap_err(), IntentError::WrongState, "one at a time");
    assert_eq!(ua.endpoint.asked_flow(session), None);
    ua.hear(&Msg::response(&first.text, 200, "x"));
    assert_eq!(outcome(&mut ua), "200");
    assert_eq!(ua.endpoint.asked_flow(session).map(|flow| flow.peer), Some(address(PEER)));
    assert!(ua.endpoint.is_quiet(), "nothing is under way");
    ua.act(|e, now| e.ask_again(now, session, register())).unwrap();
    let second = ua.one();
    assert_eq!(field(&second.text, "CSeq"), "2 REGISTER");
    for same in ["Call-ID", "From", "To", "Contact"] {
        assert_eq!(field(&second.text, same), field(&first.text, same));
    }
    assert!(!ua.endpoint.is_quiet());
    ua.act(|e, _| e.end_asking(session));
    assert!(ua.endpoint.is_quiet());
    ua.hear(&Msg::response(&second.text, 200, "x"));
    assert!(ua.events.is_empty(), "nobody waits for it");
    let late = ua.act(|e, now| e.ask_again(now, session, register()));
    assert_eq!(late.unwrap_err(), IntentError::Gone);
    ua.must_forget();
}

#[test]
fn rfc5626_4_2_2_each_request_that_belongs_to_a_session_goes_on_the_flow_that_it_names() {
    let mut ua = Ua::tcp();
    let register = |connection: Option<u64>| Ask {
        flow: connection.map(|id| flow(Some(id))),
        routes: ["<sip:198.51.100.9;lr;transport=tcp>".into()].into(),
        keep: true,
        contact_user: Some("gw".into()),
        ..ask("sip:nobody.example", Method::Register)
    };
    let (session, _) = ua.act(|e, now| e.ask_lasting(now, register(None))).unwrap();
    let sent = ua.one();
    assert!(matches!(sent.to, Destination::Open { .. }) && sent.to.peer() == address(PEER), "{:?}", sent.to);
    assert_eq!(field(&sent.text, "Route"), "<sip:198.51.100.9;lr;transport=tcp>");
    ua.hear_on(flow(Some(1)), &Msg::response(&sent.text, 200, "x").text());
    assert_eq!(outcome(&mut ua), "200");
    assert_eq!(ua.endpoint.asked_flow(session), Some(flow(Some(1))));
    for connection in [1, 2] {
        ua.act(|e, now| e.ask_again(now, session, register(Some(connection)))).unwrap();
        let sent = ua.one();
        assert_eq!(sent.to, Destination::Flow(flow(Some(connection))));
        ua.hear_on(flow(Some(connection)), &Msg::response(&sent.text, 200, "x").text());
        assert_eq!(outcome(&mut ua), "200");
    }
    let contact = ua.endpoint.contact_of("gw", ListenerId(0), false);
    assert_eq!(contact.unwrap().to_string(), "sip:gw@192.0.2.1:5060;transport=tcp");
}

// conforms: RFC6223-4.3-1,5
#[test]
fn rfc6223_4_3_keepalives_are_offered_in_the_topmost_via_of_requests_that_may_and_no_others() {
    let mut ua = Ua::udp();
    let register = Ask { keep: true, ..ask(&format!("sip:{PEER}"), Method::Register) };
    ua.act(|e, now| e.ask_lasting(now, register)).unwrap();
    assert!(field(&ua.one().text, "Via").ends_with(";rport;keep"));
    ua.act(|e, now| e.ask(now, ask(&format!("sip:{PEER}"), Method::Options))).unwrap();
    let options = ua.one().text;
    let (_, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 486, "b"));
    let ack = ua.one().text;
    assert!(ack.starts_with("ACK"));
    for text in [options, invite, ack] {
        assert!(!field(&text, "Via").contains("keep"), "{text}");
    }
}

// conforms: RFC5626-4.3-1
#[test]
fn rfc5626_4_3_a_call_on_a_flow_of_ours_asks_for_what_follows_on_it_and_outlives_it() {
    let mut ua = Ua::tcp();
    let invite = Invite {
        network: NetworkId(0),
        label: 0,
        conduct: None,
        request_uri: "sip:bob@example.com".parse().unwrap(),
        next_hop: "sip:nobody.example".parse().unwrap(),
        routes: Box::default(),
        flow: Some(flow(Some(1))),
        outbound: true,
        gruu: None,
        speaks_for: None,
        from: "<sip:alice@example.net>".into(),
        to: "<sip:bob@example.com>".into(),
        max_forwards: 70,
        patience: Patience::default(),
        parts: Parts::default(),
    };
    let session = ua.act(|e, now| e.invite(now, invite)).unwrap();
    let sent = ua.one();
    assert_eq!(sent.to, Destination::Flow(flow(Some(1))));
    assert_eq!(field(&sent.text, "Contact"), "<sip:192.0.2.1:5060;transport=tcp;ob>");
    let ok = Msg::response(&sent.text, 200, "b").contact("10.9.9.9:5060");
    ua.hear_on(flow(Some(1)), &ok.text());
    assert!(matches!(ua.event(), Event::Answered { .. }));
    ua.act(|e, now| e.acknowledge(now, session, Parts::default())).unwrap();
    // Once the connection is gone, another one to the same place will do.
    let again = Destination::FlowOr { flow: flow(Some(1)), peer: address(PEER), domain: None };
    assert_eq!(ua.one().to, again);
    ua.end(session);
    let bye = ua.one();
    assert_eq!((bye.what(), bye.to.clone()), ("BYE", again));
}
