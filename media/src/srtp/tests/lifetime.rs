//! What there is a limit to.

use super::*;

// conforms: RFC4568-6.1-1 RFC3711-3.3.1-8 RFC3711-3.4-12 RFC3711-8.1-1 RFC3711-8.1.1-2 RFC3711-9.2-2,4
// conforms: RFC7714-10-8
#[test]
fn rfc4568_6_1_a_key_protects_and_accepts_no_more_packets_than_it_may() {
    let short = key(Suite::AesCm128Sha1Tag80, 1).with_lifetime(3).unwrap();
    let (mut ours, mut theirs) = (context(&short), context(&key(Suite::AesCm128Sha1Tag80, 1)));
    // Of all sources together.
    for ssrc in 1..=3 {
        assert!(protect(&mut ours, Kind::Rtp, &rtp(ssrc, 1)).is_ok());
        assert!(protect(&mut ours, Kind::Rtcp, &rtcp(ssrc)).is_ok());
    }
    assert_eq!(protect(&mut ours, Kind::Rtp, &rtp(1, 4)), Err(Failure::Expired));
    assert_eq!(protect(&mut ours, Kind::Rtcp, &rtcp(1)), Err(Failure::Expired));
    let mut ours = context(&short);
    for sequence in 1..=4 {
        let sealed = protect(&mut theirs, Kind::Rtp, &rtp(1, sequence)).unwrap();
        let opened = unprotect(&mut ours, Kind::Rtp, &sealed);
        assert_eq!(opened.is_ok(), sequence < 4);
    }
    assert_eq!(key(Suite::AeadAes128Gcm, 1).with_lifetime(0), Err(KeyError::Lifetime));
    assert_eq!(key(Suite::AeadAes128Gcm, 1).with_lifetime((1 << 48) + 1), Err(KeyError::Lifetime));
}

// conforms: RFC4568-6.4.1-1
#[test]
fn a_source_that_is_not_authentic_is_not_kept() {
    let mut ours = context(&key(Suite::AesCm128Sha1Tag80, 1));
    for ssrc in 0..2_000 {
        let sealed =
            protect(&mut context(&key(Suite::AesCm128Sha1Tag80, 2)), Kind::Rtp, &rtp(ssrc, 1)).unwrap();
        assert_eq!(unprotect(&mut ours, Kind::Rtp, &sealed), Err(Failure::Unauthentic));
    }
    assert_eq!(format!("{ours:?}"), format!("{:?}", context(&key(Suite::AesCm128Sha1Tag80, 1))));
}

// conforms: RFC3711-3.2.1-6,7
#[test]
fn a_sender_may_change_its_source_as_often_as_it_likes_and_no_index_comes_twice() {
    let of = key(Suite::AesCm128Sha1Tag80, 1);
    let (mut ours, mut theirs) = (context(&of), context(&of));
    let mut replayed = None;
    for ssrc in 0..3_000 {
        for kind in [Kind::Rtp, Kind::Rtcp] {
            // One goes on all the time, and is never forgotten.
            for (ssrc, sequence) in [(ssrc, 9), (9_999, u16::try_from(ssrc).unwrap())] {
                let packet = if kind == Kind::Rtp { rtp(ssrc, sequence) } else { rtcp(ssrc) };
                let sealed = protect(&mut ours, kind, &packet).unwrap();
                assert_eq!(unprotect(&mut theirs, kind, &sealed).unwrap(), packet, "{ssrc}");
                if ssrc == 0 && kind == Kind::Rtp {
                    replayed = Some(sealed);
                }
            }
        }
    }
    assert_eq!(unprotect(&mut theirs, Kind::Rtp, &replayed.unwrap()), Err(Failure::Replayed));
    // One that was there long ago comes again, with numbers that it has had, and then goes on.
    assert_eq!(protect(&mut ours, Kind::Rtp, &rtp(0, 9)), Err(Failure::Replayed));
    for packet in [rtp(0, 10), rtp(0, 11)] {
        let sealed = protect(&mut ours, Kind::Rtp, &packet).unwrap();
        assert_eq!(unprotect(&mut theirs, Kind::Rtp, &sealed).unwrap(), packet);
    }
    let sealed = protect(&mut ours, Kind::Rtcp, &rtcp(0)).unwrap();
    assert_eq!(sealed[sealed.len() - 11], 1);
    assert!(unprotect(&mut theirs, Kind::Rtcp, &sealed).is_ok());
}

#[test]
fn more_sources_than_can_be_remembered_are_not_sent_and_those_that_are_go_on() {
    let of = key(Suite::AesCm128Sha1Tag80, 1);
    let (mut ours, mut theirs) = (context(&of), context(&of));
    let most = 1_024 + 16_384;
    let taken = (0..most + 3).filter(|ssrc| protect(&mut ours, Kind::Rtp, &rtp(*ssrc, 1)).is_ok()).count();
    assert_eq!(taken, most as usize);
    assert_eq!(protect(&mut ours, Kind::Rtp, &rtp(most, 1)), Err(Failure::Sources));
    for known in [0, 5_000, most - 1] {
        assert!(protect(&mut ours, Kind::Rtp, &rtp(known, 2)).is_ok(), "{known}");
    }
    // Those of a peer are taken all the same: they are authentic.
    let sender = || context(&of);
    for ssrc in 0..most + 3 {
        let sealed = protect(&mut sender(), Kind::Rtp, &rtp(ssrc, 1)).unwrap();
        assert!(unprotect(&mut theirs, Kind::Rtp, &sealed).is_ok(), "{ssrc}");
    }
}

#[test]
fn packets_that_are_too_short_or_have_no_room_are_refused() {
    for suite in Suite::ALL {
        let mut ours = context(&key(suite, 1));
        for kind in [Kind::Rtp, Kind::Rtcp] {
            let whole = match kind {
                Kind::Rtp => protect(&mut ours, kind, &rtp(1, 1)).unwrap(),
                Kind::Rtcp => protect(&mut ours, kind, &rtcp(1)).unwrap(),
            };
            let mut receiver = context(&key(suite, 1));
            for length in 0..whole.len() {
                assert!(
                    unprotect(&mut receiver, kind, &whole[..length]).is_err(),
                    "{suite:?} {kind:?} {length}"
                );
            }
            assert!(unprotect(&mut receiver, kind, &whole).is_ok());
            let mut tight = rtp(1, 2);
            let length = tight.len();
            assert_eq!(ours.protect(kind, &mut tight, length), Err(Failure::Malformed));
        }
        let mut extended = rtp(1, 9);
        extended[0] |= 0x10;
        extended.truncate(12);
        extended.extend([0xbe, 0xde, 0, 200, 1, 2, 3, 4]);
        assert_eq!(protect(&mut ours, Kind::Rtp, &extended), Err(Failure::Malformed));
    }
}

// conforms: RFC4568-6-2 RFC4568-6.3.2-2
#[test]
fn rfc4568_6_3_2_srtcp_in_the_clear_is_refused() {
    for suite in Suite::ALL {
        let mut sealed = protect(&mut context(&key(suite, 1)), Kind::Rtcp, &rtcp(1)).unwrap();
        let at = if suite.is_aead() { sealed.len() - 4 } else { sealed.len() - 14 };
        assert_eq!(sealed[at], 0x80);
        sealed[at] = 0;
        assert_eq!(unprotect(&mut context(&key(suite, 1)), Kind::Rtcp, &sealed), Err(Failure::Malformed));
    }
}
