//! Checks of the peer's (RFC 8445 §7.3).

use std::net::SocketAddr;

use super::agent::Agent;
use super::pairs::State;
use super::{Candidate, CandidateKind, Via};
use crate::ice::Component;

/// A check of a peer that has proved itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) component: Component,
    pub(crate) via: Via,
    pub(crate) source: SocketAddr,
    /// The priority of a candidate that would be found by it.
    pub(crate) priority: u32,
    pub(crate) nominates: bool,
    /// Whether its sender controls, and its tie-breaker.
    pub(crate) role: Option<(bool, u64)>,
}

impl Agent {
    /// Whether a check is to be refused with 487, or our own role changes (RFC 8445 §7.3.1.1).
    pub(crate) fn is_in_conflict(&mut self, role: Option<(bool, u64)>) -> bool {
        let Some((theirs, tie)) = role.filter(|(theirs, _)| *theirs == self.controlling) else {
            return false;
        };
        let ours_wins = self.tie >= tie;
        // Who has the greater tie-breaker controls: the other one yields, and if that is the peer, it is told to.
        let yields = ours_wins != theirs;
        if yields {
            self.switch(!self.controlling);
        }
        !yields
    }

    /// The other role; what was chosen so far stays chosen.
    pub(super) fn switch(&mut self, controlling: bool) {
        self.controlling = controlling;
        for path in &mut self.paths {
            path.nominating = None;
        }
    }

    /// A check that was answered with success.
    pub(crate) fn asked(&mut self, asked: &Asked, now: u64) {
        let Asked { component, via, source, priority, nominates, .. } = *asked;
        if component == Component::Rtcp && !self.terms.two {
            return;
        }
        let known = self.pairs.find_remote(component, source);
        let kind = CandidateKind::PeerReflexive;
        let learned = || Candidate { component, kind, address: source, priority, foundation: "prflx".into() };
        // RFC 8445 §7.3.1.3
        let Some(remote) = known.or_else(|| self.pairs.remote(learned())) else { return };
        let Some(at) = self.pairs.add(component, via, remote, State::Waiting) else { return };
        let Some(pair) = self.pairs.pairs.get_mut(at) else { return };
        pair.chosen |= nominates;
        let (state, chosen) = (pair.state, pair.chosen && !self.controlling);
        match state {
            State::Succeeded if chosen => self.chosen(at, now),
            State::Succeeded => {}
            // RFC 8445 §7.3.1.4: one under way is begun again, since what was lost for want of a binding gets through now.
            State::InProgress | State::Waiting | State::Frozen | State::Failed => {
                self.pairs.set(at, State::Waiting);
                self.pairs.trigger(at, false);
            }
        }
    }

    /// The peer has chosen a pair that works: of several the best is used, or the one that still answers.
    pub(super) fn chosen(&mut self, at: usize, now: u64) {
        let Some(component) = self.pairs.pairs.get(at).map(|pair| pair.component) else { return };
        let worth = |at: usize| {
            self.pairs.pairs.get(at).map_or(0, |pair| self.pairs.priority(pair, self.controlling))
        };
        let (new, selected) = (worth(at), self.path(component).selected);
        let path = self.path(component);
        let gives_way = !path.nominated || selected.is_none();
        let before = selected.filter(|_| !gives_way);
        let better = before.is_none_or(|before| {
            let before = self.pairs.pairs.get(before);
            before.map_or(0, |pair| self.pairs.priority(pair, self.controlling)) < new
        });
        if better {
            self.path(component).nominated = true;
            self.pairs.close(component);
            self.select(at, now);
        }
    }
}
