//! How many pairs stay bound, and what is lent at the limit: under virtual time, with real sockets.

use std::collections::VecDeque;
use std::sync::Arc;

use super::harness::loopback;
use crate::relay::Gauges;
use crate::relay::gauges::Shared;
use crate::relay::pool::{LEAST_REST_MILLIS, PERIOD_MILLIS, Pool, Share, Want};
use crate::relay::sockets::Poller;
use crate::{Latching, MediaNetwork, NetworkId, PortPair, ThreadId};

const QUARANTINE: u64 = 10_000;

struct Bench {
    pool: Pool,
    poller: Poller,
    shared: Arc<Shared>,
    now: u64,
}

impl Bench {
    /// Two networks of so many pairs of ports each.
    fn new(ports: u16, max_bound: u32) -> Self {
        let network = |id| MediaNetwork {
            id: NetworkId(id),
            bind: loopback(),
            advertised: None,
            ports: 20_000..=20_000 + 2 * ports - 1,
            latching: Latching::Described,
            ice: crate::Ice::default(),
            marks: crate::Marks::default(),
            traversal: None,
        };
        let shared = Arc::new(Shared::default());
        let share =
            Share { thread: ThreadId(0), threads: 1, max_bound, keep: 8, quarantine_millis: QUARANTINE };
        let pool = Pool::new(&[network(0), network(1)], &share, Arc::clone(&shared));
        Self { pool, poller: Poller::new().unwrap(), shared, now: 1 }
    }

    fn gauges(&self) -> Gauges {
        let mut gauges = Gauges::default();
        self.shared.add_to(&mut gauges);
        gauges
    }

    /// Time goes on, with a turn whenever the pool asks for one.
    fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        let mut turns = 0;
        while let Some(deadline) = self.pool.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.pool.pass_time(self.now);
            turns += 1;
            assert!(turns < 10_000, "the pool asks for turns in which it does nothing");
        }
        self.now = end;
        self.pool.pass_time(self.now);
    }

    fn take(&mut self, network: usize) -> Option<PortPair> {
        self.pool.take(network, Want::Need, &self.poller, self.now)
    }

    #[track_caller]
    fn lend(&mut self, network: usize, pairs: usize) -> Vec<PortPair> {
        (0..pairs).map(|_| self.take(network).unwrap()).collect()
    }

    fn release(&mut self, pairs: impl IntoIterator<Item = PortPair>) {
        for pair in pairs {
            assert!(self.pool.release(pair.id, self.now));
        }
    }

    /// Calls of 500 ms, so many each 100 ms, for so long; each takes one pair of either network.
    fn traffic(&mut self, calls: usize, millis: u64) {
        let mut held = VecDeque::new();
        for _ in 0..millis / 100 {
            held.push_back([self.lend(0, calls), self.lend(1, calls)].concat());
            if held.len() > 5 {
                let ended = held.pop_front().unwrap_or_default();
                self.release(ended);
            }
            self.pass(100);
        }
        held.into_iter().for_each(|pairs| self.release(pairs));
    }
}

#[test]
fn steady_traffic_opens_and_closes_nothing() {
    let mut bench = Bench::new(2_000, 4_000);
    bench.traffic(5, 2 * QUARANTINE);
    let warm = bench.gauges();
    // What is lent and what rests: 50 calls/s in two networks.
    assert!((1_050..=1_090).contains(&warm.bound), "{warm:?}");
    bench.traffic(5, 10 * PERIOD_MILLIS);
    let gauges = bench.gauges();
    assert!(gauges.opened - warm.opened <= 20 && gauges.bound == gauges.opened, "{warm:?} {gauges:?}");
    assert_eq!((gauges.quarantines_cut, gauges.bind_failures), (0, 0));
}

#[test]
fn what_is_not_needed_any_more_is_closed_little_by_little() {
    let mut bench = Bench::new(600, 4_000);
    let lent = bench.lend(0, 500);
    bench.release(lent);
    bench.pass(QUARANTINE + PERIOD_MILLIS);
    assert_eq!(bench.gauges().bound, 500, "they have not been idle for a whole period");
    bench.pass(PERIOD_MILLIS);
    assert_eq!(bench.gauges().bound, 500 - 492 / 4);
    // Half of them are wanted again in each period: those stay.
    for _ in 0..20 {
        let lent = bench.lend(0, 188);
        bench.release(lent);
        bench.pass(PERIOD_MILLIS);
    }
    assert_eq!(bench.gauges().bound, 188 + 8);
    bench.pass(20 * PERIOD_MILLIS);
    assert_eq!((bench.gauges().bound, bench.gauges().opened), (8, 500));
    assert_eq!(bench.pool.next_deadline(), None, "an idle node sleeps");
}

#[test]
fn pairs_are_used_in_turn_so_that_each_rests_as_long_as_it_can() {
    let mut bench = Bench::new(100, 400);
    let lent = bench.lend(0, 4);
    bench.release(lent.iter().cloned());
    bench.pass(QUARANTINE + 1);
    for turn in 0..8 {
        let pair = bench.take(0).unwrap();
        assert_eq!(pair.port, lent[turn % 4].port);
        bench.release([pair]);
        bench.pass(QUARANTINE + 1);
    }
    assert_eq!(bench.gauges().opened, 4);
}

#[test]
fn at_the_end_of_the_range_the_pair_that_rested_longest_is_lent_early() {
    let mut bench = Bench::new(4, 400);
    let lent = bench.lend(0, 4);
    assert_eq!(bench.take(0), None);
    bench.release(lent[..1].iter().cloned());
    bench.pass(100);
    bench.release(lent[1..].iter().cloned());
    assert_eq!(bench.take(0), None, "none has rested long enough");
    // That one was wanted, so the pool asks to be looked at as soon as the first has.
    assert_eq!(bench.pool.next_deadline(), Some(bench.now - 100 + LEAST_REST_MILLIS + 1));
    bench.pass(LEAST_REST_MILLIS - 99);
    let early = bench.take(0).unwrap();
    assert_eq!((early.port, early.id.slot), (lent[0].port, lent[0].id.slot));
    assert_ne!(early.id.generation, lent[0].id.generation);
    assert!(!bench.pool.release(lent[0].id, bench.now), "a late order for the call before misses");
    let gauges = bench.gauges();
    assert_eq!((gauges.quarantines_cut, gauges.quarantined, gauges.bound), (1, 3, 4));
    assert_eq!(bench.pool.take(0, Want::Spare, &bench.poller, bench.now), None, "only when it is needed");
    bench.pass(QUARANTINE);
    assert_eq!(bench.gauges().quarantined, 0);
    assert_eq!(bench.lend(0, 3).len(), 3);
    assert_eq!(bench.gauges().quarantines_cut, 1);
}

#[test]
fn at_the_limit_of_sockets_the_quarantine_gives_way_and_calls_go_on() {
    // 50 calls/s need 1,050 pairs with a whole quarantine; there are 300, which is enough for one of 2.5 s.
    let mut bench = Bench::new(2_000, 300);
    bench.traffic(5, 20_000);
    let gauges = bench.gauges();
    assert_eq!((gauges.bound, gauges.opened), (300, 300));
    assert!(gauges.quarantines_cut > 1_000, "{gauges:?}");
    assert_eq!(gauges.bind_failures, 0);
}

#[test]
fn at_the_limit_of_sockets_idle_pairs_of_another_network_give_theirs_up() {
    let mut bench = Bench::new(100, 40);
    let lent = bench.lend(0, 40);
    bench.release(lent);
    bench.pass(QUARANTINE + 1);
    let other = bench.lend(1, 30);
    let gauges = bench.gauges();
    assert_eq!((gauges.bound, gauges.opened, gauges.quarantines_cut), (40, 70, 0));
    assert_eq!(bench.lend(0, 10).len(), 10);
    assert_eq!(bench.take(0), None, "all are lent");
    bench.release(other);
    let taken = bench.take(0).unwrap();
    assert_eq!(
        bench.gauges().quarantined,
        29,
        "one that rests there gives its sockets up: nothing reaches it"
    );
    assert_eq!(bench.gauges().quarantines_cut, 0);
    bench.release([taken]);
}
