//! An order becomes a call, whose first party rings.

use super::Placed;
use super::order::{Ordered, Party};
use crate::call::begin::{Begun, call_media, media_mode};
use crate::call::fork::{Fork, MAX_BREADTH};
use crate::call::incoming::route;
use crate::call::place::Place;
use crate::call::{CallFacts, CallKey, OrRefuse};
use crate::shard::Core;
use crate::snapshot::Snapshot;
use admin_api::control as api;
use admin_api::control::{ControlError, Unavailability};
use policy::{Step, Trail};
use sip::session::Reply;
use sip::time::Now;
use sip_types::header::SessionUuid;

impl Core {
    /// Places a call: its first party rings from now on.
    ///
    /// # Errors
    /// What the order cannot mean, that no way leads to one of the parties at this moment, or that there is no room for another call.
    pub(crate) fn place(&mut self, now: Now, order: &api::CallOrder) -> Result<CallKey, ControlError> {
        let placed = self.try_to_place(now, order);
        match &placed {
            Ok(_) => self.counters.placed += 1,
            Err(_) => self.counters.placed_refused += 1,
        }
        placed
    }

    fn try_to_place(&mut self, now: Now, order: &api::CallOrder) -> Result<CallKey, ControlError> {
        let snapshot = self.snapshot.clone();
        if self.drain.is_some() {
            return Err(self.unavailable(Unavailability::Draining));
        }
        let held = self.enter_call(&snapshot);
        let in_node = held.ok_or_else(|| self.unavailable(Unavailability::Overloaded))?;
        let Ordered { first, then } = Ordered::read(&snapshot, self.endpoint.settings(), order)?;
        // Nobody is rung for somebody to whom no way leads.
        let later = self.places_of_party(now, &snapshot, &then, &mut Trail::default());
        let later = later.map_err(|reply| refused(&then, &reply))?;
        let mut trail = Trail::default();
        let places = self.places_of_party(now, &snapshot, &first, &mut trail);
        let places = places.map_err(|reply| refused(&first, &reply))?;
        let profiles = || places.iter().chain(&later).map(|place| &*place.target.profile);
        let media = call_media(media_mode(profiles()), profiles(), &mut *self.ids);
        let facts = CallFacts {
            from: first.uri.to_string(),
            to: then.uri.to_string(),
            request_uri: then.uri.to_string(),
            secure: first.is_secure() || then.is_secure(),
        };
        let identifier = (u128::from(self.ids.next_u64()) << 64) | u128::from(self.ids.next_u64());
        let placed = Placed {
            network: first.network,
            profile: first.profile.clone(),
            shown: [first.shown, then.shown.clone()],
            legs: None,
            then: Some(Box::new(then)),
            first_legs: None,
            identifier: SessionUuid::random(identifier),
            refused: None,
        };
        let call = self.call_of(
            now,
            Begun {
                snapshot,
                caller: None,
                placed: Some(Box::new(placed)),
                fields: None,
                fork: Fork::new(places, MAX_BREADTH),
                media,
                facts,
                invite: Box::new(first.invite),
                wrap: Default::default(),
                trail,
                in_node,
            },
        );
        tracing::debug!(
            call = %call.id,
            first = %call.facts.from,
            then = %call.facts.to,
            route = call.trail.to_string().replace('\n', "; "),
            "a call is placed"
        );
        let key = self.enter(call);
        self.dial_more(now, key);
        let refused_by = self.calls.get_mut(key).and_then(|call| call.placed.as_mut()?.refused.take());
        if let Some(reply) = refused_by {
            // It was never a call: nobody has heard of it.
            self.leave(key);
            return Err(ControlError::OrderRefused(said("first", &order.first.uri, &reply)));
        }
        self.counters.calls += 1;
        self.carry_out_media(key);
        Ok(key)
    }

    /// Where a party is called at this moment: by the routes of who calls it.
    pub(super) fn places_of_party(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        party: &Party,
        trail: &mut Trail,
    ) -> OrRefuse<Vec<Place>> {
        trail.push(Step::Placed { to: party.uri.to_bytestring() });
        let (network, trunk) = (party.network, party.trunk.as_ref());
        let routed = route(self.registered(now, snapshot), network, trunk, &party.invite, trail);
        let found = routed.and_then(|targets| self.find(now, snapshot, targets, &party.invite, trail));
        let mut places = found?;
        for place in &mut places {
            place.ring_limit = party.ring.map_or(place.ring_limit, |ring| ring.min(place.ring_limit));
        }
        Ok(places)
    }

    /// Nobody is left who could be rung first. Where nobody was rung at all, who has placed the call is told so at once.
    pub(in crate::call) fn first_failed(&mut self, now: Now, key: CallKey, reply: Reply) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.callees.is_empty()
            && let Some(placed) = &mut call.placed
        {
            placed.refused = Some(reply);
            call.fork.clear();
            return;
        }
        self.counters.placed_first_failed += 1;
        let reason = super::then::reason_of(&reply);
        self.release_callees(now, key, &reason);
        self.finish_if_done(now, key);
    }

    fn unavailable(&self, why: Unavailability) -> ControlError {
        let retry_after =
            (why == Unavailability::Overloaded).then(|| self.snapshot.config().limits.retry_after);
        ControlError::Unavailable { component: format!("shard {}", self.shard), why, retry_after }
    }
}

fn refused(party: &Party, reply: &Reply) -> ControlError {
    ControlError::OrderRefused(said(party.place, party.uri.as_str(), reply))
}

/// Which party is not called, and with which response a caller would have been refused.
fn said(place: &str, uri: &str, reply: &Reply) -> String {
    let reason = match reply.reason.is_empty() {
        true => reply.status.reason_phrase(),
        false => &*reply.reason,
    };
    format!("{place}: a call to {uri} is refused with {} {reason}", reply.status.as_u16())
}
