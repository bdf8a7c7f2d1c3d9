//! Whatever comes.

use proptest::prelude::*;

use super::lab::*;
use crate::turn::*;

proptest! {
    #[test]
    fn no_message_makes_an_allocation_without_proof(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in any::<u8>()) {
        let mut lab = Lab::new();
        let client = Client { listener: 0, connection: None, address: at("203.0.113.5:9") };
        let mut message = vec![0, kind];
        message.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
        message.extend([0x21, 0x12, 0xa4, 0x42]);
        message.extend([0; 12]);
        message.extend(&bytes);
        for message in [&bytes[..], &message] {
            lab.give(client, message);
        }
        let mut frames = Frames::default();
        let _ = frames.receive(&message, |_| ());
        prop_assert!(lab.wires.open.is_empty() && lab.wires.to_peers.is_empty() && lab.server.users.is_empty());
    }

    #[test]
    fn a_request_that_is_damaged_does_nothing(at in 0usize..160, flip in 1u8..) {
        let mut lab = Lab::new();
        let ua = lab.ua("alice", 1_000);
        let mut request = ua.request(ALLOCATE, &[UDP], [1; 12]);
        let at = at % request.len();
        request[at] ^= flip;
        let reply = lab.give(ua.client, &request);
        prop_assert!(lab.wires.open.is_empty(), "{at} {reply:?}");
    }
}
