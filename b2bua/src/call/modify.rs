//! Re-INVITEs: a change that one leg asks for is offered on the other.

use super::body::Wrap;
use super::{CallKey, Exchange, LegNo, State, decide};
use crate::shard::{Core, listener_in};
use bytes::Bytes;
use media::Refusal;
use policy::On;
use sip::session::{Parts, Reply};
use sip::time::Now;
use sip::{Failure, Received};
use sip_types::{Method, Response, StatusCode};

impl Core {
    /// A re-INVITE came.
    pub(crate) fn on_reinvited(&mut self, now: Now, key: CallKey, leg: LegNo, request: &Received) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(session) = call.leg(leg).map(|l| l.session) else { return };
        let other = call.other(leg).filter(|_| call.state == State::Established);
        let (Some(other), Exchange::Idle) = (other, &call.exchange) else {
            // The other leg is in the middle of something: glare, seen from here (RFC 3261 §14.2).
            let _ = self.endpoint.reject_reinvite(now, session, &Reply::new(StatusCode::REQUEST_PENDING));
            return;
        };
        if request.max_forwards.is_some_and(|hops| hops.0 == 0) {
            let _ = self.endpoint.reject_reinvite(now, session, &Reply::new(StatusCode::TOO_MANY_HOPS));
            return;
        }
        let extensions =
            call.leg(leg).map_or(Ok(()), |from| decide::extensions(request.headers(), &from.profile));
        let taken = match extensions.and_then(|()| decide::take(call, leg, other, &request.request)) {
            Ok(taken) => taken,
            Err(reply) => {
                let _ = self.endpoint.reject_reinvite(now, session, &reply);
                return;
            }
        };
        let offer = match self.offer_across(key, leg, other, taken.sdp.as_deref()) {
            Ok(offer) => offer,
            Err(refusal) => {
                self.counters.descriptions_refused += 1;
                let _ = self.endpoint.reject_reinvite(now, session, &self.media_reply(&refusal));
                return;
            }
        };
        let Some(call) = self.calls.get_mut(key) else { return };
        let (Some(from), Some(to)) = (call.leg(leg), call.leg(other)) else { return };
        let crossing = decide::crossing(call, from, to);
        let mut parts = decide::parts(
            request.headers(),
            On::Request(&Method::Invite),
            &crossing,
            listener_in(&self.endpoint, to.network),
        );
        parts.body = taken.wrap.around(offer.clone());
        let target = to.session;
        // RFC 7332 §5, as for the INVITE.
        let hops = request.max_forwards.map_or(70, |hops| hops.0.saturating_sub(1));
        self.name_leg(now, key, other, Some(request.headers()));
        self.rename_other(key, (leg, other), request);
        let Some(call) = self.calls.get_mut(key) else { return };
        if self.endpoint.reinvite(now, target, hops, parts).is_ok() {
            call.exchange = Exchange::Reinvite { from: leg, offer };
            self.watch_exchange(now, key);
        } else {
            self.undo_offer(key);
            let _ = self.endpoint.reject_reinvite(now, session, &Reply::new(StatusCode::REQUEST_PENDING));
        }
    }

    /// The offer for the other leg, if this one made one.
    fn offer_across(
        &mut self,
        key: CallKey,
        leg: LegNo,
        other: LegNo,
        sdp: Option<&[u8]>,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        let (Some(from), Some(to), Some(sdp)) = (call.party(leg), call.party(other), sdp) else {
            return Ok(None);
        };
        call.media.receive_offer(from, sdp)?;
        let reserved = call.media.reserve(from, &mut *self.link);
        let offer = reserved.and_then(|()| call.media.compose_offer(to, from, &mut *self.link));
        if offer.is_err() {
            call.media.offer_failed(from);
        }
        offer.map(Some)
    }

    /// What stood before stands again, on both legs.
    fn undo_offer(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some((_, callee, caller)) = call.joined else { return };
        call.media.offer_failed(callee);
        call.media.offer_failed(caller);
    }

    /// A 2xx to a re-INVITE of ours.
    pub(crate) fn on_reinvite_answered(&mut self, now: Now, key: CallKey, leg: LegNo, response: &Response) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(session) = call.leg(leg).map(|l| l.session) else { return };
        let exchange = std::mem::replace(&mut call.exchange, Exchange::Idle);
        let Exchange::Reinvite { from, offer } = exchange else {
            return match exchange {
                Exchange::GivenUp { offer: None } => self.offered_for_nobody(now, key, leg, response),
                Exchange::GivenUp { offer } => self.answered_for_nobody(now, key, leg, response, offer),
                _ => self.answered_for_nobody(now, key, leg, response, None),
            };
        };
        let offer = offer.is_some();
        let taken = decide::take_response(call, leg, from, response);
        let description = self.description_across(key, leg, from, offer, taken.sdp.as_deref());
        let Some(call) = self.calls.get_mut(key) else { return };
        let (Some(answering), Some(asking)) = (call.leg(leg), call.leg(from)) else { return };
        let crossing = decide::crossing(call, answering, asking);
        let mut parts = decide::parts(
            response.headers(),
            On::Response,
            &crossing,
            listener_in(&self.endpoint, asking.network),
        );
        let asking = asking.session;
        match description {
            Ok(description) => {
                let delayed = !offer && description.is_some();
                parts.body = taken.wrap.around(description);
                if delayed {
                    call.exchange = Exchange::Answer { from };
                } else {
                    let _ = self.endpoint.acknowledge(now, session, Parts::default());
                }
                self.name_leg(now, key, from, Some(response.headers()));
                let _ = self.endpoint.answer_reinvite(now, asking, parts);
                self.watch_leg(key, from);
            }
            Err(refusal) => {
                // The far side has changed to what we cannot take: there is no way back for it but the end.
                self.counters.descriptions_refused += 1;
                let _ = self.endpoint.reject_reinvite(now, asking, &self.media_reply(&refusal));
                self.end_call(
                    now,
                    key,
                    &decide::reason(488, "Session description refused"),
                    "answer refused",
                );
            }
        }
    }

    /// The description of one leg's 2xx, as the other leg gets it.
    fn description_across(
        &mut self,
        key: CallKey,
        from: LegNo,
        to: LegNo,
        offered: bool,
        sdp: Option<&[u8]>,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        let (Some(from), Some(to)) = (call.party(from), call.party(to)) else { return Ok(None) };
        match (offered, sdp) {
            (true, Some(sdp)) => {
                call.media.receive_answer(from, sdp)?;
                call.media.compose_answer(to, from, &mut *self.link).map(Some)
            }
            (true, None) => Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
            (false, Some(sdp)) => {
                call.media.receive_offer(from, sdp)?;
                call.media.compose_offer(to, from, &mut *self.link).map(Some)
            }
            (false, None) => Ok(None),
        }
    }

    /// A 2xx to a re-INVITE that nobody waits for: acknowledged (RFC 3261 §13.2.2.4). What was offered is in force on
    /// this leg, and on the other one what stood before, so that is offered again, once, for both legs to agree
    /// (RFC 6141 §3.4), unless it is the same.
    fn answered_for_nobody(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        response: &Response,
        given_up: Option<Bytes>,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(session) = call.leg(leg).map(|l| l.session) else { return };
        let Some(other) = call.other(leg) else { return };
        let (Some(here), Some(there)) = (call.party(leg), call.party(other)) else { return };
        let taken = decide::take_response(call, leg, other, response);
        let taken_over = taken.sdp.as_deref().is_some_and(|sdp| call.media.receive_answer(here, sdp).is_ok());
        let _ = self.endpoint.acknowledge(now, session, Parts::default());
        let (true, Some(given_up)) = (taken_over, given_up) else { return };
        let Some(call) = self.calls.get_mut(key) else { return };
        if let Ok(offer) = call.media.compose_offer(here, there, &mut *self.link) {
            if same_session(&offer, &given_up) {
                return call.media.offer_failed(here);
            }
            let parts = Parts { body: Wrap::Nothing.around(Some(offer)), ..Parts::default() };
            self.name_leg(now, key, leg, None);
            let Some(call) = self.calls.get_mut(key) else { return };
            if self.endpoint.reinvite(now, session, 70, parts).is_ok() {
                call.exchange = Exchange::Restore;
            } else {
                call.media.offer_failed(here);
            }
        }
    }

    /// The offer that a re-INVITE asked for, after who asked gave up: answered with what the other leg has said last,
    /// for the ACK owes an answer (RFC 3261 §14.1).
    fn offered_for_nobody(&mut self, now: Now, key: CallKey, leg: LegNo, response: &Response) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(session) = call.leg(leg).map(|l| l.session) else { return };
        let Some(other) = call.other(leg) else { return };
        let (Some(here), Some(there)) = (call.party(leg), call.party(other)) else { return };
        let taken = decide::take_response(call, leg, other, response);
        let answer = taken.sdp.as_deref().map(|sdp| {
            call.media.receive_offer(here, sdp)?;
            call.media.compose_answer(here, there, &mut *self.link)
        });
        let refused = matches!(answer, Some(Err(_)));
        let body = Wrap::Nothing.around(answer.and_then(Result::ok));
        let _ = self.endpoint.acknowledge(now, session, Parts { body, ..Parts::default() });
        if refused {
            self.counters.descriptions_refused += 1;
            self.end_call(now, key, &decide::reason(488, "Offer was not answered"), "offer not answered");
        }
    }

    /// A re-INVITE of ours failed; both legs stand as they stood.
    pub(crate) fn on_reinvite_failed(&mut self, now: Now, key: CallKey, leg: LegNo, why: &Failure) {
        self.undo_offer(key);
        let Some(call) = self.calls.get_mut(key) else { return };
        let Exchange::Reinvite { from, .. } = std::mem::replace(&mut call.exchange, Exchange::Idle) else {
            return;
        };
        let reply = self.failure_reply(key, (leg, from), &Method::Invite, why);
        let Some(asking) = self.calls.get(key).and_then(|c| c.leg(from)).map(|l| l.session) else { return };
        let _ = self.endpoint.reject_reinvite(now, asking, &reply);
    }

    /// A leg gave its re-INVITE up: so do we on the other leg.
    pub(crate) fn on_reinvite_cancelled(&mut self, now: Now, key: CallKey, leg: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Exchange::Reinvite { from, offer } = &call.exchange else { return };
        if *from != leg {
            return;
        }
        let offer = offer.clone();
        let Some(other) = call.other(leg) else { return };
        let Some(party) = call.party(leg) else { return };
        call.media.offer_failed(party);
        call.exchange = Exchange::GivenUp { offer };
        if let Some(session) = call.leg(other).map(|l| l.session) {
            // If there is nothing to cancel, the answer is on its way.
            let _ = self.endpoint.cancel_reinvite(now, session);
        }
    }
}

/// Whether two descriptions of ours say the same: all but the version in `o=` (RFC 4566 §5.2).
fn same_session(one: &[u8], other: &[u8]) -> bool {
    let lines =
        |text| <[u8]>::split(text, |byte| *byte == b'\n').filter(|line: &&[u8]| !line.starts_with(b"o="));
    lines(one).eq(lines(other))
}
