//! What others send.

use std::time::Duration;

use super::wire::*;
use crate::dtls::records::{Facts, LONGEST};
use crate::dtls::{Failure, Role, Standing, Version, is_hello};
use crate::srtp::Suite;

const SUITES: [Suite; 1] = [Suite::AesCm128Sha1Tag80];

const VERSIONS: [Version; 2] = [Version::V1_2, Version::V1_3];

fn wire(newest: Version) -> Wire {
    let [client, server] = [Role::Client, Role::Server].map(|role| terms_up_to(newest, role, &Suite::ALL));
    Wire::new(client, server)
}

/// All that a handshake and its end send, each with the end that it is for.
fn recorded(newest: Version) -> Vec<(usize, Vec<u8>)> {
    let mut wire = wire(newest);
    wire.shake(|_, _| Fate::Arrives);
    let now = wire.now;
    wire.ends[0].work(|it, out| it.close(now, out));
    let of = |at: usize, sent: &[Vec<u8>]| {
        sent.iter().map(move |octets| (1 - at, octets.clone())).collect::<Vec<_>>()
    };
    [of(0, &wire.ends[0].sent), of(1, &wire.ends[1].sent)].concat()
}

#[test]
fn what_is_no_dtls_is_refused_at_sight() {
    let hello = recorded(Version::V1_2)[0].1.clone();
    assert!(is_hello(&hello));
    let rtp = [0x80; 172];
    let mut alert = vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40];
    assert_eq!(Facts::read(&alert).unwrap().alert, Some(40));
    alert[13] = 1;
    assert_eq!(Facts::read(&alert).unwrap().alert, None);
    let data = [&[23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2][..], &[1, 2]].concat();
    let long = vec![22; LONGEST + 1];
    let empty = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut other_version = hello.clone();
    other_version[1] = 3;
    let mut overlapping = hello.clone();
    // A fragment beyond the end of its message.
    overlapping[13 + 8] = 255;
    let mut longer = hello.clone();
    longer.push(0);
    for bad in [
        &[][..],
        &[22],
        &rtp,
        &data,
        &long,
        &empty,
        &other_version,
        &overlapping,
        &longer,
        &hello[..hello.len() - 1],
    ] {
        assert_eq!(Facts::read(bad), None, "{bad:?}");
        assert!(!is_hello(bad));
    }
}

#[test]
fn truncated_and_damaged_datagrams_never_disturb_what_is_done() {
    for newest in VERSIONS {
        damage(newest);
    }
}

fn damage(newest: Version) {
    let recorded = recorded(newest);
    let mut wire = wire(newest);
    wire.shake(|_, _| Fate::Arrives);
    let now = wire.now;
    for (at, octets) in &recorded {
        let source = wire.ends[1 - at].at;
        for cut in 0..octets.len() {
            wire.ends[*at].work(|it, out| it.receive(now, source, &octets[..cut], out));
            let mut damaged = octets.clone();
            damaged[cut] ^= 0x55;
            wire.ends[*at].work(|it, out| it.receive(now, source, &damaged, out));
        }
    }
    for end in &wire.ends {
        assert!(matches!(end.standing, Some(Standing::Keyed(_))), "{:?}", end.standing);
        assert_eq!(end.keyed.len(), 1);
    }
}

#[test]
fn a_handshake_survives_garbage_between_its_flights() {
    for newest in VERSIONS {
        garbage(newest);
    }
}

fn garbage(newest: Version) {
    let recorded = recorded(newest);
    let mut wire = wire(newest);
    wire.begin(&mut |_, _| Fate::Arrives);
    for round in 0..20 {
        let now = wire.start + Duration::from_millis(round * 4);
        for (at, octets) in &recorded {
            let source = wire.ends[1 - at].at;
            // The last record is not whole.
            let octets = &octets[..octets.len() - 1 - usize::try_from(round).unwrap() / 2];
            let (taken, _) = wire.ends[*at].work(|it, out| it.receive(now, source, octets, out));
            assert!(!taken);
        }
        for octet in 0..=255 {
            for at in [0, 1] {
                let source = wire.ends[1 - at].at;
                let (taken, _) = wire.ends[at].work(|it, out| it.receive(now, source, &[octet], out));
                assert!(!taken);
            }
        }
        wire.now = now;
        wire.run(Duration::from_millis(4), |_, _| Fate::Arrives);
    }
    wire.run(Duration::from_secs(60), |_, _| Fate::Arrives);
    wire.assert_keyed();
}

#[test]
fn a_flood_of_hellos_from_elsewhere_leaves_the_peer_its_handshake() {
    let mut wire = Wire::of(&SUITES);
    wire.begin(&mut |_, _| Fate::Arrives);
    wire.run(Duration::from_millis(15), |_, _| Fate::Arrives);
    let now = wire.now;
    for flooder in 0..100u8 {
        let mut other = End::new(terms(Role::Client, &SUITES), "198.51.100.1:9", now);
        let to = wire.ends[1].at;
        let (_, hello) = other.work(|it, out| it.direct(now, to, out));
        let source = format!("198.51.100.{flooder}:9").parse().unwrap();
        wire.ends[1].work(|it, out| it.receive(now, source, &hello[0].1, out));
    }
    wire.run(Duration::from_secs(60), |_, _| Fate::Arrives);
    wire.assert_keyed();
}

#[test]
fn a_flood_of_hellos_from_the_peers_address_is_bounded() {
    let mut wire = Wire::of(&SUITES);
    let (now, source) = (wire.now, wire.ends[0].at);
    let mut taken = 0;
    for _ in 0..200 {
        let mut other = End::new(terms(Role::Client, &SUITES), "192.0.2.1:4000", now);
        let to = wire.ends[1].at;
        let (_, hello) = other.work(|it, out| it.direct(now, to, out));
        taken += usize::from(wire.ends[1].work(|it, out| it.receive(now, source, &hello[0].1, out)).0);
    }
    assert_eq!(taken, 16);
    // A second later there is room for one more.
    wire.now += Duration::from_secs(1);
    wire.shake(|_, _| Fate::Arrives);
    wire.assert_keyed();
}

#[test]
fn a_peer_that_sends_without_end_is_given_up() {
    let mut wire = Wire::of(&SUITES);
    wire.begin(&mut |_, _| Fate::Arrives);
    wire.run(Duration::from_millis(25), |_, _| Fate::Arrives);
    let (now, source) = (wire.now, wire.ends[0].at);
    // A record of the next epoch, that an engine has to keep until it has keys.
    let mut record = vec![22, 254, 253, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0];
    record.resize(13 + 1_024, 9);
    for number in 0..=64 {
        record[10] = number;
        wire.ends[1].work(|it, out| it.receive(now, source, &record, out));
    }
    assert_eq!(wire.ends[1].failed(), Some(Failure::Protocol));
}
