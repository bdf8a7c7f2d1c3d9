//! Scanners get no answers: who is refused again and again, and never proves to be anybody, is not heard for a while.
//!
//! Refusals are counted by source, which is a prefix of the address. Behind one address there may be many, so:
//!
//! - Who has proved to be a user is left alone: what comes on that flow is always heard, for as long as [`Terms::proven_for`].
//! - A source that somebody shares who has proved to be a user is never cut off as a whole, but each flow by itself.
//! - A challenge counts only once [`Terms::grace`] has passed in which nobody of the source answered one well: after a restart all
//!   devices behind an address are challenged before the first of them answers.
//! - A right answer clears its source and its flow.
//!
//! Its owner adds whom it knows by other means: peers of the configuration, and dialogs. An address may be forged in datagrams;
//! then those are shut out for a time who are known by none of this.

mod recent;
mod source;

pub use source::{Prefixes, Suspect};

use crate::flow::Flow;
use crate::time::Mono;
use recent::Recent;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Whom the guard cuts off, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Refusals that lead to quarantine.
    pub refusals: u32,
    /// In what time.
    pub within: Duration,
    /// How long a challenge may wait for a right answer until it counts.
    pub grace: Duration,
    /// How long a source is not heard.
    pub quarantine: Duration,
    /// How long a right answer speaks for its flow and its source.
    pub proven_for: Duration,
    /// What makes a source.
    pub prefixes: Prefixes,
    /// Most entries in each table; beyond, what was touched longest ago is forgotten.
    pub entries: usize,
}

/// What a request was answered with, whose sender has proved nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// A refusal, or it could not be read.
    Refused,
    /// A challenge.
    Challenged,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    since: Mono,
    refused: u32,
    challenged: u32,
    /// Not heard until then.
    until: Option<Mono>,
}

/// A source or flow that is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Who.
    pub suspect: Suspect,
    /// Refusals and challenges that led to it.
    pub refusals: u32,
    /// How long it lasts still.
    pub left: Duration,
}

#[derive(Debug)]
struct Tables<S> {
    marks: Recent<Suspect, Mark, S>,
    /// When a flow, and anybody of a source, last proved to be a user.
    proven: Recent<Suspect, Mono, S>,
    /// Marks in quarantine, those included whose time is over and that nobody has looked at since.
    cut: usize,
}

impl<S: BuildHasher + Clone> Tables<S> {
    fn new(hasher: S) -> Self {
        Self { marks: Recent::new(hasher.clone()), proven: Recent::new(hasher), cut: 0 }
    }

    fn is_proven(&self, now: Mono, terms: &Terms, suspect: Suspect) -> bool {
        self.proven.get(&suspect).is_some_and(|at| now.since(*at) < terms.proven_for)
    }

    /// Whom an offence is held against; nobody where the flow is a user's.
    fn suspect(&self, now: Mono, terms: &Terms, flow: &Flow) -> Option<Suspect> {
        let (own, source) = (Suspect::flow(flow), Suspect::source(terms.prefixes, flow));
        match (self.is_proven(now, terms, own), self.is_proven(now, terms, source)) {
            (true, _) => None,
            (false, true) => Some(own),
            (false, false) => Some(source),
        }
    }

    fn forget(&mut self, suspect: Suspect) -> Option<Mark> {
        let mark = self.marks.take(&suspect)?;
        self.cut -= usize::from(mark.until.is_some());
        Some(mark)
    }

    fn offended(&mut self, now: Mono, terms: &Terms, flow: &Flow, offence: Offence) -> Option<Suspect> {
        let suspect = self.suspect(now, terms, flow)?;
        let fresh = Mark { since: now, refused: 0, challenged: 0, until: None };
        let mut mark = self.forget(suspect).unwrap_or(fresh);
        let is_over = match mark.until {
            Some(until) => until <= now,
            None => now.since(mark.since) >= terms.within,
        };
        if is_over {
            mark = fresh;
        }
        match offence {
            Offence::Refused => mark.refused = mark.refused.saturating_add(1),
            Offence::Challenged => mark.challenged = mark.challenged.saturating_add(1),
        }
        let unanswered = if now.since(mark.since) >= terms.grace { mark.challenged } else { 0 };
        let is_new = mark.until.is_none() && mark.refused.saturating_add(unanswered) >= terms.refusals;
        if is_new {
            mark.until = Some(now + terms.quarantine);
        }
        self.cut += usize::from(mark.until.is_some());
        let cut = &mut self.cut;
        self.marks.put(suspect, mark, terms.entries, |old| *cut -= usize::from(old.until.is_some()));
        is_new.then_some(suspect)
    }

    fn passed(&mut self, now: Mono, terms: &Terms, flow: &Flow) {
        for suspect in [Suspect::flow(flow), Suspect::source(terms.prefixes, flow)] {
            self.forget(suspect);
            self.proven.put(suspect, now, terms.entries, |_| ());
        }
    }

    fn quarantined(&self, now: Mono) -> Vec<Quarantined> {
        let of = |(suspect, mark): (&Suspect, &Mark)| {
            let left = mark.until?.since(now);
            let refusals = mark.refused.saturating_add(mark.challenged);
            (!left.is_zero()).then_some(Quarantined { suspect: *suspect, refusals, left })
        };
        self.marks.iter().filter_map(of).collect()
    }

    fn is_cut(&mut self, now: Mono, terms: &Terms, flow: &Flow) -> bool {
        let own = Suspect::flow(flow);
        if self.is_proven(now, terms, own) {
            return false;
        }
        [own, Suspect::source(terms.prefixes, flow)].into_iter().any(|suspect| {
            let until = self.marks.get(&suspect).and_then(|mark| mark.until);
            if until.is_some_and(|until| until <= now) {
                self.forget(suspect);
            }
            until.is_some_and(|until| until > now)
        })
    }
}

/// Parts that the tables are spread over, by source.
const PARTS: usize = 16;

type Part = Mutex<Tables<ahash::RandomState>>;

/// The guard of all shards of a process. A lock is held for one look-up of a source, where any is in quarantine.
#[derive(Debug)]
pub struct Guard {
    parts: [Part; PARTS],
    /// What the parts have cut off, together.
    cut: AtomicUsize,
    hasher: ahash::RandomState,
}

impl Guard {
    /// Of nobody. `hasher` is seeded by the shell.
    #[must_use]
    pub fn new(hasher: ahash::RandomState) -> Self {
        let parts = std::array::from_fn(|_| Mutex::new(Tables::new(hasher.clone())));
        Self { parts, cut: AtomicUsize::new(0), hasher }
    }

    /// A request of that flow was refused or challenged, or could not be read. Tells who is not heard from now on: once, for an
    /// event.
    pub fn offended(&self, now: Mono, terms: &Terms, flow: &Flow, offence: Offence) -> Option<Suspect> {
        self.with(terms, flow.peer.ip(), |tables, terms| tables.offended(now, terms, flow, offence))
    }

    /// What came on that flow has proved to be from a user.
    pub fn passed(&self, now: Mono, terms: &Terms, flow: &Flow) {
        self.with(terms, flow.peer.ip(), |tables, terms| tables.passed(now, terms, flow));
    }

    /// Whether anybody may be in quarantine. Costs nothing.
    #[must_use]
    pub fn cuts(&self) -> bool {
        self.cut.load(Ordering::Relaxed) != 0
    }

    /// Whether what comes on that flow is not heard.
    #[must_use]
    pub fn is_cut(&self, now: Mono, terms: &Terms, flow: &Flow) -> bool {
        self.cuts() && self.with(terms, flow.peer.ip(), |tables, terms| tables.is_cut(now, terms, flow))
    }

    /// Who is in quarantine, in order.
    #[must_use]
    pub fn quarantined(&self, now: Mono) -> Vec<Quarantined> {
        let all = self.parts.iter().flat_map(|part| self.locked(part, |tables| tables.quarantined(now)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|one| one.suspect);
        all
    }

    /// Hears those again that are written like that; false if there are none.
    pub fn lift(&self, now: Mono, name: &str) -> bool {
        self.parts.iter().fold(false, |found, part| {
            found
                | self.locked(part, |tables| {
                    let mut quarantined = tables.quarantined(now);
                    quarantined.retain(|one| one.suspect.to_string() == name);
                    quarantined.iter().fold(false, |_, one| tables.forget(one.suspect).is_some())
                })
        })
    }

    /// With the part of an address, which has its share of the entries.
    fn with<T>(
        &self,
        terms: &Terms,
        address: IpAddr,
        act: impl FnOnce(&mut Tables<ahash::RandomState>, &Terms) -> T,
    ) -> T {
        let part = self.hasher.hash_one(terms.prefixes.of(address)) >> 60;
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the length")]
        let part = &self.parts[usize::try_from(part).unwrap_or_default() % PARTS];
        let terms = Terms { entries: terms.entries.div_ceil(PARTS), ..*terms };
        self.locked(part, |tables| act(tables, &terms))
    }

    fn locked<T>(&self, part: &Part, act: impl FnOnce(&mut Tables<ahash::RandomState>) -> T) -> T {
        // Every step leaves the tables whole.
        let mut tables = part.lock().unwrap_or_else(PoisonError::into_inner);
        let before = tables.cut;
        let result = act(&mut tables);
        // Wraps where there are fewer: the sum over the parts does not.
        self.cut.fetch_add(tables.cut.wrapping_sub(before), Ordering::Relaxed);
        result
    }
}

#[cfg(test)]
mod tests;
