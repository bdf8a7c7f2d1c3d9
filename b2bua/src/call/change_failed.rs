//! Changes of a session that come to nothing: what was asked is refused, is given up, or takes too long.

use super::exchange::{Ask, Between, By, Exchange};
use super::guard::CallTimer;
use super::{CallKey, LegNo, State};
use crate::shard::Core;
use sip::Failure;
use sip::session::Reply;
use sip::time::Now;
use sip_types::StatusCode;

impl Core {
    /// A re-INVITE of ours failed.
    pub(crate) fn on_reinvite_failed(&mut self, now: Now, key: CallKey, leg: LegNo, why: &Failure) {
        let Some(call) = self.calls.get(key) else { return };
        // What a reliable response has answered may stand with its peer, or not (RFC 6141 §3.4).
        let awaits = call.standing_party(leg).is_some_and(|party| call.media.awaits_answer(party));
        let tells = if call.refreshes(leg) { Some(leg) } else { call.telling().filter(|told| *told == leg) };
        let changed = tells.filter(|_| !awaits && call.other(leg).is_some());
        if self.underway_failed(now, key, leg, why) {
            return;
        }
        if !self.refresh_failed(key, leg) {
            match self.calls.get(key).map(|call| &call.exchange) {
                Some(Exchange::Renegotiate { leg: told }) if *told == leg => {
                    self.not_renegotiated(now, key, leg, why);
                }
                Some(Exchange::TakeOver { leg: asked, by, .. }) if *asked == leg => {
                    let by = *by;
                    self.not_taken_over(now, key, (leg, by), why);
                }
                _ => self.on_change_failed(now, key, (Between::Standing, leg), why),
            }
        }
        if let Some(leg) = changed {
            self.tell_again(now, key, leg);
        }
    }

    /// What a leg was asked failed; both legs stand as they stood.
    pub(super) fn on_change_failed(
        &mut self,
        now: Now,
        key: CallKey,
        (between, leg): (Between, LegNo),
        why: &Failure,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(sides) = call.sides(between, leg) else { return };
        call.undo_offer(sides);
        let session = call.leg(leg).map(|leg| leg.session);
        let Some(exchange) = call.exchange_of(between) else { return };
        let exchange = std::mem::take(exchange);
        if let Exchange::Asked(asked) | Exchange::GivenUp(asked) = &exchange {
            self.name_peer(key, (leg, asked.from));
        }
        if let (Exchange::Asked(asked) | Exchange::GivenUp(asked), Some(call)) =
            (&exchange, self.calls.get_mut(key).filter(|_| between == Between::Standing))
            && asked.has_changed()
        {
            call.put_back(asked, leg);
        }
        let asked = match (exchange, between, session) {
            (Exchange::Asked(asked), ..) => asked,
            (Exchange::GivenUp(asked), Between::Standing, _) if asked.has_changed() => {
                return self.tell_again(now, key, leg);
            }
            (Exchange::Restore { .. }, Between::Standing, Some(session)) => {
                return self.not_brought_together(now, key, (leg, session));
            }
            (..) => return,
        };
        let reply = match (is_of_the_dialog(why), asked.ask) {
            // What the other side's dialog comes to is none of this one's doing: it must not be lost with it.
            (true, Ask::Update(_) | Ask::Prack(_)) => Reply::new(StatusCode::SERVER_TIMEOUT),
            (_, _) => self.failure_reply(key, (leg, asked.from), &asked.ask.method(), why),
        };
        let Some(asking) = self.calls.get(key).and_then(|c| c.leg(asked.from)).map(|l| l.session) else {
            return;
        };
        self.deny(now, asking, asked.ask, &reply);
        if asked.has_changed() {
            self.tell_again(now, key, leg);
        }
    }

    /// A leg gave its re-INVITE up: so do we on the other leg. Where it has been `executed` before, it waits for what comes of that
    /// (RFC 6141 §3.8).
    pub(crate) fn on_reinvite_cancelled(&mut self, now: Now, key: CallKey, leg: LegNo, executed: bool) {
        if executed {
            return self.cancel_underway(now, key);
        }
        self.give_up_underway(now, key, leg);
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
            self.settle_owed(now, key, sides.other);
            let session = self.calls.get(key)?.leg(sides.other)?.session;
            let _ = self.endpoint.cancel_reinvite(now, session);
        }
        Some(())
    }

    /// What a leg was asked has waited for as long as it may. A re-INVITE of ours is cancelled, and its failure is what the asking
    /// leg hears. Who has asked in an UPDATE or a PRACK is told now: it has to be answered at once, whatever the far side asks
    /// its user (RFC 3311 §5.2).
    pub(super) fn exchange_due(&mut self, now: Now, key: CallKey, nth: u32) {
        let Some(call) = self.calls.get_mut(key).filter(|call| call.state != State::Ending) else { return };
        if let Some(until) = call.lengthened(nth) {
            match until > now.mono {
                true => self.timers.arm_at(now, until, (key, CallTimer::Exchange(nth))),
                false if call.underway.is_some() => self.cancel_underway(now, key),
                false => {}
            }
            if until > now.mono {
                return;
            }
        }
        let Some(call) = self.calls.get_mut(key) else { return };
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
