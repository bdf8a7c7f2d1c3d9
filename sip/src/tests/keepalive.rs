//! Keepalives of an endpoint under virtual time.

use super::ua::{PEER, Ua};
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::keepalive::{Every, KeepId, Lost};
use crate::stun::{self, TransactionId};
use crate::{Action, Event};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

const CONNECTION: ConnectionId = ConnectionId(7);

fn flow(connection: Option<ConnectionId>) -> Flow {
    Flow { listener: ListenerId(0), peer: PEER.parse().unwrap(), connection }
}

fn keep(ua: &mut Ua, connection: Option<ConnectionId>, every: Every) -> KeepId {
    ua.act(|e, now| e.keep(now, flow(connection), every))
}

/// Waits for the next ping, and tells how long that was.
fn ping(ua: &mut Ua) -> u64 {
    let before = ua.ms;
    while ua.pings.is_empty() {
        ua.wait(100);
    }
    assert_eq!(std::mem::take(&mut ua.pings), [CONNECTION]);
    ua.ms - before
}

/// Waits for the next Binding request, and tells how long that was.
fn bind(ua: &mut Ua) -> (u64, Bytes) {
    let before = ua.ms;
    while ua.stun.is_empty() {
        ua.wait(100);
    }
    let (at, bytes) = ua.stun.remove(0);
    (at - before, bytes)
}

fn lost(ua: &mut Ua) -> (Lost, bool) {
    match ua.event() {
        Event::FlowLost { why, proven, .. } => (why, proven),
        other => panic!("{other:?}"),
    }
}

fn hear(ua: &mut Ua, from: Flow, datagram: Vec<u8>) {
    ua.act(|e, now| e.handle_input(now, from, datagram.into()));
}

fn answer(request: &[u8], seen: &str) -> Vec<u8> {
    stun::answer(request, seen.parse::<SocketAddr>().unwrap()).unwrap()
}

// conforms: RFC5626-4.4-1 RFC5626-4.4.1-1,3,4
#[test]
fn rfc5626_4_4_1_pings_come_within_their_time_each_at_another_point() {
    for (every, least, most) in
        [(Every::CONNECTION, 96_000, 120_000), (Every::upto(Duration::from_secs(30)), 24_000, 30_000)]
    {
        let mut ua = Ua::tcp();
        keep(&mut ua, Some(CONNECTION), every);
        let waits: std::collections::BTreeSet<u64> = (0..20)
            .map(|n| {
                let wait = ping(&mut ua);
                assert!((least..=most + 100).contains(&wait), "{wait}");
                ua.act(|e, now| e.handle_pong(now, CONNECTION));
                let proves = matches!(ua.events.pop(), Some(Event::FlowProven { .. }));
                assert_eq!(proves, n == 0, "told once");
                wait
            })
            .collect();
        assert!(waits.len() > 10, "{waits:?}");
        assert!(ua.stun.is_empty() && ua.sent.is_empty());
    }
}

// conforms: RFC5626-4.4.1-2
#[test]
fn rfc5626_4_4_1_without_a_pong_within_10_seconds_the_flow_has_failed() {
    for proven in [false, true] {
        let mut ua = Ua::tcp();
        keep(&mut ua, Some(CONNECTION), Every::CONNECTION);
        if proven {
            ping(&mut ua);
            ua.act(|e, now| e.handle_pong(now, CONNECTION));
            ua.events.clear();
        }
        ua.act(|e, now| e.handle_pong(now, CONNECTION));
        ping(&mut ua);
        ua.wait(9_800);
        assert!(ua.events.is_empty() && ua.closed.is_empty());
        ua.wait(300);
        assert_eq!(lost(&mut ua), (Lost::Unanswered, proven));
        assert_eq!(ua.closed, [CONNECTION], "nobody is to use it any more");
        ua.must_forget();
    }
}

// conforms: RFC5626-4.4.2-1,2 RFC5626-8-3
#[test]
fn rfc5626_4_4_2_over_udp_binding_requests_are_repeated_and_then_the_flow_has_failed() {
    let mut ua = Ua::udp();
    ua.wait(60_000);
    assert!(ua.stun.is_empty(), "nobody has said that they are taken");
    keep(&mut ua, None, Every::DATAGRAMS);
    let (first, bytes) = bind(&mut ua);
    assert!((24_000..=29_000).contains(&first), "{first}");
    let start = ua.ms;
    ua.wait(39_000);
    assert!(ua.stun.iter().all(|(_, again)| *again == bytes), "one transaction");
    let sent: Vec<u64> = ua.stun.drain(..).map(|(at, _)| (at - start).div_ceil(100)).collect();
    assert_eq!(sent, [5, 15, 35, 75, 155, 315], "RFC 8489 section 6.2.1");
    assert!(ua.events.is_empty() && ua.pings.is_empty());
    ua.wait(1_000);
    assert_eq!(lost(&mut ua), (Lost::Unanswered, false));
    ua.must_forget();
}

// conforms: RFC5626-4.4.2-3
#[test]
fn rfc5626_4_4_2_another_mapped_address_is_a_failure_of_the_flow() {
    let mut ua = Ua::udp();
    keep(&mut ua, None, Every::DATAGRAMS);
    for _ in 0..3 {
        let (_, request) = bind(&mut ua);
        hear(&mut ua, flow(None), answer(&request, "203.0.113.1:5060"));
    }
    assert!(matches!(ua.event(), Event::FlowProven { .. }));
    let (_, request) = bind(&mut ua);
    hear(&mut ua, flow(None), answer(&request, "203.0.113.1:5061"));
    assert_eq!(lost(&mut ua), (Lost::Moved, true));
    ua.must_forget();
}

#[test]
fn what_answers_no_request_of_ours_on_its_flow_is_let_go() {
    let mut ua = Ua::udp();
    keep(&mut ua, None, Every::DATAGRAMS);
    let (_, request) = bind(&mut ua);
    let elsewhere = Flow { peer: "198.51.100.66:5060".parse().unwrap(), ..flow(None) };
    hear(&mut ua, elsewhere, answer(&request, "203.0.113.1:5060"));
    let unknown = stun::request(TransactionId::new(&mut crate::ids::tests::Seeded(99)));
    hear(&mut ua, flow(None), answer(&unknown, "203.0.113.1:5060"));
    let mut broken = answer(&request, "203.0.113.1:5060");
    broken.truncate(30);
    hear(&mut ua, flow(None), broken);
    assert!(ua.events.is_empty() && ua.sent.is_empty());
    // A refusal ends it.
    let mut strange = request.to_vec();
    strange.extend([0x7f, 0x00, 0, 0]);
    strange[3] = 4;
    hear(&mut ua, flow(None), answer(&strange, "203.0.113.1:5060"));
    assert_eq!(lost(&mut ua), (Lost::Refused(420), false));
    assert_eq!(ua.endpoint.counters().malformed, 0);
}

#[test]
fn a_connection_that_is_over_and_icmp_fail_the_flows_there() {
    let mut ua = Ua::tcp();
    let (one, two) = (
        keep(&mut ua, Some(CONNECTION), Every::CONNECTION),
        keep(&mut ua, Some(CONNECTION), Every::CONNECTION),
    );
    assert_ne!(one, two);
    ua.act(|e, _| e.handle_closed(ConnectionId(8)));
    assert!(ua.events.is_empty());
    ua.act(|e, _| e.handle_closed(CONNECTION));
    assert_eq!(std::mem::take(&mut ua.events).len(), 2);
    assert!(ua.closed.is_empty());
    let mut ua = Ua::udp();
    keep(&mut ua, None, Every::DATAGRAMS);
    ua.act(|e, now| e.handle_unreachable(now, ListenerId(0), "198.51.100.66:5060".parse().unwrap()));
    assert!(ua.events.is_empty());
    ua.act(|e, now| e.handle_unreachable(now, ListenerId(0), PEER.parse().unwrap()));
    assert_eq!(lost(&mut ua), (Lost::Unreachable, false));
    ua.must_forget();
}

// conforms: RFC6223-10-2
#[test]
fn rfc6223_10_what_is_given_up_is_sent_no_more() {
    let mut ua = Ua::udp();
    let id = keep(&mut ua, None, Every::DATAGRAMS);
    ua.act(|e, _| e.unkeep(id));
    ua.wait(100_000);
    assert!(ua.stun.is_empty());
    keep(&mut ua, None, Every::DATAGRAMS);
    bind(&mut ua);
    ua.wait(60_000);
    assert_eq!(lost(&mut ua), (Lost::Unanswered, false));
    ua.stun.clear();
    ua.wait(600_000);
    assert!(ua.stun.is_empty(), "no answer: no more of them");
}

#[test]
fn shorter_times_hold_at_once_and_a_check_does_not_wait() {
    let mut ua = Ua::tcp();
    let id = keep(&mut ua, Some(CONNECTION), Every::CONNECTION);
    ua.act(|e, now| e.keep_every(now, id, Every::upto(Duration::from_secs(10))));
    assert!(ping(&mut ua) <= 10_100);
    ua.act(|e, now| e.handle_pong(now, CONNECTION));
    ua.act(|e, now| e.check_flow(now, id));
    assert!(ping(&mut ua) <= 100);
    assert_eq!(
        ua.endpoint.kept(id).map(|kept| (kept.flow, kept.proven)),
        Some((flow(Some(CONNECTION)), true))
    );
    // An endpoint asks its shell for pings only: nothing else is written on the connection.
    assert!(!matches!(ua.act(|e, _| e.poll_action()), Some(Action::Transmit(_))));
}
