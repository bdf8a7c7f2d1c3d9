//! Streams with loss, reordering, repetition and roll-over.

use super::*;
use proptest::prelude::*;

fn suites() -> impl Strategy<Value = Suite> {
    (0..Suite::ALL.len()).prop_map(|at| Suite::ALL[at])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What arrives comes out as it went in, each packet once, over the ends of the sequence numbers.
// conforms: RFC3711-3.3.1-6 RFC3711-3.3.2-1,2,3 RFC7714-8.2-1
    #[test]
    fn what_is_protected_comes_out_once(
        suite in suites(),
        ssrc in any::<u32>(),
        first in any::<u16>(),
        steps in prop::collection::vec((1u16..300, 0usize..4, any::<bool>()), 1..600),
        payload in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let (mut sender, mut receiver) = (context(&key(suite, 5)), context(&key(suite, 5)));
        let mut sequence = first;
        let mut waiting = Vec::new();
        let mut begun = false;
        for (step, held, lost) in steps {
            let mut packet = rtp(ssrc, sequence);
            packet.extend(&payload);
            let sealed = protect(&mut sender, Kind::Rtp, &packet).unwrap();
            prop_assert_ne!(&sealed[12..packet.len()], &packet[12..]);
            // The first one is not lost: what it is worth is not known without (RFC 4568 §6.4).
            if !lost || !begun {
                waiting.push((packet, sealed, if begun { held } else { 0 }));
                begun = true;
            }
            let mut still = Vec::new();
            for (packet, sealed, held) in waiting.drain(..) {
                if held > 0 {
                    still.push((packet, sealed, held - 1));
                    continue;
                }
                match unprotect(&mut receiver, Kind::Rtp, &sealed) {
                    Ok(opened) => prop_assert_eq!(opened, packet),
                    // It was held back further than the window.
                    Err(failure) => prop_assert_eq!(failure, Failure::Replayed),
                }
                prop_assert_eq!(unprotect(&mut receiver, Kind::Rtp, &sealed), Err(Failure::Replayed));
            }
            waiting = still;
            sequence = sequence.wrapping_add(step);
        }
    }

    /// Whatever is changed in a packet, it is refused; and it comes through once it is whole again.
// conforms: RFC3711-3.4-13 RFC7714-5.3-1,2 RFC7714-7.1-1 RFC7714-9-1
    #[test]
    fn what_was_tampered_with_is_refused(suite in suites(), at in any::<prop::sample::Index>(), bit in 0u8..8, report in any::<bool>()) {
        let (mut sender, mut receiver) = (context(&key(suite, 5)), context(&key(suite, 5)));
        let (kind, packet) = if report { (Kind::Rtcp, rtcp(9)) } else { (Kind::Rtp, rtp(9, 7)) };
        let sealed = protect(&mut sender, kind, &packet).unwrap();
        let mut changed = sealed.clone();
        changed[at.index(sealed.len())] ^= 1 << bit;
        prop_assert!(unprotect(&mut receiver, kind, &changed).is_err());
        prop_assert_eq!(unprotect(&mut receiver, kind, &sealed).unwrap(), packet);
    }

    /// Nothing that comes makes it panic.
    #[test]
    fn garbage_is_refused(suite in suites(), garbage in prop::collection::vec(any::<u8>(), 0..200), report in any::<bool>()) {
        let kind = if report { Kind::Rtcp } else { Kind::Rtp };
        prop_assert!(unprotect(&mut context(&key(suite, 5)), kind, &garbage).is_err());
        let _ = protect(&mut context(&key(suite, 5)), kind, &garbage);
    }

    /// Whatever sequence numbers a sender has, no index is used twice.
// conforms: RFC4568-6.4-1 RFC3711-4.1.1-6,7 RFC3711-9.1-1 RFC3711-9.2-5 RFC7714-8.4-2
    #[test]
    fn rfc3711_9_1_no_key_stream_is_used_twice(sequences in prop::collection::vec(any::<u16>(), 1..400)) {
        let mut sender = context(&key(Suite::AesCm128Sha1Tag80, 5));
        let mut used = std::collections::BTreeSet::new();
        for sequence in sequences {
            if let Ok(sealed) = protect(&mut sender, Kind::Rtp, &rtp(1, sequence)) {
                // The same plaintext each time: the key stream is equal where this is.
                prop_assert!(used.insert(sealed[12..22].to_vec()));
            }
        }
    }
}

// conforms: RFC4568-6.4-3 RFC3711-3.3.1-1,2,3,5
#[test]
fn rfc3711_3_3_1_twenty_roll_overs_with_one_packet_in_a_thousand() {
    let (mut sender, mut receiver) =
        (context(&key(Suite::AeadAes128Gcm, 5)), context(&key(Suite::AeadAes128Gcm, 5)));
    for index in (0..20u64 << 16).step_by(997) {
        let [.., high, low] = index.to_be_bytes();
        let packet = rtp(1, u16::from_be_bytes([high, low]));
        let sealed = protect(&mut sender, Kind::Rtp, &packet).unwrap();
        assert_eq!(unprotect(&mut receiver, Kind::Rtp, &sealed).unwrap(), packet);
    }
}

#[test]
fn the_first_packets_may_be_lost_up_to_the_roll_over() {
    let (mut sender, mut receiver) =
        (context(&key(Suite::AesCm128Sha1Tag80, 5)), context(&key(Suite::AesCm128Sha1Tag80, 5)));
    protect(&mut sender, Kind::Rtp, &rtp(1, 65_500)).unwrap();
    let packet = rtp(1, 3);
    let sealed = protect(&mut sender, Kind::Rtp, &packet).unwrap();
    assert_eq!(unprotect(&mut receiver, Kind::Rtp, &sealed).unwrap(), packet);
}

#[test]
fn a_jump_of_more_than_half_before_the_first_roll_over_goes_forward() {
    let (mut sender, mut receiver) =
        (context(&key(Suite::AesCm128Sha1Tag80, 5)), context(&key(Suite::AesCm128Sha1Tag80, 5)));
    for sequence in [10, 40_000, 40_001] {
        let sealed = protect(&mut sender, Kind::Rtp, &rtp(1, sequence)).unwrap();
        assert_eq!(unprotect(&mut receiver, Kind::Rtp, &sealed).unwrap(), rtp(1, sequence));
    }
}

#[test]
fn a_sender_that_begins_again_gets_the_numbers_that_follow() {
    let (mut sender, mut receiver) =
        (context(&key(Suite::AesCm128Sha1Tag80, 5)), context(&key(Suite::AesCm128Sha1Tag80, 5)));
    for sequence in 1_000..1_200 {
        let sealed = protect(&mut sender, Kind::Rtp, &rtp(1, sequence)).unwrap();
        assert!(unprotect(&mut receiver, Kind::Rtp, &sealed).is_ok());
    }
    let outcomes: Vec<_> =
        (0..5).map(|sequence| protect(&mut sender, Kind::Rtp, &rtp(1, sequence))).collect();
    assert_eq!(outcomes[..2], [Err(Failure::Replayed), Err(Failure::Replayed)]);
    for (sealed, number) in outcomes[2..].iter().zip(1_200..) {
        let opened = unprotect(&mut receiver, Kind::Rtp, sealed.as_ref().unwrap()).unwrap();
        assert_eq!(opened, rtp(1, number));
    }
}

#[test]
fn an_extension_is_as_long_as_it_says_and_not_encrypted() {
    for suite in Suite::ALL {
        let mut packet = rtp(1, 1);
        packet[0] |= 0x11;
        // One contributing source, and an extension with an element of id 15 (RFC 8285 §4.2).
        packet.splice(12..12, [0, 0, 0, 7, 0xbe, 0xde, 0, 1, 0xf7, 1, 2, 3]);
        let sealed = protect(&mut context(&key(suite, 5)), Kind::Rtp, &packet).unwrap();
        assert_eq!(sealed[..24], packet[..24]);
        assert_ne!(sealed[24..packet.len()], packet[24..]);
        assert_eq!(unprotect(&mut context(&key(suite, 5)), Kind::Rtp, &sealed).unwrap(), packet);
    }
}
