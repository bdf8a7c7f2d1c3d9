//! Nonce counts that several shards claim.

use super::nonce::NonceId;
use super::window::{Claim, NonceWindows, Windows};
use crate::time::Wall;
use std::sync::{Mutex, PoisonError};

/// Parts that the nonces are spread over.
const PARTS: usize = 16;

/// [`NonceWindows`] for all shards of a process, so that a nonce given by one is good at another, once for each count.
/// A lock is held for one look-up, after a right response and all its hashing.
#[derive(Debug)]
pub struct SharedWindows {
    parts: [Mutex<NonceWindows>; PARTS],
    hasher: ahash::RandomState,
}

impl SharedWindows {
    /// An empty table for at least `capacity` nonces; `started` as for [`NonceWindows::new`].
    pub fn new(started: Wall, capacity: usize, hasher: ahash::RandomState) -> Self {
        let part = |_| Mutex::new(NonceWindows::new(started, capacity.div_ceil(PARTS)));
        Self { parts: std::array::from_fn(part), hasher }
    }
}

impl Windows for &SharedWindows {
    fn claim(&mut self, nonce: NonceId, count: u32, oldest: Wall) -> Claim {
        let part = usize::try_from(self.hasher.hash_one(nonce) >> 60).unwrap_or_default() % PARTS;
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
        let part = &self.parts[part];
        // Every claim leaves the table whole.
        part.lock().unwrap_or_else(PoisonError::into_inner).claim(nonce, count, oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7616_3_4_a_count_is_claimed_once_whoever_asks() {
        let windows = SharedWindows::new(Wall(0), 64, ahash::RandomState::with_seeds(1, 2, 3, 4));
        for n in 0..64 {
            let nonce = NonceId::of(1, n);
            let won: usize = std::thread::scope(|scope| {
                let claim = || (&windows).claim(nonce, 1, Wall(0)) == Claim::Fresh;
                let asked: Vec<_> = (0..2).map(|_| scope.spawn(claim)).collect();
                asked.into_iter().map(|asked| usize::from(asked.join().unwrap())).sum()
            });
            assert_eq!(won, 1);
        }
    }
}
