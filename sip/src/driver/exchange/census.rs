//! How many connections the shards of a process have.

use super::super::settings::Limits;
use crate::Map;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Parts that the connections by peer address are spread over.
const PARTS: usize = 16;

/// How many connections there are, so that a limit holds for all shards together. It is asked when a connection comes
/// and told when it goes, never for a message.
pub(crate) struct Census {
    connections: AtomicUsize,
    by_peer: [Mutex<Map<IpAddr, usize>>; PARTS],
    hasher: ahash::RandomState,
}

/// Which limit refuses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// That of all connections.
    Node,
    /// That of one peer's.
    Peer,
}

impl Census {
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self {
            connections: AtomicUsize::new(0),
            by_peer: std::array::from_fn(|_| Mutex::new(Map::with_hasher(hasher.clone()))),
            hasher: hasher.clone(),
        }
    }

    /// Counts a connection in, unless a limit is reached.
    pub(crate) fn enter(&self, peer: IpAddr, limits: &Limits) -> Result<(), Full> {
        let one_more = |n: usize| (n < limits.connections).then_some(n + 1);
        if self.connections.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_err() {
            return Err(Full::Node);
        }
        let mut held = self.part(peer);
        let count = held.get(&peer).copied().unwrap_or_default();
        if count >= limits.connections_per_peer {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            return Err(Full::Peer);
        }
        held.insert(peer, count + 1);
        Ok(())
    }

    /// Counts out a connection that was counted in.
    pub(crate) fn leave(&self, peer: IpAddr) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
        let mut held = self.part(peer);
        if let Some(count) = held.get_mut(&peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&peer);
            }
        }
    }

    fn part(&self, peer: IpAddr) -> MutexGuard<'_, Map<IpAddr, usize>> {
        let part = usize::try_from(self.hasher.hash_one(peer) >> 60).unwrap_or_default() % PARTS;
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
        let part = &self.by_peer[part];
        // Nothing in here can be half done.
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> ahash::RandomState {
        ahash::RandomState::with_seeds(1, 2, 3, 4)
    }

    #[test]
    fn a_limit_holds_for_all_and_for_each_peer() {
        let census = Census::new(&hasher());
        let limits = Limits { connections: 3, connections_per_peer: 2, ..Limits::default() };
        let [one, other]: [IpAddr; 2] = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse().unwrap());
        assert!(census.enter(one, &limits).is_ok() && census.enter(one, &limits).is_ok());
        assert_eq!(census.enter(one, &limits), Err(Full::Peer), "two of one peer");
        assert!(census.enter(other, &limits).is_ok(), "the refused one is not counted");
        assert_eq!(census.enter(other, &limits), Err(Full::Node), "three of all");
        census.leave(one);
        assert!(census.enter(other, &limits).is_ok());
        [one, other, other].iter().for_each(|peer| census.leave(*peer));
        assert_eq!(census.connections.load(Ordering::Relaxed), 0);
        assert!(census.by_peer.iter().all(|part| part.lock().unwrap().is_empty()));
    }
}
