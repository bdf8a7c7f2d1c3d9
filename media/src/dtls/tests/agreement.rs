//! What a handshake agrees on, and what it is refused for.

use std::sync::Arc;

use super::wire::*;
use crate::dtls::verify::accepts;
use crate::dtls::{Failure, Fingerprint, Hash, Role, Standing, Version};
use crate::srtp::Suite;

const PROFILES: [Suite; 4] =
    [Suite::AesCm128Sha1Tag80, Suite::AesCm128Sha1Tag32, Suite::AeadAes128Gcm, Suite::AeadAes256Gcm];

// conforms: RFC5764-4.1.1-1,2,3
#[test]
fn every_suite_that_dtls_has_a_profile_for() {
    for suite in PROFILES {
        let mut wire = Wire::of(&[suite]);
        wire.shake(|_, _| Fate::Arrives);
        wire.assert_keyed();
        let (agreed, keys) = &wire.ends[0].keyed[0];
        assert_eq!((agreed.suite, keys.suite(), agreed.version), (suite, suite, Version::V1_2));
        assert_eq!(agreed.cipher.name(), Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
    }
}

#[test]
fn of_several_suites_one_is_taken_that_both_have() {
    let client = terms(Role::Client, &Suite::ALL);
    let server = terms(Role::Server, &[Suite::AesCm256Sha1Tag80, Suite::AesCm128Sha1Tag80]);
    let mut wire = Wire::new(client, server);
    wire.shake(|_, _| Fate::Arrives);
    wire.assert_keyed();
    assert_eq!(wire.ends[1].keyed[0].0.suite, Suite::AesCm128Sha1Tag80);
}

// conforms: RFC5764-4.1.1-4
#[test]
fn without_a_common_suite_there_are_no_keys() {
    let mut wire = Wire::new(
        terms(Role::Client, &[Suite::AeadAes128Gcm]),
        terms(Role::Server, &[Suite::AesCm128Sha1Tag80]),
    );
    wire.shake(|_, _| Fate::Arrives);
    assert_eq!(wire.ends[1].failed(), Some(Failure::NoProfile));
    // insufficient_security
    assert_eq!(wire.ends[0].failed(), Some(Failure::Alert(71)));
    let only = terms(Role::Server, &[Suite::AesCm256Sha1Tag80]);
    assert_eq!(End::new(only, "192.0.2.1:1", epoch()).failed(), Some(Failure::NoProfile));
}

#[test]
fn a_certificate_of_somebody_else_is_refused_by_either_side() {
    for (wrong_at, other) in [(0, 1), (1, 0)] {
        let mut terms = [terms(Role::Client, &PROFILES), terms(Role::Server, &PROFILES)];
        terms[wrong_at].fingerprints = Box::new([wrong()]);
        let [client, server] = terms;
        let mut wire = Wire::new(client, server);
        wire.shake(|_, _| Fate::Arrives);
        assert_eq!(wire.ends[wrong_at].failed(), Some(Failure::Fingerprint));
        // bad_certificate
        assert_eq!(wire.ends[other].failed(), Some(Failure::Alert(42)));
        assert!(wire.ends.iter().all(|end| end.keyed.is_empty()));
    }
}

#[test]
fn fingerprints_that_come_while_a_handshake_is_under_way_count() {
    let mut client = terms(Role::Client, &PROFILES);
    let right = std::mem::replace(&mut client.fingerprints, Box::new([wrong()]));
    let mut wire = Wire::new(client.clone(), terms(Role::Server, &PROFILES));
    wire.begin(&mut |_, _| Fate::Arrives);
    client.fingerprints = Box::new([wrong(), right[0].clone()]);
    assert!(wire.ends[0].association.update(&Arc::new(client.clone())));
    wire.run(std::time::Duration::from_secs(60), |_, _| Fate::Arrives);
    wire.assert_keyed();
    client.association = 2;
    assert!(!wire.ends[0].association.update(&Arc::new(client)));
}

// conforms: RFC8122-5.1-4
#[test]
fn of_several_fingerprints_those_of_the_strongest_hash_decide() {
    let certificate = b"a certificate";
    let of = |hash, octets: &[u8]| Fingerprint { hash, octets: octets.into() };
    let digest = |algorithm| aws_lc_rs::digest::digest(algorithm, certificate).as_ref().to_vec();
    let sha1 = of(Hash::Sha1, &digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY));
    let sha256 = of(Hash::Sha256, &digest(&aws_lc_rs::digest::SHA256));
    let sha512 = of(Hash::Sha512, &digest(&aws_lc_rs::digest::SHA512));
    assert!(accepts(std::slice::from_ref(&sha1), certificate));
    assert!(accepts(&[sha1.clone(), sha256.clone(), sha512], certificate));
    assert!(accepts(&[wrong(), sha256.clone()], certificate), "another certificate has another one");
    assert!(!accepts(&[sha1, wrong()], certificate));
    assert!(!accepts(&[sha256.clone(), of(Hash::Sha512, &[0; 64])], certificate));
    assert!(!accepts(&[of(Hash::Sha256, &sha256.octets[..31])], certificate));
    assert!(!accepts(&[], certificate));
}

#[test]
fn the_peer_ends_it_with_close_notify() {
    let mut wire = Wire::of(&PROFILES);
    wire.shake(|_, _| Fate::Arrives);
    let now = wire.now;
    let ((), datagrams) = wire.ends[0].work(|it, out| it.close(now, out));
    let from = wire.ends[0].at;
    let (taken, _) = wire.ends[1].work(|it, out| it.receive(now, from, &datagrams[0].1, out));
    assert!(taken);
    assert_eq!(wire.ends[1].standing, Some(Standing::Closed));
}

#[test]
fn a_client_that_begins_anew_gets_other_keys_and_those_before_stay_until_then() {
    let mut wire = Wire::of(&PROFILES);
    wire.shake(|_, _| Fate::Arrives);
    let before = wire.ends[1].keyed.len();
    wire.ends[0] = End::new(terms(Role::Client, &PROFILES), "192.0.2.1:4000", wire.now);
    // It begins and goes no further.
    let (now, to) = (wire.now, wire.ends[1].at);
    let (_, hello) = wire.ends[0].work(|it, out| it.direct(now, to, out));
    let from = wire.ends[0].at;
    wire.ends[1].work(|it, out| it.receive(now, from, &hello[0].1, out));
    assert!(matches!(wire.ends[1].standing, Some(Standing::Keyed(_))));
    assert_eq!(wire.ends[1].keyed.len(), before);
    wire.ends[0] = End::new(terms(Role::Client, &PROFILES), "192.0.2.1:4000", wire.now);
    wire.shake(|_, _| Fate::Arrives);
    wire.assert_keyed();
    assert_eq!(wire.ends[1].keyed.len(), before + 1);
    assert_ne!(wire.ends[1].keyed[0].1, wire.ends[1].keyed[1].1);
}
