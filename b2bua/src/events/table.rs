//! The subscriptions of a shard that are carried.

use super::{Bridged, Life, Side};
use sip::session::SessionId;
use sip::time::{Mono, Now};
use slotmap::SlotMap;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

slotmap::new_key_type! {
    /// Names a subscription that is carried.
    pub(crate) struct BridgeKey;
}

/// Subscriptions, found by the sessions of their two dialogs, and by when they want to be heard.
pub(crate) struct Subscriptions {
    all: SlotMap<BridgeKey, Entry>,
    by_session: HashMap<SessionId, (BridgeKey, Side), ahash::RandomState>,
    /// In the order in which they began.
    by_number: BTreeMap<u64, BridgeKey>,
    numbered: u64,
    timers: BTreeSet<(Mono, BridgeKey)>,
}

struct Entry {
    bridged: Bridged,
    number: u64,
    /// Its place in `timers`.
    armed: Option<Mono>,
}

impl Subscriptions {
    pub(crate) fn new(hasher: &ahash::RandomState) -> Self {
        Self {
            all: SlotMap::with_key(),
            by_session: HashMap::with_hasher(hasher.clone()),
            by_number: BTreeMap::new(),
            numbered: 0,
            timers: BTreeSet::new(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Takes a subscription in.
    pub(super) fn enter(&mut self, bridged: Bridged) -> BridgeKey {
        let sessions = [Side::Subscriber, Side::Notifier].map(|side| (side, bridged.usage(side).session));
        self.numbered += 1;
        let number = self.numbered;
        let key = self.all.insert(Entry { bridged, number, armed: None });
        self.by_number.insert(number, key);
        for (side, session) in sessions {
            self.by_session.insert(session, (key, side));
        }
        self.rearm(key);
        key
    }

    /// Which one a session is of, and of which side.
    pub(super) fn of(&self, session: SessionId) -> Option<(BridgeKey, Side)> {
        self.by_session.get(&session).copied()
    }

    /// One, to look at.
    pub(super) fn get(&self, key: BridgeKey) -> Option<&Bridged> {
        self.all.get(key).map(|entry| &entry.bridged)
    }

    /// Changes one, and what it waits for.
    pub(super) fn with<T>(&mut self, key: BridgeKey, change: impl FnOnce(&mut Bridged) -> T) -> Option<T> {
        let outcome = change(&mut self.all.get_mut(key)?.bridged);
        self.rearm(key);
        Some(outcome)
    }

    fn rearm(&mut self, key: BridgeKey) {
        let Some(entry) = self.all.get_mut(key) else { return };
        let next = entry.bridged.poll_timeout();
        if next == entry.armed {
            return;
        }
        if let Some(at) = std::mem::replace(&mut entry.armed, next) {
            self.timers.remove(&(at, key));
        }
        if let Some(at) = next {
            self.timers.insert((at, key));
        }
    }

    /// The usage of one side is over: its session. The subscription goes with the last one.
    pub(super) fn close(&mut self, key: BridgeKey, side: Side) -> Option<SessionId> {
        let usage = self.all.get_mut(key)?.bridged.usage_mut(side);
        if std::mem::replace(&mut usage.life, Life::Over) == Life::Over {
            return None;
        }
        let session = usage.session;
        self.by_session.remove(&session);
        let is_over = self.get(key).is_some_and(|bridged| {
            [&bridged.subscriber, &bridged.notifier].iter().all(|usage| usage.life == Life::Over)
        });
        if is_over && let Some(entry) = self.all.remove(key) {
            self.by_number.remove(&entry.number);
            if let Some(at) = entry.armed {
                self.timers.remove(&(at, key));
            }
        }
        Some(session)
    }

    /// All of them.
    pub(super) fn keys(&self) -> Vec<BridgeKey> {
        self.by_number.values().copied().collect()
    }

    /// Those that began after the one with that number, in order.
    pub(super) fn after(&self, number: Option<u64>) -> impl Iterator<Item = (u64, &Bridged)> {
        let start = number.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.by_number.range((start, Bound::Unbounded));
        found.filter_map(|(number, key)| Some((*number, self.get(*key)?)))
    }

    /// When the next one wants to be heard.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Those that want to be heard now.
    pub(super) fn due(&self, now: Now) -> Vec<BridgeKey> {
        self.timers.iter().take_while(|(at, _)| *at <= now.mono).map(|(_, key)| *key).collect()
    }
}
