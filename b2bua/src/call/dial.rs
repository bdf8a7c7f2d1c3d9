//! Dialling a target.

use super::conversion::{self, Conversion};
use super::early::tell_early_media;
use super::fork::{MAX_BREADTH, Turn};
use super::{Call, CallKey, Leg, OrRefuse, Place, decide, history};
use crate::shard::{Core, listener_in};
use crate::snapshot::conduct_with;
use bytes::Bytes;
use bytestring::ByteString;
use config::EarlyDialogs;
use media::PartyId;
use policy::{On, Trail};
use sip::NetworkId;
use sip::session::{Invite, Patience, RELIABLE, Reliability, Reply, TERMINATED};
use sip::time::Now;
use sip_types::{HeaderName, Method, StatusCode};

impl Core {
    /// Dials the places of a call whose turn it is. Once nothing rings and nothing is left, the caller hears what came of it.
    pub(crate) fn dial_more(&mut self, now: Now, key: CallKey) {
        while let Some(turn) = self.calls.get_mut(key).and_then(Call::next_turn) {
            let Err(reply) = self.dial(now, key, &turn) else { continue };
            let Some(call) = self.calls.get_mut(key) else { return };
            call.fork.give_back(turn.breadth);
            call.fork.note(*reply, turn.place.is_device());
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        // Places that are left wait for the end of what has been given up already.
        if call.seeks() && !call.rings() && call.fork.len() == 0 {
            let reply = call.fork.take_failure();
            self.refuse_caller(now, key, reply);
        }
    }

    /// Makes a leg and calls with it.
    fn dial(&mut self, now: Now, key: CallKey, turn: &Turn) -> OrRefuse<()> {
        let place = &turn.place;
        let target = &place.target;
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let Some(call) = self.calls.get(key) else { return Err(gone()) };
        if call.facts.secure && !sip::is_secure_hop(&target.next_hop) {
            return Err(Box::new(decide::sips_not_allowed()));
        }
        let (no, snapshot) = (call.next_leg().ok_or_else(gone)?, call.snapshot.clone());
        let mut naming = call.naming();
        let gruu = naming.gruu(now, self, target.trunk.as_ref());
        let in_trunk = self.admit_to_trunk(&snapshot, target.trunk.as_ref())?;
        let network = snapshot.network_id(&target.network).ok_or_else(gone)?;
        let (party, conversion, offer) = self.offer_to(key, place, network)?;
        let invited = self.invite_for(key, turn, network, offer).and_then(|invite| {
            let invite = Invite { gruu, ..invite };
            self.endpoint.invite(now, invite).map_err(|_| Box::new(self.overload_reply()))
        });
        let Some(call) = self.calls.get_mut(key) else { return Err(gone()) };
        let session = invited.inspect_err(|_| call.media.remove_party(party))?;
        let call_id = self.endpoint.call_id(session).unwrap_or_default();
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            leg_sip_call_id = call_id,
            leg = no.0,
            network = target.network.as_str(),
            trunk = target.trunk.as_ref().map(config::TrunkName::as_str),
            "a target is dialled"
        );
        // Most calls dial one leg: room is made for one at a time.
        call.callees.reserve_exact(1);
        call.callees.push(Leg {
            no,
            session,
            network,
            trunk: target.trunk.clone(),
            profile: target.profile.clone(),
            target: target.request_uri.to_string(),
            device: place.is_device(),
            user: place.user.clone(),
            redirected: place.redirected.map(Box::new),
            connection: None,
            trunk_flow: place.flow.filter(|_| !place.is_device()),
            from_change: false,
            refuses_parts: false,
            naming,
            conversion,
            branch: place.branch,
            breadth: turn.breadth,
            party,
            started: now,
            confirmed: None,
            end: None,
            call_id: call_id.into(),
            identifier: None,
            refreshing: false,
            said: None,
            farewell: None,
            found: None,
            _in_trunk: in_trunk,
        });
        self.by_session.insert(session, (key, no));
        self.watch_leg(key, no);
        self.watch_ringing(now, key, place.ring_limit);
        Ok(())
    }

    /// The media of a leg that is about to be dialled, and our offer: if the caller has made one, or the leg's profile says so.
    fn offer_to(
        &mut self,
        key: CallKey,
        place: &Place,
        network: NetworkId,
    ) -> OrRefuse<(PartyId, Conversion, Option<Bytes>)> {
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let Some(call) = self.calls.get_mut(key) else { return Err(gone()) };
        call.keep_first_offer();
        let party = call.name_party();
        let on_flow = place.is_device() && place.flow.is_some();
        let media = decide::media_network(&call.snapshot, (network, &place.target.profile), on_flow);
        call.media.add_party(party, &media);
        let next_hop = &place.target.next_hop;
        if let Some(source) = place.flow.map(|flow| flow.peer.ip()).or_else(|| sip::numeric_hop(next_hop)) {
            call.media.signalling_source(party, source);
        }
        let profile = &place.target.profile;
        let way = self.signalling_to(place);
        self.protect(key, party, profile, way);
        let Some(call) = self.calls.get_mut(key) else { return Err(gone()) };
        let conversion = match call.transfer() {
            Some(_) => Conversion::Carried,
            None => Conversion::of(profile, call.offered().is_some(), call.media.mode()),
        };
        let offer = match (conversion, call.offered()) {
            (Conversion::Made, _) => {
                call.media.offer_own(party, &conversion::codecs(profile), &mut *self.link).map(Some)
            }
            (Conversion::Carried, Some(offered)) => {
                call.media.compose_offer(party, offered, &mut *self.link).map(Some)
            }
            (Conversion::Asked, _) | (Conversion::Carried, None) => Ok(None),
        };
        match offer {
            Ok(offer) => Ok((party, conversion, offer)),
            Err(refusal) => {
                call.media.remove_party(party);
                Err(Box::new(self.media_reply(&refusal)))
            }
        }
    }

    /// The INVITE of a leg, made from the caller's.
    fn invite_for(
        &mut self,
        key: CallKey,
        turn: &Turn,
        network: NetworkId,
        offer: Option<Bytes>,
    ) -> OrRefuse<Invite> {
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let place = &turn.place;
        let target = &place.target;
        let label = self.label(target.trunk.as_ref());
        let caller = self.reliability_of_caller(key);
        let call = self.calls.get_mut(key).ok_or_else(gone)?;
        let request = call.invite.as_deref().ok_or_else(gone)?;
        let from = call.asking_side().ok_or_else(gone)?;
        let crossing = decide::crossing_between(&call.snapshot, from, (network, &target.profile));
        let taken = decide::take_strictly(&crossing, call.media.mode(), &request.request)?;
        let mut trail = Trail::default();
        let listener = listener_in(&self.endpoint, network);
        let mut parts = decide::explained_parts(
            request.headers(),
            On::Request(&Method::Invite),
            &crossing,
            listener,
            &mut trail,
        );
        history::tell(&mut parts.fields, call, request, (network, place), &crossing);
        parts.fields.push(HeaderName::MaxBreadth, breadth_text(turn.breadth));
        tell_early_media(&mut parts.fields, crossing.to_trusted, target.profile.early_media);
        // Without an offer to answer, a reliable response would bring one, which only a caller can answer that takes it reliably.
        // An only early dialog has one offer, and that comes with the answer.
        let one = call.caller.as_ref().is_some_and(|of| of.profile.early_dialogs == EarlyDialogs::One);
        let reliable = offer.is_some() || call.offered().is_some() || (caller != Reliability::None && !one);
        // Who is rung first has nobody yet who would hear of it.
        let reliable = reliable && !call.rings_first();
        if target.profile.reliable_responses && reliable {
            parts.fields.push(HeaderName::Supported, RELIABLE);
        }
        if target.profile.early_dialog_terminated {
            parts.fields.push(HeaderName::Supported, TERMINATED);
        }
        decide::tell_extensions(&mut parts, &target.profile);
        let proven_uri = decide::proven_uri(request, &crossing).filter(|_| !target.registered);
        let peer = target.trunk.as_ref().and_then(|trunk| call.snapshot.config().trunks.get(trunk));
        let outbound = place.flow.is_some() && !place.is_device();
        if outbound {
            // RFC 5626 §4.3.
            parts.fields.push(HeaderName::Supported, "outbound");
        }
        let besides = call.transfer().map_or(call.fields.as_deref(), |transfer| Some(&transfer.fields));
        parts.fields.extend(besides.into_iter().flat_map(|fields| fields.iter().cloned()));
        parts.body = taken.wrap.around(offer);
        let invite = Invite {
            network,
            label,
            conduct: Some(conduct_with(&target.profile, peer)),
            request_uri: match (proven_uri, call.facts.secure) {
                (Some(uri), _) => uri,
                (None, true) => target.request_uri.secured(),
                (None, false) => target.request_uri.clone(),
            },
            next_hop: target.next_hop.clone(),
            routes: place.routes.clone(),
            flow: place.flow,
            outbound,
            gruu: None,
            speaks_for: match call.sought_for() {
                Some(leg) => self.endpoint.peer_identifier(leg.session),
                None => call.placed.as_ref().map(|placed| (placed.identifier, false)),
            },
            from: request.from.untagged(),
            to: request.to.untagged(),
            // RFC 7332 §5: copied and decremented; 70 where the caller has none.
            max_forwards: request.max_forwards.map_or(70, |m| m.0.saturating_sub(1)),
            patience: Patience { target: Some(target.profile.target_timeout), last_resort: turn.last_resort },
            parts,
        };
        trail.iter().for_each(|step| call.trail.push(step.clone()));
        Ok(invite)
    }

    /// Ends a call that was never answered: the caller gets this response.
    pub(crate) fn refuse_caller(&mut self, now: Now, key: CallKey, mut reply: Reply) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.transfer().is_some() {
            return self.transfer_failed(now, key, &reply);
        }
        history::tell_back(&mut reply.parts.fields, call, None);
        let Some(caller) = &call.caller else { return self.first_failed(now, key, reply) };
        let session = caller.session;
        policy::add_cause(&mut reply.parts.fields, Some(reply.status), &caller.profile);
        self.speak_for_nobody(key);
        // A caller that is gone already needs no answer.
        let _ = self.endpoint.reject(now, session, &reply);
        if let Some(caller) = self.calls.get_mut(key).and_then(|call| call.caller.as_mut()) {
            caller.bid_farewell(&reply.parts.fields);
            caller.close(now, Some(reply.status), "refused", None);
        }
        self.release_callees(now, key, &decide::reason(reply.status.as_u16(), "Call failed"));
        self.finish_if_done(now, key);
    }
}

/// Nearly every call has one leg, which has all of what nearly every caller gives.
pub(super) fn breadth_text(breadth: u8) -> ByteString {
    const ALL: ByteString = ByteString::from_static("60");
    const _: () = assert!(MAX_BREADTH == 60);
    if breadth == MAX_BREADTH { ALL } else { breadth.to_string().into() }
}
