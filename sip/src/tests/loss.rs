//! Calls over a network that loses, doubles and reorders.

use super::net::{Faults, Net};
use crate::session::{Parts, SessionStage};
use crate::{Event, Transport};
use sip_types::Fields;

/// A call that is answered after a second and ended after five.
fn basic(net: &mut Net) {
    let sid = net.call(0, 1);
    net.wait(5_000);
    let stage = net.nodes[0].endpoint.session(sid).unwrap().stage;
    assert_eq!(stage, SessionStage::Confirmed, "{:?}", net.faults);
    net.act(0, |e, now| e.end(now, sid, Fields::default())).unwrap();
}

/// A call that is given up after half a second.
fn cancelled(net: &mut Net) {
    let sid = net.call(0, 1);
    net.wait(500);
    net.act(0, |e, now| e.end(now, sid, Fields::default())).unwrap();
}

/// A call that both sides change, one after the other, and the callee ends.
fn changed(net: &mut Net) {
    let sid = net.call(0, 1);
    net.wait(5_000);
    net.act(0, |e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    net.wait(6_000);
    let callee = net.nodes[1].endpoint.sessions.keys().next().unwrap();
    net.act(1, |e, now| e.reinvite(now, callee, 70, Parts::default())).unwrap();
    net.wait(6_000);
    for (at, sid) in [(0, sid), (1, callee)] {
        let answered = net.nodes[at].events.iter().any(|e| matches!(e, Event::ReinviteAnswered { .. }));
        assert!(answered, "{at} {:?}", net.faults);
        assert_eq!(net.nodes[at].endpoint.session(sid).unwrap().stage, SessionStage::Confirmed);
    }
    net.act(1, |e, now| e.end(now, callee, Fields::default())).unwrap();
}

/// The scenario with one fault at each of its messages in turn: both sides are told of one end.
fn each_message(ring: u64, scenario: fn(&mut Net)) -> usize {
    let run = |faults: Faults| {
        let mut net = Net::new(2, Transport::Udp, 7, faults);
        net.ring = ring;
        scenario(&mut net);
        net.wait(10_000);
        let what = format!("{faults:?}");
        assert_eq!((net.ends(0), net.ends(1)), (1, 1), "{what}");
        net.must_forget(&what);
        net.sent
    };
    let messages = run(Faults::default());
    for nth in 0..messages {
        run(Faults { lose: Some(nth), ..Faults::default() });
        run(Faults { double: Some(nth), ..Faults::default() });
    }
    messages
}

#[test]
fn any_message_of_a_basic_call_may_be_lost_or_doubled() {
    assert_eq!(each_message(1_000, basic), 7);
}

#[test]
fn any_message_of_a_cancelled_call_may_be_lost_or_doubled() {
    assert_eq!(each_message(60_000, cancelled), 7);
}

#[test]
fn any_message_of_a_changed_call_may_be_lost_or_doubled() {
    assert_eq!(each_message(1_000, changed), 15);
}

#[test]
fn rfc3261_17_over_tcp_nothing_is_sent_twice() {
    for (scenario, messages) in [(basic as fn(&mut Net), 7), (changed, 15)] {
        let mut net = Net::new(2, Transport::Tcp, 7, Faults::default());
        scenario(&mut net);
        net.wait(10_000);
        assert_eq!((net.ends(0), net.ends(1), net.sent), (1, 1, messages));
        net.must_forget("tcp");
    }
}

#[test]
fn glare_is_resolved_by_the_two_back_offs() {
    for seed in 0..20 {
        let mut net = Net::new(2, Transport::Udp, seed, Faults::default());
        let sid = net.call(0, 1);
        net.wait(2_000);
        let callee = net.nodes[1].endpoint.sessions.keys().next().unwrap();
        net.act(0, |e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
        net.act(1, |e, now| e.reinvite(now, callee, 70, Parts::default())).unwrap();
        net.wait(20_000);
        for at in 0..2 {
            let answered =
                net.nodes[at].events.iter().filter(|e| matches!(e, Event::ReinviteAnswered { .. }));
            assert_eq!(answered.count(), 1, "seed {seed}");
        }
        net.end_all();
        net.must_forget("glare");
        assert_eq!((net.ends(0), net.ends(1)), (1, 1));
    }
}

#[test]
fn byes_may_cross() {
    let mut net = Net::new(2, Transport::Udp, 7, Faults::default());
    net.call(0, 1);
    net.wait(2_000);
    net.end_all();
    net.must_forget("crossing");
    assert_eq!((net.ends(0), net.ends(1)), (1, 1));
}

#[test]
fn calls_over_a_bad_network_end_or_fail_cleanly() {
    for seed in 0..300 {
        let faults = Faults { loss: 25, doubling: 10, jitter: 900, ..Faults::default() };
        let mut net = Net::new(3, Transport::Udp, seed, faults);
        let what = format!("seed {seed}");
        for (from, to) in [(0, 1), (1, 2), (2, 0), (1, 0)] {
            net.call(from, to);
            net.wait(700);
        }
        for _ in 0..6 {
            net.wait(3_000);
            for at in 0..3 {
                for sid in net.nodes[at].endpoint.sessions.keys().collect::<Vec<_>>() {
                    // Whether it can be done depends on what was lost.
                    let _ = net.act(at, |e, now| e.reinvite(now, sid, 70, Parts::default()));
                    let _ = net
                        .act(at, |e, now| e.request(now, sid, sip_types::Method::Info, 70, Parts::default()));
                }
            }
        }
        // What a lost BYE leaves, the owner ends: no timer of the session layer is meant to.
        for _ in 0..4 {
            net.end_all();
            net.wait(70_000);
        }
        net.must_forget(&what);
        for node in &net.nodes {
            let invited = node.events.iter().filter(|e| matches!(e, Event::Invited { .. })).count();
            let ends = node.events.iter().filter(|e| matches!(e, Event::Ended { .. })).count();
            assert!(ends <= invited + 2, "{what}");
        }
    }
}
