//! UDP.

use super::lab::{Command, GUARD, Lab, Report, bind, local, message, open, send, transmit_id};
use crate::flow::{Destination, Flow, ListenerId, Transport};
use crate::location::RecordKind;
use crate::stun;
use std::collections::BTreeSet;
use std::net::UdpSocket;

fn peer() -> UdpSocket {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(GUARD)).unwrap();
    peer
}

#[test]
fn every_datagram_of_a_burst_comes_once_with_its_source() {
    let lab = Lab::new(&[local(Transport::Udp)], |_| {});
    let peer = peer();
    for n in 0..100 {
        peer.send_to(message(n).as_bytes(), lab.address(0)).unwrap();
    }
    let flow = Flow { listener: ListenerId(0), peer: peer.local_addr().unwrap(), connection: None };
    for n in 0..100 {
        assert_eq!(lab.input(), (flow, message(n)));
    }
    assert_eq!(lab.settings.counters.datagrams_in.get(), 100);
    let bytes: u64 = (0..100).map(|n| message(n).len() as u64).sum();
    assert_eq!(lab.settings.counters.bytes_in.get(), bytes);
}

// conforms: RFC3261-18.1.1-3
#[test]
fn a_datagram_of_the_largest_size_is_whole() {
    let lab = Lab::new(&[local(Transport::Udp)], |_| {});
    let text = "x".repeat(65_507);
    peer().send_to(text.as_bytes(), lab.address(0)).unwrap();
    assert_eq!(lab.input().1, text);
}

#[test]
fn an_empty_datagram_is_passed_over() {
    let lab = Lab::new(&[local(Transport::Udp)], |_| {});
    let peer = peer();
    peer.send_to(b"", lab.address(0)).unwrap();
    peer.send_to(b"after", lab.address(0)).unwrap();
    assert_eq!(lab.input().1, "after");
}

// conforms: RFC3261-18.1.1-9 RFC3581-3-2,3 RFC3581-4-4
#[test]
fn ipv6_peers_are_reached_and_known() {
    let lab = Lab::new(&[bind(0, Transport::Udp, "[::1]:0")], |_| {});
    let peer = UdpSocket::bind("[::1]:0").unwrap();
    peer.set_read_timeout(Some(GUARD)).unwrap();
    peer.send_to(b"hello", lab.address(0)).unwrap();
    let (flow, _) = lab.input();
    assert_eq!(flow.peer, peer.local_addr().unwrap());
    lab.tell([send(1, Destination::Flow(flow)), send(2, open(flow.peer))]);
    let mut buffer = [0; 100];
    for n in 1..=2 {
        let (len, from) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..len], from), (message(n).as_bytes(), lab.address(0)));
    }
}

#[test]
fn a_burst_leaves_in_order_and_what_cannot_be_sent_is_told() {
    let lab = Lab::new(&[local(Transport::Udp)], |_| {});
    let peer = peer();
    let good = peer.local_addr().unwrap();
    let bad = "[2001:db8::1]:5060".parse().unwrap();
    lab.tell((0..60).map(|n| send(n, open(if n % 7 == 3 { bad } else { good }))));
    let mut buffer = [0; 100];
    for n in (0..60).filter(|n| n % 7 != 3) {
        let len = peer.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], message(n).as_bytes());
    }
    for n in (0..60).filter(|n| n % 7 == 3) {
        assert_eq!(lab.next(), Report::Failed(transmit_id(n)));
    }
    assert_eq!(lab.settings.counters.send_failures.get(), 9);
    assert_eq!(lab.settings.counters.datagrams_out.get(), 51);
}

#[test]
fn datagrams_beyond_the_queue_count_as_lost() {
    let lab = Lab::new(&[local(Transport::Udp)], |s| s.limits.datagram_queue = 5);
    let peer = peer();
    let to = open(peer.local_addr().unwrap());
    lab.tell((0..9).map(|n| send(n, to.clone())).chain([Command::Resolve(1, RecordKind::A, "a..b")]));
    assert!(matches!(lab.next(), Report::Resolved(1, _)), "no failure is told before");
    let mut buffer = [0; 100];
    let mut got = BTreeSet::new();
    for _ in 0..5 {
        let len = peer.recv(&mut buffer).unwrap();
        got.insert(buffer[..len].to_vec());
    }
    assert_eq!(got, (0..5).map(|n| message(n).into_bytes()).collect());
    assert_eq!(lab.settings.counters.datagrams_dropped.get(), 4);
}

#[test]
fn rfc3261_18_4_icmp_tells_who_is_out_of_reach_and_costs_nobody_else_a_datagram() {
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let lab = Lab::new(&[bind(0, Transport::Udp, at)], |_| {});
        let nobody = UdpSocket::bind(at).unwrap().local_addr().unwrap();
        let somebody = UdpSocket::bind(at).unwrap();
        somebody.set_read_timeout(Some(GUARD)).unwrap();
        lab.tell([send(1, open(nobody))]);
        lab.tell([send(2, open(somebody.local_addr().unwrap()))]);
        let mut buffer = [0; 100];
        let len = somebody.recv(&mut buffer).unwrap();
        assert_eq!(buffer[..len], *message(2).as_bytes());
        lab.tell([send(3, open(somebody.local_addr().unwrap()))]);
        assert_eq!(lab.next(), Report::Unreachable(nobody));
        let len = somebody.recv(&mut buffer).unwrap();
        assert_eq!(buffer[..len], *message(3).as_bytes());
        assert_eq!(lab.settings.counters.send_failures.get(), 0);
    }
}

#[test]
fn rfc3261_18_4_icmp_tells_who_is_out_of_reach_though_nothing_else_is_sent_or_comes() {
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let lab = Lab::new(&[bind(0, Transport::Udp, at)], |_| {});
        for n in 0..3 {
            let nobody = UdpSocket::bind(at).unwrap().local_addr().unwrap();
            lab.tell([send(n, open(nobody))]);
            assert_eq!(lab.next(), Report::Unreachable(nobody));
        }
    }
}

// conforms: RFC5626-5.4-1 RFC5626-8-2 RFC5626-6-12
#[test]
fn rfc5626_8_stun_is_answered_on_the_port_of_sip_up_to_its_rate() {
    let lab = Lab::new(&[local(Transport::Udp)], |settings| settings.limits.stun_rate = 2);
    let peer = peer();
    let id = stun::TransactionId::new(&mut crate::ids::tests::Seeded(1));
    let request = stun::request(id);
    for _ in 0..3 {
        peer.send_to(&request, lab.address(0)).unwrap();
    }
    peer.send_to(b"after", lab.address(0)).unwrap();
    assert_eq!(lab.input().1, "after", "the core hears nothing of it");
    let mut buffer = [0; 100];
    let (length, from) = peer.recv_from(&mut buffer).unwrap();
    let mapped = stun::Heard::Mapped(peer.local_addr().unwrap());
    assert_eq!((stun::hear(&buffer[..length]), from), (Some((id, mapped)), lab.address(0)));
    let counters = &lab.settings.counters;
    // The second may have ended in between.
    assert_eq!(counters.stun_answered.get() + counters.stun_limited.get(), 3);
    assert!(counters.stun_answered.get() >= 2);
}
