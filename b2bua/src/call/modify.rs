//! Changes of a session: what the other leg says to what it was asked, and what becomes of what nobody waits for any more.

use super::ask::Means;
use super::body::Wrap;
use super::exchange::{Ask, Asked, Between, By, Exchange, Sides};
use super::{CallKey, LegNo, State, decide};
use crate::shard::{Core, listener_in};
use bytes::Bytes;
use media::Refusal;
use policy::On;
use sip::session::{OutgoingId, Parts, Reply};
use sip::time::Now;
use sip::{Failure, Received};
use sip_types::{Response, StatusCode};

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
        if self.refreshed(now, key, leg, response) {
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
        match std::mem::take(exchange) {
            Exchange::Asked(asked) => self.pass_answer(now, key, (between, leg), &asked, response),
            Exchange::GivenUp(given_up) if given_up.offer.is_none() => {
                self.offered_for_nobody(now, key, (between, leg), by, response);
            }
            Exchange::GivenUp(given_up) => {
                self.answered_for_nobody(now, key, (between, leg), by, response, given_up.offer);
            }
            // What a leg is told by us alone has been looked for before.
            Exchange::Idle
            | Exchange::Answer { .. }
            | Exchange::Restore { .. }
            | Exchange::Renegotiate { .. }
            | Exchange::TakeOver { .. } => {
                self.answered_for_nobody(now, key, (between, leg), by, response, None);
            }
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
        let offered = asked.offer.is_some();
        // A 2xx to an UPDATE has no offer.
        let sdp = taken.sdp.as_deref().filter(|_| offered || asked.by == By::Reinvite);
        let description = self.description_across(key, sides, offered, sdp);
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
                    call.exchange = Exchange::Answer { from: asked.from };
                } else if asked.by == By::Reinvite {
                    let _ = self.endpoint.acknowledge(now, session, Parts::default());
                }
                self.name_leg(now, key, asked.from, Some(response.headers()));
                self.grant(now, asking, asked.ask, parts);
                self.watch_leg(key, asked.from);
            }
            Err(refusal) => {
                // The far side has changed to what we cannot take: there is no way back for it but the end.
                self.counters.descriptions_refused += 1;
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

    /// A 2xx that nobody waits for: acknowledged (RFC 3261 §13.2.2.4). What was offered is in force on this leg, and on the
    /// other one what stood before, so that is offered again, once, for both legs to agree (RFC 6141 §3.4), unless it is the
    /// same.
    fn answered_for_nobody(
        &mut self,
        now: Now,
        key: CallKey,
        (between, leg): (Between, LegNo),
        by: By,
        response: &Response,
        given_up: Option<Bytes>,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(session) = call.leg(leg).map(|l| l.session) else { return };
        let Some(sides) = call.sides(between, leg) else { return };
        let taken = decide::take_response(call, leg, sides.other, response);
        let sdp = taken.sdp.as_deref();
        let taken_over = sdp.is_some_and(|sdp| call.media.receive_answer(sides.here, sdp).is_ok());
        if by == By::Reinvite {
            let _ = self.endpoint.acknowledge(now, session, Parts::default());
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        if !taken_over {
            // The exchange is over, without what it would have brought.
            return call.media.offer_failed(sides.here);
        }
        let Some(given_up) = given_up else { return };
        let Ok(offer) = call.media.compose_offer(sides.here, sides.there, &mut *self.link) else { return };
        if offer == given_up {
            // Word for word: it has no version of its own.
            return call.media.offer_failed(sides.here);
        }
        let parts = Parts { body: Wrap::Nothing.around(Some(offer)), ..Parts::default() };
        let dialog = call.sides(between, sides.other).and_then(|sides| sides.dialog);
        self.name_leg(now, key, leg, None);
        let sent = self.send_change(now, (session, dialog), by.means(), 70, parts);
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
        let refused = matches!(answer, Some(Err(_)));
        let body = Wrap::Nothing.around(answer.and_then(Result::ok));
        let _ = self.endpoint.acknowledge(now, session, Parts { body, ..Parts::default() });
        if refused {
            self.counters.descriptions_refused += 1;
            self.end_call(now, key, &decide::reason(488, "Offer was not answered"), "offer not answered");
        }
    }

    /// A re-INVITE of ours failed.
    pub(crate) fn on_reinvite_failed(&mut self, now: Now, key: CallKey, leg: LegNo, why: &Failure) {
        if self.refresh_failed(key, leg) {
            return;
        }
        match self.calls.get(key).map(|call| &call.exchange) {
            Some(Exchange::Renegotiate { leg: told }) if *told == leg => {
                return self.not_renegotiated(now, key, leg, why);
            }
            Some(Exchange::TakeOver { leg: asked, by, .. }) if *asked == leg => {
                let by = *by;
                return self.not_taken_over(now, key, (leg, by), why);
            }
            _ => {}
        }
        self.on_change_failed(now, key, (Between::Standing, leg), why);
    }

    /// What a leg was asked failed; both legs stand as they stood.
    fn on_change_failed(&mut self, now: Now, key: CallKey, (between, leg): (Between, LegNo), why: &Failure) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(sides) = call.sides(between, leg) else { return };
        call.undo_offer(sides);
        let Some(exchange) = call.exchange_of(between) else { return };
        let Exchange::Asked(asked) = std::mem::take(exchange) else { return };
        let reply = match (is_of_the_dialog(why), asked.ask) {
            // What the other side's dialog comes to is none of this one's doing: it must not be lost with it.
            (true, Ask::Update(_) | Ask::Prack(_)) => Reply::new(StatusCode::SERVER_TIMEOUT),
            (_, _) => self.failure_reply(key, (leg, asked.from), &asked.ask.method(), why),
        };
        let Some(asking) = self.calls.get(key).and_then(|c| c.leg(asked.from)).map(|l| l.session) else {
            return;
        };
        self.deny(now, asking, asked.ask, &reply);
    }

    /// A leg gave its re-INVITE up: so do we on the other leg.
    pub(crate) fn on_reinvite_cancelled(&mut self, now: Now, key: CallKey, leg: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if matches!(&call.exchange, Exchange::Asked(asked) if asked.from == leg) {
            self.give_up(now, key, Between::Standing);
        }
    }

    /// What the other leg was asked is given up: who asked for it waits no more.
    fn give_up(&mut self, now: Now, key: CallKey, between: Between) -> Option<()> {
        let call = self.calls.get_mut(key)?;
        let exchange = call.exchange_of(between)?;
        let Exchange::Asked(asked) = std::mem::take(exchange) else { return None };
        let (from, by) = (asked.from, asked.by);
        *exchange = Exchange::GivenUp(asked);
        let sides = call.sides(between, from)?;
        call.media.offer_failed(sides.here);
        if by == By::Reinvite {
            let session = call.leg(sides.other)?.session;
            let _ = self.endpoint.cancel_reinvite(now, session);
        }
        Some(())
    }

    /// What a leg was asked has waited for as long as it may. A re-INVITE of ours is cancelled, and its failure is what the asking
    /// leg hears. Who has asked in an UPDATE or a PRACK is told now: it has to be answered at once, whatever the far side asks
    /// its user (RFC 3311 §5.2).
    pub(super) fn exchange_due(&mut self, now: Now, key: CallKey, nth: u32) {
        let Some(call) = self.calls.get_mut(key).filter(|call| call.state != State::Ending) else { return };
        let Some(between) = call.exchanging(nth) else {
            let refreshing = || call.legs().find(|leg| leg.refreshing).map(|leg| leg.no);
            let told = call.telling().or_else(refreshing).filter(|_| call.exchanges == nth);
            if let Some(session) = told.and_then(|no| call.leg(no)).map(|leg| leg.session) {
                let _ = self.endpoint.cancel_reinvite(now, session);
            }
            return;
        };
        let (from, ask) = match call.exchange_of(between) {
            Some(Exchange::Asked(asked)) => (asked.from, asked.ask),
            Some(Exchange::Restore { leg, by: By::Reinvite, .. }) => {
                let leg = *leg;
                if let Some(session) = call.leg(leg).map(|leg| leg.session) {
                    let _ = self.endpoint.cancel_reinvite(now, session);
                }
                return;
            }
            _ => return,
        };
        let session = |no| call.leg(no).map(|leg| leg.session);
        match (ask, session(from)) {
            (Ask::Reinvite, _) => {
                if let Some(session) = call.other(from).and_then(session) {
                    let _ = self.endpoint.cancel_reinvite(now, session);
                }
            }
            (_, Some(session)) => {
                self.give_up(now, key, between);
                self.deny(now, session, ask, &Reply::new(StatusCode::SERVER_TIMEOUT));
            }
            (_, None) => {}
        }
    }
}

/// Whether a failure is one that the dialog comes to an end with (RFC 3261 §12.2.1.2), or that says that it takes no UPDATE.
fn is_of_the_dialog(why: &Failure) -> bool {
    match why {
        Failure::Response(response) => matches!(response.status().as_u16(), 405 | 408 | 481 | 501),
        Failure::Timeout => true,
        Failure::Challenged(_) | Failure::Unreachable(_) | Failure::Full => false,
    }
}
