//! Who is rung first rings, and answers.

use crate::call::answer::{answered_elsewhere, bad_gateway};
use crate::call::body::Wrap;
use crate::call::conversion::Conversion;
use crate::call::talk::Talk;
use crate::call::{CallKey, LegNo, decide};
use crate::shard::Core;
use media::{Misuse, Refusal};
use sip::dialog::DialogNo;
use sip::session::Parts;
use sip::time::Now;
use sip_types::Response;

impl Core {
    /// A provisional response of who is rung first: nobody is there yet who could hear of it.
    pub(in crate::call) fn on_first_progress(
        &mut self,
        now: Now,
        key: CallKey,
        of: (LegNo, Option<DialogNo>),
        number: Option<u32>,
    ) {
        // We have not said that we take any reliably, so that none of them has an offer.
        self.acknowledge_progress(now, key, of, number, None);
    }

    /// Who is rung first answers: with an offer, for which it gets an answer of our own, or an offer of ours. The other party is called
    /// for it.
    pub(in crate::call) fn on_first_answered(
        &mut self,
        now: Now,
        key: CallKey,
        no: LegNo,
        response: &Response,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(leg) = call.leg(no) else { return };
        let (session, party, conversion) = (leg.session, leg.party, leg.conversion);
        let taken = decide::take_response(call, no, no, response);
        let answer = match taken.sdp.as_deref() {
            sdp if conversion == Conversion::Made => call.take_answer(party, sdp).map(|()| None),
            Some(sdp) => call
                .media
                .receive_offer(party, sdp)
                .and_then(|()| call.media.compose_alone(party, &mut *self.link))
                .map(Some),
            None => Err(Refusal::Misuse(Misuse::NothingDescribed)),
        };
        match answer {
            Ok(answer) => {
                let parts = Parts { body: Wrap::Nothing.around(answer), ..Parts::default() };
                let _ = self.endpoint.acknowledge(now, session, parts);
                self.first_stands(now, key, no);
            }
            Err(refusal) => {
                self.counters.descriptions_refused += 1;
                self.acknowledge_in_vain(now, key, session, party);
                let reply = self.media_reply(&refusal);
                let reason = decide::reason(reply.status.as_u16(), "Session description refused");
                self.end_leg(now, key, no, session, reason);
                self.branch_failed(now, key, no, bad_gateway(reply));
            }
        }
    }

    /// One leg of the first party stands; the others have lost.
    pub(in crate::call) fn first_stands(&mut self, now: Now, key: CallKey, no: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.fork.clear();
        call.talk = Talk::Sought(no);
        let Some(leg) = call.leg_mut(no) else { return };
        leg.confirmed = Some(now);
        let party = leg.party;
        call.media.confirm(party);
        let legs = call.callees.len();
        let then = call.placed.as_mut().and_then(|placed| {
            placed.first_legs = Some(legs);
            placed.then.take()
        });
        let lost: Vec<_> = call.callees.iter().filter(|other| other.no != no).map(|l| l.party).collect();
        lost.into_iter().for_each(|party| call.media.remove_party(party));
        let others = call.callees.iter().filter(|other| other.no != no && other.end.is_none());
        let others: Vec<_> = others.map(|other| (other.no, other.session, other.rings())).collect();
        tracing::debug!(call = %call.id, sip_call_id = call.sip_call_id(), leg = no.0, "the first party has answered");
        for (other, session, rings) in others {
            self.counters.answered_elsewhere += u64::from(rings);
            self.end_leg(now, key, other, session, answered_elsewhere());
        }
        self.watch_leg(key, no);
        if let Some(then) = then {
            self.dial_then(now, key, no, *then);
        }
    }
}
