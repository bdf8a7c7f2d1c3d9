//! How much one source may have in a second.

use crate::time::Mono;
use std::net::IpAddr;

/// Sources that are told apart. Those beyond share what they may have with another, by chance that no peer can aim at.
const SLOTS: usize = 4096;

/// Counts what came from each source in this second, in memory that no peer can make grow.
#[derive(Debug)]
pub struct Meter {
    counts: Box<[u32; SLOTS]>,
    /// The second that is counted, from the shell's epoch.
    second: u64,
    /// Whether anything was counted in it.
    used: bool,
    most: u32,
    hasher: ahash::RandomState,
}

impl Meter {
    /// `most` is what one source may have in a second; `hasher` is seeded by the shell.
    #[must_use]
    pub fn new(most: u32, hasher: ahash::RandomState) -> Self {
        Self { counts: Box::new([0; SLOTS]), second: 0, used: false, most, hasher }
    }

    /// Counts one more of a source; `false` if it has had what it may.
    pub fn admit(&mut self, now: Mono, source: IpAddr) -> bool {
        let second = now.as_nanos() / 1_000_000_000;
        if second != self.second {
            self.second = second;
            if std::mem::take(&mut self.used) {
                self.counts.fill(0);
            }
        }
        let slot = self.hasher.hash_one(source) % SLOTS as u64;
        let Some(count) = usize::try_from(slot).ok().and_then(|slot| self.counts.get_mut(slot)) else {
            return false;
        };
        self.used = true;
        *count = count.saturating_add(1);
        *count <= self.most
    }
}
