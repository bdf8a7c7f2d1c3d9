//! When a registrant begins: while no other flow of its trunk must stand alone, and once the bindings are removed that its own
//! could be taken for.

use super::request::Plan;
use super::{Registrant, RegistrantId, Registrants};
use crate::shard::Core;
use config::TrunkName;
use sip::registration::client::{Send, Stage};
use sip::time::Now;
use std::net::IpAddr;

impl Core {
    /// Begins, or waits for what it must not come before.
    pub(super) fn begin_registrant(&mut self, now: Now, id: RegistrantId) {
        let waits_for_another = self.registrants.others(id).any(|(_, other)| other.stands_alone(now));
        let waits_for_removal = self.registrants.is_held_back(id);
        let Some(registrant) = self.registrants.all.get_mut(id) else { return };
        if waits_for_another || waits_for_removal {
            registrant.wait(waits_for_removal);
            return self.tell_registrant(now, id);
        }
        let send = registrant.begin();
        self.send_register(now, id, send);
    }

    /// A binding was removed: what waited for that begins.
    pub(super) fn wake_held_back(&mut self, now: Now) {
        if self.drain.is_some() {
            return;
        }
        let all = self.registrants.by_trunk.values();
        let is_held_back = |id: &RegistrantId| self.registrants.all.get(*id).is_some_and(|of| of.held_back);
        for id in all.copied().filter(is_held_back).collect::<Vec<_>>() {
            self.begin_registrant(now, id);
        }
    }

    /// Of the trunks whose flows all rest, as the one that they rested for has left, the first begins.
    pub(super) fn wake_abandoned(&mut self, now: Now) {
        let mut resting = Vec::new();
        let mut last: Option<(&TrunkName, bool)> = None;
        for ((trunk, _), id) in &self.registrants.by_trunk {
            let rests = self.registrants.all.get(*id).is_some_and(|of| of.is_at_rest());
            match last {
                Some((name, all_rest)) if name == trunk => {
                    if all_rest && !rests {
                        resting.pop();
                    }
                    last = Some((trunk, all_rest && rests));
                }
                Some(_) | None => {
                    resting.extend(rests.then_some(*id));
                    last = Some((trunk, rests));
                }
            }
        }
        for id in resting {
            self.begin_registrant(now, id);
        }
    }

    /// The registrars that have answered trunks may call their contacts, whatever has become of the bindings.
    pub(super) fn keep_registrars(&mut self, now: Now, known: Vec<(TrunkName, IpAddr)>) {
        for (trunk, peer) in known {
            for id in self.registrants.of_trunk(&trunk).collect::<Vec<_>>() {
                if let Some(registrant) = self.registrants.all.get_mut(id).filter(|of| of.peer.is_none()) {
                    registrant.peer = Some(peer);
                    self.tell_registrant(now, id);
                }
            }
        }
    }
}

impl Registrants {
    /// Whether a binding is being removed that this one could be taken for.
    fn is_held_back(&self, id: RegistrantId) -> bool {
        let Some(plan) = self.all.get(id).and_then(Registrant::plan) else { return false };
        let mut leaving = self.all.values().filter(|of| of.leaving).filter_map(Registrant::plan);
        leaving.any(|leaving| leaving.may_be_taken_for(&plan))
    }
}

impl Registrant {
    /// Begins.
    fn begin(&mut self) -> Option<Send> {
        (self.begins, self.rests, self.held_back) = (None, false, false);
        self.machine.start()
    }

    /// Waits, for the removal of another binding or for what becomes of another flow.
    fn wait(&mut self, for_removal: bool) {
        (self.begins, self.rests, self.held_back) = (None, !for_removal, for_removal);
    }

    /// Whether it waits for what becomes of another flow.
    pub(super) fn is_at_rest(&self) -> bool {
        self.rests && self.machine.stage() == Stage::Idle
    }
}

impl Plan<'_> {
    /// Whether a registrar could take one binding for the other: by URI, as one without outbound does (RFC 3261 §10.3 step 7), or
    /// by instance (RFC 5626 §6).
    fn may_be_taken_for(&self, other: &Plan<'_>) -> bool {
        let same_contact = self.register.contact_user(self.name) == other.register.contact_user(other.name);
        let same_instance = self.flow_of().is_some() && self.flow_of() == other.flow_of();
        self.is_same_address(other.trunk, other.register) && (same_contact || same_instance)
    }
}
