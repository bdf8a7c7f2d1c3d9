//! DTLS 1.3 (RFC 9147), and peers that do not speak it.

use std::time::Duration;

use super::wire::*;
use crate::dtls::{Failure, Role, Terms, Version};
use crate::srtp::Suite;

fn of(role: Role, newest: Version) -> Terms {
    terms_up_to(newest, role, &Suite::ALL)
}

fn both(client: Version, server: Version) -> Wire {
    Wire::new(of(Role::Client, client), of(Role::Server, server))
}

fn newer() -> Wire {
    both(Version::V1_3, Version::V1_3)
}

fn whole() -> u32 {
    let mut most = 0;
    let mut wire = newer();
    wire.shake(|_, number| {
        most = number + 1;
        Fate::Arrives
    });
    wire.assert_keyed();
    most
}

#[test]
fn the_newest_version_of_both_is_spoken() {
    for client in [Version::V1_2, Version::V1_3] {
        for server in [Version::V1_2, Version::V1_3] {
            let mut wire = both(client, server);
            wire.shake(|_, _| Fate::Arrives);
            wire.assert_keyed();
            for end in &wire.ends {
                assert_eq!(end.keyed[0].0.version, client.min(server), "{client:?} {server:?}");
                assert!(end.keyed[0].0.cipher.name().is_some());
                assert!(!end.outdated);
            }
            assert!(wire.now - wire.start < Duration::from_secs(61), "nobody waits for anything");
        }
    }
}

#[test]
fn any_datagram_of_1_3_may_be_lost_doubled_or_late() {
    let whole = whole();
    assert!(whole >= 4, "{whole}");
    for fate in [Fate::Lost, Fate::Twice, Fate::Late] {
        for which in 0..whole {
            let mut wire = newer();
            wire.shake(|_, number| if number == which { fate } else { Fate::Arrives });
            wire.assert_keyed();
            let [client, server] = &wire.ends;
            assert_eq!((client.keyed.len(), server.keyed.len()), (1, 1), "{fate:?} {which}");
        }
    }
}

#[test]
fn any_two_datagrams_of_1_3_may_be_lost() {
    let whole = whole();
    for (first, second) in
        (0..whole).flat_map(|first| (first + 1..whole + 2).map(move |second| (first, second)))
    {
        let mut wire = newer();
        wire.shake(|_, number| if number == first || number == second { Fate::Lost } else { Fate::Arrives });
        wire.assert_keyed();
    }
}

/// A client's hello with keys that no quantum computer finds is longer than a datagram, whichever version the server takes then.
#[test]
fn a_hello_may_come_in_parts() {
    for client in [Version::V1_2, Version::V1_3] {
        let mut wire = both(client, Version::V1_3);
        wire.shake(|from, _| if from == 0 { Fate::InParts } else { Fate::Arrives });
        wire.assert_keyed();
        assert_eq!(wire.ends[1].keyed[0].0.version, client);
    }
}

#[test]
fn a_certificate_of_somebody_else_is_refused_by_either_side_of_1_3() {
    for wrong_at in [0, 1] {
        let mut terms = [of(Role::Client, Version::V1_3), of(Role::Server, Version::V1_3)];
        terms[wrong_at].fingerprints = Box::new([wrong()]);
        let [client, server] = terms;
        let mut wire = Wire::new(client, server);
        wire.shake(|_, _| Fate::Arrives);
        assert_eq!(wire.ends[wrong_at].failed(), Some(Failure::Fingerprint));
        assert!(wire.ends[wrong_at].keyed.is_empty());
        assert!(!wire.ends[wrong_at].outdated, "the older version would show the same");
    }
}

#[test]
fn a_peer_that_says_that_it_cannot_is_asked_once_more_for_the_older_version() {
    let mut wire = both(Version::V1_3, Version::V1_2);
    // handshake_failure in place of an answer.
    let (now, to) = (wire.now, wire.ends[1].at);
    let (_, hello) = wire.ends[0].work(|it, out| it.direct(now, to, out));
    assert!(!hello.is_empty());
    let alert = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40];
    let (taken, again) = wire.ends[0].work(|it, out| it.receive(now, to, &alert, out));
    assert!(taken && wire.ends[0].failed().is_none());
    assert_ne!(again, hello);
    // And no third time.
    wire.ends[0].work(|it, out| it.receive(now, to, &alert, out));
    assert_eq!(wire.ends[0].failed(), Some(Failure::Alert(40)));
    assert!(!wire.ends[0].outdated, "who forges alerts teaches nothing");
}

#[test]
fn a_peer_that_is_known_not_to_speak_it_is_not_asked() {
    let mut wire = newer();
    wire.ends[0] = End::outdated(of(Role::Client, Version::V1_3), "192.0.2.1:4000", wire.now);
    wire.shake(|_, _| Fate::Arrives);
    wire.assert_keyed();
    assert_eq!(wire.ends[1].keyed[0].0.version, Version::V1_2);
}

#[test]
fn without_all_the_suites_that_a_peer_may_choose_it_is_1_2() {
    let suites = [Suite::AeadAes128Gcm];
    assert!(!Version::V1_3.takes(&suites));
    let ends = [Role::Client, Role::Server].map(|role| terms_up_to(Version::V1_3, role, &suites));
    let [client, server] = ends;
    let mut wire = Wire::new(client, server);
    wire.shake(|_, _| Fate::Arrives);
    wire.assert_keyed();
    assert_eq!(wire.ends[0].keyed[0].0.version, Version::V1_2);
}
