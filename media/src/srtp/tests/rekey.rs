//! Another key in the middle of a stream.

use super::*;
use std::sync::Arc;

fn protection(suite: Suite, receive: &[u8]) -> Arc<Protection> {
    let receive = receive.iter().map(|number| key(suite, *number)).collect();
    Arc::new(Protection { receive, send: key(suite, 99) })
}

fn open(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Failure> {
    run(packet, |buffer, length| receiver.unprotect(Kind::Rtp, buffer, length, false))
}

#[test]
fn the_key_before_is_good_until_the_first_packet_of_the_new() {
    for suite in Suite::ALL {
        let mut old = context(&key(suite, 1));
        let mut new = context(&key(suite, 2));
        let mut receiver = Receiver::new(&protection(suite, &[1]));
        for sequence in 1..5 {
            let sealed = protect(&mut old, Kind::Rtp, &rtp(1, sequence)).unwrap();
            assert_eq!(open(&mut receiver, &sealed).unwrap(), rtp(1, sequence));
        }
        receiver.renew(&protection(suite, &[2]));
        let late = protect(&mut old, Kind::Rtp, &rtp(1, 5)).unwrap();
        assert_eq!(open(&mut receiver, &late).unwrap(), rtp(1, 5), "{suite:?}");
        let too_late = protect(&mut old, Kind::Rtp, &rtp(1, 7)).unwrap();
        let first = protect(&mut new, Kind::Rtp, &rtp(1, 6)).unwrap();
        assert_eq!(open(&mut receiver, &first).unwrap(), rtp(1, 6));
        assert_eq!(open(&mut receiver, &too_late), Err(Failure::Unauthentic));
    }
}

/// Whether the roll-over counter goes on (RFC 3711 §3.3.1) or begins again (RFC 4568 §7.1.4) is for the peer to say.
// conforms: RFC3711-3.3.1-7
#[test]
fn a_new_key_goes_on_with_the_roll_over_counter_or_begins_at_zero() {
    for suite in Suite::ALL {
        for goes_on in [true, false] {
            let mut old = context(&key(suite, 1));
            let mut new = context(&key(suite, 2));
            let mut receiver = Receiver::new(&protection(suite, &[1]));
            for sequence in [0x7000, 0xf000, 0x6000, 0xe000, 0x5000] {
                let sealed = protect(&mut old, Kind::Rtp, &rtp(1, sequence)).unwrap();
                assert_eq!(open(&mut receiver, &sealed).unwrap(), rtp(1, sequence));
                if goes_on {
                    protect(&mut new, Kind::Rtp, &rtp(1, sequence)).unwrap();
                }
            }
            receiver.renew(&protection(suite, &[2]));
            for sequence in 0x5001..0x5004 {
                let sealed = protect(&mut new, Kind::Rtp, &rtp(1, sequence)).unwrap();
                assert_eq!(open(&mut receiver, &sealed).unwrap(), rtp(1, sequence), "{suite:?} {goes_on}");
            }
        }
    }
}

// conforms: RFC4568-4.3-3 RFC3711-3.1-3
#[test]
fn of_several_keys_the_mki_says_which() {
    let suite = Suite::AesCm128Sha1Tag80;
    let named = |number| key(suite, number).with_mki(Mki::new(number.into(), 1).unwrap());
    let receive = [named(1), named(2)].into();
    let mut receiver = Receiver::new(&Arc::new(Protection { receive, send: key(suite, 99) }));
    for number in [1, 2, 1, 3] {
        let sealed = protect(&mut context(&named(number)), Kind::Rtp, &rtp(number.into(), 1)).unwrap();
        let expected = match number {
            3 => Err(Failure::Unauthentic),
            _ => Ok(rtp(number.into(), 1)),
        };
        let opened = open(&mut receiver, &sealed);
        // The third is the first one again.
        assert!(opened == expected || opened == Err(Failure::Replayed));
    }
}

#[test]
fn a_trial_that_fails_leaves_the_packet_as_it_is() {
    for suite in Suite::ALL {
        let sealed = protect(&mut context(&key(suite, 1)), Kind::Rtp, &rtp(1, 1)).unwrap();
        let mut receiver = Receiver::new(&protection(suite, &[2]));
        let mut buffer = sealed.clone();
        let length = buffer.len();
        assert_eq!(receiver.unprotect(Kind::Rtp, &mut buffer, length, true), Err(Failure::Unauthentic));
        assert_eq!(buffer, sealed);
    }
}

/// A key that is wiped and used again goes on where it was.
// conforms: RFC3711-3.4-7
#[test]
fn a_key_that_is_used_again_never_uses_one_index_twice() {
    for suite in Suite::ALL {
        let (ours, mut theirs) = (key(suite, 1), context(&key(suite, 1)));
        let mut used = None;
        for _ in 0..3 {
            let mut sender = match used.take() {
                Some(used) => Sender::again(&ours, used).unwrap(),
                None => Sender::new(&ours).unwrap(),
            };
            let mut seal =
                |kind, packet: &[u8]| run(packet, |buffer, length| sender.protect(kind, buffer, length));
            let sealed = seal(Kind::Rtcp, &rtcp(1)).unwrap();
            assert!(unprotect(&mut theirs, Kind::Rtcp, &sealed).is_ok(), "{suite:?}");
            // Its sender begins anew each time, as one does that is heard in another dialog.
            let sealed: Vec<_> = (1_000..1_200).map(|sequence| seal(Kind::Rtp, &rtp(1, sequence))).collect();
            let opened =
                sealed.iter().flatten().all(|packet| unprotect(&mut theirs, Kind::Rtp, packet).is_ok());
            assert!(opened && sealed.iter().flatten().count() >= 198, "{suite:?}");
            used = Some(sender.used());
        }
    }
}

/// The same key with another lifetime or name, or among others, is the same key still (RFC 3711 §3.3.2, §9.2).
#[test]
fn a_key_that_stays_forgets_nothing() {
    for suite in Suite::ALL {
        let mut sender = context(&key(suite, 1));
        let with =
            |receive: Vec<MasterKey>| Arc::new(Protection { receive: receive.into(), send: key(suite, 99) });
        let mut receiver = Receiver::new(&with(vec![key(suite, 1).with_lifetime(20).unwrap()]));
        let sealed = protect(&mut sender, Kind::Rtp, &rtp(1, 1)).unwrap();
        open(&mut receiver, &sealed).unwrap();
        receiver.renew(&with(vec![key(suite, 1).with_lifetime(2).unwrap()]));
        assert_eq!(open(&mut receiver, &sealed), Err(Failure::Replayed), "{suite:?}");
        open(&mut receiver, &protect(&mut sender, Kind::Rtp, &rtp(1, 2)).unwrap()).unwrap();
        let third = protect(&mut sender, Kind::Rtp, &rtp(1, 3)).unwrap();
        assert_eq!(open(&mut receiver, &third), Err(Failure::Expired), "{suite:?}");
        let named = key(suite, 1).with_mki(Mki::new(1, 1).unwrap());
        receiver.renew(&with(vec![key(suite, 2).with_mki(Mki::new(2, 1).unwrap()), named.clone()]));
        let mut sender = context(&named);
        let again = protect(&mut sender, Kind::Rtp, &rtp(1, 2)).unwrap();
        assert_eq!(open(&mut receiver, &again), Err(Failure::Replayed), "{suite:?}");
        open(&mut receiver, &protect(&mut sender, Kind::Rtp, &rtp(1, 4)).unwrap()).unwrap();
    }
}
