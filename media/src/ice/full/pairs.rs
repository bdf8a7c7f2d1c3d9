//! Candidate pairs and their list (RFC 8445 §6.1.2).

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::net::SocketAddr;

use super::{Candidate, CandidateKind, Via, priority};
use crate::ice::Component;

/// Candidates of a peer that are looked at; the rest is as if it had not been there.
pub(super) const MOST_REMOTES: usize = 32;
/// Pairs at the most: RFC 8445 §6.1.2.5 speaks of 100.
pub(super) const MOST_PAIRS: usize = 100;

/// RFC 8445 §6.1.2.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Frozen,
    Waiting,
    InProgress,
    Succeeded,
    Failed,
}

#[derive(Debug)]
pub(super) struct Pair {
    pub(super) component: Component,
    pub(super) via: Via,
    /// Its place among the peer's candidates.
    pub(super) remote: usize,
    pub(super) state: State,
    /// What the peer sees us as, once a check has said it.
    pub(super) local: CandidateKind,
    /// The peer has chosen it: it is used once a check of ours has succeeded (RFC 8445 §7.3.1.5).
    pub(super) chosen: bool,
}

/// Both sides' candidates for one stream.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) remotes: Vec<Candidate>,
    pub(super) pairs: Vec<Pair>,
    /// Pairs that the peer has checked (RFC 8445 §6.1.4.1); true where the check nominates.
    triggered: VecDeque<(usize, bool)>,
    /// By what we can send, and whether that is IPv6.
    bases: Vec<(Component, Via, bool)>,
}

impl Pairs {
    /// We can send from that address.
    pub(super) fn base(&mut self, component: Component, via: Via, address: SocketAddr) {
        self.bases.retain(|(at, by, _)| (*at, *by) != (component, via));
        self.bases.push((component, via, address.is_ipv6()));
    }

    fn has(&self, component: Component, via: Via, remote: SocketAddr) -> bool {
        self.bases.contains(&(component, via, remote.is_ipv6()))
    }

    /// Takes a candidate of the peer's and pairs it; its place.
    pub(super) fn remote(&mut self, candidate: Candidate) -> Option<usize> {
        let known = self.find_remote(candidate.component, candidate.address);
        if let Some(at) = known {
            // What the peer says itself is better than what a check has told (RFC 8838 §11.4).
            if let Some(known) = self.remotes.get_mut(at).filter(|it| it.kind == CandidateKind::PeerReflexive)
            {
                *known = candidate;
            }
            return Some(at);
        }
        let address = candidate.address;
        let useful = address.port() != 0 && !address.ip().is_unspecified() && !address.ip().is_multicast();
        if !useful || self.remotes.len() >= MOST_REMOTES {
            return None;
        }
        let (component, at) = (candidate.component, self.remotes.len());
        self.remotes.push(candidate);
        for via in [Via::Direct, Via::Relayed] {
            if self.has(component, via, address) {
                self.add(component, via, at, State::Frozen);
            }
        }
        Some(at)
    }

    pub(super) fn find_remote(&self, component: Component, address: SocketAddr) -> Option<usize> {
        self.remotes.iter().position(|it| it.component == component && it.address == address)
    }

    pub(super) fn find(&self, component: Component, via: Via, remote: usize) -> Option<usize> {
        let is = |pair: &Pair| pair.component == component && pair.via == via && pair.remote == remote;
        self.pairs.iter().position(is)
    }

    /// A pair of that kind, made where there is none yet.
    pub(super) fn add(
        &mut self,
        component: Component,
        via: Via,
        remote: usize,
        state: State,
    ) -> Option<usize> {
        if let Some(at) = self.find(component, via, remote) {
            return Some(at);
        }
        if self.pairs.len() >= MOST_PAIRS {
            return None;
        }
        let local = match via {
            Via::Direct => CandidateKind::Host,
            Via::Relayed => CandidateKind::Relayed,
        };
        self.pairs.push(Pair { component, via, remote, state, local, chosen: false });
        Some(self.pairs.len() - 1)
    }

    pub(super) fn address(&self, pair: usize) -> Option<SocketAddr> {
        self.remotes.get(self.pairs.get(pair)?.remote).map(|remote| remote.address)
    }

    /// RFC 8445 §6.1.2.3.
    pub(super) fn priority(&self, pair: &Pair, controlling: bool) -> u64 {
        let local = match pair.via {
            Via::Direct => CandidateKind::Host,
            Via::Relayed => CandidateKind::Relayed,
        };
        let ours = u64::from(priority(local, pair.component));
        let theirs = u64::from(self.remotes.get(pair.remote).map_or(0, |remote| remote.priority));
        let (g, d) = if controlling { (ours, theirs) } else { (theirs, ours) };
        (g.min(d) << 32) + 2 * g.max(d) + u64::from(g > d)
    }

    fn foundation(&self, pair: &Pair) -> (Via, &str) {
        (pair.via, self.remotes.get(pair.remote).map_or("", |remote| &remote.foundation))
    }

    /// Lets the first pair of each foundation be checked that none is of yet (RFC 8445 §6.1.2.6).
    pub(super) fn unfreeze(&mut self, controlling: bool) {
        let mut order: Vec<usize> = (0..self.pairs.len()).collect();
        order.sort_by_key(|at| {
            let pair = self.pairs.get(*at);
            pair.map(|pair| (pair.component, Reverse(self.priority(pair, controlling))))
        });
        for at in order {
            let Some(pair) = self.pairs.get(at).filter(|pair| pair.state == State::Frozen) else { continue };
            let of = self.foundation(pair);
            let busy = |pair: &&Pair| matches!(pair.state, State::Waiting | State::InProgress);
            if self.pairs.iter().filter(busy).all(|pair| self.foundation(pair) != of) {
                self.set(at, State::Waiting);
            }
        }
    }

    /// A pair has succeeded: those with its foundation are worth a check, too (RFC 8445 §7.2.5.3.3).
    pub(super) fn thaw(&mut self, like: usize) {
        let Some(pair) = self.pairs.get(like) else { return };
        let of = self.foundation(pair);
        let frozen = |(_, pair): &(usize, &Pair)| pair.state == State::Frozen && self.foundation(pair) == of;
        let alike: Vec<usize> = self.pairs.iter().enumerate().filter(frozen).map(|(at, _)| at).collect();
        alike.into_iter().for_each(|at| self.set(at, State::Waiting));
    }

    pub(super) fn set(&mut self, pair: usize, state: State) {
        if let Some(pair) = self.pairs.get_mut(pair) {
            pair.state = state;
        }
    }

    /// Has a pair checked soon. One that nominates goes before all others.
    pub(super) fn trigger(&mut self, pair: usize, nominates: bool) {
        self.triggered.retain(|(at, _)| *at != pair);
        if nominates {
            self.triggered.push_front((pair, true));
        } else {
            self.triggered.push_back((pair, false));
        }
    }

    /// The pair to be checked next (RFC 8445 §6.1.4.2), and whether the check nominates.
    pub(super) fn next(&mut self, controlling: bool) -> Option<(usize, bool)> {
        if let Some(next) = self.triggered.pop_front() {
            return Some(next);
        }
        if !self.pairs.iter().any(|pair| pair.state == State::Waiting) {
            self.unfreeze(controlling);
        }
        let waiting = self.pairs.iter().enumerate().filter(|(_, pair)| pair.state == State::Waiting);
        waiting.max_by_key(|(_, pair)| self.priority(pair, controlling)).map(|(at, _)| (at, false))
    }

    /// A component has its pair for good: what was not begun of it is not (RFC 8445 §8.1.2).
    pub(super) fn close(&mut self, component: Component) {
        let pairs = &self.pairs;
        self.triggered.retain(|(at, _)| pairs.get(*at).is_some_and(|pair| pair.component != component));
        for pair in self.pairs.iter_mut().filter(|pair| pair.component == component) {
            if matches!(pair.state, State::Waiting | State::Frozen) {
                pair.state = State::Failed;
            }
        }
    }

    /// Whether there is any to be checked.
    pub(super) fn any_due(&self) -> bool {
        let due = |pair: &Pair| matches!(pair.state, State::Waiting | State::Frozen);
        !self.triggered.is_empty() || self.pairs.iter().any(due)
    }

    /// Pairs that are being checked, or wait for it.
    pub(super) fn busy(&self) -> usize {
        let busy = |pair: &&Pair| matches!(pair.state, State::Waiting | State::InProgress);
        self.pairs.iter().filter(busy).count()
    }

    /// The best pair of a component that works.
    pub(super) fn best(&self, component: Component, controlling: bool) -> Option<usize> {
        let works =
            |(_, pair): &(usize, &Pair)| pair.component == component && pair.state == State::Succeeded;
        let working = self.pairs.iter().enumerate().filter(works);
        working.max_by_key(|(_, pair)| self.priority(pair, controlling)).map(|(at, _)| at)
    }

    /// Whether a better one of its component may still turn out to work.
    pub(super) fn may_improve(&self, pair: usize, controlling: bool) -> bool {
        let Some(best) = self.pairs.get(pair) else { return false };
        let than = self.priority(best, controlling);
        self.pairs.iter().any(|pair| {
            let open = matches!(pair.state, State::Waiting | State::Frozen | State::InProgress);
            open && pair.component == best.component && self.priority(pair, controlling) > than
        })
    }

    /// Whether no pair of a component is left that could work.
    pub(super) fn is_hopeless(&self, component: Component) -> bool {
        self.pairs.iter().all(|pair| pair.component != component || pair.state == State::Failed)
    }
}
