//! Slows down, then refuses who guesses: by source and user, so that other users of the source go on.

use crate::guard::Prefixes;
use crate::time::Mono;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How guessing is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Wrong guesses in a row that cost nothing: people mistype. Default: 5.
    pub free: u32,
    /// The wait after the next wrong guess; it doubles with each further one, up to 64 times. Default: 1 s.
    pub delay: Duration,
    /// Wrong guesses in a row after which all are refused. Default: 20.
    pub refuse_after: u32,
    /// How long they are refused, and how long without a wrong guess makes all forgotten. Default: 1 h.
    pub forget_after: Duration,
    /// Bits of an IPv4 address that make its source. Default: 32.
    pub ipv4_prefix: u8,
    /// Bits of an IPv6 address that make its source: what one subscriber has. Default: 64.
    pub ipv6_prefix: u8,
    /// Pairs of source and user that are remembered; beyond, the one that guessed longest ago is forgotten. Default: 20,000.
    pub entries: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            free: 5,
            delay: Duration::from_secs(1),
            refuse_after: 20,
            forget_after: Duration::from_secs(3600),
            ipv4_prefix: 32,
            ipv6_prefix: 64,
            entries: 20_000,
        }
    }
}

/// Whether an answer to a challenge is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Permit {
    /// It is.
    Check,
    /// Not before this time has passed.
    Wait(Duration),
    /// Not before this time has passed, which is that of [`Patience::forget_after`].
    Refuse(Duration),
}

/// What a wrong guess led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing yet.
    Noted,
    /// The next guess has to wait.
    Slowed,
    /// From now on this user is refused from this source. Told once, for an event.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Pair {
    source: IpAddr,
    /// A keyed hash of the name: a table of names would be one of passwords that were typed into the wrong field.
    user: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    failures: u32,
    last: Mono,
    /// Its place in the order of last guesses.
    turn: u64,
}

/// The pairs of source and user that guessed wrong of late.
///
/// A missing answer, a stale nonce and what breaks the protocol are no guesses; they don't come here.
#[derive(Debug)]
pub struct Guesses<S> {
    hasher: S,
    entries: HashMap<Pair, Entry, S>,
    /// By turn, the oldest first.
    order: BTreeMap<u64, Pair>,
    turn: u64,
}

impl<S: BuildHasher + Clone> Guesses<S> {
    /// Without any. `hasher` is seeded by the shell.
    pub fn new(hasher: S) -> Self {
        let entries = HashMap::with_hasher(hasher.clone());
        Self { hasher, entries, order: BTreeMap::new(), turn: 0 }
    }

    /// Pairs that are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn pair(&self, patience: &Patience, source: IpAddr, user: &str) -> Pair {
        Pair { source: prefix(patience, source), user: self.hasher.hash_one(user) }
    }

    /// Whether an answer by this user from this source is looked at.
    pub fn permit(&self, now: Mono, patience: &Patience, source: IpAddr, user: &str) -> Permit {
        let Some(entry) = self.entries.get(&self.pair(patience, source, user)) else { return Permit::Check };
        let passed = now.since(entry.last);
        if passed >= patience.forget_after {
            return Permit::Check;
        }
        if entry.failures >= patience.refuse_after {
            return Permit::Refuse(patience.forget_after.saturating_sub(passed));
        }
        let wait = delay(patience, entry.failures).saturating_sub(passed);
        if wait.is_zero() { Permit::Check } else { Permit::Wait(wait) }
    }

    /// A wrong guess.
    pub fn failed(&mut self, now: Mono, patience: &Patience, source: IpAddr, user: &str) -> Reaction {
        let pair = self.pair(patience, source, user);
        let before = self.forget(pair).filter(|entry| now.since(entry.last) < patience.forget_after);
        while self.entries.len() >= patience.entries.max(1) {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.entries.remove(&oldest);
        }
        let failures = before.map_or(0, |entry| entry.failures).saturating_add(1);
        self.turn += 1;
        self.entries.insert(pair, Entry { failures, last: now, turn: self.turn });
        self.order.insert(self.turn, pair);
        if failures == patience.refuse_after {
            Reaction::Refused
        } else if failures > patience.free {
            Reaction::Slowed
        } else {
            Reaction::Noted
        }
    }

    /// A right answer: what was guessed before is forgotten.
    pub fn passed(&mut self, patience: &Patience, source: IpAddr, user: &str) {
        self.forget(self.pair(patience, source, user));
    }

    fn forget(&mut self, pair: Pair) -> Option<Entry> {
        let entry = self.entries.remove(&pair)?;
        self.order.remove(&entry.turn);
        Some(entry)
    }
}

/// Parts that the pairs are spread over, by user.
const PARTS: usize = 16;

/// [`Guesses`] for all shards of a process. A lock is held for one look-up, of an answer to a challenge.
#[derive(Debug)]
pub struct SharedGuesses {
    parts: [Mutex<Guesses<ahash::RandomState>>; PARTS],
    hasher: ahash::RandomState,
}

impl SharedGuesses {
    /// Without any. `hasher` is seeded by the shell.
    #[must_use]
    pub fn new(hasher: ahash::RandomState) -> Self {
        Self { parts: std::array::from_fn(|_| Mutex::new(Guesses::new(hasher.clone()))), hasher }
    }

    /// As [`Guesses::permit`].
    pub fn permit(&self, now: Mono, patience: &Patience, source: IpAddr, user: &str) -> Permit {
        self.part(user).permit(now, patience, source, user)
    }

    /// As [`Guesses::failed`]; each part remembers its share of [`Patience::entries`].
    pub fn failed(&self, now: Mono, patience: &Patience, source: IpAddr, user: &str) -> Reaction {
        let patience = Patience { entries: patience.entries.div_ceil(PARTS), ..*patience };
        self.part(user).failed(now, &patience, source, user)
    }

    /// As [`Guesses::passed`].
    pub fn passed(&self, patience: &Patience, source: IpAddr, user: &str) {
        self.part(user).passed(patience, source, user);
    }

    fn part(&self, user: &str) -> MutexGuard<'_, Guesses<ahash::RandomState>> {
        let part = usize::try_from(self.hasher.hash_one(user) >> 60).unwrap_or_default() % PARTS;
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
        let part = &self.parts[part];
        // Every step leaves the table whole.
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often the wait doubles.
const MAX_DOUBLINGS: u32 = 6;

/// The wait after so many wrong guesses.
fn delay(patience: &Patience, failures: u32) -> Duration {
    match failures.checked_sub(patience.free) {
        None | Some(0) => Duration::ZERO,
        Some(over) => {
            // Else waiting would bring the time when all is forgotten, and nobody would ever be refused.
            let factor = 1 << (over - 1).min(MAX_DOUBLINGS);
            patience.delay.saturating_mul(factor)
        }
    }
}

/// The source that an address is of.
fn prefix(patience: &Patience, source: IpAddr) -> IpAddr {
    Prefixes { ipv4: patience.ipv4_prefix, ipv6: patience.ipv6_prefix }.of(source)
}

#[cfg(test)]
mod tests;
