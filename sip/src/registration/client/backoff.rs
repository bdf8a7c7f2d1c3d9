//! How long to wait after a failure (RFC 5626 §4.5).

use crate::ids::{Ids, below};
use std::time::Duration;

/// The times of the formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Base when nothing of this address-of-record is registered; 30 s.
    pub all_failed: Duration,
    /// Base when another flow of it still is; 90 s.
    pub some_left: Duration,
    /// The most; 30 min.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            all_failed: Duration::from_secs(30),
            some_left: Duration::from_secs(90),
            longest: Duration::from_secs(1800),
        }
    }
}

impl Backoff {
    /// The wait after so many failures in a row: from half of `min(longest, base * 2^failures)` to all of it.
    #[must_use]
    pub fn wait(&self, failures: u32, others_left: bool, ids: &mut dyn Ids) -> Duration {
        let base = if others_left { self.some_left } else { self.all_failed };
        let upper =
            base.saturating_mul(1u32.checked_shl(failures.min(31)).unwrap_or(u32::MAX)).min(self.longest);
        let half = upper / 2;
        let spread = u32::try_from(half.as_millis()).unwrap_or(u32::MAX);
        half + Duration::from_millis(below(ids, spread.saturating_add(1)).into())
    }
}
