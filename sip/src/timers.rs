//! Durations of RFC 3261 Table 4, and the queue that every deadline of an endpoint waits in.

use crate::time::{Mono, Now};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

/// The base values that every transaction timer is derived from (RFC 3261 §17.1.1.1, Table 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Estimate of the round-trip time; 500 ms.
    pub t1: Duration,
    /// The longest interval between retransmissions of a non-INVITE request or an INVITE response; 4 s.
    pub t2: Duration,
    /// The longest time that a message stays in the network; 5 s.
    pub t4: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl Timers {
    /// 64*T1: timers B, F, H, J, L and M.
    pub fn transaction(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// When timer E has just been reset to T2: from then on a non-INVITE request gets a 100 (RFC 4320 §4.1).
    pub fn trying(&self) -> Duration {
        let (mut after, mut interval) = (self.t1, self.t1.saturating_mul(2));
        while !interval.is_zero() && interval < self.t2 {
            after = after.saturating_add(interval);
            interval = interval.saturating_mul(2);
        }
        after
    }

    /// Timer D: at least 32 s, so that it outlasts the peer's timer H (RFC 6026 §8.4).
    pub fn wait_d(&self) -> Duration {
        self.transaction().max(Duration::from_secs(32))
    }
}

/// Deadlines in order. Most timers of SIP have one of a handful of lengths and are armed in the order of
/// time, so each length has a first-in-first-out lane of its own; what fits no lane goes to a heap.
///
/// Nothing is ever cancelled: who is told of a deadline that it no longer holds ignores it. Therefore no
/// timer is armed for longer than [`HOP`](Self::HOP); longer waits are taken in hops by their owner.
#[derive(Debug)]
pub struct TimerQueue<K> {
    lanes: Vec<Lane<K>>,
    odd: BinaryHeap<Reverse<Entry<K>>>,
    armed: u64,
}

#[derive(Debug)]
struct Lane<K> {
    length: Duration,
    waiting: VecDeque<(Mono, K)>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<K> {
    at: Mono,
    /// Order of arming among equals, so that a run replays.
    nth: u64,
    key: K,
}

impl<K: Copy + Ord> Default for TimerQueue<K> {
    fn default() -> Self {
        Self { lanes: Vec::new(), odd: BinaryHeap::new(), armed: 0 }
    }
}

impl<K: Copy + Ord> TimerQueue<K> {
    /// The longest that anything waits in the queue.
    pub const HOP: Duration = Duration::from_secs(32);
    const LANES: usize = 24;

    /// Tells `key` in `after`, or in a [`HOP`](Self::HOP) if that is sooner.
    pub fn arm(&mut self, now: Now, after: Duration, key: K) {
        let after = after.min(Self::HOP);
        let at = now.mono + after;
        if let Some(lane) = self.lanes.iter_mut().find(|l| l.length == after) {
            if lane.waiting.back().is_none_or(|(last, _)| *last <= at) {
                lane.waiting.push_back((at, key));
                return;
            }
        } else if self.lanes.len() < Self::LANES {
            self.lanes.push(Lane { length: after, waiting: VecDeque::from([(at, key)]) });
            return;
        }
        self.armed += 1;
        self.odd.push(Reverse(Entry { at, nth: self.armed, key }));
    }

    /// Tells `key` at `at`, or in a [`HOP`](Self::HOP) if that is sooner.
    pub fn arm_at(&mut self, now: Now, at: Mono, key: K) {
        self.arm(now, at.since(now.mono), key);
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Mono> {
        let lanes = self.lanes.iter().filter_map(|l| l.waiting.front().map(|(at, _)| *at)).min();
        let odd = self.odd.peek().map(|Reverse(entry)| entry.at);
        lanes.into_iter().chain(odd).min()
    }

    /// Takes the earliest deadline if `now` has reached it.
    pub fn pop_due(&mut self, now: Now) -> Option<K> {
        let due = self.next().filter(|at| *at <= now.mono)?;
        if self.odd.peek().is_some_and(|Reverse(entry)| entry.at == due) {
            return self.odd.pop().map(|Reverse(entry)| entry.key);
        }
        let lane = self.lanes.iter_mut().find(|l| l.waiting.front().is_some_and(|(at, _)| *at == due))?;
        let key = lane.waiting.pop_front().map(|(_, key)| key);
        if lane.waiting.is_empty() {
            lane.waiting.shrink_to(1024);
        }
        key
    }

    /// Deadlines that wait, given-up ones included until their time.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(|l| l.waiting.len()).sum::<usize>() + self.odd.len()
    }

    /// Whether no deadline waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_millis(ms)), ..Now::default() }
    }

    proptest! {
        #[test]
        fn deadlines_come_in_order_and_none_is_lost(
            lengths in proptest::collection::vec((0u64..50, 0u64..70_000), 0..200)
        ) {
            let mut queue = TimerQueue::default();
            let (mut now, mut want) = (0, Vec::new());
            for (n, (step, length)) in lengths.iter().enumerate() {
                now += step;
                queue.arm(at(now), Duration::from_millis(*length), n);
                want.push((now + (*length).min(32_000), n));
            }
            want.sort_unstable();
            let mut got = Vec::new();
            while let Some(due) = queue.next() {
                let now = Now { mono: due, ..Now::default() };
                let key = queue.pop_due(now).unwrap();
                got.push((due.as_nanos() / 1_000_000, key));
            }
            prop_assert!(got.windows(2).all(|w| w[0].0 <= w[1].0));
            got.sort_unstable();
            prop_assert_eq!(got, want);
            prop_assert!(queue.is_empty());
        }
    }

    #[test]
    fn nothing_is_told_before_its_time() {
        let mut queue = TimerQueue::default();
        queue.arm(at(0), Duration::from_millis(500), 'a');
        assert_eq!(queue.pop_due(at(499)), None);
        assert_eq!(queue.pop_due(at(500)), Some('a'));
    }
}
