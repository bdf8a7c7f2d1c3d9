//! An INVITE with Replaces (RFC 3891): who sends it takes the place of one of the two who talk.
//!
//! ```text
//!   INVITE with Replaces ─► re-INVITE of the partner, with what it describes ─► its 200 ─► our 200 ─► BYE to who is replaced
//!                                                     └── failure ─► the same failure; the call stands as it stood
//! ```
//! Who rings is replaced by who answers in its place (`pick_up`).
//!
//! It is done here, whatever the partner's user agent knows of Replaces, and whichever of the two dialogs of the call is named: the
//! one of who is replaced, or that which its partner has with us.

use crate::call::exchange::{Ask, Asked, By};
use crate::call::incoming::Arrival;
use crate::call::talk::Talk;
use crate::call::{CallKey, Exchange, LegNo, OrRefuse, State, decide};
use crate::shard::{Core, listener_in};
use config::Profile;
use policy::On;
use sip::Failure;
use sip::dialog::DialogState;
use sip::session::{Parts, Reply};
use sip::time::Now;
use sip_types::header::{Replaces, SessionUuid};
use sip_types::{HeaderName, Method, Response, StatusCode};
use std::sync::Arc;

impl Core {
    /// An INVITE with Replaces.
    pub(in crate::call) fn on_replacing(&mut self, now: Now, arrival: Arrival, profile: Arc<Profile>) {
        let session = arrival.session;
        let begun = self.replaced(&arrival).and_then(|(key, no, state)| match state {
            DialogState::Early => self.pick_up(now, key, no, arrival, profile),
            DialogState::Confirmed | DialogState::Left | DialogState::Ended => {
                self.take_over(now, key, no, arrival, profile)
            }
        });
        if let Err(reply) = begun {
            self.counters.takeovers_refused += 1;
            self.refuse(now, session, &reply);
        }
    }

    /// The leg whose place an INVITE is to take, and how far its dialog has come.
    ///
    /// # Errors
    /// The response that RFC 3891 §3 has for it: 400 for several of them or with Join, 481 where there is no such dialog, or an early
    /// one that was not begun by whom the INVITE would reach, 486 where only an early one may be replaced, 603 where it is over or has
    /// been taken over too often, 403 for who may not; 491 in the middle of something.
    fn replaced(&self, arrival: &Arrival) -> OrRefuse<(CallKey, LegNo, DialogState)> {
        let refuse = |status| Box::new(Reply::new(status));
        let headers = arrival.request.headers();
        let replaces = headers.sole::<Replaces>().ok().flatten();
        let replaces = replaces.filter(|_| !headers.contains(HeaderName::Join));
        let replaces = replaces.ok_or_else(|| refuse(StatusCode::BAD_REQUEST))?;
        let none = || refuse(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        let tags = (replaces.local_tag(), replaces.remote_tag());
        let who = self.who_sends(arrival.network, arrival.trunk.as_ref(), &arrival.request);
        if let Some((key, no)) = self.early_dialog_of(replaces.call_id(), tags)? {
            return self.ringing(key, no, &who).map(|no| (key, no, DialogState::Early));
        }
        let (key, no, state) = self.dialog_of(replaces.call_id(), tags).ok_or_else(none)?;
        let call = self.calls.get(key).ok_or_else(none)?;
        match state {
            DialogState::Ended => return Err(self.declined()),
            DialogState::Early | DialogState::Left => return Err(none()),
            DialogState::Confirmed if replaces.early_only() => return Err(refuse(StatusCode::BUSY_HERE)),
            DialogState::Confirmed => {}
        }
        if !self.may_replace(key, no, &who) {
            return Err(refuse(StatusCode::FORBIDDEN));
        }
        let taken = call.transfers.as_ref().map_or(0, |transfers| transfers.takeovers);
        if taken >= self.snapshot.config().limits.transfers {
            return Err(self.declined());
        }
        let settled = call.state == State::Established && !call.exchanges_now();
        match call.other(no).filter(|_| settled && call.transfer().is_none()) {
            Some(other) if call.refreshes(no) || call.refreshes(other) => {
                Err(refuse(StatusCode::REQUEST_PENDING))
            }
            Some(_) => Ok((key, no, DialogState::Confirmed)),
            None => Err(refuse(StatusCode::REQUEST_PENDING)),
        }
    }

    /// The leg of an early dialog that Replaces names and that may be replaced, as who it reaches has begun it (RFC 3891 §3): one that
    /// we called, or the caller, for whom all that ring stand.
    ///
    /// # Errors
    /// 481 for one that was begun by the other side.
    fn early_dialog_of(&self, call_id: &str, (to, from): (&str, &str)) -> OrRefuse<Option<(CallKey, LegNo)>> {
        let early = |local, remote| {
            let named = self.endpoint.dialog_named(call_id, local, remote)?;
            let (key, no) = *self.by_session.get(&named.session)?;
            (named.state == DialogState::Early).then_some((key, no))
        };
        let (leg, is_begun) = match (early(to, from), early(from, to)) {
            (Some(ours), _) => (ours, ours.1 != LegNo::CALLER),
            (None, Some(theirs)) => (theirs, theirs.1 == LegNo::CALLER),
            (None, None) => return Ok(None),
        };
        match is_begun {
            true => Ok(Some(leg)),
            false => Err(Box::new(Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST))),
        }
    }

    /// The leg that Replaces or Join names: by its own dialog, or by that of its partner as that one's peer knows it.
    pub(super) fn dialog_of(
        &self,
        call_id: &str,
        (to, from): (&str, &str),
    ) -> Option<(CallKey, LegNo, DialogState)> {
        if let Some(named) = self.endpoint.dialog_named(call_id, to, from) {
            return self.by_session.get(&named.session).map(|(key, no)| (*key, *no, named.state));
        }
        let named = self.endpoint.dialog_named(call_id, from, to)?;
        let (key, partner) = *self.by_session.get(&named.session)?;
        self.calls.get(key)?.other(partner).map(|no| (key, no, named.state))
    }

    /// Makes a leg of the INVITE, and offers the partner of who is replaced what it describes.
    fn take_over(
        &mut self,
        now: Now,
        key: CallKey,
        replaced: LegNo,
        arrival: Arrival,
        profile: Arc<Profile>,
    ) -> OrRefuse<()> {
        let gone = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let Arrival { session, network, request, .. } = &arrival;
        let (session, network) = (*session, *network);
        let call = self.calls.get(key).ok_or_else(gone)?;
        let no = call.next_leg().ok_or_else(gone)?;
        let of = call.other(replaced).ok_or_else(gone)?;
        let (partner, of_party) = call.leg(of).zip(call.party(of)).ok_or_else(gone)?;
        let snapshot = call.snapshot.clone();
        let crossing =
            decide::crossing_between(&snapshot, (network, &profile), (partner.network, &partner.profile));
        let taken = decide::take_strictly(&crossing, call.media.mode(), &request.request)?;
        let hops = request.max_forwards.map_or(70, |hops| hops.0.saturating_sub(1));
        let listener = listener_in(&self.endpoint, partner.network);
        let mut parts = decide::parts(request.headers(), On::Request(&Method::Invite), &crossing, listener);
        decide::tell_extensions(&mut parts, &partner.profile);
        let (target, takes_name) = (partner.session, partner.from_change);
        // Whoever replaces makes the offer: nobody could be asked for one who has not been answered.
        let sdp = taken.sdp.clone().ok_or_else(|| Box::new(Reply::new(StatusCode::NOT_ACCEPTABLE_HERE)))?;
        let identifier = self.endpoint.peer_identifier(session).map(|(uuid, _)| uuid);
        let party = self.party_of_taker(key, &arrival, &profile, &sdp)?;
        let call = self.calls.get_mut(key).ok_or_else(gone)?;
        let offer = match call.media.compose_offer(of_party, party, &mut *self.link) {
            Ok(offer) => offer,
            Err(refusal) => return Err(self.no_party(key, party, &refusal)),
        };
        parts.body = taken.wrap.around(Some(offer.clone()));
        self.name_leg(now, key, of, Some(request.headers()));
        let speaks_for = identifier.unwrap_or(SessionUuid::NIL);
        self.endpoint.speak_for(target, speaks_for);
        if takes_name {
            self.endpoint.rename(target, request.from.untagged());
        }
        let sent = self.endpoint.reinvite(now, target, hops, parts);
        let call = self.calls.get_mut(key).ok_or_else(gone)?;
        if sent.is_err() {
            call.media.offer_failed(of_party);
            call.media.remove_party(party);
            self.speak_for_peer(key, (of, replaced));
            return Err(Box::new(Reply::new(StatusCode::REQUEST_PENDING)));
        }
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            leg_sip_call_id = request.call_id.as_str(),
            replaced = replaced.0,
            "a leg is to be replaced"
        );
        call.exchange = Exchange::TakeOver { leg: of, by: no, offer };
        call.transfers.get_or_insert_default().takeovers += 1;
        self.enter_taker(now, key, (no, party), arrival, profile);
        self.counters.takeovers += 1;
        self.watch_telling(now, key);
        Ok(())
    }

    /// The partner has answered what who replaces has offered: it is answered in turn, and has its place.
    pub(in crate::call) fn taken_over(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, by): (LegNo, LegNo),
        response: &Response,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.exchange = Exchange::Idle;
        let Some(replaced) = call.other(leg) else { return };
        let (Some(of_party), Some(replaced_party)) = (call.party(leg), call.party(replaced)) else { return };
        let (Some(asked), Some(new)) = (call.leg(leg), call.leg(by)) else { return };
        let taken = decide::take_response(call, leg, by, response);
        let crossing = decide::crossing(call, asked, new);
        let listener = listener_in(&self.endpoint, new.network);
        let mut parts = decide::parts(response.headers(), On::Response, &crossing, listener);
        decide::tell_extensions(&mut parts, &new.profile);
        let (partner, session, party) = (asked.session, new.session, new.party);
        let Some(call) = self.calls.get_mut(key) else { return };
        let answer = call
            .take_answer(of_party, taken.sdp.as_deref())
            .and_then(|()| call.media.compose_answer(party, of_party, &mut *self.link));
        let _ = self.endpoint.acknowledge(now, partner, Parts::default());
        let Ok(answer) = answer else {
            // The partner has changed to what we cannot take: there is no way back for it but the end.
            self.counters.descriptions_refused += 1;
            let reason = decide::reason(488, "Session description refused");
            return self.end_call(now, key, &reason, "answer refused");
        };
        parts.body = taken.wrap.around(Some(answer));
        self.name_leg(now, key, by, Some(response.headers()));
        self.speak_for_each_other(key, (by, leg));
        self.use_permit(key, replaced, by);
        // Who has given up in this moment has its own event, and the call is over with it.
        if let Ok(dialog) = self.endpoint.open_dialog(session) {
            let _ = self.endpoint.answer(now, session, dialog, parts);
        }
        self.watch_joined(now, key, by);
        let Some(call) = self.calls.get_mut(key) else { return };
        call.media.connect(party, of_party);
        call.media.confirm(party);
        call.media.retire(replaced_party);
        call.leg_mut(replaced).into_iter().for_each(|replaced| replaced.party = replaced_party);
        call.leg_mut(by).into_iter().for_each(|by| by.confirmed = Some(now));
        call.talk = Talk::Joined { called: (by, party), calling: (leg, of_party) };
        if let Some(old) = call.leg(replaced).filter(|old| old.end.is_none()) {
            let session = old.session;
            self.end_leg(now, key, replaced, session, decide::reason(200, "Replaced"));
        }
    }

    /// The partner does not take what who replaces has offered: that one hears so, and the call stands as it stood.
    pub(in crate::call) fn not_taken_over(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, by): (LegNo, LegNo),
        why: &Failure,
    ) {
        let reply = self.failure_reply(key, (leg, by), &Method::Invite, why);
        let Some(call) = self.calls.get_mut(key) else { return };
        call.exchange = Exchange::Idle;
        if let Some(party) = call.party(leg) {
            call.media.offer_failed(party);
        }
        if let Some(replaced) = call.other(leg) {
            self.speak_for_peer(key, (leg, replaced));
        }
        self.refuse_taker(now, key, by, &reply);
    }

    /// A leg has ended that was to take a place: what its offer has changed is put back.
    pub(in crate::call) fn give_up_taking_over(&mut self, now: Now, key: CallKey, no: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Exchange::TakeOver { leg, by, offer } = &call.exchange else { return };
        if *by != no {
            return;
        }
        let (leg, offer) = (*leg, offer.clone());
        let asked = Asked::new(no, (Ask::Reinvite, By::Reinvite), Some(offer), call.exchanges);
        call.exchange = Exchange::GivenUp(Box::new(asked));
        if let Some(party) = call.leg(no).map(|new| new.party) {
            call.media.remove_party(party);
        }
        let (session, replaced) = (call.leg(leg).map(|leg| leg.session), call.other(leg));
        if let Some(replaced) = replaced {
            self.speak_for_peer(key, (leg, replaced));
        }
        if let Some(session) = session {
            // If there is nothing to cancel, the answer is on its way.
            let _ = self.endpoint.cancel_reinvite(now, session);
        }
    }
}
