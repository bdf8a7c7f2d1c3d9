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

/// How much there is of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) each_second: u64,
    pub(super) at_once: u64,
}

/// What somebody has left of it.
#[derive(Debug)]
pub(super) struct Bucket {
    left: u64,
    millis: u64,
}

impl Bucket {
    pub(super) fn full(rate: Rate, millis: u64) -> Self {
        Self { left: rate.at_once, millis }
    }

    /// Whether so much more may go.
    pub(super) fn take(&mut self, count: u64, rate: Rate, millis: u64) -> bool {
        let enough = self.has(count, rate, millis);
        self.left -= if enough { count } else { 0 };
        enough
    }

    /// Whether so much is left.
    pub(super) fn has(&mut self, count: u64, Rate { each_second, at_once }: Rate, millis: u64) -> bool {
        let passed = millis.saturating_sub(self.millis);
        let gained = passed.saturating_mul(each_second) / 1_000;
        if gained > 0 {
            self.left = self.left.saturating_add(gained).min(at_once);
            // What is not whole yet is not lost.
            let spent = gained.saturating_mul(1_000).div_ceil(each_second);
            self.millis = self.millis.saturating_add(spent).min(millis);
        }
        self.left >= count
    }

    /// Whether nothing is known by it any more.
    pub(super) fn is_full(&mut self, rate: Rate, millis: u64) -> bool {
        self.has(rate.at_once, rate, millis)
    }
}
