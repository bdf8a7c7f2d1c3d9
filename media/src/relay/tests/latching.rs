//! RFC 7362 by the rules of each network.

use std::net::{IpAddr, SocketAddr};

use super::harness::*;
use crate::Latching;
use crate::relay::Sources;
use crate::relay::latch::{Fit, Latch};

#[test]
fn where_peers_are_not_behind_nat_only_the_described_address_is_taken() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob, mallory) = (bench.peer(), bench.peer(), Peer::at(loopback()));
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    mallory.rtp.send_to(&rtp(66), at_a).unwrap();
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(1));
    assert_eq!(bench.counted(A).wrong_source, 1);
}

#[test]
fn behind_nat_media_goes_where_the_first_packet_from_the_signalling_address_came_from() {
    let mut bench = Bench::new(&config(Latching::SignallingSource));
    let (alice, bob, mallory) = (bench.peer(), bench.peer(), Peer::at(loopback()));
    let private: SocketAddr = "10.0.0.7:4000".parse().unwrap();
    bench.connect(&describe(private), &describe(private));
    bench.call.signalling_source(A, alice.address().ip());
    bench.call.signalling_source(B, bob.address().ip());
    bench.carry_out();
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    mallory.rtp.send_to(&rtp(66), at_a).unwrap();
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    until(|| bench.counted(A).no_destination == 1);
    bob.rtp.send_to(&rtp(2), at_b).unwrap();
    assert_eq!(receive(&alice.rtp), (rtp(2), at_a));
    alice.rtp.send_to(&rtp(3), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(3));
    let counted = bench.counted(A);
    assert_eq!((counted.wrong_source, counted.source), (1, Some(alice.address())));
}

#[test]
fn a_latched_source_is_not_replaced_by_another_until_a_new_description_comes() {
    let config = crate::relay::Config { move_after: GUARD, ..config(Latching::AnySource) };
    let mut bench = Bench::new(&config);
    let (alice, bob) = (bench.peer(), bench.peer());
    let (other, third) = (Peer::at(loopback()), Peer::at(loopback()));
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe());
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(1));
    other.rtp.send_to(&rtp(2), at_a).unwrap();
    alice.rtp.send_to(&rtp(3), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(3));
    assert_eq!(bench.counted(A).wrong_source, 1);
    bench.reoffer(&format!("{}a=ptime:40\r\n", alice.describe()), &bob.describe());
    other.rtp.send_to(&rtp(4), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(4));
    bob.rtp.send_to(&rtp(5), at_b).unwrap();
    assert_eq!(receive(&other.rtp).0, rtp(5));
    third.rtp.send_to(&rtp(6), at_a).unwrap();
    other.rtp.send_to(&rtp(7), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(7));
    assert_eq!(bench.counted(A).wrong_source, 2);
}

const MOVE_AFTER: u64 = 5_000;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn latch(sources: Sources) -> Latch {
    Latch::new(sources, at("192.0.2.1:4000"))
}

#[test]
fn the_lock_keeps_others_out_until_it_is_silent() {
    let mut latch = latch(Sources::Any);
    assert_eq!(latch.fit(at("198.51.100.1:1"), 0, MOVE_AFTER), Fit::First);
    assert!(latch.take(at("198.51.100.1:1"), 1_000));
    assert_eq!(latch.fit(at("198.51.100.1:1"), 1_000, MOVE_AFTER), Fit::Locked);
    assert_eq!(latch.fit(at("198.51.100.2:1"), 6_000, MOVE_AFTER), Fit::Refused);
    assert_eq!(latch.fit(at("198.51.100.2:1"), 6_001, MOVE_AFTER), Fit::Moves);
}

#[test]
fn the_lock_moves_once_within_the_window_after_a_description() {
    let mut latch = latch(Sources::Any);
    latch.take(at("198.51.100.1:1"), 0);
    latch.change(Sources::Any, at("192.0.2.1:4002"), Some(5_000));
    assert_eq!(latch.fit(at("198.51.100.2:1"), 4_999, MOVE_AFTER), Fit::Moves);
    assert_eq!(latch.fit(at("198.51.100.2:1"), 5_000, MOVE_AFTER), Fit::Refused);
    latch.take(at("198.51.100.2:1"), 4_999);
    assert_eq!(latch.fit(at("198.51.100.3:1"), 4_999, MOVE_AFTER), Fit::Refused);
}

#[test]
fn late_packets_of_the_old_source_are_taken_until_the_new_one_shows() {
    let (old, new) = (at("198.51.100.1:1"), at("198.51.100.1:2"));
    let mut latch = latch(Sources::Only(old.ip()));
    latch.take(old, 0);
    latch.change(Sources::Only(old.ip()), at("10.0.0.1:4000"), Some(5_000));
    assert_eq!(latch.fit(old, 10, MOVE_AFTER), Fit::Locked);
    assert_eq!(latch.destination(), Some(old));
    assert_eq!(latch.fit(new, 20, MOVE_AFTER), Fit::Moves);
    latch.take(new, 20);
    assert_eq!(latch.fit(old, 30, MOVE_AFTER), Fit::Refused);
    assert_eq!(latch.destination(), Some(new));
}

#[test]
fn the_described_address_is_always_let_in() {
    let mut latch = latch(Sources::Described);
    latch.take(at("192.0.2.1:5555"), 0);
    assert_eq!(latch.fit(at("192.0.2.1:5556"), 0, MOVE_AFTER), Fit::Refused);
    assert_eq!(latch.fit(at("192.0.2.1:4000"), 0, MOVE_AFTER), Fit::Described);
    assert_eq!(latch.fit(at("192.0.2.2:4000"), 0, MOVE_AFTER), Fit::Refused);
    assert_eq!(latch.destination(), Some(at("192.0.2.1:4000")));
}

#[test]
fn media_is_not_aimed_at_third_parties() {
    let described = at("192.0.2.1:4000");
    assert_eq!(Latch::new(Sources::Only(described.ip()), described).destination(), Some(described));
    let elsewhere: IpAddr = [198, 51, 100, 1].into();
    assert_eq!(Latch::new(Sources::Only(elsewhere), described).destination(), None);
    assert_eq!(Latch::new(Sources::Described, at("0.0.0.0:4000")).destination(), None);
}

#[test]
fn a_source_that_is_no_longer_permitted_loses_the_lock() {
    let mut latch = latch(Sources::Only([198, 51, 100, 1].into()));
    latch.take(at("198.51.100.1:1"), 0);
    latch.change(Sources::Only([198, 51, 100, 2].into()), at("192.0.2.1:4000"), None);
    assert_eq!(latch.locked(), None);
    assert_eq!(latch.fit(at("198.51.100.1:1"), 0, MOVE_AFTER), Fit::Refused);
}
