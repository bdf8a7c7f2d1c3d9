//! A bounded table that forgets what was touched longest ago.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

#[derive(Debug)]
pub(super) struct Recent<K, V, S> {
    entries: HashMap<K, (u64, V), S>,
    /// By turn, the oldest first.
    order: BTreeMap<u64, K>,
    turn: u64,
}

impl<K: Copy + Eq + Hash, V, S: BuildHasher> Recent<K, V, S> {
    pub(super) fn new(hasher: S) -> Self {
        Self { entries: HashMap::with_hasher(hasher), order: BTreeMap::new(), turn: 0 }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, (_, value))| (key, value))
    }

    /// Puts an entry at the end; what is forgotten for it, beyond `most` entries, is given to `forgotten`.
    pub(super) fn put(&mut self, key: K, value: V, most: usize, mut forgotten: impl FnMut(V)) {
        self.take(&key);
        while self.entries.len() >= most.max(1) {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.entries.remove(&oldest).into_iter().for_each(|(_, value)| forgotten(value));
        }
        self.turn += 1;
        self.entries.insert(key, (self.turn, value));
        self.order.insert(self.turn, key);
    }

    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        let (turn, value) = self.entries.remove(key)?;
        self.order.remove(&turn);
        Some(value)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.order.len());
        self.entries.len()
    }
}
