//! DTLS-SRTP between a telephone and the relay.

use std::sync::Arc;

use super::harness::*;
use super::phone::*;
use crate::dtls::{Failure, Fingerprint, Hash, Role, Standing, Terms};
use crate::relay::{Command, Settings, Sources, Srtp};
use crate::srtp::{Kind, MAX_OVERHEAD, Protection, Sender, Suite};

fn keyed(standing: Option<Standing>) -> bool {
    matches!(standing, Some(Standing::Keyed(_)))
}

/// Both ways with a plain peer.
fn talk(stage: &Stage, phone: &mut Phone, other: &Peer, sequence: u16) {
    phone.say(&rtp(sequence), stage.secure.at);
    assert_eq!(receive(&other.rtp).0, rtp(sequence));
    other.rtp.send_to(&rtp(sequence), stage.plain.at).unwrap();
    assert_eq!(phone.hear(), rtp(sequence));
}

// conforms: RFC5763-5-5 RFC8842-5.3-7 RFC8842-5.4-1,2
#[test]
fn in_either_role_a_telephone_and_a_plain_peer_hear_each_other() {
    for (ours, theirs) in [(Role::Server, Role::Client), (Role::Client, Role::Server)] {
        let mut stage = Stage::new();
        let (mut phone, other) = (Phone::new(), stage.peer());
        let terms = stage.terms(1, ours, &phone);
        phone.begin(&stage, 1, theirs, false);
        stage.join(&phone, &terms, &other, true);
        phone.shake(1, 1);
        until(|| keyed(stage.secure.counters.snapshot().dtls));
        for sequence in 1..20 {
            talk(&stage, &mut phone, &other, sequence);
        }
        let snapshot = stage.secure.counters.snapshot();
        let Some(Standing::Keyed(agreed)) = snapshot.dtls else { panic!("{:?}", snapshot.dtls) };
        assert_eq!(agreed.suite, Suite::AeadAes256Gcm);
        assert_eq!((snapshot.dtls_rtcp, snapshot.unkeyed, snapshot.unauthentic), (None, 0, 0));
        assert_eq!(snapshot.source, Some(phone.peer.address()));
        assert_eq!(stage.plain.counters.snapshot().dtls, None);
        let gauges = stage.relay.gauges().dtls;
        assert_eq!((gauges.associations, gauges.keyed, gauges.refused, gauges.lost), (1, 1, 0, 0));
    }
}

// conforms: RFC5764-5.1-1
#[test]
fn until_there_are_keys_nothing_is_taken_or_sent_and_never_anything_plain() {
    let mut stage = Stage::new();
    let (mut phone, other) = (Phone::new(), stage.peer());
    let terms = stage.terms(1, Role::Server, &phone);
    stage.join(&phone, &terms, &other, true);
    phone.peer.rtp.send_to(&rtp(1), stage.secure.at).unwrap();
    other.rtp.send_to(&rtp(1), stage.plain.at).unwrap();
    until(|| stage.secure.counters.snapshot().unkeyed == 2);
    until(|| stage.secure.counters.snapshot().dtls == Some(Standing::Waiting));
    assert_eq!(stage.relay.gauges().dtls.unkeyed, 2);
    phone.begin(&stage, 1, Role::Client, false);
    phone.shake(1, 1);
    // The first that either hears is what was sent after that.
    talk(&stage, &mut phone, &other, 9);
}

/// The first two reports with a key.
fn reports(keys: &Protection) -> [Vec<u8>; 2] {
    let mut sender = Sender::new(&keys.send).unwrap();
    [(); 2].map(|()| {
        let mut report = REPORT.to_vec();
        report.resize(REPORT.len() + MAX_OVERHEAD, 0);
        let length = sender.protect(Kind::Rtcp, &mut report, REPORT.len()).unwrap();
        report.truncate(length);
        report
    })
}

// conforms: RFC5764-3-1
#[test]
fn rtp_and_rtcp_on_two_ports_have_an_association_each() {
    let mut stage = Stage::new();
    let (mut phone, other) = (Phone::new(), stage.peer());
    let terms = stage.terms(1, Role::Client, &phone);
    phone.begin(&stage, 1, Role::Server, true);
    stage.join(&phone, &terms, &other, false);
    phone.shake(2, 1);
    until(|| keyed(stage.secure.counters.snapshot().dtls_rtcp));
    talk(&stage, &mut phone, &other, 1);
    let [of_rtp, of_rtcp] = [0, 1].map(|at| Arc::clone(&phone.keys[at][0]));
    assert_ne!(of_rtp, of_rtcp);
    phone.peer.rtcp.send_to(&reports(&of_rtcp)[0], stage.secure.rtcp()).unwrap();
    assert_eq!(receive(&other.rtcp).0, REPORT);
    // With the key of RTP it is of nobody.
    phone.peer.rtcp.send_to(&reports(&of_rtp)[1], stage.secure.rtcp()).unwrap();
    until(|| stage.secure.counters.snapshot().unauthentic == 1);
}

// conforms: RFC5763-5-8,9 RFC8122-5.1-5 RFC8842-5.1-6,7
#[test]
fn with_a_certificate_of_somebody_else_there_is_no_audio_and_the_counters_say_why() {
    let mut stage = Stage::new();
    let (mut phone, other) = (Phone::new(), stage.peer());
    let fingerprint = Fingerprint { hash: Hash::Sha256, octets: vec![1; 32].into() };
    let terms = stage.terms(1, Role::Server, &phone);
    let terms = Arc::new(Terms { fingerprints: Box::new([fingerprint]), ..(*terms).clone() });
    stage.join(&phone, &terms, &other, true);
    phone.begin(&stage, 1, Role::Client, false);
    until(|| {
        phone.turn();
        stage.secure.counters.snapshot().dtls == Some(Standing::Failed(Failure::Fingerprint))
    });
    phone.peer.rtp.send_to(&rtp(1), stage.secure.at).unwrap();
    other.rtp.send_to(&rtp(1), stage.plain.at).unwrap();
    until(|| stage.secure.counters.snapshot().unkeyed == 2);
    let gauges = stage.relay.gauges().dtls;
    assert_eq!((gauges.keyed, gauges.failed.of(Failure::Fingerprint)), (0, 1));
    assert_eq!(gauges.failed.by_name().find(|(_, count)| *count > 0), Some(("fingerprint", 1)));
}

// conforms: RFC5764-4.1.3-1 RFC5764-5.2-2
#[test]
fn a_new_association_takes_over_without_a_gap_and_the_same_terms_change_nothing() {
    let mut stage = Stage::new();
    let (mut phone, other) = (Phone::new(), stage.peer());
    let terms = stage.terms(1, Role::Server, &phone);
    stage.join(&phone, &terms, &other, true);
    phone.begin(&stage, 1, Role::Client, false);
    phone.shake(1, 1);
    talk(&stage, &mut phone, &other, 1);
    // Said again, and with one more fingerprint.
    let mut more = (*terms).clone();
    more.fingerprints = Box::new([
        terms.fingerprints[0].clone(),
        Fingerprint { hash: Hash::Sha256, octets: vec![1; 32].into() },
    ]);
    for (sequence, again) in [(2, Arc::new((*terms).clone())), (3, Arc::new(more))] {
        stage.join(&phone, &again, &other, true);
        talk(&stage, &mut phone, &other, sequence);
    }
    let next = stage.terms(2, Role::Server, &phone);
    stage.join(&phone, &next, &other, true);
    // The keys before are good until there are others, and that is shown…
    talk(&stage, &mut phone, &other, 4);
    assert!(keyed(stage.secure.counters.snapshot().dtls));
    let late = phone.seal(&rtp(5));
    phone.begin(&stage, 2, Role::Client, false);
    until(|| {
        phone.turn();
        stage.secure.counters.snapshot().dtls == Some(Standing::Handshaking)
    });
    phone.shake(1, 2);
    until(|| keyed(stage.secure.counters.snapshot().dtls));
    // …and what is still on its way with them until the first packet of the new.
    phone.peer.rtp.send_to(&late, stage.secure.at).unwrap();
    assert_eq!(receive(&other.rtp).0, rtp(5));
    talk(&stage, &mut phone, &other, 6);
    phone.peer.rtp.send_to(&late, stage.secure.at).unwrap();
    until(|| stage.secure.counters.snapshot().unauthentic == 1);
    assert_eq!(stage.relay.gauges().dtls.keyed, 2);
}

#[test]
fn who_is_not_the_peer_begins_nothing_and_garbage_disturbs_nothing() {
    let mut stage = Stage::new();
    let (mut phone, other, mallory) = (Phone::new(), stage.peer(), stage.peer());
    let mut stranger = Phone::new();
    let terms = stage.terms(1, Role::Server, &phone);
    stage.join(&phone, &terms, &other, true);
    stranger.begin(&stage, 1, Role::Client, false);
    until(|| {
        stranger.turn();
        stage.relay.gauges().dtls_dropped >= 1
    });
    assert_eq!(stage.secure.counters.snapshot().dtls, Some(Standing::Waiting));
    assert!(stage.secure.counters.snapshot().wrong_source >= 1);
    phone.begin(&stage, 1, Role::Client, false);
    phone.shake(1, 1);
    talk(&stage, &mut phone, &other, 1);
    let long = vec![22; 60_000];
    let alert = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];
    let garbage: [&[u8]; 6] =
        [&[22], &[63], &[20; 400], &long, &alert, b"\x16\xfe\xfd\x00\x00 a ClientHello or so"];
    for datagram in garbage {
        phone.peer.rtp.send_to(datagram, stage.secure.at).unwrap();
        mallory.rtp.send_to(datagram, stage.secure.at).unwrap();
    }
    // A ClientHello from the peer's own address that goes no further.
    let mut again = Phone::new();
    std::mem::swap(&mut again.peer, &mut phone.peer);
    again.begin(&stage, 1, Role::Client, false);
    again.turn();
    std::mem::swap(&mut again.peer, &mut phone.peer);
    for sequence in 2..20 {
        talk(&stage, &mut phone, &other, sequence);
    }
    assert!(keyed(stage.secure.counters.snapshot().dtls));
    assert_eq!(stage.relay.gauges().dtls.keyed, 1);
}

// conforms: RFC8842-5.2-3
#[test]
fn a_client_hello_before_the_answer_is_kept() {
    let mut stage = Stage::new();
    let (mut phone, other) = (Phone::new(), stage.peer());
    phone.begin(&stage, 1, Role::Client, false);
    phone.turn();
    until(|| stage.relay.gauges().stray_packets == 1);
    let terms = stage.terms(1, Role::Server, &phone);
    stage.join(&phone, &terms, &other, true);
    // It does not have to say it again: its timer is a second.
    #[expect(clippy::disallowed_methods, reason = "how long it takes is what is asked")]
    let start = std::time::Instant::now();
    phone.shake(1, 1);
    #[expect(clippy::disallowed_methods, reason = "how long it takes is what is asked")]
    let took = start.elapsed();
    assert!(took < std::time::Duration::from_millis(900), "{took:?}");
    talk(&stage, &mut phone, &other, 1);
}

// conforms: RFC5764-5.1.2-1
#[test]
fn close_notify_clear_and_release_end_it() {
    for how in 0..3 {
        let mut stage = Stage::new();
        let (mut phone, other) = (Phone::new(), stage.peer());
        let terms = stage.terms(1, Role::Server, &phone);
        stage.join(&phone, &terms, &other, true);
        phone.begin(&stage, 1, Role::Client, false);
        phone.shake(1, 1);
        talk(&stage, &mut phone, &other, 1);
        match how {
            0 => {
                phone.end();
                until(|| stage.secure.counters.snapshot().dtls == Some(Standing::Closed));
                other.rtp.send_to(&rtp(2), stage.plain.at).unwrap();
                until(|| stage.secure.counters.snapshot().unkeyed == 1);
                continue;
            }
            1 => stage.link.carry_out(Command::Clear { context: stage.secure.id() }),
            _ => stage.link.carry_out(Command::Release { pair: stage.secure.pair.id }),
        }
        stage.link.flush();
        until(|| stage.relay.gauges().dtls.associations == 0);
    }
}

#[test]
fn behind_a_nat_the_handshake_says_where_the_peer_is() {
    let mut stage = Stage::new();
    let (mut phone, other) = (Phone::new(), stage.peer());
    let terms = stage.terms(1, Role::Server, &phone);
    stage.join(&phone, &terms, &other, true);
    // What its description says is an address that nobody outside knows.
    let described = "192.0.2.77:9".parse().unwrap();
    let (srtp, sources) = (Some(Srtp::Dtls(terms)), Sources::Only(phone.peer.address().ip()));
    let settings = Settings { srtp, sources, ..settings(described, stage.plain.id()) };
    let counters = Arc::clone(&stage.secure.counters);
    stage.set(stage.secure.id(), settings, &counters);
    phone.begin(&stage, 1, Role::Client, false);
    phone.shake(1, 1);
    until(|| keyed(stage.secure.counters.snapshot().dtls));
    // It has said nothing yet.
    other.rtp.send_to(&rtp(1), stage.plain.at).unwrap();
    assert_eq!(phone.hear(), rtp(1));
    assert_eq!(stage.secure.counters.snapshot().source, Some(phone.peer.address()));
}

#[test]
fn of_a_flood_from_the_peers_own_address_little_is_handed_on() {
    let mut stage = Stage::new();
    let (mut phone, other) = (Phone::new(), stage.peer());
    let terms = stage.terms(1, Role::Server, &phone);
    stage.join(&phone, &terms, &other, true);
    phone.begin(&stage, 1, Role::Client, false);
    phone.shake(1, 1);
    // Records that nobody has the keys of.
    let mut record = vec![23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 64];
    record.resize(13 + 64, 7);
    for _ in 0..100 {
        phone.peer.rtp.send_to(&record, stage.secure.at).unwrap();
    }
    until(|| stage.relay.gauges().dtls_dropped >= 20);
    talk(&stage, &mut phone, &other, 1);
    assert!(keyed(stage.secure.counters.snapshot().dtls));
}

#[test]
fn what_is_said_of_an_association_that_is_over_is_not_taken_for_the_next() {
    let mut stage = Stage::new();
    let (mut phone, other) = (Phone::new(), stage.peer());
    let terms = stage.terms(1, Role::Server, &phone);
    for times in 1..=3 {
        stage.join(&phone, &terms, &other, true);
        phone.begin(&stage, times, Role::Client, false);
        phone.shake(1, usize::try_from(times).unwrap());
        // It may be that the keys have come to the relay by now, or not: they are of nobody any more.
        stage.link.carry_out(Command::Clear { context: stage.secure.id() });
        stage.join(&phone, &terms, &other, true);
        phone.peer.rtp.send_to(&rtp(1), stage.secure.at).unwrap();
        let unkeyed = u64::from(times);
        until(|| stage.secure.counters.snapshot().unkeyed == unkeyed);
        stage.link.carry_out(Command::Clear { context: stage.secure.id() });
        stage.link.flush();
    }
}
