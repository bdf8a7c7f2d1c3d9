//! Peers with ICE, on sockets.

use std::net::UdpSocket;

use super::harness::*;
use crate::ice::tests::peer::{Answer, Asking, read};
use crate::ice::{Ice, Secret};
use crate::{CallMedia, Latching, Limits, Mode, PartyId};

const PASSWORD: &str = "the/password/of/the/peer";
/// Another branch of B's leg.
const B2: PartyId = PartyId(3);

pub(super) fn bench() -> Bench {
    let mut bench = Bench::new(&config(Latching::Described));
    bench.call = CallMedia::new(Mode::Anchored, Limits::default(), 1).with_ice(Secret::new([1, 2]));
    bench
}

/// What a peer says that has this username fragment.
fn with_ice(peer: &Peer, ufrag: &str) -> String {
    peer.describe() + &lines(peer.address(), ufrag)
}

/// The lines of its ICE.
pub(super) fn lines(at: std::net::SocketAddr, ufrag: &str) -> String {
    let (ip, port) = (at.ip(), at.port());
    format!(
        "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{PASSWORD}\r\na=candidate:1 1 UDP 2130706431 {ip} {port} typ host\r\n"
    )
}

/// The same with a candidate for RTCP.
fn with_rtcp(peer: &Peer, ufrag: &str) -> String {
    let at = peer.address();
    format!(
        "{}a=candidate:1 2 UDP 2130706430 {} {} typ host\r\n",
        with_ice(peer, ufrag),
        at.ip(),
        at.port() + 1
    )
}

/// A check towards a party's port as our description of it asks for.
fn check(bench: &Bench, party: PartyId, ufrag: &str) -> (Asking, String) {
    let text = bench.call.described_to(party).unwrap();
    checked(&text, ufrag)
}

pub(super) fn checked(ours: &[u8], ufrag: &str) -> (Asking, String) {
    let text = std::str::from_utf8(ours).unwrap();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let password = value("a=ice-pwd:");
    (Asking::new(&value("a=ice-ufrag:"), ufrag, &password), password)
}

/// Makes a check and reads its answer.
#[track_caller]
pub(super) fn ask(from: &UdpSocket, to: std::net::SocketAddr, (asking, password): (&Asking, &str)) {
    from.send_to(&asking.bytes(), to).unwrap();
    let (answer, source) = receive(from);
    assert_eq!(source, to);
    assert_eq!(read(&answer, Some(password)), Answer::Mapped(from.local_addr().unwrap()));
}

// conforms: RFC8445-12.1-1,2 RFC8445-12.1.1-1 RFC8839-7.1.1-3 RFC7584-4.1-1,2
#[test]
fn rfc8445_12_1_media_goes_to_the_nominated_pair_and_nowhere_before() {
    let mut bench = bench();
    let (alice, bob) = (bench.peer(), bench.peer());
    let reflexive = Peer::at(loopback());
    let (at_a, at_b) = bench.connect(&with_rtcp(&alice, "alice"), &bob.describe());
    let (asking, password) = check(&bench, A, "alice");
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    until(|| bench.counted(B).no_destination == 1);
    // An address that the description does not have, as behind a NAT: it may send as soon as it has proved itself.
    reflexive.rtp.send_to(&rtp(2), at_a).unwrap();
    until(|| bench.counted(A).wrong_source == 1);
    ask(&reflexive.rtp, at_a, (&asking, &password));
    reflexive.rtp.send_to(&rtp(3), at_a).unwrap();
    assert_eq!(receive(&bob.rtp), (rtp(3), at_b));
    bob.rtp.send_to(&rtp(4), at_b).unwrap();
    until(|| bench.counted(B).no_destination == 2);
    ask(&reflexive.rtp, at_a, (&asking.clone().nominating(), &password));
    let ice = bench.counted(A).ice.unwrap();
    assert_eq!((ice.standing.completed, ice.standing.rtp, ice.checks), (false, Some(reflexive.address()), 2));
    bob.rtp.send_to(&rtp(4), at_b).unwrap();
    until(|| bench.counted(B).no_destination == 3);
    // RTCP has a pair of its own.
    let rtcp = |of: std::net::SocketAddr| std::net::SocketAddr::new(of.ip(), of.port() + 1);
    ask(&reflexive.rtcp, rtcp(at_a), (&asking.nominating(), &password));
    bob.rtp.send_to(&rtp(5), at_b).unwrap();
    assert_eq!(receive(&reflexive.rtp), (rtp(5), at_a));
    bob.rtcp.send_to(&REPORT, rtcp(at_b)).unwrap();
    assert_eq!(receive(&reflexive.rtcp), (REPORT.to_vec(), rtcp(at_a)));
    assert!(bench.counted(A).ice.unwrap().standing.completed);
    assert_eq!(bench.counted(B).ice, None);
}

// conforms: RFC5761-5.1.1-5
#[test]
fn rfc5761_5_1_3_with_a_shared_port_one_pair_is_enough() {
    let mut bench = bench();
    let (alice, bob) = (bench.peer(), bench.peer());
    let offer = format!("{}a=rtcp-mux\r\n", with_rtcp(&alice, "alice"));
    let (at_a, at_b) = bench.connect(&offer, &bob.describe());
    let (asking, password) = check(&bench, A, "alice");
    ask(&alice.rtp, at_a, (&asking.nominating(), &password));
    assert!(bench.counted(A).ice.unwrap().standing.completed);
    alice.rtp.send_to(&REPORT, at_a).unwrap();
    assert_eq!(receive(&bob.rtcp).0, REPORT);
    bob.rtcp.send_to(&REPORT, std::net::SocketAddr::new(at_b.ip(), at_b.port() + 1)).unwrap();
    assert_eq!(receive(&alice.rtp), (REPORT.to_vec(), at_a));
}

// conforms: RFC8445-8.1.2-2 RFC8445-11-8
#[test]
fn an_attacker_without_the_password_moves_nothing() {
    let mut bench = bench();
    let (alice, bob, mallory) = (bench.peer(), bench.peer(), Peer::at(loopback()));
    let (at_a, at_b) = bench.connect(&with_ice(&alice, "alice"), &bob.describe());
    let (asking, password) = check(&bench, A, "alice");
    ask(&alice.rtp, at_a, (&asking.clone().nominating(), &password));
    let guess = Asking { password: Some(PASSWORD.into()), ..asking.clone().nominating().priority(u32::MAX) };
    for _ in 0..1_000 {
        mallory.rtp.send_to(&guess.bytes(), at_a).unwrap();
        mallory.rtp.send_to(&rtp(66), at_a).unwrap();
        mallory.rtp.send_to(&[0; 1], at_a).unwrap();
        mallory.rtp.send_to(&Asking { kind: 0x0101, ..guess.clone() }.bytes(), at_a).unwrap();
        // One at a time, so that no socket overflows.
        alice.rtp.send_to(&rtp(0), at_a).unwrap();
        assert_eq!(receive(&bob.rtp), (rtp(0), at_b));
    }
    ask(&alice.rtp, at_a, (&asking, &password));
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    assert_eq!(receive(&alice.rtp), (rtp(1), at_a));
    alice.rtp.send_to(&rtp(2), at_a).unwrap();
    assert_eq!(receive(&bob.rtp), (rtp(2), at_b));
    let counted = bench.counted(A);
    assert_eq!((counted.wrong_source, counted.received.packets, counted.sent.packets), (2_000, 1_001, 1));
    let stun = bench.relay.gauges().stun;
    assert_eq!((stun.checks, stun.unexpected, stun.unauthorized + stun.limited), (2, 1_000, 1_000));
    assert!(stun.unauthorized > 0);
}

// conforms: RFC8839-4.4.3.2-1,2,3
#[test]
fn rfc8445_9_a_restart_moves_media_once_the_new_session_has_a_pair() {
    let mut bench = bench();
    let (alice, bob, new) = (bench.peer(), bench.peer(), Peer::at(loopback()));
    let (at_a, at_b) = bench.connect(&with_ice(&alice, "alice"), &bob.describe());
    let (before, password) = check(&bench, A, "alice");
    ask(&alice.rtp, at_a, (&before.clone().nominating(), &password));
    bench.reoffer(&with_ice(&new, "later"), &bob.describe());
    let (after, new_password) = check(&bench, A, "later");
    assert!(after.user != before.user && new_password != password);
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    assert_eq!(receive(&alice.rtp).0, rtp(1));
    ask(&alice.rtp, at_a, (&before.nominating(), &password));
    ask(&new.rtp, at_a, (&after.nominating(), &new_password));
    bob.rtp.send_to(&rtp(2), at_b).unwrap();
    assert_eq!(receive(&new.rtp).0, rtp(2));
    assert_eq!(bench.local(A), at_a);
}

// conforms: RFC8445-5.3-3 RFC8445-7.3-1,6 RFC8839-4.2.4-1
#[test]
fn s6_13_each_branch_that_answers_an_offer_has_its_own_session_told_by_its_ufrag() {
    let mut bench = bench();
    bench.networks[1].ice = Ice::Offer;
    let (alice, left, right) = (bench.peer(), bench.peer(), bench.peer());
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    bench.call.receive_offer(A, alice.describe().as_bytes()).unwrap();
    let offer = bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    bench.call.fork_party(B, B2).unwrap();
    bench.carry_out();
    let (to_left, password) = checked(&offer, "left");
    let (to_right, _) = checked(&offer, "right");
    bench.call.receive_answer(B, with_ice(&left, "left").as_bytes()).unwrap();
    bench.carry_out();
    let at_b = bench.local(B);
    // The checks of the second come before its answer.
    ask(&right.rtp, at_b, (&to_right.nominating(), &password));
    ask(&left.rtp, at_b, (&to_left.nominating(), &password));
    bench.call.receive_answer(B2, with_ice(&right, "right").as_bytes()).unwrap();
    bench.carry_out();
    let counted = |party| bench.call.view(party).unwrap().streams[0].counted;
    until(|| counted(B2).ice.is_some_and(|ice| ice.standing.rtp.is_some()));
    assert_eq!(counted(B).ice.unwrap().standing.rtp, Some(left.address()));
    assert_eq!(counted(B2).ice.unwrap().standing.rtp, Some(right.address()));
    bench.call.compose_answer(A, B2, &mut bench.link).unwrap();
    bench.call.connect(A, B2);
    bench.carry_out();
    let at_a = bench.local(A);
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    assert_eq!(receive(&right.rtp), (rtp(1), at_b));
    left.rtp.send_to(&rtp(2), at_b).unwrap();
    right.rtp.send_to(&rtp(3), at_b).unwrap();
    assert_eq!(receive(&alice.rtp), (rtp(3), at_a));
}

#[test]
fn a_peer_that_answers_without_ice_is_latched_as_ever_and_its_checks_go_nowhere() {
    let mut bench = bench();
    bench.networks[1].ice = Ice::Offer;
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, at_b) = bench.connect(&alice.describe(), &bob.describe());
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    assert_eq!(receive(&alice.rtp), (rtp(1), at_a));
    let stray = Asking::new("none", "none", PASSWORD).bytes();
    alice.rtp.send_to(&stray, at_a).unwrap();
    alice.rtp.send_to(&rtp(2), at_a).unwrap();
    assert_eq!(receive(&bob.rtp), (rtp(2), at_b));
    assert_eq!(bench.relay.gauges().stun.unexpected, 1);
    assert_eq!(bench.counted(B).ice, None);
}

#[test]
fn rfc7983_dtls_is_no_media_of_a_stream_without_keys() {
    let mut bench = bench();
    let (alice, bob) = (bench.peer(), bench.peer());
    let (at_a, _) = bench.connect(&alice.describe(), &bob.describe());
    for first in [20, 22, 63] {
        alice.rtp.send_to(&[first, 0xfe, 0xfd, 0, 0, 0], at_a).unwrap();
    }
    alice.rtp.send_to(&rtp(1), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(1));
    assert_eq!(bench.relay.gauges().dtls_dropped, 3);
}
