//! The called side answers: one pair of dialogs becomes the call, the others go.

use super::agreement::Apart;
use super::body::Wrap;
use super::conversion::Conversion;
use super::exchange::Exchange;
use super::talk::Talk;
use super::{Call, CallKey, LegNo, State, decide, history};
use crate::shard::{Core, listener_in};
use bytes::Bytes;
use media::{PartyId, Refusal};
use policy::On;
use sip::Received;
use sip::dialog::DialogNo;
use sip::session::{Parts, Reply, SessionId};
use sip::time::Now;
use sip_types::{Fields, Headers, Response, StatusCode};

impl Core {
    /// The first 2xx of a called leg.
    pub(crate) fn on_answered(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        dialog: DialogNo,
        response: &Response,
    ) {
        let Some(call) = self.calls.get(key) else { return };
        if call.rings_first() {
            return self.on_first_answered(now, key, leg, response);
        }
        if call.transfer().is_some() {
            return self.on_target_answered(now, key, leg, dialog, response);
        }
        let session = call.leg(leg).map(|l| l.session);
        let Some(session) = session else { return };
        if call.joined().is_some() || call.state == State::Ending {
            // Two targets answered at once, or the caller gave up in this moment.
            return self.end_leg(now, key, leg, session, answered_elsewhere());
        }
        let taken = decide::take_response(call, leg, LegNo::CALLER, response);
        let Some(at) = self.pair_to_answer(now, key, (leg, Some(dialog)), response.status()) else {
            self.end_leg(now, key, leg, session, decide::reason(503, "Too many early dialogs"));
            return self.branch_failed(now, key, leg, self.overload_reply());
        };
        match self.settle_media(key, at, taken.sdp.as_deref()) {
            Ok(description) => {
                let mut parts = self.spoken(key, (leg, LegNo::CALLER), response.headers());
                let is_described = description.is_some();
                parts.body = taken.wrap.around(description);
                self.join(now, key, at, response.headers(), (parts, is_described));
            }
            Err(refusal) => {
                self.counters.descriptions_refused += 1;
                self.refuse_offer(now, key, leg, at);
                let reply = self.media_reply(&refusal);
                let text = match refusal {
                    Refusal::Ports(_) => "No media ports",
                    _ => "Session description refused",
                };
                self.end_leg(now, key, leg, session, decide::reason(reply.status.as_u16(), text));
                let reply = match refusal {
                    // Neither side is at fault where they have nothing in common (RFC 3261 §21.4.26).
                    Refusal::Formats => reply,
                    _ => bad_gateway(reply),
                };
                self.branch_failed(now, key, leg, reply);
            }
        }
    }

    /// The dialogs that a 2xx joins. Where the caller has as many early ones as may be, it takes the place of one of
    /// another leg, which has lost.
    pub(super) fn pair_to_answer(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, Option<DialogNo>),
        status: StatusCode,
    ) -> Option<usize> {
        if let Some(at) = self.pair(key, leg, dialog, status) {
            return Some(at);
        }
        let call = self.calls.get_mut(key)?;
        let at = call.pairs.iter().rposition(|pair| pair.callee != leg)?;
        let lost = call.pairs.remove(at);
        let caller = call.caller.as_ref()?;
        let (session, of_caller) = (caller.session, caller.party);
        let first = call.leg(lost.callee).map(|leg| leg.party);
        let parties = lost.caller_party.into_iter().chain(Some(lost.callee_party));
        let gone = parties.filter(|party| *party != of_caller && Some(*party) != first);
        gone.collect::<Vec<_>>().into_iter().for_each(|party| call.media.remove_party(party));
        let stands_alone = call.only.is_none();
        self.abandon(now, key, lost.caller_party, lost.exchange);
        if stands_alone {
            self.endpoint.close_dialog(session, lost.caller_dialog);
        }
        self.pair(key, leg, dialog, status)
    }

    /// The description for the caller's 2xx: an answer to its offer, or the far side's offer.
    fn settle_media(
        &mut self,
        key: CallKey,
        at: usize,
        sdp: Option<&[u8]>,
    ) -> Result<Option<Bytes>, Refusal> {
        let caller = self.caller_party(key, at)?;
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        let conversion = call.conversion_of(at);
        let Some(pair) = call.pairs.get(at) else { return Ok(None) };
        let callee = pair.callee_party;
        match (call.wrap.has_sdp(), sdp) {
            (_, _) if pair.owes.is_some() => return Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
            (true, _) if call.only.is_some_and(|only| only.shown) && !pair.shown => {
                return self.settle_behind(key, at, sdp);
            }
            // All was said in reliable responses and PRACKs (RFC 3262 §5).
            (_, _) if pair.agreed => return Ok(None),
            (true, Some(sdp)) if !pair.settled => self.take_description(key, at, sdp)?,
            // The answer came ahead, in a provisional response (RFC 3261 §13.2.1).
            (true, _) if pair.described => {}
            // What it offered in a reliable response was of no use.
            (true, _) if pair.settled => return Err(Refusal::Formats),
            (true, _) => return Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
            (false, sdp) if conversion == Conversion::Made => {
                match sdp.filter(|_| !pair.settled) {
                    Some(sdp) => call.media.receive_answer(callee, sdp)?,
                    None if pair.described => {}
                    None => return Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
                }
                return call.media.compose_offer(caller, callee, &mut *self.link).map(Some);
            }
            (false, Some(sdp)) => {
                call.media.receive_offer(callee, sdp)?;
                return call.media.compose_offer(caller, callee, &mut *self.link).map(Some);
            }
            (false, None) => return Ok(None),
        }
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        call.media.compose_answer(caller, callee, &mut *self.link).map(Some)
    }

    /// The same where the one early dialog has had its answer from another pair: that stays its answer (RFC 3261 §13.2.1), and media
    /// flows between the caller and whom has answered. What differs is offered once the caller has acknowledged.
    fn settle_behind(
        &mut self,
        key: CallKey,
        at: usize,
        sdp: Option<&[u8]>,
    ) -> Result<Option<Bytes>, Refusal> {
        let unknown = Refusal::Misuse(media::Misuse::UnknownParty);
        let call = self.calls.get_mut(key).ok_or(unknown)?;
        let pair = call.pairs.get(at).ok_or(unknown)?;
        let (callee, agreed) = (pair.callee_party, call.only.is_some_and(|only| only.agreed));
        match sdp {
            Some(sdp) if !pair.settled => self.take_description(key, at, sdp)?,
            _ if pair.described => {}
            _ => return Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
        }
        let call = self.calls.get_mut(key).ok_or(Refusal::Misuse(media::Misuse::UnknownParty))?;
        let caller = call.caller.as_ref().ok_or(Refusal::Misuse(media::Misuse::UnknownParty))?.party;
        call.media.connect(caller, callee);
        call.apart = Some(Apart::default());
        Ok(call.media.described_to(caller).filter(|_| !agreed))
    }

    /// What an answer says to another leg besides its description, in view of the message that it comes from.
    pub(super) fn spoken(&self, key: CallKey, (from, to): (LegNo, LegNo), headers: &Headers) -> Parts {
        let Some(call) = self.calls.get(key) else { return Parts::default() };
        let (Some(from), Some(to)) = (call.leg(from), call.leg(to)) else { return Parts::default() };
        let listener = listener_in(&self.endpoint, to.network);
        let mut parts = decide::parts(headers, On::Response, &decide::crossing(call, from, to), listener);
        decide::tell_extensions(&mut parts, &to.profile);
        parts
    }

    /// The call is answered: the caller is, with these parts, which may describe what answers it.
    pub(super) fn join(
        &mut self,
        now: Now,
        key: CallKey,
        at: usize,
        headers: &Headers,
        (mut parts, is_described): (Parts, bool),
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let delayed = !call.wrap.has_sdp() && is_described;
        // The far side has answered an offer of ours: it waits for nothing.
        let settled = call.conversion_of(at) == Conversion::Made;
        let Some(pair) = call.pairs.get_mut(at) else { return };
        let reply = pair.reply.take();
        let Some(caller_party) = pair.caller_party else { return };
        let (exchange, waiting) = match std::mem::take(&mut pair.exchange) {
            Exchange::Waiting(waiting) => (Exchange::Idle, Some(waiting)),
            exchange => (exchange, None),
        };
        let (leg, caller_dialog) = (pair.callee, pair.caller_dialog);
        call.talk = Talk::Joined { called: (leg, pair.callee_party), calling: (LegNo::CALLER, caller_party) };
        call.exchange = if delayed { Exchange::Answer { from: LegNo::CALLER, settled } } else { exchange };
        history::tell_back(&mut parts.fields, call, Some(leg));
        let (Some(callee), Some(caller)) = (call.leg(leg), &call.caller) else { return };
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            leg_sip_call_id = %callee.call_id,
            leg = leg.0,
            "a call is answered"
        );
        let (caller, callee) = (caller.session, callee.session);
        call.state = State::Established;
        call.answered = Some(now);
        // RFC 5009 §8: with the answer all is authorized.
        if let Some((_, answering, _)) = call.joined() {
            call.media.gate(answering, None);
        }
        for no in [LegNo::CALLER, leg] {
            call.leg_mut(no).into_iter().for_each(|leg| leg.confirmed = Some(now));
        }
        self.forget_losers(now, key);
        if let Some(call) = self.calls.get_mut(key)
            && call.joined().is_some_and(|(_, callee, _)| call.media.key_is_due(callee))
        {
            // Once the caller has acknowledged.
            call.apart.get_or_insert_default();
        }
        self.counters.answered += 1;
        self.name_leg(now, key, LegNo::CALLER, Some(headers));
        // A caller that is gone in this moment has its own event.
        let _ = self.endpoint.answer(now, caller, caller_dialog, parts);
        if !delayed || settled {
            let parts = Parts { body: Wrap::Nothing.around(reply), ..Parts::default() };
            let _ = self.endpoint.acknowledge(now, callee, parts);
        }
        if let Some((id, request)) = waiting.map(|waiting| *waiting) {
            // The far side's answer has overtaken its 2xx to our PRACK.
            self.on_pracked_inside(now, key, LegNo::CALLER, Some(id), &request);
        }
        self.watch_leg(key, leg);
        self.watch_established(now, key);
    }

    /// Everything that stood for other early dialogs goes.
    fn forget_losers(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some((leg, callee_party, caller_party)) = call.joined() else { return };
        call.fork.clear();
        // What only the setting up needed, and the bytes of the INVITE with it.
        call.invite = None;
        call.wrap = Wrap::default();
        let (mut losers, mut abandoned) = (Vec::<PartyId>::new(), Vec::new());
        for pair in std::mem::take(&mut call.pairs) {
            losers.extend(pair.caller_party.into_iter().chain(Some(pair.callee_party)));
            abandoned.extend(pair.exchange.is_busy().then_some((pair.caller_party, pair.exchange)));
        }
        losers.extend(call.callees.iter().map(|l| l.party));
        losers.extend(call.caller.as_ref().map(|caller| caller.party));
        for party in losers.into_iter().filter(|p| *p != callee_party && *p != caller_party) {
            call.media.remove_party(party);
        }
        call.media.confirm(callee_party);
        call.media.confirm(caller_party);
        let others = call.callees.iter().filter(|l| l.no != leg && l.end.is_none());
        let others: Vec<_> = others.map(|l| (l.no, l.session, l.rings())).collect();
        for (party, exchange) in abandoned {
            self.abandon(now, key, party, exchange);
        }
        for (no, session, rings) in others {
            self.counters.answered_elsewhere += u64::from(rings);
            self.end_leg(now, key, no, session, answered_elsewhere());
        }
    }

    /// The ACK of a 2xx of ours.
    pub(crate) fn on_acknowledged(&mut self, now: Now, key: CallKey, leg: LegNo, request: &Received) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let settled = match call.exchange {
            Exchange::Answer { from, settled } if from == leg => settled,
            _ if call.apart.is_some() => return self.bring_together(now, key),
            _ => return,
        };
        call.exchange = Exchange::Idle;
        let Some(other) = call.other(leg) else { return };
        let (Some(from), Some(to)) = (call.party(leg), call.party(other)) else { return };
        let Some(session) = call.leg(other).map(|l| l.session) else { return };
        // An answer that is missing ends the call.
        let taken = decide::take_ack(call, leg, other, &request.request);
        let taken_over = call.take_answer(from, taken.sdp.as_deref());
        let answer = match settled {
            // The other side has had its answer before this one was asked.
            true => taken_over.map(|()| None),
            false => taken_over.and_then(|()| call.media.compose_answer(to, from, &mut *self.link).map(Some)),
        };
        match answer {
            Ok(None) => self.bring_together(now, key),
            Ok(Some(answer)) => {
                let is_apart = call.apart.is_some();
                let body = taken.wrap.around(Some(answer));
                self.pass_on_answer(now, key, (leg, other), request.headers(), body);
                if is_apart {
                    self.bring_together(now, key);
                }
            }
            Err(_) => {
                self.counters.descriptions_refused += 1;
                if !settled {
                    self.acknowledge_in_vain(now, key, session, to);
                }
                self.end_call(now, key, &decide::reason(488, "Offer was not answered"), "offer not answered");
            }
        }
    }

    /// A 2xx had an offer that nothing can come of.
    fn refuse_offer(&mut self, now: Now, key: CallKey, leg: LegNo, at: usize) {
        let offers = |call: &&Call| !call.wrap.has_sdp() || call.conversion_of(at) == Conversion::Asked;
        let Some(call) = self.calls.get(key).filter(offers) else { return };
        let (Some(leg), Some(pair)) = (call.leg(leg), call.pairs.get(at)) else { return };
        let (session, party) = (leg.session, pair.callee_party);
        self.acknowledge_in_vain(now, key, session, party);
    }

    /// The ACK of a 2xx whose offer is not acceptable: it has a valid answer all the same, and a BYE is to follow
    /// (RFC 3261 §13.2.2.4). An offer that cannot be read has none.
    pub(super) fn acknowledge_in_vain(&mut self, now: Now, key: CallKey, session: SessionId, party: PartyId) {
        let refusal = self.calls.get_mut(key).and_then(|call| call.media.compose_refusal(party).ok());
        let body = Wrap::Nothing.around(refusal);
        let _ = self.endpoint.acknowledge(now, session, Parts { body, ..Parts::default() });
    }
}

/// What those hear whose call another one has answered (RFC 3326 §2).
pub(super) fn answered_elsewhere() -> Fields {
    decide::reason(200, "Call completed elsewhere")
}

/// The far side's answer cannot be taken: to the caller that is a failure beyond us.
pub(super) fn bad_gateway(mut reply: Reply) -> Reply {
    if reply.status.as_u16() < 500 {
        reply.status = StatusCode::BAD_GATEWAY;
    }
    reply
}
