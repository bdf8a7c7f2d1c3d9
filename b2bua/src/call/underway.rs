//! A re-INVITE whose offer and answer are settled before its final response, by reliable provisional responses on both legs.
//!
//! ```text
//!   asker            Liaison            asked
//!                      │ ◄─── 200 ─────────
//!    ◄──── 200 ─────── │
//!     or
//!                      │ ◄─── 4xx ─────────   what it had executed is undone there
//!    ◄─── UPDATE ───── │                      what stood before, on this leg too (RFC 6141 §3.3)
//!    ───── 200 ──────► │
//!    ◄──── 200 ─────── │ ─ re-INVITE ─────►   what stood before, so that both know (RFC 6141 §3.4)
//! ```
//! An asker that takes no UPDATE hears of it after its 200, by re-INVITE.

use super::ask::Means;
use super::exchange::{Ask, Asked, Between, Exchange};
use super::{Call, CallKey, LegNo, decide};
use crate::shard::{Core, listener_in};
use media::Standing;
use policy::On;
use sip::Failure;
use sip::session::Parts;
use sip::time::Now;
use sip_types::Response;

/// What the two legs had described before a re-INVITE.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    asker: Standing,
    asked: Standing,
}

impl Core {
    /// Offer and answer of the re-INVITE are settled on both legs: its final response is all that is left, and another exchange
    /// may begin.
    pub(super) fn goes_on_underway(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        match std::mem::take(&mut call.exchange) {
            Exchange::Asked(asked) => call.underway = Some(asked),
            other => call.exchange = other,
        }
    }

    /// A 2xx to a re-INVITE that is under way: `false` where it is another one's.
    pub(super) fn underway_answered(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        response: &Response,
    ) -> bool {
        let Some(call) = self.calls.get_mut(key) else { return false };
        let Some(asked) = call.underway.take_if(|asked| asked.from != leg) else { return false };
        let session = call.leg(leg).map(|leg| leg.session);
        if let Some(session) = session {
            let _ = self.endpoint.acknowledge(now, session, Parts::default());
        }
        if asked.abandoned {
            self.bring_together(now, key);
            return true;
        }
        let Some(call) = self.calls.get(key) else { return true };
        let taken = decide::take_response(call, leg, asked.from, response);
        let (Some(answering), Some(asking)) = (call.leg(leg), call.leg(asked.from)) else { return true };
        let crossing = decide::crossing(call, answering, asking);
        let listener = listener_in(&self.endpoint, asking.network);
        let mut parts = decide::parts(response.headers(), On::Response, &crossing, listener);
        parts.body = taken.wrap.around(None);
        let asking = asking.session;
        self.name_leg(now, key, asked.from, Some(response.headers()));
        self.grant(now, asking, asked.ask, parts);
        self.watch_leg(key, asked.from);
        true
    }

    /// A re-INVITE that is under way has failed: what it has changed does not stand any more with the peer that was asked, or does, so
    /// that this one is told what stood before (RFC 6141 §3.4). `false` where it is another one's.
    pub(super) fn underway_failed(&mut self, now: Now, key: CallKey, leg: LegNo, why: &Failure) -> bool {
        let Some(call) = self.calls.get_mut(key) else { return false };
        let Some(asked) = call.underway.take_if(|asked| asked.from != leg && !asked.refused) else {
            return false;
        };
        tracing::debug!(call = %call.id, leg = leg.0, ?why, "a change is refused that was answered before");
        call.put_back(&asked, leg);
        if asked.abandoned {
            self.tell_again(now, key, leg);
            return true;
        }
        call.put_back(&asked, asked.from);
        self.undo_underway(now, key, asked);
        true
    }

    /// What stood before is offered to the asker too, which has executed the change: in an UPDATE ahead of the 2xx to its re-INVITE, so
    /// that it may say no to it (RFC 6141 §3.3).
    fn undo_underway(&mut self, now: Now, key: CallKey, asked: Box<Asked>) {
        let from = asked.from;
        let Some(call) = self.calls.get_mut(key) else { return };
        let (Some(session), Some(sides)) =
            (call.leg(from).map(|leg| leg.session), call.sides(Between::Standing, from))
        else {
            return;
        };
        // In the middle of something else they settle what stands by that.
        let may = !call.exchange.is_busy()
            && self.endpoint.takes_update(session)
            && self.endpoint.may_update(session, None, true).is_ok();
        let offer = may.then(|| call.media.compose_offer(sides.here, sides.there, &mut *self.link));
        let Some(Ok(offer)) = offer else { return self.grant_undone(now, key, &asked) };
        let parts = self.offering_alone(key, from, offer);
        self.name_leg(now, key, from, None);
        let sent = self.send_change(now, (session, None), Means::Update, 70, parts);
        let Some(call) = self.calls.get_mut(key) else { return };
        match sent {
            Ok(by) => {
                call.exchanges = call.exchanges.wrapping_add(1);
                call.exchange = Exchange::Restore { leg: from, by, nth: call.exchanges };
                call.underway = Some(Box::new(Asked { refused: true, ..*asked }));
                self.watch_exchange(now, key, Ask::Reinvite);
            }
            Err(_) => {
                call.media.offer_failed(sides.here);
                self.grant_undone(now, key, &asked);
            }
        }
    }

    /// The UPDATE is over that offers the asker what stood before.
    pub(super) fn underway_undone(&mut self, now: Now, key: CallKey, leg: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if let Some(asked) = call.underway.take_if(|asked| asked.refused && asked.from == leg) {
            self.grant_undone(now, key, &asked);
        }
    }

    /// The asker has its 2xx, as something of its re-INVITE has been executed (RFC 6141 §3.3); then both are told what stands.
    fn grant_undone(&mut self, now: Now, key: CallKey, asked: &Asked) {
        let Some(call) = self.calls.get(key) else { return };
        let other = call.other(asked.from);
        self.grant_executed(now, key, asked);
        if let Some(other) = other {
            self.tell_again(now, key, other);
        }
    }

    /// A 2xx to a re-INVITE that has been executed before, though nothing is known of the other side's any more.
    pub(super) fn grant_executed(&mut self, now: Now, key: CallKey, asked: &Asked) {
        let session = self.calls.get(key).and_then(|call| call.leg(asked.from)).map(|leg| leg.session);
        let Some(session) = session else { return };
        let parts = self.statement_alone(key, asked.from);
        self.name_leg(now, key, asked.from, None);
        self.grant(now, session, asked.ask, parts);
        self.watch_leg(key, asked.from);
    }

    /// The asker of a re-INVITE that is under way has had its failure: what stood before stands there.
    pub(super) fn give_up_underway(&mut self, now: Now, key: CallKey, by: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let is_its = |asked: &mut Box<Asked>| asked.from == by && !asked.refused;
        let Some(mut asked) = call.underway.take_if(is_its) else { return };
        call.put_back(&asked, by);
        asked.abandoned = true;
        call.underway = Some(asked);
        self.cancel_underway(now, key);
    }

    /// Gives up what was asked in a re-INVITE that is under way.
    pub(super) fn cancel_underway(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get(key) else { return };
        let asked = call.underway.as_ref().and_then(|asked| call.other(asked.from));
        if let Some(session) = asked.and_then(|no| call.leg(no)).map(|leg| leg.session) {
            // If there is nothing to cancel, the answer is on its way.
            let _ = self.endpoint.cancel_reinvite(now, session);
        }
    }
}

impl Call {
    /// What the two legs have described so far, for what one of them asks for now.
    pub(super) fn described_before(&self, asker: LegNo) -> Option<Box<Before>> {
        let (here, there) = self.parties_of(asker)?;
        let (asker, asked) = (self.media.standing(here)?, self.media.standing(there)?);
        Some(Box::new(Before { asker, asked }))
    }

    /// What that leg had described before a change stands again, unless it is described anew at this moment.
    pub(super) fn put_back(&mut self, asked: &Asked, leg: LegNo) {
        let (Some(before), Some(party)) = (asked.before.as_deref(), self.party(leg)) else { return };
        let standing = if leg == asked.from { &before.asker } else { &before.asked };
        // What is offered at this moment settles anew what stands.
        let _ = self.media.put_back(party, standing);
    }
}
