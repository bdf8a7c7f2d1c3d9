//! The leaky bucket of rate control (RFC 7415 §3.5.1, with the priorities of §3.5.2 and the randomization of §3.5.3).

use super::rank::Rank;
use crate::time::Now;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bucket that several shards fill. It keeps the time at which it is empty, LCT + X: then X' = X - (ta - LCT) is what
/// is left of it.
#[derive(Debug, Default)]
pub(crate) struct Bucket(AtomicU64);

impl Bucket {
    /// The target interval T of a rate, in nanoseconds; `None` where nothing may be sent.
    fn interval(rate: u32) -> Option<u64> {
        1_000_000_000u64.checked_div(rate.into())
    }

    /// Control begins: the bucket holds TAU0 + uT with TAU0 = 0, where u is the chance between -1/2 and 1/2.
    pub(crate) fn begin(&self, now: Now, rate: u32, chance: u64) {
        let filled = Self::interval(rate).map_or(0, |t| spread(t, chance).saturating_sub(t));
        self.0.store(now.mono.as_nanos().saturating_add(filled), Ordering::Relaxed);
    }

    /// Whether a request may be sent now at that rate; one that may is counted. Ordinary ones leave what is above
    /// TAU1 = 5T to preferred ones, which go up to TAU2 = 10T.
    pub(crate) fn admits(&self, now: Now, rate: u32, rank: Rank, chance: u64) -> bool {
        let Some(t) = Self::interval(rate) else { return rank == Rank::Always };
        let (tau1, tau2) = (t.saturating_mul(5), t.saturating_mul(10));
        let limit = match rank {
            Rank::Ordinary => tau1,
            Rank::Preferred => tau2,
            Rank::Always => u64::MAX,
        };
        let arrival = now.mono.as_nanos();
        let fill = |empty: u64| {
            let left = empty.saturating_sub(arrival);
            let more = if left == 0 { spread(t, chance) } else { t };
            // What goes in spite of the limit fills it no further than its capacity.
            let filled = left.saturating_add(more).min(tau2.saturating_add(t).max(left));
            (left <= limit).then(|| arrival.saturating_add(filled))
        };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fill).is_ok()
    }
}

/// T + uT, for u evenly between -1/2 and 1/2.
fn spread(t: u64, chance: u64) -> u64 {
    let part = (u128::from(t) * u128::from(chance)) >> 64;
    t / 2 + u64::try_from(part).unwrap_or(t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::tests::Seeded;
    use crate::ids::{Ids, below};
    use crate::time::Mono;
    use std::time::Duration;

    fn at(micros: u64) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_micros(micros)), ..Now::default() }
    }

    /// What goes of requests that come at `offered` a second for 20 s, every `nth` of them preferred.
    fn sent(rate: u32, offered: u32, nth: u64) -> [u64; 2] {
        let (bucket, mut chance) = (Bucket::default(), Seeded(3));
        bucket.begin(at(1_000_000), rate, chance.next_u64());
        let (mut sent, mut time, mut n) = ([0; 2], 1_000_000, 0);
        while time < 21_000_000 {
            let preferred = n % nth == 0;
            let rank = if preferred { Rank::Preferred } else { Rank::Ordinary };
            sent[usize::from(preferred)] += u64::from(bucket.admits(at(time), rate, rank, chance.next_u64()));
            time += u64::from(1 + below(&mut chance, 2 * 1_000_000 / offered));
            n += 1;
        }
        sent
    }

    #[test]
    fn rfc7415_3_5_1_the_long_term_rate_is_the_one_asked_for() {
        for rate in [1, 10, 150] {
            let total: u64 = sent(rate, 400, 1_000_000).iter().sum();
            let most = u64::from(rate) * 20 + 6;
            assert!(total <= most && total + 8 >= most, "{rate}: {total}");
        }
        let total: u64 = sent(150, 100, 1_000_000).iter().sum();
        assert!((1_800..2_200).contains(&total), "below the rate all go: {total}");
        assert_eq!(sent(0, 100, 2), [0, 0], "a rate of 0 lets nothing through");
    }

    #[test]
    fn rfc7415_3_5_2_preferred_requests_come_first() {
        let [ordinary, preferred] = sent(100, 400, 5);
        assert!((1_500..=1_700).contains(&preferred), "all 80 a second: {preferred}");
        assert!((1_950..=2_016).contains(&(ordinary + preferred)), "{ordinary} and {preferred}");
    }

    #[test]
    fn rfc7415_3_5_3_an_empty_bucket_gets_between_half_and_one_and_a_half() {
        for (chance, wanted) in [(0, 50_000), (u64::MAX, 149_999), (u64::MAX / 2, 99_999)] {
            let bucket = Bucket::default();
            assert!(bucket.admits(at(0), 10, Rank::Ordinary, chance));
            assert_eq!(bucket.0.load(Ordering::Relaxed) / 1_000, wanted);
        }
        let bucket = Bucket::default();
        bucket.begin(at(7), 10, u64::MAX);
        assert_eq!(
            bucket.0.load(Ordering::Relaxed) / 1_000,
            7 + 49_999,
            "control begins with half an interval"
        );
    }

    #[test]
    fn what_ends_calls_goes_and_counts() {
        let bucket = Bucket::default();
        assert!((0..100).all(|_| bucket.admits(at(0), 10, Rank::Always, u64::MAX / 2)));
        assert!(!bucket.admits(at(99_000), 10, Rank::Preferred, 0), "the bucket is full");
        assert!(bucket.admits(at(101_000), 10, Rank::Preferred, 0), "but holds no more than 11 intervals");
        assert!(bucket.admits(at(0), 0, Rank::Always, 0));
    }
}
