//! Reliable provisional responses (RFC 3262): each leg acknowledges its own. Only a PRACK that owes an answer waits for the
//! other leg.

use super::body::Wrap;
use super::exchange::{Ask, Between, Exchange};
use super::{CallKey, LegNo, Pair, decide};
use crate::shard::Core;
use bytes::Bytes;
use media::Refusal;
use sip::Received;
use sip::dialog::DialogNo;
use sip::session::{Body, Parts, Reliability, Reply, RequestId};
use sip::time::Now;
use sip_types::StatusCode;

impl Core {
    /// What the caller says of reliable responses, as far as its profile takes part.
    pub(super) fn reliability_of_caller(&self, key: CallKey) -> Reliability {
        self.reliability_of(key, LegNo::CALLER)
    }

    /// Acknowledges a response of a called leg, if it is reliable.
    pub(super) fn acknowledge_progress(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, Option<DialogNo>),
        number: Option<u32>,
        body: Option<Body>,
    ) {
        let (Some(number), Some(dialog)) = (number, dialog) else { return };
        let Some(session) = self.calls.get(key).and_then(|call| call.leg(leg)).map(|leg| leg.session) else {
            return;
        };
        // A leg that has as many requests pending as may be has its INVITE refused when nobody acknowledges.
        let _ = self.endpoint.prack(now, session, dialog, number, Parts { body, ..Parts::default() });
    }

    /// The same, unless its PRACK waits for the caller's answer.
    pub(super) fn acknowledge_unless_owed(&mut self, now: Now, key: CallKey, at: usize, number: Option<u32>) {
        let Some(pair) = self.calls.get_mut(key).and_then(|call| call.pairs.get_mut(at)) else { return };
        if pair.owes.is_some() && pair.owes == number {
            return;
        }
        let of = (pair.callee, pair.callee_dialog);
        let body = Wrap::Nothing.around(pair.reply.take_if(|_| number.is_some()));
        self.acknowledge_progress(now, key, of, number, body);
    }

    /// A reliable response of the far side has the offer of a call that the caller began without one: our own for the caller, in
    /// a reliable response as well, and the PRACK waits for its answer.
    pub(super) fn offer_ahead(
        &mut self,
        key: CallKey,
        at: usize,
        sdp: &[u8],
        number: Option<u32>,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(call) = self.calls.get(key) else { return Ok(None) };
        let Some(pair) = call.pairs.get(at) else { return Ok(None) };
        // What is not reliable has no offer; and who is not told that we acknowledge sends none.
        let reliable = number.is_some() && self.reliability_of_caller(key) != Reliability::None;
        if !reliable || pair.settled {
            return Ok(None);
        }
        let callee = pair.callee_party;
        let caller = self.caller_party(key, at)?;
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        call.media.receive_offer(callee, sdp)?;
        let offer = call.media.compose_offer(caller, callee, &mut *self.link)?;
        if let Some(pair) = call.pairs.get_mut(at) {
            (pair.settled, pair.owes) = (true, number);
        }
        Ok(Some(offer))
    }

    /// A peer acknowledges a reliable response of ours, the caller as long as the call is not answered; `id` where the PRACK has a body and waits for our answer.
    pub(crate) fn on_pracked(
        &mut self,
        now: Now,
        key: CallKey,
        (of, dialog): (LegNo, DialogNo),
        id: Option<RequestId>,
        request: &Received,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.joined().is_some() {
            return self.on_pracked_inside(now, key, of, id, request);
        }
        let at = call.pair_of_caller(dialog);
        let pair = at.and_then(|at| call.pairs.get_mut(at));
        let parties = pair
            .as_ref()
            .and_then(|pair| pair.caller_party.map(|caller| (pair.callee, caller, pair.callee_party)));
        let owed = pair.and_then(|pair| pair.owes.take());
        let Some((leg, caller, callee)) = parties else {
            // With a body, it has an offer that nobody is there for.
            let refused = id.map(|_| Reply::new(StatusCode::NOT_ACCEPTABLE_HERE));
            return self.answer_prack(now, key, LegNo::CALLER, id, refused);
        };
        let taken = decide::take_ack(call, LegNo::CALLER, leg, &request.request);
        // An offer in an UPDATE of ours is answered in its 2xx.
        let updates = |pair: &Pair| pair.caller_party == Some(caller) && pair.exchange.is_busy();
        if owed.is_none() && call.media.awaits_answer(caller) && !call.pairs.iter().any(updates) {
            // The far side has answered an offer of ours already.
            let answer = call.take_answer(caller, taken.sdp.as_deref());
            call.apart.get_or_insert_default();
            return match answer {
                Ok(()) => self.answer_prack(now, key, LegNo::CALLER, id, None),
                Err(refusal) => {
                    self.counters.descriptions_refused += 1;
                    let reply = self.not_in_a_prack(&refusal);
                    self.answer_prack(now, key, LegNo::CALLER, id, Some(reply.clone()));
                    self.refuse_caller(now, key, reply);
                }
            };
        }
        let Some(number) = owed else {
            let Some(sdp) = taken.sdp.as_deref() else {
                return self.answer_prack(now, key, LegNo::CALLER, id, None);
            };
            if id.is_some_and(|id| self.ask_for_caller(now, key, dialog, id, request)) {
                return;
            }
            let answer = self.answer_offer(key, (caller, callee), sdp);
            let reply = match answer {
                Ok(answer) => {
                    let body = taken.wrap.around(Some(answer));
                    Reply { parts: Parts { body, ..Parts::default() }, ..Reply::new(StatusCode::OK) }
                }
                Err(refusal) => {
                    self.counters.descriptions_refused += 1;
                    self.not_in_a_prack(&refusal)
                }
            };
            return self.answer_prack(now, key, LegNo::CALLER, id, Some(reply));
        };
        let answer = match taken.sdp.as_deref() {
            Some(sdp) => call
                .media
                .receive_answer(caller, sdp)
                .and_then(|()| call.media.compose_answer(callee, caller, &mut *self.link)),
            None => Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
        };
        let Some(pair) = at.and_then(|at| call.pairs.get_mut(at)) else { return };
        let of = (pair.callee, pair.callee_dialog);
        match answer {
            Ok(answer) => {
                (pair.described, pair.agreed) = (true, true);
                let body = taken.wrap.around(Some(answer));
                self.answer_prack(now, key, LegNo::CALLER, id, None);
                self.acknowledge_progress(now, key, of, Some(number), body);
            }
            Err(refusal) => {
                // What is offered is answered all the same (RFC 3262 §5), and nothing comes of the call.
                self.counters.descriptions_refused += 1;
                tracing::debug!(
                    call = %call.id,
                    sip_call_id = call.sip_call_id(),
                    %refusal,
                    "the answer in a PRACK cannot be taken"
                );
                let refused = call.media.compose_refusal(callee).ok();
                let body = Wrap::Nothing.around(refused);
                let reply = self.not_in_a_prack(&refusal);
                self.answer_prack(now, key, LegNo::CALLER, id, Some(reply.clone()));
                self.acknowledge_progress(now, key, of, Some(number), body);
                self.refuse_caller(now, key, reply);
            }
        }
    }

    /// Another offer of the caller, in a PRACK: in an UPDATE for the far side, if that takes one, and as soon as it may be sent. Else
    /// it is answered at once from what the far side has described, for a PRACK is not to be refused (RFC 6337 §2.3).
    fn ask_for_caller(
        &mut self,
        now: Now,
        key: CallKey,
        dialog: DialogNo,
        id: RequestId,
        request: &Received,
    ) -> bool {
        let (ask, leg) = (Ask::Prack(id), LegNo::CALLER);
        let between = self.calls.get(key).and_then(|call| call.between(leg, dialog));
        let Some(between) = between else { return false };
        let Some(means) = self.means(key, between, leg, ask) else { return false };
        self.ask(now, key, (between, leg), (ask, means), request).is_ok()
            || self.wait_to_ask(key, between, id, request)
    }

    /// Keeps a PRACK of the caller's with an offer until the far side has answered ours; whether it has to.
    fn wait_to_ask(&mut self, key: CallKey, between: Between, id: RequestId, request: &Received) -> bool {
        let (Some(call), Between::Early(at)) = (self.calls.get_mut(key), between) else { return false };
        let session = call.pairs.get(at).and_then(|pair| call.leg(pair.callee)).map(|callee| callee.session);
        let Some((pair, session)) = call.pairs.get_mut(at).zip(session) else { return false };
        let acknowledges = pair.callee_dialog.is_some_and(|no| self.endpoint.is_acknowledging(session, no));
        if pair.exchange.is_busy() || !acknowledges {
            return false;
        }
        pair.exchange = Exchange::Waiting(Box::new((id, request.clone())));
        true
    }

    /// A called leg has answered something in a dialog: what the caller asks for may have waited for it.
    pub(crate) fn ask_what_waits(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, Option<DialogNo>),
    ) {
        let (Some(call), Some(no)) = (self.calls.get_mut(key), dialog) else { return };
        let Some(session) = call.leg(leg).map(|leg| leg.session) else { return };
        let waits = |pair: &&mut Pair| {
            pair.callee == leg
                && pair.callee_dialog == dialog
                && matches!(pair.exchange, Exchange::Waiting(_))
                && !self.endpoint.is_acknowledging(session, no)
        };
        let Some(pair) = call.pairs.iter_mut().find(waits) else { return };
        if let Exchange::Waiting(waiting) = std::mem::take(&mut pair.exchange) {
            let (of, (id, request)) = ((LegNo::CALLER, pair.caller_dialog), *waiting);
            self.on_pracked(now, key, of, Some(id), &request);
        }
    }

    /// What a description in a PRACK leads to that cannot be taken; one that is missing, or that nobody waits for, is the caller's
    /// doing.
    pub(super) fn not_in_a_prack(&self, refusal: &Refusal) -> Reply {
        match refusal {
            Refusal::Misuse(_) => Reply::new(StatusCode::NOT_ACCEPTABLE_HERE),
            _ => self.media_reply(refusal),
        }
    }

    pub(super) fn answer_prack(
        &mut self,
        now: Now,
        key: CallKey,
        of: LegNo,
        id: Option<RequestId>,
        reply: Option<Reply>,
    ) {
        let leg = self.calls.get(key).and_then(|call| call.leg(of));
        let (Some(id), Some(leg)) = (id, leg) else { return };
        let reply = reply.unwrap_or_else(|| Reply::new(StatusCode::OK));
        // Who has hung up meanwhile has had its answer.
        let _ = self.endpoint.respond(now, leg.session, id, &reply);
    }
}
