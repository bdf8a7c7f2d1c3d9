//! A stream that lasts goes by a socket of its own, and nobody notices.

use std::net::UdpSocket;

use super::harness::*;
use crate::relay::{Command, Config};
use crate::{Dscp, Latching, Marks, NetworkId, Ports};

/// More packets than one takes that lasts.
const MANY: u16 = 200;

fn connected(bench: &Bench) -> u64 {
    bench.relay.gauges().connected
}

/// Both say something until each stream has a socket of its own; each hears all of it, from the port that it knows.
fn talk(bench: &Bench, (alice, bob): (&Peer, &Peer), numbers: &mut std::ops::RangeFrom<u16>) {
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    let mut said = 0;
    until(|| {
        let packet = rtp(numbers.next().unwrap());
        alice.rtp.send_to(&packet, at_a).unwrap();
        assert_eq!(receive(&bob.rtp), (packet.clone(), at_b));
        bob.rtp.send_to(&packet, at_b).unwrap();
        assert_eq!(receive(&alice.rtp), (packet, at_a));
        said += 1;
        said >= MANY && connected(bench) == 2
    });
}

#[test]
fn what_lasts_is_connected_and_what_comes_from_elsewhere_is_counted_as_before() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe());
    let mut numbers = 0..;
    talk(&bench, (&alice, &bob), &mut numbers);
    // Somebody else is not heard, and nobody else gets the port.
    let stranger = Peer::at(loopback());
    stranger.rtp.send_to(&rtp(60_000), at_a).unwrap();
    until(|| bench.counted(A).wrong_source == 1);
    assert!(UdpSocket::bind(at_a).is_err() && UdpSocket::bind(at_b).is_err());
    let beside = rustix::net::socket_with(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        rustix::net::SocketFlags::empty(),
        None,
    );
    let beside = beside.unwrap();
    rustix::net::sockopt::set_socket_reuseport(&beside, true).unwrap();
    assert!(rustix::net::bind(&beside, &at_a).is_err());
    talk(&bench, (&alice, &bob), &mut numbers);
    // RTCP has its own port still.
    alice.rtcp.send_to(&REPORT, (at_a.ip(), at_a.port() + 1)).unwrap();
    assert_eq!(receive(&bob.rtcp).0, REPORT);
    bench.call.remove_party(A);
    bench.call.remove_party(B);
    bench.carry_out();
    until(|| connected(&bench) == 0);
}

#[test]
fn a_stream_that_goes_elsewhere_is_connected_to_there() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob, desk) = (bench.peer(), bench.peer(), bench.peer());
    bench.connect(&alice.describe(), &bob.describe());
    let mut numbers = 0..;
    talk(&bench, (&alice, &bob), &mut numbers);
    bench.reoffer(&alice.describe(), &desk.describe());
    talk(&bench, (&alice, &desk), &mut numbers);
    bob.rtp.set_nonblocking(true).unwrap();
    assert!(bob.rtp.recv_from(&mut [0; 64]).is_err(), "nothing more has come to where it went before");
    let taken = bench.counted(B).received.packets;
    // What the one before still says is no longer taken.
    bob.rtp.send_to(&rtp(60_000), bench.local(B)).unwrap();
    until(|| bench.counted(B).wrong_source == 1);
    talk(&bench, (&alice, &desk), &mut numbers);
    assert!(bench.counted(B).received.packets > taken);
    assert_eq!(connected(&bench), 2);
}

#[test]
fn a_peer_whose_port_is_shut_for_a_while_hears_what_comes_after() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    let mut numbers = 0..;
    talk(&bench, (&alice, &bob), &mut numbers);
    let Peer { rtp: shut, rtcp } = bob;
    let place = shut.local_addr().unwrap();
    drop(shut);
    let sent = bench.counted(B).sent.packets;
    for packet in numbers.by_ref().take(20).map(rtp) {
        alice.rtp.send_to(&packet, at_a).unwrap();
    }
    until(|| bench.counted(B).sent.packets == sent + 20);
    let again = UdpSocket::bind(place).unwrap();
    again.set_read_timeout(Some(GUARD)).unwrap();
    talk(&bench, (&alice, &Peer { rtp: again, rtcp }), &mut numbers);
    assert_eq!(bench.counted(B).not_sent, 0);
}

#[test]
fn marks_of_what_comes_are_copied_there_too() {
    let mut config = config(Latching::Described);
    config.networks[1].marks = Marks { dscp: Dscp::Copied, ecn: true };
    let mut bench = Bench::new(&config);
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    talk(&bench, (&alice, &bob), &mut (0..));
    rustix::net::sockopt::set_ip_recvtos(&bob.rtp, true).unwrap();
    let mut reading = crate::relay::marks::Reading::new(true);
    for octet in [46 << 2, 46 << 2 | 2, 3, 0] {
        rustix::net::sockopt::set_ip_tos(&alice.rtp, octet).unwrap();
        alice.rtp.send_to(&rtp(u16::from(octet)), at_a).unwrap();
        assert_eq!(reading.receive(&bob.rtp, &mut [0; 2_048]).unwrap().2, Some(octet));
    }
}

#[test]
fn they_give_way_to_calls_at_the_limit_of_files() {
    let config = Config { max_pairs: 24, low_water: 1, high_water: 1, ..config(Latching::Described) };
    let mut bench = Bench::new(&config);
    let (alice, bob) = (bench.peer(), bench.peer());
    bench.connect(&alice.describe(), &bob.describe());
    let mut numbers = 0..;
    talk(&bench, (&alice, &bob), &mut numbers);
    let mut lent = Vec::new();
    until(|| {
        lent.extend(bench.link.take(NetworkId(0), None));
        bench.relay.gauges().bound == 24
    });
    assert_eq!(connected(&bench), 0, "two sockets of 48 were too many");
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    for packet in numbers.take(MANY.into()).map(rtp) {
        alice.rtp.send_to(&packet, at_a).unwrap();
        assert_eq!(receive(&bob.rtp), (packet, at_b));
    }
    assert_eq!(connected(&bench), 0);
    lent.into_iter().for_each(|pair| bench.link.carry_out(Command::Release { pair: pair.id }));
    bench.link.flush();
}
