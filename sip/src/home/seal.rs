//! Where an identifier's owner lives, written into it so that only we can read it.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Block};

/// Rounds of the Feistel network: with a pseudo-random round function, four make a strong permutation (Luby, Rackoff).
const ROUNDS: u8 = 4;
/// Bits of an identifier that stay random; RFC 3261 §19.3 asks for 32.
const RANDOM: u32 = 40;

/// Which node of several minted an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeNo(pub u16);

/// Which shard of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardNo(pub u8);

/// A keyed permutation of 64 bits. Before it an identifier is, from the top: 16 bits node, 8 bits shard, 40 bits chance.
/// After it, it is 64 bits that nobody without the key can tell from chance, and of those that others make up one in
/// 65,536 seems to be of our node.
pub(super) struct Seal(Aes128);

impl Seal {
    pub(super) fn new(key: &[u8; 16]) -> Self {
        Self(Aes128::new(&(*key).into()))
    }

    /// The identifier of that home with 40 of these bits.
    pub(super) fn close(&self, node: NodeNo, shard: ShardNo, chance: u64) -> u64 {
        let home = (u64::from(node.0) << 8) | u64::from(shard.0);
        let (mut left, mut right) = halves((home << RANDOM) | (chance & ((1 << RANDOM) - 1)));
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.round(round, right));
        }
        whole(left, right)
    }

    /// The home that an identifier names, which means nothing if we did not mint it.
    pub(super) fn open(&self, identifier: u64) -> (NodeNo, ShardNo) {
        let (mut left, mut right) = halves(identifier);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(round, left), left);
        }
        let [node_high, node_low, shard, ..] = whole(left, right).to_be_bytes();
        (NodeNo(u16::from_be_bytes([node_high, node_low])), ShardNo(shard))
    }

    fn round(&self, round: u8, half: u32) -> u32 {
        let [a, b, c, d] = half.to_be_bytes();
        let mut block = Block::from([a, b, c, d, round, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        self.0.encrypt_block(&mut block);
        let [a, b, c, d, ..]: [u8; 16] = block.into();
        u32::from_be_bytes([a, b, c, d])
    }
}

fn halves(bits: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = bits.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

fn whole(left: u32, right: u32) -> u64 {
    (u64::from(left) << 32) | u64::from(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Ids;
    use crate::ids::tests::Seeded;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let (ours, other) = (Seal::new(&[7; 16]), Seal::new(&[8; 16]));
        let mut ids = Seeded(3);
        let mut strangers = 0;
        for n in 0..4096u16 {
            let home = (NodeNo(n.rotate_left(7)), ShardNo(n.to_be_bytes()[1]));
            let identifier = ours.close(home.0, home.1, ids.next_u64());
            assert_eq!(ours.open(identifier), home);
            strangers += u32::from(other.open(identifier).0 == home.0);
        }
        assert!(strangers < 4, "{strangers}");
    }

    #[test]
    fn rfc3261_19_3_chance_makes_them_differ_and_they_look_like_chance() {
        let seal = Seal::new(&[7; 16]);
        let close = |chance| seal.close(NodeNo(0), ShardNo(1), chance);
        let all: std::collections::BTreeSet<u64> = (0..10_000).map(close).collect();
        assert_eq!(all.len(), 10_000, "a permutation");
        assert_eq!(close(1), close(1 | (1 << RANDOM)), "bits beyond are not used");
        // One bit of difference changes half of them: between 20 and 44 of 64, but for one in a thousand.
        let far = (0..1000).filter(|n| (20..=44).contains(&(close(*n) ^ close(n ^ 1)).count_ones())).count();
        assert!(far > 980, "{far}");
    }
}
