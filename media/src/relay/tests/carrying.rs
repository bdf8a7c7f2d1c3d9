//! Packets on their way.

use super::harness::*;
use crate::Flow;
use crate::relay::Command;
use crate::{Latching, PartyId};

#[test]
fn packets_and_reports_go_both_ways_from_the_ports_that_were_stated() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe());
    for sequence in 0..10 {
        alice.rtp.send_to(&rtp(sequence), at_a).unwrap();
        assert_eq!(receive(&bob.rtp), (rtp(sequence), at_b));
        bob.rtp.send_to(&rtp(sequence), at_b).unwrap();
        assert_eq!(receive(&alice.rtp), (rtp(sequence), at_a));
    }
    let next = |address: std::net::SocketAddr| (address.ip(), address.port() + 1);
    alice.rtcp.send_to(&REPORT, next(at_a)).unwrap();
    assert_eq!(receive(&bob.rtcp), (REPORT.to_vec(), next(at_b).into()));
    bob.rtcp.send_to(&REPORT, next(at_b)).unwrap();
    assert_eq!(receive(&alice.rtcp), (REPORT.to_vec(), next(at_a).into()));
}

#[test]
fn packets_are_counted_with_loss_and_last_activity() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    for sequence in [1, 2, 5, 6] {
        alice.rtp.send_to(&rtp(sequence), at_a).unwrap();
        receive(&bob.rtp);
    }
    alice.rtcp.send_to(&REPORT, (at_a.ip(), at_a.port() + 1)).unwrap();
    receive(&bob.rtcp);
    until(|| bench.counted(B).sent.rtcp_packets == 1);
    let (from_a, to_b) = (bench.counted(A), bench.counted(B));
    let counted = |flow: Flow| (flow.packets, flow.bytes, flow.rtcp_packets);
    assert_eq!((counted(from_a.received), from_a.lost), ((4, 4 * 172, 1), 2));
    assert_eq!(counted(to_b.sent), counted(from_a.received));
    assert_eq!((to_b.received, from_a.sent), (Flow::default(), Flow::default()));
    assert!(to_b.sent.last.is_some() && to_b.sent.last == from_a.received.last);
    assert_eq!(from_a.source, Some(alice.address()));
    assert!(from_a.quiet_since >= to_b.quiet_since && to_b.quiet_since.is_some());
}

#[test]
fn packets_of_any_size_and_kind_pass_whole() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    for packet in [vec![], vec![0x7f; 1], vec![0; 1_500]] {
        alice.rtp.send_to(&packet, at_a).unwrap();
        assert_eq!(receive(&bob.rtp).0, packet);
    }
    assert_eq!(bench.counted(A).lost, 0);
}

#[test]
fn rfc5761_reports_on_a_shared_port_go_on_to_where_the_other_leg_wants_them() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let muxed = format!("{}a=rtcp-mux\r\n", alice.describe());
    let (at_a, at_b) = bench.connect(&muxed, &bob.describe());
    alice.rtp.send_to(&REPORT, at_a).unwrap();
    assert_eq!(receive(&bob.rtcp).0, REPORT);
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(1));
    bob.rtcp.send_to(&REPORT, (at_b.ip(), at_b.port() + 1)).unwrap();
    assert_eq!(receive(&alice.rtp), (REPORT.to_vec(), at_a));
    assert_eq!(bench.counted(A).received.rtcp_packets, 1);
}

#[test]
fn nothing_is_sent_to_a_side_whose_address_is_zeros() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe());
    let held = alice.describe().replace(&format!("c=IN IP4 {}", alice.address().ip()), "c=IN IP4 0.0.0.0");
    bench.reoffer(&held, &format!("{}a=recvonly\r\n", bob.describe()));
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    // Music on hold still comes from where it came before.
    alice.rtp.send_to(&rtp(2), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(2));
    until(|| bench.counted(B).no_destination == 1);
    bench.reoffer(&alice.describe(), &bob.describe());
    bob.rtp.send_to(&rtp(3), at_b).unwrap();
    assert_eq!(receive(&alice.rtp).0, rtp(3));
}

#[test]
fn forked_dialogs_on_one_port_are_told_apart_by_where_packets_come_from() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob, carol) = (bench.peer(), bench.peer(), bench.peer());
    let (a2, b2) = (PartyId(3), PartyId(4));
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe());
    bench.call.fork_party(B, b2).unwrap();
    bench.call.fork_party(A, a2).unwrap();
    bench.answer(a2, b2, &carol.describe());
    let at_a2 = bench.local(a2);
    assert_ne!(at_a, at_a2);
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    assert_eq!(receive(&alice.rtp), (rtp(1), at_a));
    carol.rtp.send_to(&rtp(2), at_b).unwrap();
    assert_eq!(receive(&alice.rtp), (rtp(2), at_a2));
    alice.rtp.send_to(&rtp(3), at_a2).unwrap();
    assert_eq!(receive(&carol.rtp), (rtp(3), at_b));
    // Carol wins.
    bench.call.remove_party(A);
    bench.call.remove_party(B);
    bench.carry_out();
    bob.rtp.send_to(&rtp(4), at_b).unwrap();
    carol.rtp.send_to(&rtp(5), at_b).unwrap();
    assert_eq!(receive(&alice.rtp), (rtp(5), at_a2));
}

#[test]
fn rfc6157_media_crosses_between_ipv4_and_ipv6() {
    let mut config = config(Latching::Described);
    config.networks[1].bind = std::net::Ipv6Addr::LOCALHOST.into();
    // That address is everybody's: Bob's port must not be one that could be the relay's.
    config.networks[1].ports = 20_000..=30_001;
    let mut bench = Bench::new(&config);
    let (alice, bob) = (bench.peer(), Peer::at(config.networks[1].bind));
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe().replace("IP4", "IP6"));
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    assert_eq!(receive(&bob.rtp), (rtp(1), at_b));
    bob.rtp.send_to(&rtp(2), at_b).unwrap();
    assert_eq!(receive(&alice.rtp), (rtp(2), at_a));
    assert_eq!(bench.counted(B).source, Some(bob.address()));
}

#[test]
fn late_orders_for_a_returned_pair_are_ignored() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    bench.connect(&alice.describe(), &bob.describe());
    let pair = bench.call.close_and_name_a_pair();
    bench.carry_out();
    bench.link.carry_out(Command::Release { pair });
    bench.link.flush();
    until(|| bench.relay.gauges().late_commands == 1);
    assert_eq!(bench.relay.gauges().quarantined, 2);
}

#[test]
fn strays_to_ports_that_no_call_uses_are_dropped_and_counted() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    bench.call.close();
    bench.carry_out();
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    until(|| bench.relay.gauges().stray_packets == 1);
}

impl crate::CallMedia {
    fn close_and_name_a_pair(&mut self) -> crate::PairId {
        let context = self.view(A).and_then(|_| self.first_pair()).unwrap();
        self.close();
        context
    }
}

#[test]
fn what_is_sent_to_a_side_that_claims_a_port_of_another_is_heard_by_nobody() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (_, at_b) = bench.connect(&alice.describe(), &bob.describe());
    bench.reoffer(&describe(at_b), &bob.describe());
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    until(|| bench.counted(B).wrong_source == 1);
    assert_eq!(bench.counted(B).received.packets, 1, "it goes no further");
}
