//! Whatever comes, nobody gets in who does not know the password, and answers stay short.

use proptest::prelude::*;

use super::peer::Asking;
use crate::ice::{Credentials, Heard, Responder, is_stun};

const PASSWORD: &str = "a password of ours, 24 c";

fn hear(datagram: &[u8]) -> (bool, usize) {
    let mut responder = Responder::new(&Credentials { ufrag: "ours".into(), password: PASSWORD.into() });
    let source = "198.51.100.7:40000".parse().unwrap();
    match responder.hear(datagram, source, false, 0) {
        Heard::Check(check) => (true, check.response().len()),
        Heard::Alive => (false, 0),
        Heard::Refused(_, refusal) => (false, refusal.map_or(0, |refusal| refusal.as_bytes().len())),
    }
}

proptest! {
    #[test]
    fn bytes(datagram in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!hear(&datagram).0);
    }

    #[test]
    fn a_changed_check_is_no_check(place in 0usize..200, bit in 0u8..8) {
        let mut datagram = Asking::new("ours", "them", PASSWORD).nominating().bytes();
        prop_assert!(hear(&datagram).0);
        let place = place % datagram.len();
        datagram[place] ^= 1 << bit;
        let (accepted, _) = hear(&datagram);
        prop_assert!(!accepted);
    }

    #[test]
    fn attributes(more in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..40)), 0..12)) {
        let datagram = Asking { more, ..Asking::new("ours", "them", PASSWORD) }.bytes();
        prop_assert!(is_stun(&datagram));
        prop_assert!(hear(&datagram).1 <= 128);
    }

    #[test]
    fn cut_and_joined(cut in 0usize..120, tail in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut datagram = Asking::new("ours", "them", PASSWORD).bytes();
        let whole = datagram.clone();
        datagram.truncate(cut);
        datagram.extend(tail);
        prop_assert!(datagram == whole || !hear(&datagram).0);
    }
}
