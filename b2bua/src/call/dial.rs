//! Dialling a target.

use super::{CallKey, Leg, LegNo, OrRefuse, Place, decide};
use crate::shard::{Core, listener_in};
use crate::snapshot::conduct;
use bytes::Bytes;
use policy::Trail;
use sip::NetworkId;
use sip::session::{Invite, Patience, Reply};
use sip::time::Now;
use sip_types::StatusCode;

impl Core {
    /// Dials the next target of a call; where there is none left, the caller gets `last`, what the one before came
    /// to.
    pub(crate) fn dial_next(&mut self, now: Now, key: CallKey, last: Option<Reply>) {
        let mut last = last;
        loop {
            let Some(call) = self.calls.get_mut(key) else { return };
            let most = call.snapshot.config().limits.targets;
            let target = if call.callees.len() < most { call.targets.pop_front() } else { None };
            let last_resort = call.targets.is_empty() || call.callees.len() + 1 >= most;
            let Some(place) = target else {
                let reply = last.unwrap_or_else(|| Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
                return self.refuse_caller(now, key, &reply);
            };
            match self.dial(now, key, &place, last_resort) {
                Ok(()) => return,
                Err(reply) => last = Some(*reply),
            }
        }
    }

    /// Makes a leg and calls with it. `last_resort` says that there is no other target.
    fn dial(&mut self, now: Now, key: CallKey, place: &Place, last_resort: bool) -> OrRefuse<()> {
        let target = &place.target;
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let Some(call) = self.calls.get(key) else { return Err(gone()) };
        if call.facts.secure && !sip::is_secure_hop(&target.next_hop) {
            return Err(Box::new(decide::sips_not_allowed()));
        }
        let (no, snapshot) =
            (LegNo(u8::try_from(call.callees.len() + 1).map_err(|_| gone())?), call.snapshot.clone());
        let in_trunk = match &target.trunk {
            Some(trunk) => Some(self.enter_trunk(&snapshot, trunk).ok_or_else(|| {
                self.counters.trunk_full += 1;
                Box::new(self.overload_reply())
            })?),
            None => None,
        };
        let network = snapshot.network_id(&target.network).ok_or_else(gone)?;
        let source = place.flow.map(|flow| flow.peer.ip()).or_else(|| sip::numeric_hop(&target.next_hop));
        let Some(call) = self.calls.get_mut(key) else { return Err(gone()) };
        let party = call.name_party();
        let media = decide::media_network(&call.snapshot, network, place.flow.is_some());
        call.media.add_party(party, &media);
        if let Some(source) = source {
            call.media.signalling_source(party, source);
        }
        let offer = match call.wrap.has_sdp() {
            true => match call.media.compose_offer(party, call.caller.party, &mut *self.link) {
                Ok(offer) => Some(offer),
                Err(refusal) => {
                    call.media.remove_party(party);
                    return Err(Box::new(self.media_reply(&refusal)));
                }
            },
            false => None,
        };
        let invited = self.invite_for(key, place, network, offer).and_then(|mut invite| {
            invite.patience.last_resort = last_resort;
            self.endpoint.invite(now, invite).map_err(|_| Box::new(self.overload_reply()))
        });
        let Some(call) = self.calls.get_mut(key) else { return Err(gone()) };
        let session = invited.inspect_err(|_| call.media.remove_party(party))?;
        let call_id = self.endpoint.call_id(session).unwrap_or_default();
        tracing::debug!(
            call = %call.id,
            sip_call_id = %call.caller.call_id,
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
            party,
            started: now,
            confirmed: None,
            end: None,
            call_id: call_id.into(),
            farewell: None,
            _in_trunk: in_trunk,
        });
        self.by_session.insert(session, (key, no));
        self.watch_ringing(now, key, no, target.profile.ring_limit);
        Ok(())
    }

    /// The INVITE of a leg, made from the caller's.
    fn invite_for(
        &mut self,
        key: CallKey,
        place: &Place,
        network: NetworkId,
        offer: Option<Bytes>,
    ) -> OrRefuse<Invite> {
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let target = &place.target;
        let label = self.label(target.trunk.as_ref());
        let call = self.calls.get_mut(key).ok_or_else(gone)?;
        let request = call.invite.as_deref().ok_or_else(gone)?;
        let crossing = decide::crossing_to(call, &call.caller, network, &target.profile);
        let taken = decide::take_strictly(&crossing, call.media.mode(), &request.request)?;
        let mut trail = Trail::default();
        let listener = listener_in(&self.endpoint, network);
        let mut parts = decide::explained_parts(request.headers(), &crossing, listener, &mut trail);
        parts.body = taken.wrap.around(offer);
        let invite = Invite {
            network,
            label,
            conduct: Some(conduct(&target.profile)),
            request_uri: match call.facts.secure {
                true => target.request_uri.secured(),
                false => target.request_uri.clone(),
            },
            next_hop: target.next_hop.clone(),
            routes: place.routes.clone(),
            flow: place.flow,
            from: request.from.untagged(),
            to: request.to.untagged(),
            // RFC 7332 §5: copied and decremented; 70 where the caller has none.
            max_forwards: request.max_forwards.map_or(70, |m| m.0.saturating_sub(1)),
            patience: Patience { target: Some(target.profile.target_timeout), last_resort: true },
            parts,
        };
        trail.iter().for_each(|step| call.trail.push(step.clone()));
        Ok(invite)
    }

    /// Ends a call that was never answered: the caller gets this response.
    pub(crate) fn refuse_caller(&mut self, now: Now, key: CallKey, reply: &Reply) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let session = call.caller.session;
        // A caller that is gone already needs no answer.
        let _ = self.endpoint.reject(now, session, reply);
        call.caller.bid_farewell(&reply.parts.fields);
        call.caller.close(now, Some(reply.status), "refused", None);
        self.release_callees(now, key, &decide::reason(reply.status.as_u16(), "Call failed"));
        self.finish_if_done(now, key);
    }
}
