//! Registrations under another configuration, and in a drain.

use super::request::Plan;
use super::{Registrant, RegistrantId};
use crate::shard::Core;
use crate::snapshot::Snapshot;
use config::TrunkName;
use sip::registration::client::{Send, Stage};
use sip::time::Now;
use std::net::IpAddr;
use std::sync::Arc;

impl Core {
    /// Takes the registrations of another configuration: those of the same binding go on, others are removed, then made.
    pub(crate) fn follow_registrants(&mut self, now: Now, snapshot: &Arc<Snapshot>) {
        let mut registrars = Vec::new();
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
                    self.common.standings.remove(&registrant.trunk, registrant.number, self.shard);
                    registrars.extend(registrant.registrar_of_next(snapshot));
                    // Another trunk has the binding now, which is no more to be removed.
                    if registrant.is_handed_on(snapshot) {
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
            self.keep_registrars(now, registrars);
            self.wake_abandoned(now);
        }
    }

    /// The node drains: bindings are removed, unless they are to stay.
    pub(crate) fn unregister_all(&mut self, now: Now) {
        let known: Vec<RegistrantId> = self.registrants.by_trunk.values().copied().collect();
        for id in known {
            let Some(registrant) = self.registrants.all.get_mut(id) else { continue };
            if registrant.plan().is_some_and(|plan| plan.register.unregister) {
                (registrant.begins, registrant.rests, registrant.held_back) = (None, false, false);
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

    /// Whether a configuration has the same binding for another trunk, and nothing is under way that removes it.
    fn is_handed_on(&self, snapshot: &Snapshot) -> bool {
        self.machine.stage() != Stage::Removing && self.plan().is_some_and(|plan| plan.is_kept_by(snapshot))
    }

    /// The registrar that has answered, if a configuration registers the same address with the trunk by other bindings.
    fn registrar_of_next(&self, snapshot: &Snapshot) -> Option<(TrunkName, IpAddr)> {
        let trunk = snapshot.config().trunks.get(&self.trunk)?;
        let register = trunk.register.as_ref()?;
        let is_same = self.plan().is_some_and(|plan| plan.is_same_address(trunk, register));
        self.peer.filter(|_| is_same).map(|peer| (self.trunk.clone(), peer))
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
            (self.at, self.moved) = (0, self.machine.stage() == Stage::Sending);
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
        (self.leaving, self.begins, self.rests, self.held_back) = (true, None, false, false);
        self.machine.stop(now)
    }
}
