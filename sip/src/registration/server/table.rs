//! The bindings of every address-of-record.

use super::aor::Aor;
use super::binding::{Binding, BindingId};
use super::change::{Change, ContactEvent};
use super::gruu::{self, GruuKeys, InstanceNo, Meaning};
use super::plan::Plan;
use super::terms::Limits;
use crate::Map;
use crate::time::{Mono, Now};
use sip_types::Uri;
use slotmap::SlotMap;
use std::collections::BTreeSet;

slotmap::new_key_type! {
    struct AorKey;
}

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

/// What is kept of an address-of-record.
pub(super) struct Record {
    pub(super) aor: Aor,
    pub(super) bindings: Vec<Binding>,
    pub(super) instances: Vec<Instance>,
    /// When the first of its bindings ends, as the timers have it.
    ends: Mono,
}

/// What a URI of our domain leads to.
#[derive(Debug)]
pub enum Resolved<'a> {
    /// The bindings to try, best first: by preference, then the newest; of an instance only the flow that was
    /// refreshed last (RFC 5626 §7). None if nothing is bound.
    Bindings(Vec<&'a Binding>),
    /// A GRUU that is void, or not of our making (404: RFC 5627 §5.1).
    Void,
}

/// Every binding.
pub struct Registrar {
    records: SlotMap<AorKey, Record>,
    by_aor: Map<Aor, AorKey>,
    by_instance: Map<InstanceNo, AorKey>,
    /// When the first binding of each address-of-record ends.
    timers: BTreeSet<(Mono, AorKey)>,
    bindings: usize,
    pub(super) limits: Limits,
}

impl Registrar {
    /// Without bindings. `hasher` is seeded by the shell.
    #[must_use]
    pub fn new(limits: Limits, hasher: &ahash::RandomState) -> Self {
        Self {
            records: SlotMap::with_key(),
            by_aor: Map::with_hasher(hasher.clone()),
            by_instance: Map::with_hasher(hasher.clone()),
            timers: BTreeSet::new(),
            bindings: 0,
            limits,
        }
    }

    /// Takes other limits; what is bound stays.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
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

    /// Bindings of all addresses-of-record.
    #[must_use]
    pub fn bindings(&self) -> usize {
        self.bindings
    }

    pub(super) fn record(&self, aor: &Aor) -> Option<&Record> {
        self.records.get(*self.by_aor.get(aor)?)
    }

    /// The bindings of an address-of-record, in the order that they were made.
    #[must_use]
    pub fn of(&self, aor: &Aor) -> &[Binding] {
        self.record(aor).map(|r| &*r.bindings).unwrap_or_default()
    }

    /// Every address-of-record with its bindings.
    pub fn iter(&self) -> impl Iterator<Item = (&Aor, &[Binding])> {
        self.records.values().map(|r| (&r.aor, &*r.bindings))
    }

    /// What a URI of our domain leads to: an address-of-record, or a GRUU (RFC 5627 §5.4).
    #[must_use]
    pub fn resolve(&self, now: Now, uri: &Uri, keys: &GruuKeys) -> Resolved<'_> {
        if !uri.has_param("gr") {
            let bindings = Aor::of(uri).map(|aor| self.of(&aor)).unwrap_or_default();
            return Resolved::Bindings(targets(now, bindings, None));
        }
        match gruu::read(keys, uri) {
            Some(Meaning::Public(aor, urn)) => Resolved::Bindings(targets(now, self.of(&aor), Some(&urn))),
            Some(Meaning::Temporary(no)) => self.by_number(now, no),
            None => Resolved::Void,
        }
    }

    fn by_number(&self, now: Now, no: InstanceNo) -> Resolved<'_> {
        let record = self.by_instance.get(&no).and_then(|key| self.records.get(*key));
        let Some(record) = record else { return Resolved::Void };
        match record.instances.iter().find(|i| i.no == no) {
            Some(instance) => Resolved::Bindings(targets(now, &record.bindings, Some(&instance.urn))),
            None => Resolved::Void,
        }
    }

    /// Makes a plan true. The plan must be of this state: nothing was committed for its address-of-record since.
    pub fn commit(&mut self, plan: Plan) -> Change {
        let (change, bindings, instances) = plan.into_change();
        let key = self.by_aor.get(&change.aor).copied();
        if let Some(key) = key {
            self.forget(key);
        }
        if bindings.is_empty() {
            return change;
        }
        self.bindings += bindings.len();
        let ends = bindings.iter().map(|b| b.ends).min().unwrap_or_default();
        let numbers: Vec<InstanceNo> = instances.iter().map(|i| i.no).collect();
        let aor = change.aor.clone();
        let key = self.records.insert(Record { aor: aor.clone(), bindings, instances, ends });
        self.by_aor.insert(aor, key);
        self.by_instance.extend(numbers.into_iter().map(|no| (no, key)));
        self.timers.insert((ends, key));
        change
    }

    fn forget(&mut self, key: AorKey) {
        let Some(record) = self.records.remove(key) else { return };
        self.by_aor.remove(&record.aor);
        for instance in &record.instances {
            self.by_instance.remove(&instance.no);
        }
        self.timers.remove(&(record.ends, key));
        self.bindings -= record.bindings.len();
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The next address-of-record whose bindings have come to their end, without them; `None` when there is none.
    pub fn handle_timeout(&mut self, now: Now) -> Option<Change> {
        let (_, key) = *self.timers.first().filter(|(at, _)| *at <= now.mono)?;
        let aor = self.records.get(key)?.aor.clone();
        self.end(&aor, ContactEvent::Expired, |b| b.ends <= now.mono)
    }

    /// Ends bindings; `None` if none was meant.
    pub fn end(
        &mut self,
        aor: &Aor,
        event: ContactEvent,
        meant: impl Fn(&Binding) -> bool,
    ) -> Option<Change> {
        let record = self.record(aor)?;
        let (gone, bindings): (Vec<_>, Vec<_>) = record.bindings.iter().cloned().partition(meant);
        if gone.is_empty() {
            return None;
        }
        let mut instances = record.instances.clone();
        instances.retain(|i| bindings.iter().any(|b| b.instance.as_ref() == Some(&i.urn)));
        let contacts = gone.into_iter().map(|b| (b, event)).collect();
        Some(self.commit(Plan { aor: aor.clone(), bindings, instances, contacts }))
    }

    /// Puts back what was kept, such as after a restart: bindings that are over are left out.
    pub fn restore(&mut self, now: Now, aor: Aor, mut bindings: Vec<Binding>, mut instances: Vec<Instance>) {
        bindings.retain(|b| b.expires > now.wall);
        instances.retain(|i| bindings.iter().any(|b| b.instance.as_ref() == Some(&i.urn)));
        self.commit(Plan { aor, bindings, instances, contacts: Vec::new() });
    }

    /// The instances of an address-of-record, to be kept beside its bindings.
    #[must_use]
    pub fn instances(&self, aor: &Aor) -> &[Instance] {
        self.record(aor).map(|r| &*r.instances).unwrap_or_default()
    }

    /// The binding with that name.
    #[must_use]
    pub fn binding(&self, aor: &Aor, id: BindingId) -> Option<&Binding> {
        self.of(aor).iter().find(|b| b.id == id)
    }
}

/// The bindings to try, in order.
fn targets<'a>(now: Now, bindings: &'a [Binding], instance: Option<&str>) -> Vec<&'a Binding> {
    let live =
        |b: &&Binding| b.ends > now.mono && instance.is_none_or(|urn| b.instance.as_deref() == Some(urn));
    let mut all: Vec<&Binding> = bindings.iter().filter(live).collect();
    all.sort_by_key(|b| std::cmp::Reverse((b.q, b.refreshed, b.id)));
    let mut seen: Vec<&str> = Vec::new();
    all.retain(|b| match (&b.instance, b.reg_id) {
        (Some(urn), Some(_)) => {
            let first = !seen.contains(&&**urn);
            seen.push(urn);
            first
        }
        _ => true,
    });
    all
}
