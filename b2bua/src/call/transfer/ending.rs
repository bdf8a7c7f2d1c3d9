//! Legs that end while a transfer is under way.

use crate::call::exchange::{Asked, By};
use crate::call::{CallKey, Exchange, LegNo, State};
use crate::shard::Core;
use sip::End;
use sip::session::{Parts, Reply};
use sip::time::Now;
use sip_types::StatusCode;

impl Core {
    /// A leg of a call with a transfer under way has ended: whether the call goes on without it. It does without the
    /// transferor, who need not wait for the target (RFC 5589 §6.1); without the transferee there is nobody to transfer.
    pub(in crate::call) fn outlives(&mut self, now: Now, key: CallKey, no: LegNo) -> bool {
        let Some(call) = self.calls.get(key).filter(|call| call.state == State::Established) else {
            return false;
        };
        let Some((by, of)) = call.transfer().map(|transfer| (transfer.by, transfer.of)) else { return false };
        if Some(no) == by {
            self.abandon_exchange(now, key, no);
            if let Some(call) = self.calls.get_mut(key)
                && let Some(party) = call.party(no)
            {
                call.media.retire(party);
            }
            self.let_hear(key);
            return true;
        }
        if no == of {
            self.tell_transferor(now, key, StatusCode::REQUEST_TERMINATED, "Transferee Gone".into());
            if let Some(call) = self.calls.get_mut(key) {
                call.end_transfer(StatusCode::REQUEST_TERMINATED, None);
            }
            self.counters.transfers_failed += 1;
        }
        false
    }

    /// A call ends: who has asked for a transfer hears that nothing comes of it, before its own dialog is over.
    pub(in crate::call) fn end_transfers(&mut self, now: Now, key: CallKey) {
        self.end_waiting(now, key);
        let transfer = self.calls.get(key).and_then(|call| call.transfer());
        if transfer.is_none_or(|transfer| transfer.by.is_none()) {
            return;
        }
        self.tell_transferor(now, key, StatusCode::REQUEST_TERMINATED, "Call Ended".into());
        if let Some(call) = self.calls.get_mut(key) {
            call.end_transfer(StatusCode::REQUEST_TERMINATED, None);
        }
        self.counters.transfers_failed += 1;
    }

    /// A target that has answered and waits for its place has ended: nobody is joined with it. `false`: it was another leg.
    pub(in crate::call) fn target_gone(&mut self, now: Now, key: CallKey, no: LegNo, why: &End) -> bool {
        let Some(call) = self.calls.get_mut(key).filter(|call| call.state != State::Ending) else {
            return false;
        };
        let answered = call.transfer().and_then(|transfer| transfer.answered);
        let Some((_, party)) = answered.filter(|(leg, _)| *leg == no) else { return false };
        call.media.retire(party);
        call.leg_mut(no).into_iter().for_each(|leg| leg.party = party);
        let status = match why {
            End::Lost(_) | End::NoAck | End::SessionExpired => StatusCode::REQUEST_TIMEOUT,
            End::Bye(_)
            | End::Cancelled(_)
            | End::Expired
            | End::Rejected(_)
            | End::HungUp(_)
            | End::Left
            | End::NoPrack => StatusCode::TEMPORARILY_UNAVAILABLE,
        };
        self.transfer_failed(now, key, &Reply::new(status));
        true
    }

    /// One of two legs has gone in the middle of an exchange between them: the other one is not kept waiting for it.
    fn abandon_exchange(&mut self, now: Now, key: CallKey, gone: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(other) = call.other(gone) else { return };
        let (Some(session), Some(party)) = (call.leg(other).map(|leg| leg.session), call.party(other)) else {
            return;
        };
        match call.underway.take() {
            Some(asked) if asked.from == other && !asked.abandoned => self.grant_executed(now, key, &asked),
            Some(asked) if asked.from == gone && !asked.refused => {
                call.underway = Some(Box::new(Asked { abandoned: true, ..*asked }));
                self.cancel_underway(now, key);
            }
            _ => {}
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        match std::mem::replace(&mut call.exchange, Exchange::Idle) {
            Exchange::Asked(asked) if asked.from == other => {
                call.media.offer_failed(party);
                self.deny(now, session, asked.ask, &Reply::new(StatusCode::REQUEST_PENDING));
            }
            // Its answer is still to come, and concerns nobody else.
            Exchange::Asked(asked) => {
                let by = asked.by;
                call.exchange = Exchange::GivenUp(asked);
                if by == By::Reinvite {
                    // If there is nothing to cancel, the answer is on its way.
                    let _ = self.endpoint.cancel_reinvite(now, session);
                }
            }
            Exchange::Answer { from, settled: false } if from == gone => {
                let refusal = call.media.compose_refusal(party).ok();
                let body = crate::call::body::Wrap::Nothing.around(refusal);
                let _ = self.endpoint.acknowledge(now, session, Parts { body, ..Parts::default() });
            }
            // What was to come from a leg that has gone does not come any more.
            Exchange::GivenUp(asked) if asked.from != gone => call.media.offer_failed(party),
            Exchange::Restore { leg, .. } | Exchange::Renegotiate { leg } if leg == gone => {
                call.media.offer_failed(party);
            }
            Exchange::TakeOver { leg, by, .. } if leg == gone => {
                call.media.offer_failed(party);
                self.refuse_taker(now, key, by, &Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE));
            }
            stays => call.exchange = stays,
        }
    }
}
