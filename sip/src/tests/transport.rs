//! Where messages go (RFC 3261 §18, RFC 3581, RFC 3263).

use super::message::{Msg, field};
use super::ua::{PEER, Ua, address, flow, listener};
use crate::flow::{Destination, Flow, ListenerId, Transport};
use crate::session::{Body, Parts};
use crate::settings::{Asked, Listener, Settings};
use crate::{End, Event, Failure, Unreachable};
use sip_types::Method;

fn answered(via: &str, peer: &str) -> (Destination, String) {
    answered_by(crate::Nat::Off, via, peer)
}

fn answered_by(nat: crate::Nat, via: &str, peer: &str) -> (Destination, String) {
    let mut ua = Ua::with(Settings {
        listeners: vec![Listener { nat, ..listener(Transport::Udp) }],
        ..Settings::default()
    });
    let flow = Flow { peer: address(peer), ..flow(None) };
    ua.hear_on(flow, &Msg::request("OPTIONS", 1).set("Via", via).text());
    let sent = ua.one();
    (sent.to, field(&sent.text, "Via"))
}

fn on(peer: &str) -> Destination {
    Destination::Flow(Flow { peer: address(peer), ..flow(None) })
}

// conforms: RFC3261-18.2.1-2,3,4 RFC3261-18.2.2-1,4,5
#[test]
fn rfc3261_18_2_1_received_where_sent_by_is_not_the_source() {
    let (to, via) = answered("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa", "198.51.100.9:1024");
    assert!(via.ends_with(";received=198.51.100.9"), "{via}");
    assert_eq!(to, on("198.51.100.9:5070"), "RFC 3261 §18.2.2: received and the port of sent-by");
    let (to, via) = answered("SIP/2.0/UDP host.example.com;branch=z9hG4bKa", "198.51.100.9:1024");
    assert!(via.ends_with(";received=198.51.100.9"), "{via}");
    assert_eq!(to, on("198.51.100.9:5060"));
    let (to, via) = answered("SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKa", "198.51.100.9:1024");
    assert_eq!(via, "SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKa");
    assert_eq!(to, on("198.51.100.9:5060"));
}

// conforms: RFC3581-4-1,2,3
#[test]
fn rfc3581_4_rport_is_filled_in_and_followed() {
    let (to, via) = answered("SIP/2.0/UDP 198.51.100.9:5070;rport;branch=z9hG4bKa", "198.51.100.9:1024");
    assert!(via.contains(";rport=1024") && via.contains(";received=198.51.100.9"), "{via}");
    assert_eq!(to, on("198.51.100.9:1024"));
}

#[test]
fn a_response_goes_to_the_source_behind_a_nat_although_no_rport_asks_for_it() {
    use crate::Nat::{Auto, Off, On};
    let source = "198.51.100.9:1024";
    let rows = [
        (On, "10.0.0.1:5070", source),
        (On, "198.51.100.9:5070", source),
        (On, "phone.invalid", source),
        (Auto, "10.0.0.1:5070", source),
        // Nothing tells of a NAT: it may well send from another port than it listens on.
        (Auto, "198.51.100.9:5070", "198.51.100.9:5070"),
        (Auto, "203.0.113.5:5070", "198.51.100.9:5070"),
        (Auto, "host.example.com", "198.51.100.9:5060"),
        (Off, "10.0.0.1:5070", "198.51.100.9:5070"),
    ];
    for (nat, sent_by, expected) in rows {
        let asks = |more| answered_by(nat, &format!("SIP/2.0/UDP {sent_by};branch=z9hG4bKa{more}"), source);
        let ((without, via), (with, ported)) = (asks(""), asks(";rport"));
        assert_eq!(without, on(expected), "{nat:?} {sent_by}");
        assert!(!via.contains("rport"), "what nobody asked for is not told: {via}");
        assert_eq!(with, on(source), "{nat:?} {sent_by}: whoever asks");
        assert!(ported.contains(";rport=1024") && ported.contains(";received=198.51.100.9"), "{ported}");
    }
    let (to, _) = answered_by(On, "SIP/2.0/UDP 10.0.0.1:5070;maddr=224.2.0.1;branch=z9hG4bKa", source);
    assert_eq!(to, on("224.2.0.1:5070"), "RFC 3261 §18.2.2: maddr comes first");
}

// conforms: RFC3261-18.2.2-3
#[test]
fn rfc3261_18_2_2_maddr_comes_first() {
    let (to, _) = answered("SIP/2.0/UDP 10.0.0.1:5070;maddr=224.2.0.1;rport;branch=z9hG4bKa", PEER);
    assert_eq!(to, on("224.2.0.1:5070"));
    let (to, _) = answered("SIP/2.0/UDP 10.0.0.1;maddr=224.2.0.1;branch=z9hG4bKa", PEER);
    assert_eq!(to, on("224.2.0.1:5060"));
}

#[test]
fn one_host_cannot_have_responses_sent_to_another_one() {
    let (to, _) = answered("SIP/2.0/UDP 10.0.0.1:5070;maddr=203.0.113.9;rport;branch=z9hG4bKa", PEER);
    assert_eq!(to, on(PEER));
}

// conforms: RFC3261-18.2.2-2
#[test]
fn rfc3261_18_2_2_over_tcp_the_connection_first_and_sent_by_once_it_is_closed() {
    let mut ua = Ua::tcp();
    let flow = Flow { peer: address("198.51.100.9:41000"), ..flow(Some(3)) };
    ua.hear_on(
        flow,
        &Msg::request("OPTIONS", 1).set("Via", "SIP/2.0/TCP b.example.com:5070;branch=z9hG4bKa").text(),
    );
    assert_eq!(ua.one().to, Destination::FlowOr { flow, peer: address("198.51.100.9:5070"), domain: None });
}

// conforms: RFC6026-6-2 RFC6026-7.1-7,8 RFC6026-8.8-1
#[test]
fn rfc6026_7_1_a_response_that_cannot_be_sent_leaves_its_transaction() {
    let mut ua = Ua::tcp();
    ua.hear_on(flow(Some(3)), &Msg::request("INVITE", 1).text());
    let trying = ua.one().id;
    ua.act(|e, now| e.handle_send_failed(now, trying));
    assert_eq!((ua.gauges().server_transactions, ua.gauges().sessions), (1, 1));
}

fn big() -> Parts {
    Parts { body: Some(Body { bytes: vec![b'x'; 1_200].into(), ..Body::default() }), ..Parts::default() }
}

// conforms: RFC3261-18-2 RFC3261-18.1.1-1,2
#[test]
fn rfc3261_18_1_1_above_1300_bytes_a_request_goes_over_tcp_and_falls_back() {
    let mut ua = Ua::of(&[Transport::Udp, Transport::Tcp]);
    ua.invite(&format!("sip:bob@{PEER}"), big());
    let first = ua.one();
    assert_eq!(first.to, Destination::Open { listener: ListenerId(1), peer: address(PEER), domain: None });
    assert!(field(&first.text, "Via").starts_with("SIP/2.0/TCP "));
    assert!(field(&first.text, "Contact").contains("transport=tcp"));
    ua.wait(1_000);
    assert!(ua.take().is_empty());
    ua.act(|e, now| e.handle_send_failed(now, first.id));
    let second = ua.one();
    assert_eq!(second.to, Destination::Open { listener: ListenerId(0), peer: address(PEER), domain: None });
    assert!(field(&second.text, "Via").starts_with("SIP/2.0/UDP "));
    assert_eq!(field(&first.text, "CSeq"), field(&second.text, "CSeq"));
    assert_ne!(field(&first.text, "Via"), field(&second.text, "Via"));
    ua.wait(500);
    assert_eq!(ua.times("INVITE"), [1_500]);
    ua.act(|e, now| e.handle_send_failed(now, second.id));
    assert!(matches!(
        ua.event(),
        Event::Ended { why: End::Rejected(Failure::Unreachable(Unreachable::Send)), .. }
    ));
    ua.must_forget();
}

#[test]
fn rfc3261_18_1_1_without_a_tcp_listener_a_large_request_is_a_datagram() {
    let mut ua = Ua::udp();
    ua.invite(&format!("sip:bob@{PEER}"), big());
    let sent = ua.one();
    assert!(sent.text.len() > 1_300);
    assert_eq!(sent.to.listener(), ListenerId(0));
    let mut ua = Ua::of(&[Transport::Udp, Transport::Tcp]);
    let mut parts = big();
    let spare = 1_300 - (sent.text.len() - 1_200);
    parts.body = Some(Body { bytes: vec![b'x'; spare].into(), ..Body::default() });
    ua.invite(&format!("sip:bob@{PEER}"), parts);
    let sent = ua.one();
    assert!(sent.text.len() <= 1_300, "{}", sent.text.len());
    assert_eq!(sent.to.listener(), ListenerId(0));
}

#[test]
fn rfc3261_18_1_1_a_large_ack_falls_back_too_and_is_repeated_as_it_went() {
    let mut ua = Ua::of(&[Transport::Udp, Transport::Tcp]);
    let (sid, invite) = ua.call();
    let ok = Msg::response(&invite, 200, "b1").contact(PEER);
    ua.hear(&ok);
    ua.act(|e, now| e.acknowledge(now, sid, big())).unwrap();
    let first = ua.one();
    assert_eq!(first.to.listener(), ListenerId(1));
    ua.act(|e, now| e.handle_send_failed(now, first.id));
    let second = ua.one();
    assert_eq!((second.what(), second.to.listener()), ("ACK", ListenerId(0)));
    assert!(field(&second.text, "Via").starts_with("SIP/2.0/UDP "));
    ua.hear(&ok);
    assert_eq!(ua.one().text, second.text);
    ua.act(|e, now| e.handle_send_failed(now, second.id));
    assert!(ua.take().is_empty());
}

#[test]
fn a_name_without_address_or_a_transport_that_we_lack_fails_the_call() {
    let mut ua = Ua::udp();
    ua.invite("sip:bob@example.com", Parts::default());
    ua.resolve("");
    let why = |event| match event {
        Event::Ended { why: End::Rejected(Failure::Unreachable(why)), .. } => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(ua.event()), Unreachable::NoAddress);
    for (hop, want) in [
        ("sips:bob@198.51.100.9", Unreachable::NotSecure),
        ("sip:bob@198.51.100.9;transport=sctp", Unreachable::Transport),
        ("sip:bob@198.51.100.9;transport=tcp", Unreachable::Listener),
        ("sip:bob@[2001:db8::1]", Unreachable::Listener),
    ] {
        ua.invite(hop, Parts::default());
        assert_eq!(why(ua.event()), want, "{hop}");
    }
    assert!(ua.take().is_empty());
    ua.must_forget();
}

#[test]
fn maddr_of_a_uri_says_where_it_is_sent() {
    let mut ua = Ua::udp();
    ua.invite("sip:bob@example.com:5070;maddr=198.51.100.44", Parts::default());
    assert_eq!(ua.one().to.peer(), address("198.51.100.44:5070"));
}

#[test]
fn behind_a_nat_requests_in_a_dialog_take_the_way_of_its_invite() {
    let mut one = listener(Transport::Udp);
    one.nat = crate::Nat::On;
    let listeners = vec![one, listener(Transport::Tcp)];
    let mut ua = Ua::with(Settings { listeners, ..Settings::default() });
    let source = Flow { peer: address("203.0.113.7:33000"), ..flow(None) };
    ua.hear_on(source, &Msg::request("INVITE", 1).contact("10.0.0.9").text());
    let Event::Invited { session: sid, .. } = ua.event() else { panic!() };
    ua.take();
    let ok = ua.answer(sid);
    ua.hear_on(source, &Msg::inside("ACK", 1, &ok).text());
    ua.act(|e, now| e.reinvite(now, sid, 70, big())).unwrap();
    assert_eq!(ua.one().to, Destination::Flow(source), "a NAT takes no connections, whatever the size");
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 200, "b1").contact("10.0.0.9"));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    assert_eq!(ua.one().to.peer(), address(PEER));
}

fn registering() -> Listener {
    let asked = vec![Asked { method: Method::Register, understood: &[] }];
    Listener { asked, ..listener(Transport::Udp) }
}

// conforms: RFC6223-4.4-1,2,3,4 RFC6223-4.3-4,6
#[test]
fn rfc6223_4_4_who_would_send_keepalives_is_told_how_often() {
    let mut ua = Ua::with(Settings { listeners: vec![registering()], ..Settings::default() });
    let asks = |method, seq| {
        let via = format!("SIP/2.0/UDP {PEER};keep;branch=z9hG4bK-keep-{seq}");
        Msg::request(method, seq).set("Via", &via)
    };
    let via = |text: &str| field(text, "Via").replace(&format!("SIP/2.0/UDP {PEER}"), "");
    ua.hear(&asks("INVITE", 1));
    let Event::Invited { session: sid, .. } = ua.event() else { panic!() };
    assert_eq!(via(&ua.one().text), ";keep;branch=z9hG4bK-keep-1", "100 makes no dialog");
    let ok = ua.answer(sid);
    assert_eq!(via(&ok), ";keep=25;branch=z9hG4bK-keep-1");
    // In the ACK and within the dialog it means nothing.
    let inside = |method, seq| {
        let via = format!("SIP/2.0/UDP {PEER};keep;branch=z9hG4bK-keep-in-{seq}");
        Msg::inside(method, seq, &ok).set("Via", &via)
    };
    ua.hear(&inside("ACK", 1));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }) && ua.take().is_empty());
    ua.hear(&inside("INVITE", 9));
    assert!(matches!(ua.event(), Event::Reinvited { .. }));
    ua.take();
    ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
    assert_eq!(via(&ua.one().text), ";keep;branch=z9hG4bK-keep-in-9");
    ua.hear(&inside("ACK", 9));
    assert!(matches!(ua.event(), Event::Acknowledged { .. }));
    ua.hear(&asks("REGISTER", 2));
    let Event::Asked { id, .. } = ua.event() else { panic!() };
    ua.act(|e, now| e.answer_asked(now, id, &Ua::reply(200))).unwrap();
    assert_eq!(via(&ua.one().text), ";keep=25;branch=z9hG4bK-keep-2");
    ua.hear(&asks("REGISTER", 3));
    let Event::Asked { id, .. } = ua.event() else { panic!() };
    ua.act(|e, now| e.answer_asked(now, id, &Ua::reply(403))).unwrap();
    assert_eq!(via(&ua.one().text), ";keep;branch=z9hG4bK-keep-3", "nothing is registered");
    ua.hear(&asks("OPTIONS", 4));
    assert_eq!(via(&ua.one().text), ";keep;branch=z9hG4bK-keep-4");
}

#[test]
fn a_new_address_behind_its_nat_is_learnt_from_a_re_invite_that_is_accepted() {
    for accepted in [true, false] {
        let mut one = listener(Transport::Udp);
        one.nat = crate::Nat::Auto;
        let mut ua = Ua::with(Settings { listeners: vec![one], ..Settings::default() });
        let from = |peer| Flow { peer: address(peer), ..flow(None) };
        let inside = |msg: Msg, n: u32| {
            let via = format!("SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bK-in-{n}");
            msg.set("Via", &via).contact("10.0.0.9").text()
        };
        let (before, after) = (from("203.0.113.7:33000"), from("203.0.113.7:44000"));
        ua.hear_on(before, &inside(Msg::request("INVITE", 1), 1));
        let Event::Invited { session: sid, .. } = ua.event() else { panic!() };
        ua.take();
        let ok = ua.answer(sid);
        ua.hear_on(before, &inside(Msg::inside("ACK", 1, &ok), 2));
        ua.hear_on(after, &inside(Msg::inside("INVITE", 2, &ok), 3));
        assert!(ua.events.iter().any(|event| matches!(event, Event::Reinvited { .. })), "{:?}", ua.events);
        if accepted {
            ua.act(|e, now| e.answer_reinvite(now, sid, Parts::default())).unwrap();
        } else {
            ua.act(|e, now| e.reject_reinvite(now, sid, &Ua::reply(488))).unwrap();
        }
        ua.hear_on(after, &inside(Msg::inside("ACK", 2, &ok), if accepted { 4 } else { 3 }));
        ua.take();
        ua.end(sid);
        let bye = ua.one();
        assert!(bye.what().starts_with("BYE"), "{}", bye.what());
        assert_eq!(bye.to, Destination::Flow(if accepted { after } else { before }));
    }
}
