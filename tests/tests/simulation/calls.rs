//! Calls of two user agents, one after another.

use super::common::{NUMBER, OUTSIDE, World, s};
use liaison_tests::network::Fate;
use liaison_tests::peer::Manner;
use sip_types::{Fields, StatusCode};

fn world(manner: Manner, seed: u64) -> World {
    let mut world = World::two_sides(manner, Box::new(|_| Fate::Arrives), seed);
    let now = world.now;
    world.peers[0].call(now, NUMBER, OUTSIDE.parse().unwrap(), Fields::default());
    world.run_for(s(1));
    world
}

#[test]
fn a_call_is_established_and_ended_by_the_caller() {
    let mut world = world(Manner::Answers, 1);
    assert!(world.peers.iter().all(|peer| peer.is_established()));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    let now = world.now;
    world.peers[0].hang_up(now);
    world.run_for(s(1));
    assert!(world.peers.iter().all(|peer| peer.ended == 1));
    assert_eq!(world.gauges().calls, 0);
    let records = world.records.lock().unwrap().clone();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].cause, "BYE from the peer");
    assert_ne!(records[0].legs[0].sip_call_id, records[0].legs[1].sip_call_id);
    world.must_forget("a plain call");
}

#[test]
fn a_call_is_ended_by_the_called_side() {
    let mut world = world(Manner::Answers, 2);
    let now = world.now;
    world.peers[1].hang_up(now);
    world.run_for(s(1));
    assert!(world.peers.iter().all(|peer| peer.ended == 1));
    world.must_forget("a call that the called side ends");
}

#[test]
fn a_refusal_crosses() {
    let mut world = world(Manner::Refuses(StatusCode::BUSY_HERE), 3);
    assert!(world.sent_to(super::common::ALICE).iter().any(|text| text.starts_with("SIP/2.0 486 Busy Here")));
    world.must_forget("a refused call");
}

#[test]
fn a_hundred_calls_at_once_leave_nothing() {
    let mut world = World::two_sides(Manner::Answers, Box::new(|_| Fate::Arrives), 4);
    for _ in 0..100 {
        let now = world.now;
        world.peers[0].call(now, NUMBER, OUTSIDE.parse().unwrap(), Fields::default());
    }
    world.run_for(s(1));
    assert_eq!((world.gauges().calls, world.lent()), (100, 200));
    let sessions: Vec<_> = world.peers[0].sessions.clone();
    for session in sessions {
        world.peers[0].session = Some(session);
        let now = world.now;
        world.peers[0].hang_up(now);
    }
    world.run_for(s(1));
    assert_eq!(world.gauges().calls, 0);
    world.must_forget("a hundred calls");
}
