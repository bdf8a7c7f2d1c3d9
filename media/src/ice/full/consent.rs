//! Where media goes, and whether the peer still wants it (RFC 7675).

use super::agent::{Agent, Datagram, Event};
use super::pairs::State;
use crate::ice::{CONSENT_MILLIS, Component};

/// RFC 7675 §5.1: 5 s, each time more or less by up to a fifth.
const INTERVAL_MILLIS: u64 = 4_000;
const SPREAD_MILLIS: usize = 2_001;
/// Requests that may be without an answer before consent is over, and one more.
const OPEN: usize = 9;

/// One component's way.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// The pair that media goes by.
    pub(super) selected: Option<usize>,
    pub(super) nominated: bool,
    /// The pair whose check that nominates is under way.
    pub(super) nominating: Option<usize>,
    /// Since when some pair works.
    since: Option<u64>,
    /// When it is to be looked again which one is chosen.
    pub(super) again: Option<u64>,
    /// Until then the peer has consented.
    pub(super) until: u64,
    next: u64,
    open: [Option<[u8; 12]>; OPEN],
    oldest: usize,
}

impl Path {
    /// Since when a pair works.
    pub(super) fn decide_by(&mut self, now: u64) -> u64 {
        *self.since.get_or_insert(now)
    }

    pub(super) fn deadlines(&self) -> impl Iterator<Item = u64> + use<> {
        let again = self.again.filter(|_| !self.nominated && self.nominating.is_none());
        again.into_iter().chain(self.consent_due())
    }

    /// When something is to be done for its consent.
    pub(super) fn consent_due(&self) -> Option<u64> {
        self.selected.map(|_| self.next.min(self.until))
    }

    /// Whether a request for consent has that ID; it counts once.
    pub(super) fn answered(&mut self, id: &[u8; 12]) -> bool {
        let slot = self.open.iter_mut().find(|slot| slot.as_ref() == Some(id));
        slot.is_some_and(|slot| slot.take().is_some())
    }
}

impl Agent {
    /// Media of a component goes by that pair from now on.
    pub(super) fn select(&mut self, at: usize, now: u64) {
        let Some((pair, to)) = self.pairs.pairs.get(at).zip(self.pairs.address(at)) else { return };
        let (component, via, local) = (pair.component, pair.via, pair.local);
        let Some(remote) = self.pairs.remotes.get(pair.remote).map(|remote| remote.kind) else { return };
        let path = self.path(component);
        if path.selected == Some(at) {
            return;
        }
        (path.selected, path.until) = (Some(at), now + CONSENT_MILLIS);
        path.open = Default::default();
        self.schedule(component, now);
        self.events.push_back(Event::Selected(component, via, to, (local, remote)));
    }

    fn schedule(&mut self, component: Component, now: u64) {
        let spread = u64::try_from(self.chance.below(SPREAD_MILLIS)).unwrap_or_default();
        self.path(component).next = now + INTERVAL_MILLIS + spread;
    }

    /// Asks whether the peer still consents where that is due, and stops where it has not for 30 s.
    pub(super) fn look_for_consent(&mut self, now: u64) {
        for component in self.components() {
            let path = self.path(component);
            let Some(at) = path.selected else { continue };
            if now >= path.until {
                path.selected = None;
                self.pairs.set(at, State::Failed);
                self.events.push_back(Event::Lost(component));
                continue;
            }
            if now < path.next {
                continue;
            }
            let Some((pair, to)) = self.pairs.pairs.get(at).zip(self.pairs.address(at)) else { continue };
            let via = pair.via;
            // Each is a transaction of its own that is not repeated (RFC 7675 §5.1).
            let id = self.id();
            let octets = self.request(component, &id, false);
            let path = self.path(component);
            let place = path.oldest % OPEN;
            path.oldest = place + 1;
            if let Some(slot) = path.open.get_mut(place) {
                *slot = Some(id);
            }
            self.schedule(component, now);
            self.out.push_back(Datagram { component, via, to, octets });
        }
    }
}
