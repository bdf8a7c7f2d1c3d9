//! The registrar: who writes the bindings of the addresses-of-record that are at home in its shard.

use super::aor::Aor;
use super::binding::{Binding, BindingId};
use super::change::{Change, ContactEvent};
use super::directory::{Directory, Instance, Record};
use super::plan::Plan;
use super::terms::Limits;
use crate::time::{Mono, Now};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The writer of bindings.
pub struct Registrar {
    pub(super) directory: Arc<Directory>,
    /// When the first binding of each address-of-record ends.
    timers: BTreeSet<(Mono, Aor)>,
    bindings: usize,
    pub(super) limits: Limits,
}

impl Registrar {
    /// One that writes into this directory.
    #[must_use]
    pub fn new(limits: Limits, directory: Arc<Directory>) -> Self {
        Self { directory, timers: BTreeSet::new(), bindings: 0, limits }
    }

    /// Takes other limits; what is bound stays.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// What it writes into.
    #[must_use]
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Addresses-of-record of this shard that have bindings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timers.len()
    }

    /// Whether nothing is bound.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    /// Addresses-of-record of this shard that have bindings, those whose first binding ends first before the others.
    pub fn aors(&self) -> impl Iterator<Item = &Aor> {
        self.timers.iter().map(|(_, aor)| aor)
    }

    /// Bindings of all addresses-of-record of this shard.
    #[must_use]
    pub fn bindings(&self) -> usize {
        self.bindings
    }

    /// Makes a plan true. No other plan may have been committed for its address-of-record since it was made. What has ended
    /// since, such as by its time, has ended: it is neither bound again nor ended once more.
    pub fn commit(&mut self, mut plan: Plan) -> Change {
        let before = self.directory.record(&plan.aor);
        let mut bound: BTreeSet<BindingId> =
            before.iter().flat_map(|record| &record.bindings).map(|b| b.id).collect();
        plan.contacts.retain_mut(|(binding, event)| {
            if !event.is_active() {
                return bound.remove(&binding.id);
            }
            if bound.insert(binding.id) && *event == ContactEvent::Refreshed {
                *event = ContactEvent::Registered;
            }
            true
        });
        plan.bindings.retain(|b| bound.contains(&b.id));
        plan.instances = used(&plan.instances, &plan.bindings);
        self.put(plan)
    }

    fn put(&mut self, plan: Plan) -> Change {
        let Plan { aor, bindings, instances, contacts } = plan;
        if let Some(before) = self.directory.record(&aor) {
            self.timers.remove(&(first_end(&before.bindings), aor.clone()));
            self.bindings -= before.bindings.len();
        }
        let terminated = bindings.is_empty();
        if terminated {
            self.directory.put(&aor, None);
        } else {
            self.bindings += bindings.len();
            self.timers.insert((first_end(&bindings), aor.clone()));
            let record = Record { aor: aor.clone(), bindings: bindings.into(), instances: instances.into() };
            self.directory.put(&aor, Some(record));
        }
        Change { aor, contacts, terminated }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The next address-of-record whose bindings have come to their end, without them; `None` when there is none.
    pub fn handle_timeout(&mut self, now: Now) -> Option<Change> {
        let (_, aor) = self.timers.first().filter(|(at, _)| *at <= now.mono)?;
        let aor = aor.clone();
        self.end(&aor, ContactEvent::Expired, |b| b.ends <= now.mono)
    }

    /// Ends bindings; `None` if none was meant.
    pub fn end(
        &mut self,
        aor: &Aor,
        event: ContactEvent,
        meant: impl Fn(&Binding) -> bool,
    ) -> Option<Change> {
        let record = self.directory.record(aor)?;
        let (gone, bindings): (Vec<_>, Vec<_>) = record.bindings.iter().cloned().partition(|b| meant(b));
        if gone.is_empty() {
            return None;
        }
        let instances = used(&record.instances, &bindings);
        let contacts = gone.into_iter().map(|b| (b, event)).collect();
        Some(self.put(Plan { aor: aor.clone(), bindings, instances, contacts }))
    }

    /// Puts back what was kept, such as after a restart: bindings that are over are left out.
    pub fn restore(&mut self, now: Now, aor: Aor, bindings: Vec<Binding>, instances: &[Instance]) {
        let bindings: Vec<_> = bindings.into_iter().filter(|b| b.expires > now.wall).map(Arc::new).collect();
        let instances = used(instances, &bindings);
        self.put(Plan { aor, bindings, instances, contacts: Vec::new() });
    }
}

/// The instances that a binding has.
pub(super) fn used(instances: &[Instance], bindings: &[Arc<Binding>]) -> Vec<Instance> {
    let is_used = |i: &&Instance| bindings.iter().any(|b| b.instance.as_ref() == Some(&i.urn));
    instances.iter().filter(is_used).cloned().collect()
}

fn first_end(bindings: &[Arc<Binding>]) -> Mono {
    bindings.iter().map(|b| b.ends).min().unwrap_or_default()
}
