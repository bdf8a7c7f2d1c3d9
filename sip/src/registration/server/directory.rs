//! The bindings of every address-of-record, read by all shards without locks.

use super::aor::Aor;
use super::binding::{Binding, BindingId};
use super::gruu::{self, GruuKeys, InstanceNo, Meaning};
use crate::time::Now;
use sip_types::Uri;
use std::sync::Arc;

/// An instance and the number that its temporary GRUUs carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its URN.
    pub urn: Box<str>,
    /// The number of its temporary GRUUs that are good.
    pub no: InstanceNo,
    /// CSeq of the REGISTER that the first of them was made for (RFC 5628 §5).
    pub first_cseq: u32,
}

/// What is kept of an address-of-record. It never changes: another one takes its place.
#[derive(Debug)]
pub struct Record {
    /// The address-of-record.
    pub aor: Aor,
    /// Its bindings, in the order that they were made; never empty.
    pub bindings: Box<[Arc<Binding>]>,
    /// Its instances.
    pub instances: Box<[Instance]>,
}

/// What a URI of our domain leads to.
#[derive(Debug)]
pub enum Resolved {
    /// The devices to try, best first: by preference, then the newest. None if nothing is bound.
    Bindings(Vec<Target>),
    /// A GRUU that is void, or not of our making (404: RFC 5627 §5.1).
    Void,
}

/// A device to try. Bindings of one instance are ways to the same one, and never tried beside each other (RFC 5626 §7).
#[derive(Clone, Debug)]
pub struct Target {
    record: Arc<Record>,
    at: usize,
    /// Further bindings of its instance.
    others: Box<[usize]>,
}

impl Target {
    /// The address-of-record that it is bound to.
    #[must_use]
    pub fn aor(&self) -> &Aor {
        &self.record.aor
    }

    /// Its binding, of several the one that was refreshed last.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "`at` is a place in these very bindings, which never change")]
    pub fn binding(&self) -> &Binding {
        &self.record.bindings[self.at]
    }

    /// Every binding of it, the one that was refreshed last before the others.
    pub fn bindings(&self) -> impl Iterator<Item = &Binding> {
        let others = self.others.iter().filter_map(|at| self.record.bindings.get(*at)).map(Arc::as_ref);
        std::iter::once(self.binding()).chain(others)
    }
}

/// All records. Each address-of-record has one writer, the [`Registrar`](super::Registrar) of its home shard.
pub struct Directory {
    records: papaya::HashMap<Aor, Arc<Record>, ahash::RandomState>,
    by_instance: papaya::HashMap<InstanceNo, Aor, ahash::RandomState>,
}

impl Directory {
    /// Without bindings. `hasher` is seeded by the shell.
    #[must_use]
    pub fn new(hasher: &ahash::RandomState) -> Self {
        Self {
            records: papaya::HashMap::with_hasher(hasher.clone()),
            by_instance: papaya::HashMap::with_hasher(hasher.clone()),
        }
    }

    /// Addresses-of-record that have bindings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing is bound.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// What is kept of an address-of-record, if anything is bound to it.
    #[must_use]
    pub fn record(&self, aor: &Aor) -> Option<Arc<Record>> {
        self.records.pin().get(aor).cloned()
    }

    /// Every record, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Record>> {
        self.records.pin().values().cloned().collect()
    }

    /// The binding with that name.
    #[must_use]
    pub fn binding(&self, aor: &Aor, id: BindingId) -> Option<Target> {
        let record = self.record(aor)?;
        let at = record.bindings.iter().position(|b| b.id == id)?;
        Some(Target { record, at, others: Box::default() })
    }

    /// What a URI of our domain leads to: an address-of-record, or a GRUU (RFC 5627 §5.4).
    #[must_use]
    pub fn resolve(&self, now: Now, uri: &Uri, keys: &GruuKeys) -> Resolved {
        let targets = |aor: Option<Aor>, urn: Option<&str>| {
            let record = aor.and_then(|aor| self.record(&aor));
            Resolved::Bindings(record.map(|record| targets(now, &record, urn)).unwrap_or_default())
        };
        if !uri.has_param("gr") {
            return targets(Aor::of(uri), None);
        }
        match gruu::read(keys, uri) {
            Some(Meaning::Public(aor, urn)) => targets(Some(aor), Some(&urn)),
            Some(Meaning::Temporary(no)) => self.by_number(now, no),
            None => Resolved::Void,
        }
    }

    fn by_number(&self, now: Now, no: InstanceNo) -> Resolved {
        let aor = self.by_instance.pin().get(&no).cloned();
        let Some(record) = aor.and_then(|aor| self.record(&aor)) else { return Resolved::Void };
        match record.instances.iter().find(|i| i.no == no) {
            Some(instance) => Resolved::Bindings(targets(now, &record, Some(&instance.urn))),
            None => Resolved::Void,
        }
    }

    /// Puts a record in the place of the one before, or takes that out.
    pub(super) fn put(&self, aor: &Aor, record: Option<Record>) {
        let numbers = self.by_instance.pin();
        let before = self.record(aor);
        let before = before.iter().flat_map(|before| &before.instances).map(|instance| instance.no);
        let now = record.iter().flat_map(|record| &record.instances).map(|instance| instance.no);
        // Those that stay are there at every moment: other shards look.
        for no in before.clone().filter(|no| !now.clone().any(|stays| stays == *no)) {
            numbers.remove(&no);
        }
        for no in now.filter(|no| !before.clone().any(|known| known == *no)) {
            numbers.insert(no, aor.clone());
        }
        match record {
            Some(record) => {
                self.records.pin().insert(aor.clone(), Arc::new(record));
            }
            None => {
                self.records.pin().remove(aor);
            }
        }
    }
}

/// The devices of a record to try, in order.
fn targets(now: Now, record: &Arc<Record>, instance: Option<&str>) -> Vec<Target> {
    let live =
        |b: &Binding| b.ends > now.mono && instance.is_none_or(|urn| b.instance.as_deref() == Some(urn));
    let bindings = record.bindings.iter().map(|binding| &**binding).enumerate();
    let mut newest: Vec<(usize, &Binding)> = bindings.filter(|(_, b)| live(b)).collect();
    newest.sort_by_key(|(_, b)| std::cmp::Reverse((b.refreshed, b.id)));
    let mut devices: Vec<(&Binding, Vec<usize>)> = Vec::with_capacity(newest.len());
    for (at, binding) in newest {
        let same =
            |(first, _): &&mut (&Binding, _)| first.instance.is_some() && first.instance == binding.instance;
        match devices.iter_mut().find(same) {
            Some((_, ways)) => ways.push(at),
            None => devices.push((binding, vec![at])),
        }
    }
    devices.sort_by_key(|(first, _)| std::cmp::Reverse((first.q, first.refreshed, first.id)));
    let target = |(_, ways): (_, Vec<usize>)| {
        let (at, others) = ways.split_first()?;
        Some(Target { record: record.clone(), at: *at, others: others.into() })
    };
    devices.into_iter().filter_map(target).collect()
}
