//! Chance, drawn from a key that is passed in.

use hmac::Mac;

use crate::stun::{Key256, key256_of};

/// Numbers that nobody can foresee who does not have the key.
pub(crate) struct Chance {
    key: Key256,
    drawn: u64,
}

impl Chance {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self { key: key256_of(key), drawn: 0 }
    }

    /// The next 128 bits.
    pub(crate) fn next(&mut self) -> u128 {
        self.drawn = self.drawn.wrapping_add(1);
        let mut mac = self.key.clone();
        mac.update(&self.drawn.to_be_bytes());
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        hash.first_chunk().copied().map_or(0, u128::from_be_bytes)
    }

    /// One of the first `count` numbers; 0 where there are none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        // Of 128 bits, what a division leaves over favours nothing that could be seen.
        let count = u128::try_from(count).unwrap_or(u128::MAX);
        self.next().checked_rem(count).and_then(|rest| usize::try_from(rest).ok()).unwrap_or_default()
    }
}
