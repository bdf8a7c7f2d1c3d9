//! The transferee gets another partner: the media at once, then what there is to say of it by re-INVITE.

use super::{GRACE, PATIENCE, Transfer};
use crate::call::body::Wrap;
use crate::call::guard::CallTimer;
use crate::call::talk::Talk;
use crate::call::{Call, CallKey, Exchange, LegNo, State, decide};
use crate::shard::Core;
use media::{Misuse, PartyId, Refusal};
use sip::Failure;
use sip::session::{Parts, Reply};
use sip::time::Now;
use sip_types::{Response, StatusCode};

impl Call {
    /// The transfer under way is over, with that outcome.
    pub(super) fn end_transfer(&mut self, status: StatusCode, target: Option<LegNo>) -> Option<Transfer> {
        let transfers = self.transfers.as_mut()?;
        let transfer = transfers.now.take()?;
        if let Some(last) = transfers.log.last_mut() {
            (last.status, last.target) = (Some(status), target);
        }
        self.fork.clear();
        self.invite = None;
        Some(transfer)
    }
}

impl Core {
    /// The target takes the transferor's place, once nothing is being negotiated between the two who have talked so far.
    pub(super) fn hand_over(&mut self, now: Now, key: CallKey, leg: LegNo, party: PartyId) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.leg(leg).is_none_or(|leg| leg.end.is_some()) {
            return self.transfer_failed(now, key, &Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE));
        }
        let refreshing = call
            .transfer()
            .is_some_and(|transfer| transfer.by.iter().chain([&transfer.of]).any(|no| call.refreshes(*no)));
        if refreshing || call.exchanges_now() {
            if let Some(transfer) = call.transfer_mut() {
                transfer.answered = Some((leg, party));
            }
            return self.timers.arm(now, PATIENCE, (key, CallTimer::Transfer));
        }
        self.tell_transferor(now, key, StatusCode::OK, "OK".into());
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(of_party) = call.sought_party() else { return };
        let Some(Transfer { by, of, moved, picked_up, .. }) = call.end_transfer(StatusCode::OK, Some(leg))
        else {
            return;
        };
        call.media.connect(of_party, party);
        if let Some((by, by_party)) = by.and_then(|by| Some((by, call.party(by)?))) {
            call.media.retire(by_party);
            call.leg_mut(by).into_iter().for_each(|by| by.party = by_party);
        }
        call.talk = Talk::Joined { called: (leg, party), calling: (of, of_party) };
        let goes = by.filter(|by| call.leg(*by).is_some_and(|by| by.end.is_none()));
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            transferor = by.map(|by| by.0),
            transferee = of.0,
            target = leg.0,
            "a leg has another partner"
        );
        let transfers = call.transfers.get_or_insert_default();
        if let Some(by) = goes {
            transfers.leaving.push((by, now.mono + GRACE));
            self.timers.arm(now, GRACE, (key, CallTimer::Transfer));
        }
        transfers.again = None;
        // A leg that was dialled for the transferee has been offered what that has described, unless it has changed since.
        let is_told = picked_up || (!moved && call.media.knows(party, of_party));
        transfers.news = if is_told { vec![of] } else { vec![leg, of] };
        // What the two were told who have talked so far is told anew.
        call.apart = None;
        match by {
            Some(_) => self.counters.transfers_done += 1,
            None => self.placed_call_stands(now, key),
        }
        self.watch_joined(now, key, leg);
        let renamed = self.speak_for_each_other(key, (leg, of));
        if let Some(transfers) = self.calls.get_mut(key).and_then(|call| call.transfers.as_mut()) {
            let told: Vec<_> = renamed.iter().filter(|no| !transfers.news.contains(no)).copied().collect();
            transfers.news.extend(told);
            transfers.renamed = renamed;
        }
        self.renegotiate(now, key);
    }

    /// A deadline of a transfer has come.
    pub(in crate::call) fn transfer_due(&mut self, now: Now, key: CallKey) {
        self.waited_in_vain(now, key);
        let Some(call) = self.calls.get_mut(key).filter(|call| call.state != State::Ending) else {
            return;
        };
        let Some(transfers) = call.transfers.as_mut() else { return };
        if let Some((leg, party)) = transfers.now.as_ref().and_then(|transfer| transfer.answered) {
            return self.hand_over(now, key, leg, party);
        }
        let due = transfers.leaving.extract_if(.., |(_, at)| *at <= now.mono);
        let due: Vec<_> = due.map(|(no, _)| no).collect();
        for no in due {
            let leg = self.calls.get(key).and_then(|call| call.leg(no)).filter(|leg| leg.end.is_none());
            if let Some(session) = leg.map(|leg| leg.session) {
                self.end_leg(now, key, no, session, decide::reason(200, "Transferred"));
            }
        }
        self.renegotiate(now, key);
    }

    /// Tells the legs that have a new partner what that has described, by a re-INVITE in the dialog of each, where it is not what
    /// stands there already. One after the other, so that the second one is offered what the first one has answered.
    pub(super) fn renegotiate(&mut self, now: Now, key: CallKey) {
        loop {
            let Some(call) = self.calls.get_mut(key).filter(|call| call.state == State::Established) else {
                return;
            };
            let Some(transfers) = call.transfers.as_mut() else { return };
            let Some(leg) = transfers.news.first().copied() else {
                let again = transfers.again.take();
                return again.into_iter().for_each(|leg| self.tell_again(now, key, leg));
            };
            if call.refreshes(leg) || call.exchanges_now() {
                return self.timers.arm(now, PATIENCE, (key, CallTimer::Transfer));
            }
            let parties = call.other(leg).and_then(|other| call.party(leg).zip(call.party(other)));
            let session = call.leg(leg).map(|leg| leg.session);
            if let (Some((here, there)), Some(session)) = (parties, session) {
                let mark = call.media.mark(here);
                let renamed = call.transfers.as_ref().is_some_and(|t| t.renamed.contains(&leg));
                // Another name alone is told in an UPDATE, to whom takes that (RFC 4916 §4.3).
                let by_update = self.endpoint.takes_update(session);
                match call.media.compose_offer(here, there, &mut *self.link) {
                    Ok(offer) if call.media.stands(here, &offer) && (by_update || !renamed) => {
                        call.media.withdraw(here, mark);
                        if renamed {
                            self.name_leg(now, key, leg, None);
                            if self.endpoint.update(now, session, None, 70, Parts::default()).is_err() {
                                return self.timers.arm(now, PATIENCE, (key, CallTimer::Transfer));
                            }
                        }
                    }
                    Ok(offer) => {
                        let parts = Parts { body: Wrap::Nothing.around(Some(offer)), ..Parts::default() };
                        self.name_leg(now, key, leg, None);
                        let sent = self.endpoint.reinvite(now, session, 70, parts);
                        let Some(call) = self.calls.get_mut(key) else { return };
                        if sent.is_err() {
                            // Its peer is in the middle of something of its own.
                            call.media.withdraw(here, mark);
                            return self.timers.arm(now, PATIENCE, (key, CallTimer::Transfer));
                        }
                        call.exchange = Exchange::Renegotiate { leg };
                        call.told(leg);
                        return self.watch_telling(now, key);
                    }
                    // Its peer is in the middle of something of its own.
                    Err(Refusal::Misuse(Misuse::OfferPending)) => {
                        return self.timers.arm(now, PATIENCE, (key, CallTimer::Transfer));
                    }
                    Err(_) => self.counters.descriptions_refused += 1,
                }
            }
            if let Some(call) = self.calls.get_mut(key) {
                call.told(leg);
            }
        }
    }

    /// A leg with a new partner has answered our re-INVITE.
    pub(in crate::call) fn renegotiated(&mut self, now: Now, key: CallKey, leg: LegNo, response: &Response) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.exchange = Exchange::Idle;
        let (Some(session), Some(other)) = (call.leg(leg).map(|leg| leg.session), call.other(leg)) else {
            return;
        };
        let taken = decide::take_response(call, leg, other, response);
        let party = call.party(leg);
        let elsewhere =
            party.zip(taken.sdp.as_deref()).is_some_and(|(of, sdp)| call.media.leads_elsewhere(of, sdp));
        let answer = party.is_some_and(|party| call.take_answer(party, taken.sdp.as_deref()).is_ok());
        if elsewhere && let Some(transfers) = call.transfers.as_mut() {
            // It was told of this one what does not hold any more.
            transfers.again = Some(other).filter(|other| !transfers.news.contains(other));
            self.joined_apart(key);
        }
        let _ = self.endpoint.acknowledge(now, session, Parts::default());
        if answer {
            return self.renegotiate(now, key);
        }
        // It has changed to what we cannot take: there is no way back for it but the end.
        self.counters.descriptions_refused += 1;
        self.end_call(now, key, &decide::reason(488, "Session description refused"), "answer refused");
    }

    /// A leg with a new partner refuses our re-INVITE: it goes on as it was, which may be good enough for both, and is asked again later.
    pub(in crate::call) fn not_renegotiated(&mut self, now: Now, key: CallKey, leg: LegNo, why: &Failure) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.exchange = Exchange::Idle;
        let parties = call.parties_of(leg);
        parties.into_iter().for_each(|(party, _)| call.media.offer_failed(party));
        tracing::debug!(call = %call.id, leg = leg.0, ?why, "a leg does not take its new partner's description");
        self.counters.transfers_unsettled += 1;
        let is_apart = parties.is_some_and(|(here, there)| !call.media.knows(here, there));
        if let Some(session) = call.leg(leg).map(|leg| leg.session).filter(|_| is_apart) {
            self.joined_apart(key);
            self.not_brought_together(now, key, (leg, session));
        }
        self.renegotiate(now, key);
    }
}

impl Call {
    /// A leg has been told all that there was to tell.
    fn told(&mut self, leg: LegNo) {
        if let Some(transfers) = &mut self.transfers {
            transfers.news.retain(|waiting| *waiting != leg);
            transfers.renamed.retain(|waiting| *waiting != leg);
        }
    }
}
