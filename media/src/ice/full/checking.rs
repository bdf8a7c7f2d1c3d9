//! Checks of ours, as they are sent and repeated (RFC 8445 §7.1, RFC 8489 §6.2.1).

use super::agent::{Agent, Datagram, PACE_MILLIS};
use super::pairs::State;
use super::{CandidateKind, priority};
use crate::ice::Component;
use crate::stun::{ICE_CONTROLLED, ICE_CONTROLLING, PRIORITY, REQUEST, USE_CANDIDATE, USERNAME, Writer};

/// RFC 8445 §14.3.
const LEAST_RTO_MILLIS: u64 = 500;
/// RFC 8489 §6.2.1: how often a request is sent, and for how many times the first timeout its last one is waited for.
const SENDS: u32 = 7;
const LAST_WAIT: u64 = 16;

/// A check under way.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) id: [u8; 12],
    pub(super) pair: usize,
    pub(super) nominates: bool,
    pub(super) controlling: bool,
    octets: Vec<u8>,
    sent: u32,
    rto: u64,
    due: u64,
}

impl Check {
    pub(super) fn due(&self) -> u64 {
        self.due
    }
}

impl Agent {
    /// Sends the first request of a check (RFC 8445 §7.1).
    pub(super) fn check(&mut self, at: usize, nominates: bool, now: u64) {
        let (Some(pair), Some(to)) = (self.pairs.pairs.get(at), self.pairs.address(at)) else { return };
        let (component, via) = (pair.component, pair.via);
        if pair.state != State::Succeeded {
            self.pairs.set(at, State::InProgress);
        }
        let id = self.id();
        let octets = self.request(component, &id, nominates);
        let rto = LEAST_RTO_MILLIS.max(PACE_MILLIS * u64::try_from(self.pairs.busy()).unwrap_or_default());
        self.out.push_back(Datagram { component, via, to, octets: octets.clone() });
        // An earlier check of the pair counts no more; its answer would still be right (RFC 8445 §7.3.1.4), and so will this one's be.
        self.checks.retain(|check| check.pair != at || check.nominates && !nominates);
        let controlling = self.controlling;
        self.checks.push(Check {
            id,
            pair: at,
            nominates,
            controlling,
            octets,
            sent: 1,
            rto,
            due: now + rto,
        });
    }

    pub(super) fn id(&mut self) -> [u8; 12] {
        let drawn = self.chance.next().to_be_bytes();
        drawn.first_chunk().copied().unwrap_or_default()
    }

    /// A Binding request (RFC 8445 §7.1).
    pub(super) fn request(&self, component: Component, id: &[u8; 12], nominates: bool) -> Vec<u8> {
        let mut octets = Vec::with_capacity(128);
        let mut writer = Writer::new(&mut octets, REQUEST, id);
        let user = format!("{}:{}", self.terms.remote.ufrag, self.terms.local.ufrag);
        writer.attribute(USERNAME, user.as_bytes());
        let priority = priority(CandidateKind::PeerReflexive, component);
        writer.attribute(PRIORITY, &priority.to_be_bytes());
        let role = if self.controlling { ICE_CONTROLLING } else { ICE_CONTROLLED };
        writer.attribute(role, &self.tie.to_be_bytes());
        if nominates {
            writer.attribute(USE_CANDIDATE, &[]);
        }
        writer.integrity(&self.key).fingerprint();
        octets
    }

    /// Repeats what has no answer yet, and gives up what has had time enough (RFC 8489 §6.2.1).
    pub(super) fn repeat(&mut self, now: u64) {
        let mut failed = Vec::new();
        for check in self.checks.iter_mut().filter(|check| check.due <= now) {
            if check.sent >= SENDS {
                failed.push(check.id);
                continue;
            }
            check.sent += 1;
            let wait = if check.sent == SENDS {
                check.rto * LAST_WAIT
            } else {
                check.rto << (check.sent - 1).min(6)
            };
            check.due = now + wait;
            let to = self.pairs.address(check.pair).zip(self.pairs.pairs.get(check.pair));
            if let Some((to, pair)) = to {
                let (component, via) = (pair.component, pair.via);
                self.out.push_back(Datagram { component, via, to, octets: check.octets.clone() });
            }
        }
        for id in failed {
            if let Some(at) = self.checks.iter().position(|check| check.id == id) {
                let check = self.checks.swap_remove(at);
                self.failed(check.pair);
            }
        }
    }

    /// A pair does not work.
    pub(super) fn failed(&mut self, pair: usize) {
        self.pairs.set(pair, State::Failed);
        for path in &mut self.paths {
            if path.nominating == Some(pair) {
                path.nominating = None;
            }
        }
    }
}
