//! UPDATE (RFC 3311): what changes the session is asked of the other leg; what concerns one leg alone is answered there.

use super::exchange::{Ask, Between};
use super::{CallKey, LegNo, OrRefuse, decide};
use crate::shard::Core;
use bytes::Bytes;
use media::{Mode, PartyId, Refusal};
use policy::On;
use sip::Received;
use sip::dialog::DialogNo;
use sip::session::{Parts, Reply, RequestId};
use sip::time::Now;
use sip_types::{Method, StatusCode};

impl Core {
    /// An UPDATE came.
    pub(crate) fn on_updated(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, DialogNo),
        id: RequestId,
        request: &Received,
    ) {
        let Some(call) = self.calls.get(key) else { return };
        let Some(session) = call.leg(leg).map(|leg| leg.session) else { return };
        let Some(between) = call.between(leg, dialog) else {
            // Who is to take a place in a transfer has nobody yet whom an offer could be for.
            if !request.request.body().is_empty() {
                return self.deny(now, session, Ask::Update(id), &Reply::new(StatusCode::REQUEST_PENDING));
            }
            return self.grant(now, session, Ask::Update(id), Parts::default());
        };
        if let Between::Early(at) = between
            && leg != LegNo::CALLER
            && let Some(call) = self.calls.get_mut(key)
        {
            call.heed_early_media(at, request.headers());
        }
        let crosses = !request.request.body().is_empty() || self.says_more(key, (between, leg), request);
        let asked = match (crosses, self.means(key, between, leg, Ask::Update(id))) {
            (false, _) => Ok(Some(Parts::default())),
            (true, Some(means)) => {
                self.ask(now, key, (between, leg), (Ask::Update(id), means), request).map(|()| None)
            }
            (true, None) => self.answer_alone(key, (between, leg), request).map(Some),
        };
        match asked {
            Ok(Some(parts)) => self.grant(now, session, Ask::Update(id), parts),
            Ok(None) => {}
            Err(reply) => self.deny(now, session, Ask::Update(id), &reply),
        }
    }

    /// Whether an UPDATE without a body is news to the other side, which can be told: it has something that crosses, and is no
    /// refresh of this leg's own (RFC 4028 §7.4).
    fn says_more(&self, key: CallKey, (between, leg): (Between, LegNo), request: &Received) -> bool {
        let headers = request.headers();
        let refreshes = headers.named("Session-Expires").next().is_some();
        let Some(call) = self.calls.get(key).filter(|_| !refreshes) else { return false };
        let Some(sides) = call.sides(between, leg) else { return false };
        let (Some(from), Some(to)) = (call.leg(leg), call.leg(sides.other)) else { return false };
        let takes_update = match sides.dialog {
            Some(no) => self.endpoint.takes_update_in(to.session, no),
            None => self.endpoint.takes_update(to.session),
        };
        let crossing = decide::crossing(call, from, to);
        takes_update && !decide::carried(headers, On::Request(&Method::Update), &crossing).is_empty()
    }

    /// An offer in an early dialog whose other side takes no UPDATE. The called side's is answered from the caller's offer as long
    /// as that one has not been answered for good: the caller hears of it with its own answer. All else cannot be had without
    /// somebody being asked who cannot be: 504 (RFC 3311 §5.2).
    fn answer_alone(
        &mut self,
        key: CallKey,
        (between, leg): (Between, LegNo),
        request: &Received,
    ) -> OrRefuse<Parts> {
        let unable = || Box::new(Reply::new(StatusCode::SERVER_TIMEOUT));
        let call = self.calls.get(key).ok_or_else(unable)?;
        let Between::Early(at) = between else { return Err(unable()) };
        let pair = call.pairs.get(at).filter(|pair| leg != LegNo::CALLER && !pair.agreed);
        let pair = pair.filter(|_| call.wrap.has_sdp()).ok_or_else(unable)?;
        let (here, there) = (pair.callee_party, pair.caller_party.ok_or_else(unable)?);
        let taken = decide::take(call, leg, LegNo::CALLER, &request.request)?;
        let Some(sdp) = taken.sdp.as_deref() else { return Ok(Parts::default()) };
        match self.answer_offer(key, (here, there), sdp) {
            Ok(answer) => Ok(Parts { body: taken.wrap.around(Some(answer)), ..Parts::default() }),
            Err(Refusal::Misuse(_)) => Err(unable()),
            Err(refusal) => {
                self.counters.descriptions_refused += 1;
                Err(Box::new(self.media_reply(&refusal)))
            }
        }
    }

    /// Our answer to an offer, from what the other side has described. Where media goes around us the other side would have to
    /// know of it.
    pub(super) fn answer_offer(
        &mut self,
        key: CallKey,
        (here, there): (PartyId, PartyId),
        sdp: &[u8],
    ) -> Result<Bytes, Refusal> {
        let unknown = Refusal::Misuse(media::Misuse::UnknownParty);
        let call = self.calls.get_mut(key).ok_or(unknown)?;
        if call.media.mode() == Mode::Bypass {
            return Err(Refusal::Misuse(media::Misuse::NoOffer));
        }
        call.media.receive_offer(here, sdp)?;
        let answer = call.media.compose_answer(here, there, &mut *self.link);
        if answer.is_err() {
            call.media.offer_failed(here);
        }
        answer
    }
}
