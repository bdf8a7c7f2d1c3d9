//! Two legs that describe different things to each other are brought together: each is offered what the other has said last,
//! one after the other, until both know (RFC 6141 §3.4).
//!
//! They come apart where one leg has taken a change that the other one has not: who had asked for it gave up, a leg answers
//! another thing than before when its session is refreshed, what puts things right is refused, or one that has a new partner does not
//! take what that has described, or answers with another address or other keys than that was told.

use super::exchange::{Ask, By, Exchange};
use super::guard::CallTimer;
use super::{Call, CallKey, LegNo, State, decide};
use crate::shard::Core;
use media::{Misuse, PartyId, Refusal};
use sip::session::SessionId;
use sip::time::{Mono, Now};
use std::time::Duration;

/// So many offers may be refused, one after the other, before the legs are left as they are, or the call is ended, if that leaves two who
/// have a new partner without hearing each other.
const REFUSALS: u8 = 8;

/// So many may be made in all: who answers each with something else is not asked without end.
const OFFERS: u8 = 24;

/// So often it may be looked again in vain: for longer than a change that progresses may take.
const WAITS: u16 = 600;

/// When it is looked again where something else is under way.
const AGAIN: Duration = Duration::from_secs(2);

/// What has been done for two legs that may be apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Apart {
    offers: u8,
    refusals: u8,
    /// How often something else was under way.
    waits: u16,
    /// A leg that is to be told, whatever it knows.
    again: Option<LegNo>,
    /// Whether they have been joined only just, so that they may never have heard each other.
    new: bool,
    /// When it goes on.
    due: Option<Mono>,
}

impl Core {
    /// What has come of an exchange may have left the two legs apart.
    pub(super) fn bring_together(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let apart = call.apart.get_or_insert_default();
        (apart.due, apart.refusals) = (None, 0);
        self.reconcile(now, key);
    }

    /// The same where that leg may be in whatever state: it is told what stands.
    pub(super) fn tell_again(&mut self, now: Now, key: CallKey, leg: LegNo) {
        if let Some(call) = self.calls.get_mut(key) {
            call.apart.get_or_insert_default().again = Some(leg);
        }
        self.bring_together(now, key);
    }

    /// A leg does not take an offer that would have brought them together: it is asked again after the back-off of RFC 3261 §14.1,
    /// as for a change that has collided.
    pub(super) fn not_brought_together(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, session): (LegNo, SessionId),
    ) {
        let wait = self.endpoint.back_off_time(session);
        let Some(call) = self.calls.get_mut(key) else { return };
        let apart = call.apart.get_or_insert_default();
        (apart.refusals, apart.again) = (apart.refusals + 1, Some(leg));
        self.agree_later(now, key, wait);
    }

    /// Two who have been joined only just are apart. If that stays so, and they cannot hear each other, their call is over.
    pub(super) fn joined_apart(&mut self, key: CallKey) {
        if let Some(call) = self.calls.get_mut(key) {
            call.apart.get_or_insert_default().new = true;
        }
    }

    fn agree_later(&mut self, now: Now, key: CallKey, wait: Duration) {
        let Some(apart) = self.calls.get_mut(key).and_then(|call| call.apart.as_mut()) else { return };
        apart.due = Some(now.mono + wait);
        self.timers.arm(now, wait, (key, CallTimer::Agreement));
    }

    /// Nothing can be offered now: later, if it has not been so for too long.
    fn agree_again(&mut self, now: Now, key: CallKey) {
        let Some(apart) = self.calls.get_mut(key).and_then(|call| call.apart.as_mut()) else { return };
        if apart.waits >= WAITS {
            return self.leave_apart(now, key);
        }
        apart.waits += 1;
        self.agree_later(now, key, AGAIN);
    }

    /// All has been tried: the legs are left as they are, unless they have never heard each other and never will.
    fn leave_apart(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(apart) = call.apart.take() else { return };
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            leg = call.ignorant().map(|leg| leg.0),
            "a leg does not take what the other one describes"
        );
        self.counters.legs_apart += 1;
        let parties = call.ignorant().and_then(|leg| call.parties_of(leg));
        let hears = parties.is_none_or(|(here, there)| call.media.reaches(here, there));
        if apart.new && !hears {
            let reason = decide::reason(488, "Session description refused");
            self.end_call(now, key, &reason, "description refused");
        }
    }

    /// Time to look whether two legs are apart still.
    pub(super) fn agreement_due(&mut self, now: Now, key: CallKey) {
        let due = self.calls.get(key).and_then(|call| call.apart).and_then(|apart| apart.due);
        if due.is_some_and(|due| due <= now.mono) {
            self.reconcile(now, key);
        }
    }

    /// Offers a leg what it does not know of the other one.
    fn reconcile(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key).filter(|call| call.state == State::Established) else {
            return;
        };
        let Some(apart) = call.apart else { return };
        if call.is_negotiating() {
            return self.agree_again(now, key);
        }
        let again = apart.again.filter(|leg| call.other(*leg).is_some());
        let Some(leg) = again.or_else(|| call.ignorant()) else {
            call.apart = None;
            return;
        };
        if apart.refusals >= REFUSALS || apart.offers >= OFFERS {
            return self.leave_apart(now, key);
        }
        let (Some(session), Some((here, there))) =
            (call.leg(leg).map(|leg| leg.session), call.parties_of(leg))
        else {
            return;
        };
        let mark = call.media.mark(here);
        let Ok(offer) = call.media.compose_offer(here, there, &mut *self.link) else {
            return self.agree_again(now, key);
        };
        let parts = self.offering_alone(key, leg, offer);
        self.name_leg(now, key, leg, None);
        let sent = self.endpoint.reinvite(now, session, 70, parts);
        let Some(call) = self.calls.get_mut(key) else { return };
        if sent.is_err() {
            // Its peer is in the middle of something of its own.
            call.media.withdraw(here, mark);
            return self.agree_again(now, key);
        }
        call.exchanges = call.exchanges.wrapping_add(1);
        call.exchange = Exchange::Restore { leg, by: By::Reinvite, nth: call.exchanges };
        if let Some(apart) = &mut call.apart {
            (apart.offers, apart.waits, apart.again) = (apart.offers + 1, 0, None);
        }
        self.watch_exchange(now, key, Ask::Reinvite);
    }
}

impl Call {
    /// Whether an exchange of offer and answer is under way between the two legs, or the re-INVITE that it was made in.
    pub(super) fn exchanges_now(&self) -> bool {
        self.exchange.is_busy() || self.underway.is_some()
    }

    /// Takes the answer that a 2xx has, or that a reliable provisional response has had before (RFC 6337 §3.1).
    ///
    /// # Errors
    /// There is none, or it cannot be taken.
    pub(super) fn take_answer(&mut self, party: PartyId, sdp: Option<&[u8]>) -> Result<(), Refusal> {
        match (self.media.awaits_answer(party), sdp) {
            (true, Some(sdp)) => self.media.receive_answer(party, sdp),
            (true, None) => Err(Refusal::Misuse(Misuse::NothingDescribed)),
            (false, _) => Ok(()),
        }
    }

    /// Whether something is under way that what the legs know of each other may change with.
    pub(super) fn is_negotiating(&self) -> bool {
        let refreshes = |no: LegNo| self.leg(no).is_some_and(|leg| leg.refreshing);
        let news = self.transfers.as_ref().is_some_and(|transfers| !transfers.news.is_empty());
        let joined = self.joined().map(|(callee, ..)| callee);
        self.exchanges_now()
            || self.hands_over()
            || news
            || joined.into_iter().chain([self.talk.calling()]).any(refreshes)
    }

    /// The leg that has not been told what the other one has said.
    fn ignorant(&self) -> Option<LegNo> {
        let (callee, callee_party, partner_party) = self.joined()?;
        let sides =
            [(callee, callee_party, partner_party), (self.talk.calling(), partner_party, callee_party)];
        sides.into_iter().find(|(_, here, there)| !self.media.knows(*here, *there)).map(|(leg, ..)| leg)
    }
}
