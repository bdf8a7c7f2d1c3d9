//! A seeded source of identifiers, so that a run replays.

use sip::ids::Ids;

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Seeded(pub u64);

impl Ids for Seeded {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn key(&mut self) -> [u64; 2] {
        let mut apart = Self(!self.0);
        [apart.next_u64(), apart.next_u64()]
    }
}

impl Seeded {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound.max(1)
    }
}
