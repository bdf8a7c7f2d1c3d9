//! Registrations under another configuration, and in a drain.

use super::request::Plan;
use super::{Registrant, RegistrantId};
use crate::shard::Core;
use crate::snapshot::Snapshot;
use sip::registration::client::{Send, Stage};
use sip::time::Now;
use std::sync::Arc;

impl Core {
    /// Takes the registrations of another configuration: those of the same binding go on, others are removed or made.
    pub(crate) fn follow_registrants(&mut self, now: Now, snapshot: &Arc<Snapshot>) {
        let known: Vec<RegistrantId> = self.registrants.by_trunk.values().copied().collect();
        for id in known {
            let send = match self.registrants.all.get_mut(id) {
                Some(registrant) if registrant.goes_on(snapshot) => {
                    let (send, moved) = registrant.adopt(snapshot);
                    if moved {
                        self.let_go_of_flow(id);
                    }
                    send
                }
                Some(registrant) => {
                    self.registrants.by_trunk.remove(&(registrant.trunk.clone(), registrant.number));
                    self.common.standings.remove(&registrant.trunk, registrant.number);
                    // Another trunk has the binding now: a removal could come after it was made.
                    if registrant.plan().is_some_and(|plan| plan.is_kept_by(snapshot)) {
                        self.forget_registrant(id);
                        continue;
                    }
                    registrant.leave(now)
                }
                None => continue,
            };
            self.send_register(now, id, send);
        }
        if self.drain.is_none() {
            self.registrants.enter_new(now, snapshot, &mut *self.ids);
        }
    }

    /// The node drains: bindings are removed, unless they are to stay.
    pub(crate) fn unregister_all(&mut self, now: Now) {
        let known: Vec<RegistrantId> = self.registrants.by_trunk.values().copied().collect();
        for id in known {
            let Some(registrant) = self.registrants.all.get_mut(id) else { continue };
            if registrant.plan().is_some_and(|plan| plan.register.unregister) {
                (registrant.begins, registrant.rests) = (None, false);
                let send = registrant.machine.stop(now);
                self.send_register(now, id, send);
            }
        }
    }

    /// The drain is over: what is under way is given up.
    pub(crate) fn abandon_registrants(&mut self) {
        let all: Vec<RegistrantId> = self.registrants.all.keys().collect();
        for id in all {
            self.forget_registrant(id);
        }
        self.registrants.by_trunk.clear();
    }
}

impl Registrant {
    /// Whether a configuration has the same binding.
    fn goes_on(&self, snapshot: &Snapshot) -> bool {
        let (before, after) = (self.plan(), Plan::of(&self.trunk, self.number, snapshot));
        before.zip(after).is_some_and(|(before, after)| before.is_same_binding(&after))
    }

    /// Goes on under another configuration. Where the last attempt failed, or the registrars are others, the next one
    /// comes at once: that may be what was mended. Tells whether the registrars are others.
    fn adopt(&mut self, snapshot: &Arc<Snapshot>) -> (Option<Send>, bool) {
        let before = std::mem::replace(&mut self.snapshot, snapshot.clone());
        let (before, after) = (Plan::of(&self.trunk, self.number, &before), self.plan());
        let Some((before, after)) = before.zip(after) else { return (None, false) };
        let moved = before.registrars() != after.registrars();
        let asks = |plan: &Plan<'_>| (plan.register.expires, plan.register.gruu);
        let (asks_otherwise, settings) = (asks(&before) != asks(&after), after.settings());
        self.machine.adopt(settings);
        if moved {
            self.at = 0;
        }
        let anew = match self.machine.stage() {
            Stage::Retry(..) => true,
            Stage::Refresh(_) => moved || asks_otherwise,
            Stage::Idle | Stage::Sending | Stage::Removing => false,
        };
        (if anew { self.machine.start() } else { None }, moved)
    }

    /// Ends: only the binding is still removed.
    fn leave(&mut self, now: Now) -> Option<Send> {
        (self.leaving, self.begins, self.rests) = (true, None, false);
        self.machine.stop(now)
    }
}
