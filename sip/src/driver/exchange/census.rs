//! How many connections the shards of a process have.

use super::super::settings::Limits;
use crate::Map;
use crate::time::Mono;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Parts that the connections by peer address are spread over.
const PARTS: usize = 16;

/// Of so many connections that may be, one is kept for those that we open and for peers that are known.
const RESERVE: usize = 8;

/// How often at the most the log is told that connections are at their limit.
const NEWS: Duration = Duration::from_secs(60);

/// How many connections there are, so that a limit holds for all shards together. It is asked when a connection comes
/// and told when it goes, never for a message.
pub(crate) struct Census {
    connections: AtomicUsize,
    /// By the first address of the source (`Prefixes`): who has a /64 of IPv6 is one peer.
    by_peer: [Mutex<Map<IpAddr, usize>>; PARTS],
    /// When the log was last told.
    told: Mutex<Option<Mono>>,
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
            told: Mutex::default(),
            hasher: hasher.clone(),
        }
    }

    /// Counts a connection in, unless a limit is reached. `known` are those that we open and those of peers that are known,
    /// whom a part of all is kept for.
    pub(crate) fn enter(&self, peer: IpAddr, known: bool, limits: &Limits) -> Result<(), Full> {
        let peer = limits.prefixes.of(peer);
        let kept = if known { 0 } else { limits.connections / RESERVE };
        let one_more = |n: usize| (n < limits.connections - kept).then_some(n + 1);
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
    pub(crate) fn leave(&self, peer: IpAddr, limits: &Limits) {
        let peer = limits.prefixes.of(peer);
        self.connections.fetch_sub(1, Ordering::Relaxed);
        let mut held = self.part(peer);
        if let Some(count) = held.get_mut(&peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&peer);
            }
        }
    }

    /// Whether the log is to be told that the limit is reached.
    pub(crate) fn is_news(&self, now: Mono) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.is_none_or(|at| now.since(at) >= NEWS);
        if is_news {
            *told = Some(now);
        }
        is_news
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
        let enter = |peer| census.enter(peer, false, &limits);
        assert!(enter(one).is_ok() && enter(one).is_ok());
        assert_eq!(enter(one), Err(Full::Peer), "two of one peer");
        assert!(enter(other).is_ok(), "the refused one is not counted");
        assert_eq!(enter(other), Err(Full::Node), "three of all");
        census.leave(one, &limits);
        assert!(enter(other).is_ok());
        [one, other, other].iter().for_each(|peer| census.leave(*peer, &limits));
        assert_eq!(census.connections.load(Ordering::Relaxed), 0);
        assert!(census.by_peer.iter().all(|part| part.lock().unwrap().is_empty()));
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let census = Census::new(&hasher());
        let limits = Limits { connections_per_peer: 2, ..Limits::default() };
        let enter = |ip: &str| census.enter(ip.parse().unwrap(), false, &limits);
        assert!(enter("2001:db8::1").is_ok() && enter("2001:db8::2").is_ok());
        assert_eq!(enter("2001:db8::3"), Err(Full::Peer));
        assert!(enter("2001:db8:0:1::1").is_ok());
        // An IPv4 address in IPv6 is IPv4.
        assert!(enter("10.0.0.1").is_ok() && enter("::ffff:10.0.0.1").is_ok() && enter("10.0.0.2").is_ok());
        assert_eq!(enter("::ffff:10.0.0.1"), Err(Full::Peer));
    }

    #[test]
    fn a_part_is_kept_for_who_is_known() {
        let census = Census::new(&hasher());
        let limits = Limits { connections: 16, ..Limits::default() };
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let entered = (0..20).filter(|_| census.enter(peer, false, &limits).is_ok()).count();
        let known = (0..20).filter(|_| census.enter(peer, true, &limits).is_ok()).count();
        assert_eq!((entered, known), (14, 2));
    }
}
