//! What the shards of a node have in common: limits, nonces, and the end of a drain.

use crate::trunk::{Gate, Standings};
use config::TrunkName;
use sip::Occupancy;
use sip::guard::Guard;
use sip::ids::Ids;
use sip::registration::server::{Directory, GruuKeys};
use sip::time::Now;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What the shards of a node have in common. The way of a call takes no lock in here: its counts are atomics, and a shard
/// looks up a trunk's once.
pub struct Common {
    /// Calls of all shards.
    pub(super) calls: Arc<Tally>,
    /// Subscriptions of all shards.
    pub(crate) subscriptions: Arc<Tally>,
    /// Calls by trunk, of every trunk that ever had one.
    trunks: Mutex<BTreeMap<TrunkName, Arc<Tally>>>,
    pub(crate) gate: Gate,
    /// Who is not heard.
    pub(super) guard: Guard,
    /// What is registered, written by the home shard of each address-of-record.
    pub(crate) directory: Arc<Directory>,
    /// The keys of GRUUs.
    pub(crate) gruu: Arc<GruuKeys>,
    /// How trunks are registered, written by the shard that registers each.
    pub(crate) standings: Arc<Standings>,
    /// What is known of overload, here and at servers.
    pub(crate) overload: Arc<sip::overload::Shared>,
    /// `None` for a shard that is alone.
    pub(super) occupancy: Option<Arc<Occupancy>>,
    /// One bit for each shard.
    shards: u64,
    /// The bits of those that have nothing left to do.
    done: AtomicU64,
}

impl Common {
    /// For so many shards, 1 to 64. `started`: when the process started; `nonces`: whose counts are known at a time;
    /// `gruu`: the keys of GRUUs; `ids` and `hasher` are used for keys only.
    #[must_use]
    pub fn new(
        shards: u8,
        started: Now,
        nonces: usize,
        gruu: GruuKeys,
        ids: &mut dyn Ids,
        hasher: ahash::RandomState,
    ) -> Arc<Self> {
        Arc::new(Self {
            calls: Arc::default(),
            subscriptions: Arc::default(),
            trunks: Mutex::default(),
            directory: Arc::new(Directory::new(&hasher)),
            gruu: Arc::new(gruu),
            standings: Arc::new(Standings::new(&hasher)),
            overload: Arc::new(sip::overload::Shared::new(&hasher)),
            guard: Guard::new(hasher.clone()),
            gate: Gate::new(started, nonces, ids, hasher),
            occupancy: (shards > 1).then(Arc::default),
            shards: u64::MAX >> (64 - u32::from(shards.clamp(1, 64))),
            done: AtomicU64::new(0),
        })
    }

    /// What is registered.
    #[must_use]
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// How many shards there are.
    pub(crate) fn shard_count(&self) -> u16 {
        u16::try_from(self.shards.count_ones()).unwrap_or(1)
    }

    /// The count of a trunk.
    pub(super) fn trunk(&self, trunk: &TrunkName) -> Arc<Tally> {
        // An entry is whole before it is put in.
        let mut trunks = self.trunks.lock().unwrap_or_else(PoisonError::into_inner);
        trunks.entry(trunk.clone()).or_default().clone()
    }

    /// Notes whether a shard that drains has anything left to do; true once none has. Until then each serves the
    /// connections that it owns for the others.
    pub(super) fn done(&self, shard: u16, is_done: bool) -> bool {
        let bit = 1u64.checked_shl(shard.into()).unwrap_or(0);
        let done = if is_done {
            self.done.fetch_or(bit, Ordering::SeqCst) | bit
        } else {
            self.done.fetch_and(!bit, Ordering::SeqCst) & !bit
        };
        done & self.shards == self.shards
    }

    /// A shard has ended, in whatever way: nobody waits for it.
    pub(crate) fn ended(&self, shard: u16) {
        self.done(shard, true);
    }
}

/// How many there are of something, over all shards.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicU32);

impl Tally {
    /// Counts one in, for as long as what is returned lives; `None` at the limit.
    pub(crate) fn enter(self: &Arc<Self>, limit: u32) -> Option<Held> {
        let one_more = |n: u32| (n < limit).then_some(n + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Held(Arc::clone(self)))
    }
}

/// One that is counted.
#[derive(Debug)]
pub(crate) struct Held(Arc<Tally>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_exact_whoever_counts() {
        let tally = Arc::new(Tally::default());
        let entered: usize = std::thread::scope(|scope| {
            let count = || (0..100).filter_map(|_| tally.enter(150)).collect::<Vec<_>>();
            let counting: Vec<_> = (0..3).map(|_| scope.spawn(count)).collect();
            let held: Vec<_> = counting.into_iter().map(|held| held.join().unwrap()).collect();
            assert!(tally.enter(150).is_none());
            held.iter().map(Vec::len).sum()
        });
        assert_eq!(entered, 150);
        assert!(tally.enter(1).is_some(), "all are given back");
    }
}
