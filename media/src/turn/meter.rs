//! How much goes to whom.

use std::net::IpAddr;

use crate::ice::Budget;

/// Sources that are told apart; more share what one has.
const SOURCES: usize = 4_096;

/// Answers to sources that have proved nothing, so that nobody is flooded in another's name.
pub(super) struct Meter {
    budgets: Box<[Budget]>,
    most: u32,
    multiplier: u128,
}

impl Meter {
    /// So many answers a second each; `secret` says who shares with whom.
    pub(super) fn new(most: u32, secret: u128) -> Self {
        let budgets = (0..SOURCES).map(|_| Budget::new(most)).collect();
        Self { budgets, most, multiplier: secret | 1 }
    }

    /// Goes on with another rate.
    pub(super) fn change(&mut self, most: u32) {
        if self.most != most {
            *self = Self::new(most, self.multiplier);
        }
    }

    /// Whether that source gets one more.
    pub(super) fn admit(&mut self, source: IpAddr, millis: u64) -> bool {
        let source = match source {
            IpAddr::V4(ip) => u128::from(ip.to_bits()),
            // Whoever has an address of IPv6 has a /64 of them.
            IpAddr::V6(ip) => ip.to_bits() >> 64 << 32 | 1 << 127,
        };
        let place = source.wrapping_add(1).wrapping_mul(self.multiplier) >> 116;
        let budget = usize::try_from(place).ok().and_then(|place| self.budgets.get_mut(place));
        budget.is_some_and(|budget| budget.take(millis))
    }
}

/// Bytes a second, and as many at once.
#[derive(Debug)]
pub(super) struct Bytes {
    left: u64,
    millis: u64,
}

impl Bytes {
    pub(super) fn new(rate: Option<u64>, millis: u64) -> Self {
        Self { left: rate.unwrap_or_default(), millis }
    }

    /// Whether so many more may go.
    pub(super) fn take(&mut self, bytes: usize, rate: Option<u64>, millis: u64) -> bool {
        let Some(rate) = rate else { return true };
        let passed = millis.saturating_sub(self.millis);
        let gained = passed.saturating_mul(rate) / 1_000;
        if gained > 0 {
            self.left = self.left.saturating_add(gained).min(rate);
            self.millis = millis;
        }
        match self.left.checked_sub(u64::try_from(bytes).unwrap_or(u64::MAX)) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}
