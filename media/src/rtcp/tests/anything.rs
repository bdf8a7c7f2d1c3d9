//! What holds of any compound packet.

use proptest::prelude::*;

use super::super::fuzz::fuzzed;
use super::compound;

fn packet() -> impl Strategy<Value = (u8, u8, Vec<u32>)> {
    let word = prop_oneof![0..8u32, any::<u32>(), (0..40u32).prop_map(|kind| (kind << 24) | (kind / 4))];
    (192..214u8, 0..32u8, prop::collection::vec(word, 0..20))
}

proptest! {
    #[test]
    fn it_is_translated_there_and_back_and_hidden_within_bounds(packets in prop::collection::vec(packet(), 0..5), cut in 0..16usize) {
        let packets: Vec<_> = packets.iter().map(|(kind, count, words)| (*kind, *count, words.as_slice())).collect();
        let whole = compound(&packets);
        prop_assert!(!fuzzed(&whole));
        prop_assert!(!fuzzed(&whole[..whole.len().saturating_sub(cut)]));
    }

    #[test]
    fn so_is_what_is_none(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!fuzzed(&octets));
    }
}
