//! The leg of an INVITE with Replaces, whichever place it is to take.

use crate::call::body::refuses_parts;
use crate::call::conversion::Conversion;
use crate::call::identity::takes_another_from;
use crate::call::incoming::Arrival;
use crate::call::naming::Naming;
use crate::call::{CallKey, Leg, LegNo, OrRefuse, decide};
use crate::shard::Core;
use config::Profile;
use media::{PartyId, Refusal};
use sip::session::Reply;
use sip::time::Now;
use sip_types::StatusCode;
use std::sync::Arc;

impl Core {
    /// A party of its own for who is to take a place, with what it offers, and the ports that its answer will need.
    ///
    /// # Errors
    /// The response to an offer that cannot be taken.
    pub(super) fn party_of_taker(
        &mut self,
        key: CallKey,
        arrival: &Arrival,
        profile: &Arc<Profile>,
        offer: &[u8],
    ) -> OrRefuse<PartyId> {
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let Arrival { session, network, request, .. } = arrival;
        let on_flow = self.endpoint.is_on_flow(*session);
        let call = self.calls.get_mut(key).ok_or_else(gone)?;
        let party = call.name_party();
        let snapshot = call.snapshot.clone();
        call.media.add_party(party, &decide::media_network(&snapshot, (*network, profile), on_flow));
        call.media.signalling_source(party, request.flow.peer.ip());
        let way = self.signalling_of(*session);
        self.protect(key, party, profile, way);
        let call = self.calls.get_mut(key).ok_or_else(gone)?;
        let received = call.media.receive_offer(party, offer);
        match received.and_then(|()| call.media.reserve(party, &mut *self.link)) {
            Ok(()) => Ok(party),
            Err(refusal) => Err(self.no_party(key, party, &refusal)),
        }
    }

    /// What it has offered cannot be taken: its party is no more.
    pub(super) fn no_party(&mut self, key: CallKey, party: PartyId, refusal: &Refusal) -> Box<Reply> {
        self.calls.get_mut(key).into_iter().for_each(|call| call.media.remove_party(party));
        self.counters.descriptions_refused += 1;
        Box::new(self.media_reply(refusal))
    }

    /// It is a leg of the call, which does not talk with anybody yet.
    pub(super) fn enter_taker(
        &mut self,
        now: Now,
        key: CallKey,
        (no, party): (LegNo, PartyId),
        arrival: Arrival,
        profile: Arc<Profile>,
    ) {
        let session = arrival.session;
        let label = self.label(arrival.trunk.as_ref());
        let user = self.who_sends(arrival.network, arrival.trunk.as_ref(), &arrival.request).user;
        let identifier = self.endpoint.peer_identifier(session).map(|(uuid, _)| Box::new(uuid));
        let Some(call) = self.calls.get_mut(key) else { return };
        call.callees.push(Leg { user, identifier, ..new_leg(no, party, arrival, profile, now) });
        self.by_session.insert(session, (key, no));
        self.endpoint.label(session, label);
    }

    /// Who was to take a place does not get it.
    pub(super) fn refuse_taker(&mut self, now: Now, key: CallKey, by: LegNo, reply: &Reply) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(new) = call.leg_mut(by) else { return };
        let (session, party) = (new.session, new.party);
        new.close(now, Some(reply.status), "refused", None);
        new._in_trunk = None;
        call.media.remove_party(party);
        self.counters.takeovers_refused += 1;
        let _ = self.endpoint.reject(now, session, reply);
    }
}

/// The leg of an INVITE that takes a place.
fn new_leg(no: LegNo, party: PartyId, arrival: Arrival, profile: Arc<Profile>, now: Now) -> Leg {
    let Arrival { session, network, trunk, request, in_trunk, .. } = arrival;
    Leg {
        no,
        session,
        network,
        trunk,
        profile,
        target: String::new(),
        device: false,
        user: None,
        trunk_flow: None,
        naming: Naming::default(),
        conversion: Conversion::Carried,
        branch: 0,
        breadth: 0,
        party,
        started: now,
        confirmed: None,
        end: None,
        call_id: request.call_id.as_str().into(),
        identifier: None,
        refreshing: false,
        connection: None,
        from_change: takes_another_from(request.headers()),
        refuses_parts: refuses_parts(request.headers()).unwrap_or_default(),
        redirected: None,
        said: None,
        farewell: None,
        found: None,
        _in_trunk: in_trunk,
    }
}
