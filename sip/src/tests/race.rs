//! Connections raced to one host (RFC 8305).

use super::message::{Msg, field};
use super::ua::{Ua, address, listener};
use crate::session::{Parts, SessionId};
use crate::{End, Event, Failure, ListenerId, Transport, Unreachable};

const ZONE: &str = "
    example.com AAAA 2001:db8::9
    example.com A 198.51.100.9
    example.com A 198.51.100.10";

/// TCP over both families, IPv6 first.
fn dual() -> Ua {
    let mut six = listener(Transport::Tcp);
    six.address = "[2001:db8::1]:5060".parse().unwrap();
    six.sent_by = "[2001:db8::1]:5060".into();
    Ua::with(crate::Settings { listeners: vec![six, listener(Transport::Tcp)], ..crate::Settings::default() })
}

fn call(ua: &mut Ua) -> SessionId {
    let sid = ua.invite("sip:bob@example.com:5060;transport=tcp", Parts::default());
    ua.resolve(ZONE);
    sid
}

fn wanted(ua: &Ua) -> Vec<String> {
    ua.connects.iter().map(|connect| connect.peer.to_string()).collect()
}

#[test]
fn rfc8305_5_a_black_hole_costs_the_head_start() {
    let mut ua = dual();
    call(&mut ua);
    assert_eq!(wanted(&ua), ["[2001:db8::9]:5060"]);
    assert!(ua.take().is_empty(), "nothing is sent before somebody is there");
    ua.wait(249);
    assert_eq!(ua.connects.len(), 1);
    ua.wait(1);
    assert_eq!(wanted(&ua)[1..], ["198.51.100.9:5060"]);
    let second = ua.connects[1].clone();
    assert_eq!(second.listener, ListenerId(1), "it leaves from a listener of its family");
    ua.wait(20);
    ua.act(|e, now| e.handle_connected(now, second.id, true));
    let invite = ua.one();
    assert_eq!(invite.to.peer(), address("198.51.100.9:5060"));
    assert!(field(&invite.text, "Via").starts_with("SIP/2.0/TCP 192.0.2.1:5060"));
    assert_eq!(ua.disconnects, [ua.connects[0].id], "the others are given up");
    ua.wait(10_000);
    assert_eq!(ua.connects.len(), 2);
    ua.connects.clear();
    let sid = call(&mut ua);
    assert_eq!(wanted(&ua), ["198.51.100.9:5060"], "the next call begins with who was faster");
    ua.end(sid);
    ua.events.clear();
    ua.hear(&Msg::response(&invite.text, 486, "x"));
    ua.act(|e, now| e.handle_connected(now, second.id, true));
    ua.take();
    ua.must_forget();
}

#[test]
fn rfc8305_5_a_refusal_lets_the_next_begin_soon_and_later_calls_begin_with_another() {
    let mut ua = dual();
    call(&mut ua);
    let first = ua.connects[0].id;
    ua.act(|e, now| e.handle_connected(now, first, false));
    ua.wait(10);
    assert_eq!(wanted(&ua)[1..], ["198.51.100.9:5060"]);
    let second = ua.connects[1].id;
    ua.act(|e, now| e.handle_connected(now, second, true));
    assert_eq!(ua.one().what(), "INVITE");
    ua.connects.clear();
    call(&mut ua);
    assert_eq!(wanted(&ua), ["198.51.100.9:5060"], "the dead one is skipped");
}

#[test]
fn when_no_connection_opens_the_call_fails_or_goes_on_to_the_next_host() {
    let mut ua = dual();
    let sid = call(&mut ua);
    for _ in 0..3 {
        let id = ua.connects.pop().unwrap().id;
        ua.act(|e, now| e.handle_connected(now, id, false));
        ua.wait(10);
    }
    assert!(
        matches!(ua.event(), Event::Ended { session, why: End::Rejected(Failure::Unreachable(Unreachable::Send)), .. } if session == sid)
    );
    ua.must_forget();
    let mut ua = dual();
    ua.invite("sip:bob@example.org;transport=tcp", Parts::default());
    ua.resolve(
        "_sip._tcp.example.org SRV 1 1 5060 one.example.org
         _sip._tcp.example.org SRV 2 1 5060 two.example.org
         one.example.org AAAA 2001:db8::1
         one.example.org A 198.51.100.1
         two.example.org A 198.51.100.2",
    );
    for _ in 0..2 {
        let id = ua.connects.pop().unwrap().id;
        ua.act(|e, now| e.handle_connected(now, id, false));
        ua.wait(10);
    }
    assert_eq!(ua.one().to.peer(), address("198.51.100.2:5060"), "one address needs no race");
}

#[test]
fn the_losers_are_left_for_failover() {
    let mut ua = dual();
    call(&mut ua);
    ua.wait(250);
    let second = ua.connects[1].id;
    ua.act(|e, now| e.handle_connected(now, second, true));
    let invite = ua.one();
    ua.connects.clear();
    ua.act(|e, now| e.handle_send_failed(now, invite.id));
    assert_eq!(wanted(&ua), ["[2001:db8::9]:5060"], "and are raced again");
}

#[test]
fn a_call_given_up_during_the_race_gives_its_connections_up() {
    let mut ua = dual();
    let sid = call(&mut ua);
    ua.wait(250);
    ua.end(sid);
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    assert_eq!(ua.disconnects.len(), 2);
    let first = ua.connects[0].id;
    ua.act(|e, now| e.handle_connected(now, first, true));
    assert!(ua.take().is_empty());
    ua.must_forget();
}
