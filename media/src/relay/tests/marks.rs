//! DSCP and ECN of what goes on.

use std::net::{IpAddr, Ipv6Addr, UdpSocket};

use super::harness::*;
use crate::relay::marks::Reading;
use crate::{Dscp, Latching, Marks};
use rustix::net::sockopt;

/// Has the octets of packets read.
fn reading(socket: &UdpSocket) -> Reading {
    match socket.local_addr().unwrap().ip() {
        IpAddr::V4(_) => sockopt::set_ip_recvtos(socket, true).unwrap(),
        IpAddr::V6(_) => sockopt::set_ipv6_recvtclass(socket, true).unwrap(),
    }
    Reading::new(true)
}

/// The octet of the next packet.
fn octet(socket: &UdpSocket, reading: &mut Reading) -> u8 {
    reading.receive(socket, &mut [0; 2_048]).unwrap().2.unwrap()
}

/// Sends with that octet.
fn send(from: &UdpSocket, octet: u8, packet: &[u8], to: std::net::SocketAddr) {
    match to.ip() {
        IpAddr::V4(_) => sockopt::set_ip_tos(from, octet).unwrap(),
        IpAddr::V6(_) => sockopt::set_ipv6_tclass(from, octet.into()).unwrap(),
    }
    from.send_to(packet, to).unwrap();
}

/// What Bob, who has IPv6, gets of what Alice sends with those octets, and she of his, where that is done in his network and hers.
fn crossing(of_a: Marks, of_b: Marks, sent: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut config = config(Latching::Described);
    (config.networks[0].marks, config.networks[1].marks) = (of_a, of_b);
    config.networks[1].bind = Ipv6Addr::LOCALHOST.into();
    config.networks[1].ports = 20_000..=30_001;
    let mut bench = Bench::new(&config);
    let (alice, bob) = (bench.peer(), Peer::at(config.networks[1].bind));
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe().replace("IP4", "IP6"));
    let [mut of_alice, mut of_bob, mut reports] = [&alice.rtp, &bob.rtp, &bob.rtcp].map(reading);
    let (mut to_bob, mut to_alice) = (Vec::new(), Vec::new());
    for (number, mark) in sent.iter().enumerate() {
        let packet = rtp(u16::try_from(number).unwrap());
        send(&alice.rtp, *mark, &packet, at_a);
        to_bob.push(octet(&bob.rtp, &mut of_bob));
        send(&bob.rtp, *mark, &packet, at_b);
        to_alice.push(octet(&alice.rtp, &mut of_alice));
    }
    let rtcp = (at_a.ip(), at_a.port() + 1).into();
    send(&alice.rtcp, sent[0], &REPORT, rtcp);
    assert_eq!(octet(&bob.rtcp, &mut reports), to_bob[0], "RTCP is marked as RTP is");
    (to_bob, to_alice)
}

/// EF, best effort, AF41; not ECN-capable, ECT(0), ECT(1), congestion experienced.
const SENT: [u8; 5] = [46 << 2, 46 << 2 | 2, 1, 34 << 2 | 3, 34 << 2];

#[test]
fn rfc2474_3_media_has_the_code_point_of_its_network_whatever_it_came_with() {
    let stated = |value| Marks { dscp: Dscp::Stated(value), ecn: false };
    assert_eq!(crossing(stated(46), stated(34), &SENT), (vec![34 << 2; 5], vec![46 << 2; 5]));
    assert_eq!(crossing(stated(0), Marks::default(), &SENT), (vec![0; 5], vec![0; 5]));
}

#[test]
fn rfc3168_5_ecn_crosses_where_it_is_copied() {
    let marks = Marks { dscp: Dscp::Stated(46), ecn: true };
    let ef = 46 << 2;
    assert_eq!(crossing(marks, Marks::default(), &SENT), (vec![0; 5], vec![ef, ef | 2, ef | 1, ef | 3, ef]));
}

#[test]
fn a_code_point_crosses_where_it_is_copied() {
    let dscp = Marks { dscp: Dscp::Copied, ecn: false };
    let both = Marks { dscp: Dscp::Copied, ecn: true };
    let without: Vec<u8> = SENT.iter().map(|octet| octet & !3).collect();
    assert_eq!(crossing(both, dscp, &SENT), (without, SENT.to_vec()));
}
