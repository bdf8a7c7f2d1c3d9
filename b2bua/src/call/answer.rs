//! The called side answers: one pair of dialogs becomes the call, the others go.

use super::body::{Taken, Wrap};
use super::exchange::Exchange;
use super::{CallKey, LegNo, State, decide};
use crate::shard::{Core, listener_in};
use bytes::Bytes;
use media::{PartyId, Refusal};
use policy::On;
use sip::Received;
use sip::dialog::DialogNo;
use sip::session::{Parts, Reply, SessionId};
use sip::time::Now;
use sip_types::{Fields, Response, StatusCode};

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
        if call.transfer().is_some() {
            return self.on_target_answered(now, key, leg, dialog, response);
        }
        let session = call.leg(leg).map(|l| l.session);
        let Some(session) = session else { return };
        if call.joined.is_some() || call.state == State::Ending {
            // Two targets answered at once, or the caller gave up in this moment.
            return self.end_leg(now, key, leg, session, answered_elsewhere());
        }
        let taken = decide::take_response(call, leg, LegNo::CALLER, response);
        let Some(at) = self.pair_to_answer(now, key, (leg, dialog), response.status()) else {
            self.end_leg(now, key, leg, session, decide::reason(503, "Too many early dialogs"));
            return self.branch_failed(now, key, leg, self.overload_reply());
        };
        match self.settle_media(key, at, taken.sdp.as_deref()) {
            Ok(description) => self.join(now, key, at, response, &taken, description),
            Err(refusal) => {
                self.counters.descriptions_refused += 1;
                self.refuse_offer(now, key, leg, at);
                let reply = self.media_reply(&refusal);
                let text = match refusal {
                    Refusal::Ports(_) => "No media ports",
                    _ => "Session description refused",
                };
                self.end_leg(now, key, leg, session, decide::reason(reply.status.as_u16(), text));
                self.branch_failed(now, key, leg, bad_gateway(reply));
            }
        }
    }

    /// The dialogs that a 2xx joins. Where the caller has as many early ones as may be, it takes the place of one of
    /// another leg, which has lost.
    fn pair_to_answer(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, DialogNo),
        status: StatusCode,
    ) -> Option<usize> {
        if let Some(at) = self.pair(key, leg, Some(dialog), status) {
            return Some(at);
        }
        let call = self.calls.get_mut(key)?;
        let at = call.pairs.iter().rposition(|pair| pair.callee != leg)?;
        let lost = call.pairs.remove(at);
        let (session, first) = (call.caller.session, call.leg(lost.callee).map(|leg| leg.party));
        let parties = lost.caller_party.into_iter().chain(Some(lost.callee_party));
        let gone = parties.filter(|party| *party != call.caller.party && Some(*party) != first);
        gone.collect::<Vec<_>>().into_iter().for_each(|party| call.media.remove_party(party));
        let stands_alone = call.only.is_none();
        self.abandon(now, key, lost.caller_party, lost.exchange);
        if stands_alone {
            self.endpoint.close_dialog(session, lost.caller_dialog);
        }
        self.pair(key, leg, Some(dialog), status)
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
        let Some(pair) = call.pairs.get(at) else { return Ok(None) };
        let callee = pair.callee_party;
        match (call.wrap.has_sdp(), sdp) {
            (_, _) if pair.owes.is_some() => return Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
            (true, _) if call.only.is_some_and(|only| only.shown) && !pair.shown => {
                return self.settle_behind(key, at, sdp);
            }
            // All was said in reliable responses and PRACKs (RFC 3262 §5).
            (_, _) if pair.agreed => return Ok(None),
            (true, Some(sdp)) if !pair.settled => call.media.receive_answer(callee, sdp)?,
            // The answer came ahead, in a provisional response (RFC 3261 §13.2.1).
            (true, _) if pair.described => {}
            (true, _) => return Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
            (false, Some(sdp)) => {
                call.media.receive_offer(callee, sdp)?;
                return call.media.compose_offer(caller, callee, &mut *self.link).map(Some);
            }
            (false, None) => return Ok(None),
        }
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
            Some(sdp) if !pair.settled => call.media.receive_answer(callee, sdp)?,
            _ if pair.described => {}
            _ => return Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
        }
        let caller = call.caller.party;
        call.media.connect(caller, callee);
        call.redescribes = true;
        Ok(call.media.described_to(caller).filter(|_| !agreed))
    }

    /// The call is answered.
    fn join(
        &mut self,
        now: Now,
        key: CallKey,
        at: usize,
        response: &Response,
        taken: &Taken,
        description: Option<Bytes>,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let delayed = !call.wrap.has_sdp() && description.is_some();
        let Some(pair) = call.pairs.get_mut(at) else { return };
        let Some(caller_party) = pair.caller_party else { return };
        let exchange = std::mem::take(&mut pair.exchange);
        let (leg, caller_dialog) = (pair.callee, pair.caller_dialog);
        call.joined = Some((leg, pair.callee_party, caller_party));
        call.exchange = if delayed { Exchange::Answer { from: LegNo::CALLER } } else { exchange };
        let Some(callee) = call.leg(leg) else { return };
        let crossing = decide::crossing(call, callee, &call.caller);
        let mut parts = decide::parts(
            response.headers(),
            On::Response,
            &crossing,
            listener_in(&self.endpoint, call.caller.network),
        );
        decide::tell_replaces(&mut parts, &call.caller.profile);
        parts.body = taken.wrap.around(description);
        tracing::debug!(
            call = %call.id,
            sip_call_id = %call.caller.call_id,
            leg_sip_call_id = %callee.call_id,
            leg = leg.0,
            "a call is answered"
        );
        let (caller, callee) = (call.caller.session, callee.session);
        call.state = State::Established;
        call.answered = Some(now);
        call.caller.confirmed = Some(now);
        if let Some(leg) = call.leg_mut(leg) {
            leg.confirmed = Some(now);
        }
        self.forget_losers(now, key);
        self.counters.answered += 1;
        self.name_leg(now, key, LegNo::CALLER, Some(response.headers()));
        // A caller that is gone in this moment has its own event.
        let _ = self.endpoint.answer(now, caller, caller_dialog, parts);
        if !delayed {
            let _ = self.endpoint.acknowledge(now, callee, Parts::default());
        }
        self.watch_leg(key, leg);
        self.watch_established(now, key);
    }

    /// Everything that stood for other early dialogs goes.
    fn forget_losers(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some((leg, callee_party, caller_party)) = call.joined else { return };
        call.fork.clear();
        // What only the setting up needed, and the bytes of the INVITE with it.
        call.invite = None;
        call.wrap = Wrap::default();
        let (mut losers, mut abandoned) = (Vec::<PartyId>::new(), Vec::new());
        for pair in call.pairs.drain(..) {
            losers.extend(pair.caller_party.into_iter().chain(Some(pair.callee_party)));
            abandoned.extend(pair.exchange.is_busy().then_some((pair.caller_party, pair.exchange)));
        }
        losers.extend(call.callees.iter().map(|l| l.party));
        losers.push(call.caller.party);
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
        if leg == LegNo::CALLER && std::mem::take(&mut call.redescribes) {
            return self.describe_again(now, key, leg);
        }
        if !matches!(call.exchange, Exchange::Answer { from } if from == leg) {
            return;
        }
        call.exchange = Exchange::Idle;
        let Some(other) = call.other(leg) else { return };
        let (Some(from), Some(to)) = (call.party(leg), call.party(other)) else { return };
        let Some(session) = call.leg(other).map(|l| l.session) else { return };
        // An answer that is missing ends the call.
        let taken = decide::take_ack(call, leg, other, &request.request);
        let answer = match taken.sdp.as_deref() {
            Some(sdp) => call
                .media
                .receive_answer(from, sdp)
                .and_then(|()| call.media.compose_answer(to, from, &mut *self.link)),
            None => Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
        };
        match answer {
            Ok(answer) => {
                let parts = Parts { body: taken.wrap.around(Some(answer)), ..Parts::default() };
                let _ = self.endpoint.acknowledge(now, session, parts);
            }
            Err(_) => {
                self.counters.descriptions_refused += 1;
                self.acknowledge_in_vain(now, key, session, to);
                self.end_call(now, key, &decide::reason(488, "Offer was not answered"), "offer not answered");
            }
        }
    }

    /// A 2xx had an offer that nothing can come of.
    fn refuse_offer(&mut self, now: Now, key: CallKey, leg: LegNo, at: usize) {
        let Some(call) = self.calls.get(key).filter(|call| !call.wrap.has_sdp()) else { return };
        let (Some(leg), Some(pair)) = (call.leg(leg), call.pairs.get(at)) else { return };
        let (session, party) = (leg.session, pair.callee_party);
        self.acknowledge_in_vain(now, key, session, party);
    }

    /// The ACK of a 2xx whose offer is not acceptable: it has a valid answer all the same, and a BYE is to follow
    /// (RFC 3261 §13.2.2.4). An offer that cannot be read has none.
    fn acknowledge_in_vain(&mut self, now: Now, key: CallKey, session: SessionId, party: PartyId) {
        let refusal = self.calls.get_mut(key).and_then(|call| call.media.compose_refusal(party).ok());
        let body = Wrap::Nothing.around(refusal);
        let _ = self.endpoint.acknowledge(now, session, Parts { body, ..Parts::default() });
    }
}

/// What those hear whose call another one has answered (RFC 3326 §2).
fn answered_elsewhere() -> Fields {
    decide::reason(200, "Call completed elsewhere")
}

/// The far side's answer cannot be taken: to the caller that is a failure beyond us.
fn bad_gateway(mut reply: Reply) -> Reply {
    if reply.status.as_u16() < 500 {
        reply.status = StatusCode::BAD_GATEWAY;
    }
    reply
}
