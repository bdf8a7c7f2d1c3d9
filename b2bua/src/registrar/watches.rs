//! The subscriptions of a shard.

use super::watch::Watch;
use admin_api::control::Subscription;
use sip::registration::server::{Aor, Change};
use sip::session::SessionId;
use sip::time::{Mono, Now};
use std::collections::{BTreeSet, HashMap};

/// Subscriptions, found by the session of their dialog, by address-of-record, and by when they want to be heard.
pub(crate) struct Watches {
    all: HashMap<SessionId, Entry, ahash::RandomState>,
    by_aor: HashMap<Aor, Vec<SessionId>, ahash::RandomState>,
    timers: BTreeSet<(Mono, SessionId)>,
}

struct Entry {
    watch: Watch,
    /// Its place in `timers`.
    armed: Option<Mono>,
}

impl Watches {
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self {
            all: HashMap::with_hasher(hasher.clone()),
            by_aor: HashMap::with_hasher(hasher.clone()),
            timers: BTreeSet::new(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether a session is that of a subscription.
    pub(crate) fn contains(&self, session: SessionId) -> bool {
        self.all.contains_key(&session)
    }

    /// How many tell of that address-of-record.
    pub(crate) fn of(&self, aor: &Aor) -> usize {
        self.by_aor.get(aor).map_or(0, Vec::len)
    }

    /// Takes a subscription in.
    pub(crate) fn enter(&mut self, session: SessionId, watch: Watch) {
        self.by_aor.entry(watch.subscriber.aor.clone()).or_default().push(session);
        self.all.insert(session, Entry { watch, armed: None });
        self.rearm(session);
    }

    /// Takes one out.
    pub(crate) fn leave(&mut self, session: SessionId) {
        let Some(Entry { watch, armed }) = self.all.remove(&session) else { return };
        if let Some(at) = armed {
            self.timers.remove(&(at, session));
        }
        let aor = &watch.subscriber.aor;
        if let Some(sessions) = self.by_aor.get_mut(aor) {
            sessions.retain(|other| *other != session);
            if sessions.is_empty() {
                self.by_aor.remove(aor);
            }
        }
    }

    /// One, to look at.
    pub(crate) fn get(&self, session: SessionId) -> Option<&Watch> {
        self.all.get(&session).map(|entry| &entry.watch)
    }

    /// Changes one, and what it waits for.
    pub(crate) fn with<T>(&mut self, session: SessionId, change: impl FnOnce(&mut Watch) -> T) -> Option<T> {
        let outcome = change(&mut self.all.get_mut(&session)?.watch);
        self.rearm(session);
        Some(outcome)
    }

    fn rearm(&mut self, session: SessionId) {
        let Some(entry) = self.all.get_mut(&session) else { return };
        let next = entry.watch.poll_timeout();
        if next == entry.armed {
            return;
        }
        if let Some(at) = std::mem::replace(&mut entry.armed, next) {
            self.timers.remove(&(at, session));
        }
        if let Some(at) = next {
            self.timers.insert((at, session));
        }
    }

    /// Bindings have changed: those that tell of them have news now.
    pub(crate) fn changed(&mut self, change: &Change) -> Vec<SessionId> {
        let sessions = self.by_aor.get(&change.aor).cloned().unwrap_or_default();
        for session in &sessions {
            self.with(*session, |watch| watch.changed(change));
        }
        sessions
    }

    /// Those of which that is true, in the order that they began in.
    pub(crate) fn which(&self, wanted: impl Fn(&Watch) -> bool) -> Vec<SessionId> {
        let found = self.all.iter().filter(|(_, entry)| wanted(&entry.watch));
        let mut found: Vec<_> = found.map(|(session, _)| *session).collect();
        found.sort_unstable();
        found
    }

    /// When the next one wants to be heard.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Those that want to be heard now.
    pub(crate) fn due(&self, now: Now) -> Vec<SessionId> {
        self.timers.iter().take_while(|(at, _)| *at <= now.mono).map(|(_, session)| *session).collect()
    }

    /// Those that tell of an address-of-record, as the admin API shows them.
    pub(crate) fn views(&self, aor: &Aor) -> Vec<Subscription> {
        let sessions = self.by_aor.get(aor).into_iter().flatten();
        sessions.filter_map(|session| self.get(*session)).map(Watch::view).collect()
    }
}
