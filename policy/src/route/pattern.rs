use std::collections::BTreeMap;

use bytestring::ByteString;
use config::Pattern;

use crate::route::party::Party;
use crate::route::prefix::PrefixTable;

/// Values by pattern, found from the most specific pattern that matches to the least.
#[derive(Debug)]
pub(crate) struct PatternTable<T> {
    /// By user: URIs are equal only if their users are.
    uris: BTreeMap<ByteString, Vec<Entry<T>>>,
    /// By user, then host.
    pairs: BTreeMap<ByteString, BTreeMap<ByteString, Entry<T>>>,
    users: BTreeMap<ByteString, Entry<T>>,
    prefixes: PrefixTable<Option<Entry<T>>>,
    domains: BTreeMap<ByteString, Entry<T>>,
    any: Option<Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    pattern: Pattern,
    value: T,
}

impl<T: Default> Entry<T> {
    fn new(pattern: &Pattern) -> Self {
        Self { pattern: pattern.clone(), value: T::default() }
    }
}

impl<T> Default for PatternTable<T> {
    fn default() -> Self {
        Self {
            uris: BTreeMap::new(),
            pairs: BTreeMap::new(),
            users: BTreeMap::new(),
            prefixes: PrefixTable::default(),
            domains: BTreeMap::new(),
            any: None,
        }
    }
}

impl<T: Default> PatternTable<T> {
    pub(crate) fn entry(&mut self, pattern: &Pattern) -> &mut T {
        let new = || Entry::new(pattern);
        let entry = match pattern {
            Pattern::Any => self.any.get_or_insert_with(new),
            Pattern::Domain(host) => self.domains.entry(host.clone()).or_insert_with(new),
            Pattern::Prefix(prefix) => self.prefixes.entry(prefix).get_or_insert_with(new),
            Pattern::User(user) => self.users.entry(user.clone()).or_insert_with(new),
            Pattern::UserAtHost { user, host } => {
                self.pairs.entry(user.clone()).or_default().entry(host.clone()).or_insert_with(new)
            }
            // Equality of URIs is not transitive, so every one has an entry of its own.
            Pattern::Uri(uri) => {
                let same_user = self.uris.entry((&*Party::new(uri).user).into()).or_default();
                return &mut same_user.push_mut(new()).value;
            }
        };
        &mut entry.value
    }

    /// Makes what was entered findable.
    pub(crate) fn finish(&mut self) {
        self.prefixes.finish();
    }

    /// Shows `visit` what matches, the most specific first, until it makes something of it.
    pub(crate) fn find<R>(
        &self,
        party: &Party<'_>,
        mut visit: impl FnMut(&Pattern, &T) -> Option<R>,
    ) -> Option<R> {
        let (user, host) = (&*party.user, party.host.as_str());
        let uris = self.uris.get(user).into_iter().flatten().filter(|entry| party.matches(&entry.pattern));
        let pair = self.pairs.get(user).and_then(|hosts| hosts.get(host));
        uris.chain(pair)
            .chain(self.users.get(user))
            .chain(self.prefixes.matches(user).flatten())
            .chain(self.domains.get(host))
            .chain(&self.any)
            .find_map(|entry| visit(&entry.pattern, &entry.value))
    }
}
