//! Changes of a session: what the other leg says to what it was asked, also where nobody waits for that any more.

use super::ask::Means;
use super::body::Wrap;
use super::conversion::Conversion;
use super::exchange::{Ask, Asked, Between, By, Exchange, Sides};
use super::{CallKey, LegNo, decide};
use crate::shard::{Core, listener_in};
use bytes::Bytes;
use media::Refusal;
use policy::On;
use sip::session::{OutgoingId, Parts};
use sip::time::Now;
use sip::{Failure, Received};
use sip_types::Response;

impl Core {
    /// A re-INVITE came.
    pub(crate) fn on_reinvited(&mut self, now: Now, key: CallKey, leg: LegNo, request: &Received) {
        let Some(session) = self.calls.get(key).and_then(|call| call.leg(leg)).map(|leg| leg.session) else {
            return;
        };
        if self.answers_refresh(now, key, leg, request) {
            return;
        }
        let asking = (Ask::Reinvite, Means::Reinvite);
        if let Err(reply) = self.ask(now, key, (Between::Standing, leg), asking, request) {
            self.deny(now, session, Ask::Reinvite, &reply);
        }
    }

    /// A 2xx to a re-INVITE of ours.
    pub(crate) fn on_reinvite_answered(&mut self, now: Now, key: CallKey, leg: LegNo, response: &Response) {
        if self.refreshed(now, key, leg, response) || self.underway_answered(now, key, leg, response) {
            return;
        }
        match self.calls.get(key).map(|call| &call.exchange) {
            Some(Exchange::Renegotiate { leg: told }) if *told == leg => {
                return self.renegotiated(now, key, leg, response);
            }
            Some(Exchange::TakeOver { leg: asked, by, .. }) if *asked == leg => {
                let by = *by;
                return self.taken_over(now, key, (leg, by), response);
            }
            _ => {}
        }
        self.on_change_answered(now, key, (Between::Standing, leg), By::Reinvite, response);
    }

    /// The end of an UPDATE of ours; `false` where it is none of them.
    pub(super) fn on_update_over(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        sent: OutgoingId,
        outcome: &Result<Response, Failure>,
    ) -> bool {
        let Some(between) = self.calls.get(key).and_then(|call| call.waiting_for(leg, sent)) else {
            return false;
        };
        match outcome {
            Ok(response) => {
                self.on_change_answered(now, key, (between, leg), By::Update(sent), response);
            }
            Err(why) => self.on_change_failed(now, key, (between, leg), why),
        }
        self.underway_undone(now, key, leg);
        true
    }

    /// A 2xx to what a leg was asked.
    fn on_change_answered(
        &mut self,
        now: Now,
        key: CallKey,
        (between, leg): (Between, LegNo),
        by: By,
        response: &Response,
    ) {
        let Some(exchange) = self.calls.get_mut(key).and_then(|call| call.exchange_of(between)) else {
            return;
        };
        let exchange = std::mem::take(exchange);
        if let Exchange::GivenUp(asked) = &exchange {
            self.name_peer(key, (leg, asked.from));
        }
        match exchange {
            Exchange::Asked(asked) => self.pass_answer(now, key, (between, leg), &asked, response),
            Exchange::GivenUp(given_up) if given_up.offer.is_none() && !given_up.has_changed() => {
                self.offered_for_nobody(now, key, (between, leg), by, response);
            }
            // What a leg is told by us alone has been looked for before.
            exchange => self.answered_for_nobody(now, key, (between, leg), (by, &exchange), response),
        }
    }

    /// The answer of the leg that was asked, as the asking leg gives it.
    fn pass_answer(
        &mut self,
        now: Now,
        key: CallKey,
        (between, leg): (Between, LegNo),
        asked: &Asked,
        response: &Response,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(sides) = call.sides(between, leg) else { return };
        let taken = decide::take_response(call, leg, asked.from, response);
        let offered = asked.offers();
        // A 2xx to an UPDATE has no offer.
        let sdp = taken.sdp.as_deref().filter(|_| offered || asked.by == By::Reinvite);
        // Who has answered an offer of ours, or has been answered, waits for nothing.
        let settled = asked.has_changed() || asked.conversion == Conversion::Made;
        let answered = match asked.conversion {
            _ if asked.has_changed() => Ok(None),
            Conversion::Carried => Ok(None),
            Conversion::Made => call.take_answer(sides.here, sdp).map(|()| None),
            Conversion::Asked => self.answer_asked(key, sides, sdp).map(Some),
        };
        let carried = asked.conversion == Conversion::Carried && !settled;
        let description = match (answered.as_ref(), carried) {
            (Err(_), _) => Ok(None),
            (Ok(_), true) => self.description_across(key, sides, offered, sdp),
            (Ok(_), false) => self.settled_across(key, sides, offered).map(Some),
        };
        let (answer, description) = match (answered, description) {
            (Ok(answer), Ok(description)) => (answer, Ok(description)),
            (Err(refusal), _) | (_, Err(refusal)) => (None, Err(refusal)),
        };
        let Some(call) = self.calls.get_mut(key) else { return };
        let (Some(answering), Some(asking)) = (call.leg(leg), call.leg(asked.from)) else { return };
        let crossing = decide::crossing(call, answering, asking);
        let listener = listener_in(&self.endpoint, asking.network);
        let mut parts = decide::parts(response.headers(), On::Response, &crossing, listener);
        let (session, asking) = (answering.session, asking.session);
        match description {
            Ok(description) => {
                let delayed = !offered && description.is_some();
                parts.body = taken.wrap.around(description);
                if delayed {
                    call.exchange = Exchange::Answer { from: asked.from, settled };
                }
                if (!delayed || settled) && asked.by == By::Reinvite {
                    let parts_of_ack = Parts { body: Wrap::Nothing.around(answer), ..Parts::default() };
                    let _ = self.endpoint.acknowledge(now, session, parts_of_ack);
                }
                self.name_leg(now, key, asked.from, Some(response.headers()));
                self.grant(now, asking, asked.ask, parts);
                self.watch_leg(key, asked.from);
            }
            Err(refusal) => {
                // The far side has changed to what we cannot take: there is no way back for it but the end.
                self.counters.descriptions_refused += 1;
                match (asked.by, answer) {
                    (By::Reinvite, Some(answer)) => {
                        let body = Wrap::Nothing.around(Some(answer));
                        let _ = self.endpoint.acknowledge(now, session, Parts { body, ..Parts::default() });
                    }
                    (By::Reinvite, None) => self.acknowledge_in_vain(now, key, session, sides.here),
                    (By::Update(_), _) => {}
                }
                self.deny(now, asking, asked.ask, &self.media_reply(&refusal));
                let reason = decide::reason(488, "Session description refused");
                self.end_call(now, key, &reason, "answer refused");
            }
        }
    }

    /// The description of one leg's 2xx, as the other leg gets it.
    fn description_across(
        &mut self,
        key: CallKey,
        sides: Sides,
        offered: bool,
        sdp: Option<&[u8]>,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        let (from, to) = (sides.here, sides.there);
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

    /// Our answer to an offer that we have asked the leg for.
    fn answer_asked(&mut self, key: CallKey, sides: Sides, sdp: Option<&[u8]>) -> Result<Bytes, Refusal> {
        let sdp = sdp.ok_or(Refusal::Misuse(media::Misuse::NothingDescribed))?;
        let call = self.calls.get_mut(key).ok_or(Refusal::Misuse(media::Misuse::UnknownParty))?;
        call.media.receive_offer(sides.here, sdp)?;
        call.media.compose_answer(sides.here, sides.there, &mut *self.link)
    }

    /// The same where the leg has said it in a reliable provisional response already, which the other one takes none of.
    fn settled_across(&mut self, key: CallKey, sides: Sides, offered: bool) -> Result<Bytes, Refusal> {
        let unknown = Refusal::Misuse(media::Misuse::UnknownParty);
        let call = self.calls.get_mut(key).ok_or(unknown)?;
        match offered {
            true => call.media.compose_answer(sides.there, sides.here, &mut *self.link),
            false => call.media.compose_offer(sides.there, sides.here, &mut *self.link),
        }
    }

    /// A 2xx that nobody waits for: acknowledged (RFC 3261 §13.2.2.4). What was offered is in force on this leg, and on the other
    /// one maybe what stood before: then they are brought together.
    fn answered_for_nobody(
        &mut self,
        now: Now,
        key: CallKey,
        (between, leg): (Between, LegNo),
        (by, exchange): (By, &Exchange),
        response: &Response,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(session) = call.leg(leg).map(|l| l.session) else { return };
        let Some(sides) = call.sides(between, leg) else { return };
        let taken = decide::take_response(call, leg, sides.other, response);
        let taken_over = call.take_answer(sides.here, taken.sdp.as_deref()).is_ok();
        if !taken_over {
            // The exchange is over, without what it would have brought.
            call.media.offer_failed(sides.here);
        }
        if by == By::Reinvite {
            let _ = self.endpoint.acknowledge(now, session, Parts::default());
        }
        match (between, exchange) {
            (Between::Standing, _) if taken_over => self.bring_together(now, key),
            (Between::Standing, Exchange::Restore { .. }) => {
                self.not_brought_together(now, key, (leg, session));
            }
            // Its peer has changed to what we cannot read.
            (Between::Standing, _) => self.tell_again(now, key, leg),
            (Between::Early(_), _) => {
                let first = matches!(exchange, Exchange::GivenUp(_)) && taken_over;
                self.restore_early(now, key, (between, leg), first);
            }
        }
    }

    /// The same in dialogs that are early: what stood before is offered in an UPDATE, once. If that comes to nothing, it is looked at
    /// when the call is answered.
    fn restore_early(&mut self, now: Now, key: CallKey, (between, leg): (Between, LegNo), first: bool) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.apart.get_or_insert_default();
        let Some(session) = call.leg(leg).map(|l| l.session) else { return };
        let Some(sides) = call.sides(between, leg) else { return };
        if !first || call.media.knows(sides.here, sides.there) {
            return;
        }
        let Ok(offer) = call.media.compose_offer(sides.here, sides.there, &mut *self.link) else { return };
        let parts = Parts { body: Wrap::Nothing.around(Some(offer)), ..Parts::default() };
        let dialog = call.sides(between, sides.other).and_then(|sides| sides.dialog);
        self.name_leg(now, key, leg, None);
        let sent = self.send_change(now, (session, dialog), Means::Update, 70, parts);
        let Some(call) = self.calls.get_mut(key) else { return };
        let nth = call.exchanges.wrapping_add(1);
        match (sent, call.exchange_of(between)) {
            (Ok(by), Some(exchange)) => {
                *exchange = Exchange::Restore { leg, by, nth };
                call.exchanges = nth;
                self.watch_exchange(now, key, Ask::Reinvite);
            }
            (_, _) => call.media.offer_failed(sides.here),
        }
    }

    /// The offer that a re-INVITE asked for, after who asked gave up: answered with what the other leg has said last,
    /// for the ACK owes an answer (RFC 3261 §14.1).
    fn offered_for_nobody(
        &mut self,
        now: Now,
        key: CallKey,
        (between, leg): (Between, LegNo),
        by: By,
        response: &Response,
    ) {
        if by != By::Reinvite {
            return;
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(session) = call.leg(leg).map(|l| l.session) else { return };
        let Some(sides) = call.sides(between, leg) else { return };
        let taken = decide::take_response(call, leg, sides.other, response);
        let answer = taken.sdp.as_deref().map(|sdp| {
            call.media.receive_offer(sides.here, sdp)?;
            call.media.compose_answer(sides.here, sides.there, &mut *self.link)
        });
        let Ok(answer) = answer.transpose() else {
            self.counters.descriptions_refused += 1;
            self.acknowledge_in_vain(now, key, session, sides.here);
            let reason = decide::reason(488, "Offer was not answered");
            return self.end_call(now, key, &reason, "offer not answered");
        };
        let body = Wrap::Nothing.around(answer);
        let _ = self.endpoint.acknowledge(now, session, Parts { body, ..Parts::default() });
        self.bring_together(now, key);
    }
}
