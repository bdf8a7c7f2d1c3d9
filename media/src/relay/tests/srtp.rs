//! SRTP between a peer and the relay.

use std::net::SocketAddr;

use super::harness::*;
use super::ice;
use crate::srtp::{Context, Failure, Kind, MAX_OVERHEAD, MasterKey, Suite, Transform};
use crate::{CryptoLine, Latching, Security, SrtpUse};

/// The far end of one leg: its key, and ours as it was told.
struct End {
    suite: Suite,
    number: u8,
    sender: Context,
    receiver: Option<Context>,
}

fn key(suite: Suite, number: u8) -> MasterKey {
    MasterKey::new(suite, &vec![number; suite.key_length() + suite.salt_length()]).unwrap()
}

impl End {
    fn new(suite: Suite, number: u8) -> Self {
        Self { suite, number, sender: Context::new(&key(suite, number)).unwrap(), receiver: None }
    }

    /// Its description, by which it may send.
    fn describe(&self, address: SocketAddr, tag: u32) -> String {
        let value = crate::keying::written(tag, &key(self.suite, self.number));
        describe(address).replace("RTP/AVP", "RTP/SAVP") + &format!("a={}\r\n", &*value)
    }

    /// It hears of our key.
    fn told(&mut self, text: &[u8]) {
        let text = std::str::from_utf8(text).unwrap();
        let line =
            text.lines().filter_map(|line| line.strip_prefix("a=crypto:")).filter_map(CryptoLine::parse);
        let line = line.into_iter().find(|line| line.suite() == Some(self.suite)).unwrap();
        self.receiver = Context::new(&line.keys[0]);
    }

    fn seal(&mut self, kind: Kind, packet: &[u8]) -> Vec<u8> {
        let mut buffer = packet.to_vec();
        buffer.resize(packet.len() + MAX_OVERHEAD, 0);
        let length = self.sender.protect(kind, &mut buffer, packet.len()).unwrap();
        buffer.truncate(length);
        buffer
    }

    fn open(&mut self, kind: Kind, packet: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut buffer = packet.to_vec();
        let length = self.receiver.as_mut().unwrap().unprotect(kind, &mut buffer, packet.len())?;
        buffer.truncate(length);
        Ok(buffer)
    }
}

fn secure(srtp: SrtpUse) -> Security {
    let keying = [crate::Keying::Sdes].into();
    Security { srtp, keying, suites: Suite::ALL.into(), keys: true, ..Security::default() }
}

/// A is secure by that suite, B plain.
fn bench(suite: Suite) -> (Bench, Peer, Peer, End) {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let mut end = End::new(suite, 1);
    secured(&mut bench);
    exchange(&mut bench, &mut end, &alice, &bob);
    (bench, alice, bob, end)
}

fn secured(bench: &mut Bench) {
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    bench.call.protect(A, secure(SrtpUse::Required), [9; 32]);
}

fn exchange(bench: &mut Bench, end: &mut End, alice: &Peer, bob: &Peer) {
    let offer = end.describe(alice.address(), 1);
    exchange_of(bench, end, &offer, bob);
}

fn exchange_of(bench: &mut Bench, end: &mut End, offer: &str, bob: &Peer) {
    bench.call.receive_offer(A, offer.as_bytes()).unwrap();
    bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    bench.call.receive_answer(B, bob.describe().as_bytes()).unwrap();
    let answer = bench.call.compose_answer(A, B, &mut bench.link).unwrap();
    end.told(&answer);
    bench.call.connect(A, B);
    bench.carry_out();
}

#[test]
fn a_secure_leg_and_a_plain_one_hear_each_other_in_every_suite() {
    for suite in Suite::ALL {
        let (bench, alice, bob, mut end) = bench(suite);
        let (at_a, at_b) = (bench.local(A), bench.local(B));
        for sequence in 1..20 {
            alice.rtp.send_to(&end.seal(Kind::Rtp, &rtp(sequence)), at_a).unwrap();
            assert_eq!(receive(&bob.rtp).0, rtp(sequence), "{suite:?}");
            bob.rtp.send_to(&rtp(sequence), at_b).unwrap();
            let heard = receive(&alice.rtp).0;
            assert_ne!(heard[12..172], rtp(sequence)[12..]);
            assert_eq!(end.open(Kind::Rtp, &heard).unwrap(), rtp(sequence));
        }
        let rtcp = |mut at: SocketAddr| {
            at.set_port(at.port() + 1);
            at
        };
        alice.rtcp.send_to(&end.seal(Kind::Rtcp, &REPORT), rtcp(at_a)).unwrap();
        assert_eq!(receive(&bob.rtcp).0, REPORT);
        bob.rtcp.send_to(&REPORT, rtcp(at_b)).unwrap();
        let heard = receive(&alice.rtcp).0;
        assert_eq!(end.open(Kind::Rtcp, &heard).unwrap(), REPORT);
        let counted = bench.counted(A);
        assert_eq!((counted.received.packets, counted.received.rtcp_packets), (19, 1));
        assert_eq!((counted.unauthentic, counted.replayed, counted.malformed, counted.lost), (0, 0, 0, 0));
    }
}

#[test]
fn two_suites_are_translated() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (mut a, mut b) = (End::new(Suite::AesCm128Sha1Tag80, 1), End::new(Suite::AeadAes256Gcm, 2));
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    bench.call.protect(A, secure(SrtpUse::Required), [9; 32]);
    bench.call.protect(B, secure(SrtpUse::Required), [8; 32]);
    bench.call.receive_offer(A, a.describe(alice.address(), 1).as_bytes()).unwrap();
    let offer = bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    b.told(&offer);
    bench.call.receive_answer(B, b.describe(bob.address(), 1).as_bytes()).unwrap();
    let answer = bench.call.compose_answer(A, B, &mut bench.link).unwrap();
    a.told(&answer);
    bench.call.connect(A, B);
    bench.carry_out();
    for sequence in 1..10 {
        alice.rtp.send_to(&a.seal(Kind::Rtp, &rtp(sequence)), bench.local(A)).unwrap();
        assert_eq!(b.open(Kind::Rtp, &receive(&bob.rtp).0).unwrap(), rtp(sequence));
        bob.rtp.send_to(&b.seal(Kind::Rtp, &rtp(sequence)), bench.local(B)).unwrap();
        assert_eq!(a.open(Kind::Rtp, &receive(&alice.rtp).0).unwrap(), rtp(sequence));
    }
}

// conforms: RFC3711-3.2.3-2 RFC3711-3.3-3,4
#[test]
fn an_attackers_packets_never_cross_and_never_move_the_latch() {
    for suite in [Suite::AesCm128Sha1Tag32, Suite::AeadAes128Gcm] {
        let (bench, alice, bob, mut end) = bench(suite);
        let mallory = Peer::at(loopback());
        let (at_a, at_b) = (bench.local(A), bench.local(B));
        let first = end.seal(Kind::Rtp, &rtp(1));
        alice.rtp.send_to(&first, at_a).unwrap();
        assert_eq!(receive(&bob.rtp).0, rtp(1));
        // Replayed, from its own address and from another; with another key; in the clear; what is no RTP at all.
        alice.rtp.send_to(&first, at_a).unwrap();
        mallory.rtp.send_to(&first, at_a).unwrap();
        mallory.rtp.send_to(&End::new(suite, 66).seal(Kind::Rtp, &rtp(2)), at_a).unwrap();
        mallory.rtp.send_to(&rtp(2), at_a).unwrap();
        mallory.rtp.send_to(&[0], at_a).unwrap();
        mallory.rtp.send_to(b"\x16\xfe\xff a DTLS record or so", at_a).unwrap();
        until(|| bench.relay.gauges().dtls_dropped == 1);
        let counted = bench.counted(A);
        assert_eq!((counted.replayed, counted.unauthentic, counted.malformed), (2, 2, 1));
        assert_eq!(counted.source, Some(alice.address()));
        let refused = bench.relay.gauges().srtp;
        assert_eq!((refused.replayed, refused.unauthentic, refused.malformed), (2, 2, 1));
        // Nothing of it was heard by anybody: the next packets are the next of the call.
        alice.rtp.send_to(&end.seal(Kind::Rtp, &rtp(3)), at_a).unwrap();
        assert_eq!(receive(&bob.rtp).0, rtp(3));
        bob.rtp.send_to(&rtp(9), at_b).unwrap();
        assert_eq!(end.open(Kind::Rtp, &receive(&alice.rtp).0).unwrap(), rtp(9));
    }
}

#[test]
fn an_authentic_packet_moves_the_latch_from_wherever_it_comes() {
    let (mut bench, _, bob, mut end) = bench(Suite::AesCm128Sha1Tag80);
    let elsewhere = Peer::at(loopback());
    bench.call.signalling_source(A, elsewhere.address().ip());
    bench.carry_out();
    elsewhere.rtp.send_to(&end.seal(Kind::Rtp, &rtp(1)), bench.local(A)).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(1));
    assert_eq!(bench.counted(A).source, Some(elsewhere.address()));
}

#[test]
fn keys_are_renewed_without_a_gap() {
    let (mut bench, alice, bob, mut end) = bench(Suite::AesCm128Sha1Tag80);
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    let mut before = std::mem::replace(&mut end, End::new(Suite::AesCm128Sha1Tag80, 2));
    alice.rtp.send_to(&before.seal(Kind::Rtp, &rtp(1)), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(1));
    bob.rtp.send_to(&rtp(1), at_b).unwrap();
    assert_eq!(before.open(Kind::Rtp, &receive(&alice.rtp).0).unwrap(), rtp(1));
    exchange(&mut bench, &mut end, &alice, &bob);
    // What is on its way still has the key before, and so has ours until it is seen that ours has arrived.
    alice.rtp.send_to(&before.seal(Kind::Rtp, &rtp(2)), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(2));
    bob.rtp.send_to(&rtp(2), at_b).unwrap();
    assert_eq!(before.open(Kind::Rtp, &receive(&alice.rtp).0).unwrap(), rtp(2));
    alice.rtp.send_to(&end.seal(Kind::Rtp, &rtp(3)), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(3));
    bob.rtp.send_to(&rtp(3), at_b).unwrap();
    assert_eq!(end.open(Kind::Rtp, &receive(&alice.rtp).0).unwrap(), rtp(3));
    alice.rtp.send_to(&before.seal(Kind::Rtp, &rtp(4)), at_a).unwrap();
    until(|| bench.counted(A).unauthentic == 1);
}

/// RFC 6141 §3: keys that stand again go on where they were, and what was taken is not taken again.
#[test]
fn keys_that_are_put_back_go_on() {
    let (mut bench, alice, bob, mut end) = bench(Suite::AesCm128Sha1Tag80);
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    let both_ways = |end: &mut End, sequence| {
        let sealed = end.seal(Kind::Rtp, &rtp(sequence));
        alice.rtp.send_to(&sealed, at_a).unwrap();
        assert_eq!(receive(&bob.rtp).0, rtp(sequence));
        bob.rtp.send_to(&rtp(sequence), at_b).unwrap();
        assert_eq!(end.open(Kind::Rtp, &receive(&alice.rtp).0).unwrap(), rtp(sequence));
        sealed
    };
    let first = both_ways(&mut end, 0x7000);
    both_ways(&mut end, 0xf000);
    both_ways(&mut end, 0x6000);
    let then = bench.call.standing(A).unwrap();
    let mut another = End::new(Suite::AesCm128Sha1Tag80, 2);
    exchange(&mut bench, &mut another, &alice, &bob);
    alice.rtp.send_to(&another.seal(Kind::Rtp, &rtp(1)), at_a).unwrap();
    receive(&bob.rtp);
    both_ways(&mut another, 2);
    bench.call.put_back(A, &then).unwrap();
    bench.carry_out();
    alice.rtp.send_to(&end.seal(Kind::Rtp, &rtp(0x6001)), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(0x6001));
    both_ways(&mut end, 0x6002);
    alice.rtp.send_to(&first, at_a).unwrap();
    until(|| bench.counted(A).unauthentic + bench.counted(A).replayed == 1);
}

/// Another endpoint behind the same peer: it knows nothing of how often ours has rolled over.
#[test]
fn who_comes_with_another_key_hears_us_after_a_roll_over() {
    let (mut bench, alice, bob, mut end) = bench(Suite::AesCm128Sha1Tag80);
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    for sequence in [0x7000, 0xf000, 0x6000] {
        bob.rtp.send_to(&rtp(sequence), at_b).unwrap();
        assert_eq!(end.open(Kind::Rtp, &receive(&alice.rtp).0).unwrap(), rtp(sequence));
    }
    let mut another = End::new(Suite::AesCm128Sha1Tag80, 2);
    exchange(&mut bench, &mut another, &alice, &bob);
    alice.rtp.send_to(&another.seal(Kind::Rtp, &rtp(1)), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(1));
    bob.rtp.send_to(&rtp(0x6001), at_b).unwrap();
    assert_eq!(another.open(Kind::Rtp, &receive(&alice.rtp).0).unwrap(), rtp(0x6001));
    // One that says nothing hears us after a while all the same.
    let mut third = End::new(Suite::AesCm128Sha1Tag80, 3);
    exchange(&mut bench, &mut third, &alice, &bob);
    let mut sequence = 0x6001u16;
    until(|| {
        sequence = sequence.wrapping_add(1);
        bob.rtp.send_to(&rtp(sequence), at_b).unwrap();
        third.open(Kind::Rtp, &receive(&alice.rtp).0).is_ok_and(|packet| packet == rtp(sequence))
    });
}

// conforms: RFC3711-3.2.3-1
#[test]
fn of_two_early_dialogs_on_one_port_the_key_says_which_has_sent() {
    let mut bench = Bench::new(&config(Latching::AnySource));
    let (alice, bob, carol) = (bench.peer(), bench.peer(), bench.peer());
    let (other, suite) = (crate::PartyId(3), Suite::AeadAes128Gcm);
    let (mut at_bob, mut at_carol) = (End::new(suite, 1), End::new(suite, 2));
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    bench.call.protect(B, secure(SrtpUse::Required), [9; 32]);
    bench.call.receive_offer(A, alice.describe().as_bytes()).unwrap();
    let offer = bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    let text = std::str::from_utf8(&offer).unwrap();
    let tag = text.lines().find_map(|line| line.strip_prefix("a=crypto:")?.split_once(" AEAD_AES_128_GCM"));
    let tag = tag.unwrap().0.parse().unwrap();
    bench.call.fork_party(B, other).unwrap();
    at_bob.told(&offer);
    at_carol.told(&offer);
    bench.call.receive_answer(B, at_bob.describe(bob.address(), tag).as_bytes()).unwrap();
    bench.call.receive_answer(other, at_carol.describe(carol.address(), tag).as_bytes()).unwrap();
    bench.call.compose_answer(A, other, &mut bench.link).unwrap();
    bench.call.connect(A, other);
    bench.carry_out();
    let at = bench.local(B);
    assert_eq!(at, bench.local(other));
    // Both from addresses that say nothing.
    let (nat, second) = (Peer::at(loopback()), Peer::at(loopback()));
    nat.rtp.send_to(&at_bob.seal(Kind::Rtp, &rtp(1)), at).unwrap();
    second.rtp.send_to(&at_carol.seal(Kind::Rtp, &rtp(2)), at).unwrap();
    assert_eq!(receive(&alice.rtp).0, rtp(2));
    assert_eq!((bench.counted(B).no_destination, bench.counted(other).received.packets), (1, 1));
    // Known to both keys by its source, and at another address: the wrong key leaves it whole for the right one.
    let roaming = Peer::at(loopback());
    roaming.rtp.send_to(&at_carol.seal(Kind::Rtp, &rtp(3)), at).unwrap();
    assert_eq!(receive(&alice.rtp).0, rtp(3));
    let second = roaming;
    alice.rtp.send_to(&rtp(5), bench.local(A)).unwrap();
    assert_eq!(at_carol.open(Kind::Rtp, &receive(&second.rtp).0).unwrap(), rtp(5));
}

/// RFC 3711 §9.1: our key, that all of them were told, goes on with each that comes, whatever it was used for by those before.
#[test]
fn early_dialogs_that_come_and_go_never_repeat_an_index_under_our_key() {
    let mut bench = Bench::new(&config(Latching::Described));
    let (alice, bob) = (bench.peer(), bench.peer());
    let mut end = End::new(Suite::AesCm128Sha1Tag80, 1);
    bench.call.add_party(A, &bench.networks[0]);
    bench.call.add_party(B, &bench.networks[1]);
    let suites = [Suite::AesCm128Sha1Tag80].into();
    let security = Security { suites, ..secure(SrtpUse::Required) };
    bench.call.protect(B, security, [9; 32]);
    bench.call.receive_offer(A, alice.describe().as_bytes()).unwrap();
    let offer = bench.call.compose_offer(B, A, &mut bench.link).unwrap();
    end.told(&offer);
    let (mut first, mut at_a) = (0, None);
    for fork in 10..14 {
        let fork = crate::PartyId(fork);
        bench.call.fork_party(B, fork).unwrap();
        bench.call.receive_answer(fork, end.describe(bob.address(), 1).as_bytes()).unwrap();
        bench.call.compose_answer(A, fork, &mut bench.link).unwrap();
        bench.call.connect(A, fork);
        bench.carry_out();
        let at = *at_a.get_or_insert(bench.local(A));
        alice.rtcp.send_to(&REPORT, SocketAddr::new(at.ip(), at.port() + 1)).unwrap();
        let sealed = receive(&bob.rtcp).0;
        let index = sealed.len() - 14..sealed.len() - 10;
        assert_eq!(sealed[index], [0x80, 0, 0, first]);
        assert_eq!(end.open(Kind::Rtcp, &sealed).unwrap(), REPORT);
        // Alice begins anew with each, and what she says is another thing.
        for sequence in 1..200 {
            let mut packet = rtp(sequence);
            packet[12] = first;
            alice.rtp.send_to(&packet, at).unwrap();
            if first > 0 && sequence < 3 {
                continue;
            }
            let opened = end.open(Kind::Rtp, &receive(&bob.rtp).0).unwrap();
            assert_eq!((opened[12], opened.len()), (first, packet.len()));
        }
        first += 1;
        bench.call.remove_party(fork);
        bench.carry_out();
    }
}

#[test]
fn with_ice_a_packet_needs_an_address_that_is_proved_and_a_key() {
    let mut bench = ice::bench();
    let (alice, bob, mallory) = (bench.peer(), bench.peer(), Peer::at(loopback()));
    let mut end = End::new(Suite::AesCm128Sha1Tag80, 1);
    secured(&mut bench);
    let offer = end.describe(alice.address(), 1) + "a=rtcp-mux\r\n" + &ice::lines(alice.address(), "alice");
    exchange_of(&mut bench, &mut end, &offer, &bob);
    let (at_a, at_b) = (bench.local(A), bench.local(B));
    // Authentic, but nobody has made a check from there.
    alice.rtp.send_to(&end.seal(Kind::Rtp, &rtp(1)), at_a).unwrap();
    until(|| bench.counted(A).wrong_source == 1);
    let (asking, password) = ice::checked(&bench.call.described_to(A).unwrap(), "alice");
    ice::ask(&alice.rtp, at_a, (&asking.nominating(), &password));
    alice.rtp.send_to(&end.seal(Kind::Rtp, &rtp(2)), at_a).unwrap();
    assert_eq!(receive(&bob.rtp).0, rtp(2));
    alice.rtp.send_to(&rtp(3), at_a).unwrap();
    until(|| bench.counted(A).unauthentic == 1);
    mallory.rtp.send_to(&end.seal(Kind::Rtp, &rtp(4)), at_a).unwrap();
    until(|| bench.counted(A).wrong_source == 2);
    bob.rtp.send_to(&rtp(5), at_b).unwrap();
    let heard = receive(&alice.rtp).0;
    assert_ne!(heard[12..172], rtp(5)[12..]);
    assert_eq!(end.open(Kind::Rtp, &heard).unwrap(), rtp(5));
    // DTLS is nothing that this stream speaks.
    alice.rtp.send_to(&[22, 254, 253, 0], at_a).unwrap();
    until(|| bench.relay.gauges().dtls_dropped == 1);
}
