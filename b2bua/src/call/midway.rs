//! Reliable provisional responses to a re-INVITE (RFC 3262, RFC 6141 §3): what one leg is answered before the final response, the
//! other one hears too, if it takes that.
//!
//! ```text
//!   asker            Liaison            asked
//!    re-INVITE ──────► │ ─ re-INVITE ────►
//!                      │ ◄─ 18x, answer ──   Early::Answered; its PRACK is sent at once
//!    ◄── 18x, answer ─ │                     the re-INVITE is under way: offers may go in UPDATEs, both ways
//!     or
//!                      │ ◄─ 18x, offer ───   where there was none in the re-INVITE: Early::Owes
//!    ◄── 18x, offer ── │
//!    PRACK, answer ──► │ ─ PRACK, answer ─►  it is under way
//!    ◄──── 200 ─────── │ ◄──── 200 ───────
//! ```

use super::body::Wrap;
use super::exchange::{Ask, Asked, Between, Early, Exchange};
use super::{Call, CallKey, LegNo, decide};
use crate::shard::{Core, listener_in};
use bytes::Bytes;
use media::{PartyId, Refusal};
use policy::On;
use sip::Received;
use sip::dialog::DialogNo;
use sip::session::{Body, Parts, Reliability, Reply, RequestId};
use sip::time::{Mono, Now};
use sip_types::{Response, StatusCode};
use std::time::Duration;

/// How long a re-INVITE may wait for its final response after a provisional one: a user may be asked (RFC 3261 §16.6).
const PROGRESSED: Duration = Duration::from_secs(180);

/// How long after the first one, however many follow.
const LONGEST: Duration = Duration::from_secs(600);

/// What a description in a reliable provisional response leads to.
#[derive(Default)]
struct Settled {
    /// What the asker is to hear.
    description: Option<Bytes>,
    /// What the PRACK says.
    prack: Option<Bytes>,
    /// Whether the PRACK waits for the asker's answer.
    owes: bool,
}

impl Core {
    /// A provisional response to a re-INVITE of ours.
    pub(crate) fn on_reinvite_progress(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        (dialog, number): (DialogNo, Option<u32>),
        response: &Response,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(from) = call.asker_of(leg, now) else {
            return self.progress_alone(now, key, leg, (dialog, number), response);
        };
        let taken = decide::take_response(call, leg, from, response);
        let settled = match (number, taken.sdp.as_deref()) {
            (Some(number), Some(sdp)) => self.settle_midway(key, (leg, from), number, sdp),
            (_, _) => Settled::default(),
        };
        let answers = settled.description.is_some() && !settled.owes;
        let Settled { description, prack, owes } = settled;
        let told =
            self.tell_midway(now, key, (leg, from), (number, response), taken.wrap.around(description));
        let body = match (owes, told) {
            (true, true) => return,
            // The asker cannot be asked after all.
            (true, false) => self.answer_midway(key, leg),
            (false, _) => prack,
        };
        if answers && told {
            self.goes_on_underway(key);
        }
        self.acknowledge_progress(now, key, (leg, Some(dialog)), number, Wrap::Nothing.around(body));
    }

    /// The description in a reliable provisional response of the leg that is asked.
    fn settle_midway(
        &mut self,
        key: CallKey,
        (leg, from): (LegNo, LegNo),
        number: u32,
        sdp: &[u8],
    ) -> Settled {
        let takes = self.reliability_of(key, from) != Reliability::None;
        let Some(call) = self.calls.get_mut(key) else { return Settled::default() };
        let Some(sides) = call.sides(Between::Standing, leg) else { return Settled::default() };
        // What is described further is no answer any more (RFC 6337 §3.1.1).
        let Exchange::Asked(asked) = &mut call.exchange else { return Settled::default() };
        let (here, there) = (sides.here, sides.there);
        let takes_offer = asked.offers() && takes;
        let outcome = match (asked.early, asked.offer.is_some(), takes) {
            (Early::Answered | Early::Owes(_), ..) => return Settled::default(),
            // It has answered an offer that the asker has not made: that one is offered something with the final response.
            (Early::Nothing, true, _) if !asked.offers() => call.media.receive_answer(here, sdp).map(|()| {
                asked.early = Early::Answered;
                Settled::default()
            }),
            // It offers, as we have asked it to, and has its answer from what the asker offers.
            (Early::Nothing, false, _) if asked.offers() => {
                call.media.receive_offer(here, sdp).and_then(|()| {
                    let prack = Some(call.media.compose_answer(here, there, &mut *self.link)?);
                    asked.early = Early::Answered;
                    let answer = takes_offer.then(|| call.media.compose_answer(there, here, &mut *self.link));
                    Ok(Settled { description: answer.transpose()?, prack, owes: false })
                })
            }
            (Early::Nothing, true, takes) => call.media.receive_answer(here, sdp).and_then(|()| {
                asked.early = Early::Answered;
                let answer = takes.then(|| call.media.compose_answer(there, here, &mut *self.link));
                Ok(Settled { description: answer.transpose()?, ..Settled::default() })
            }),
            (Early::Nothing, false, true) => call.media.receive_offer(here, sdp).and_then(|()| {
                let offer = call.media.compose_offer(there, here, &mut *self.link)?;
                asked.early = Early::Owes(number);
                Ok(Settled { description: Some(offer), owes: true, ..Settled::default() })
            }),
            (Early::Nothing, false, false) => {
                call.media.receive_offer(here, sdp).map(|()| Settled::default())
            }
        };
        match outcome {
            Ok(settled) if settled.owes || settled.description.is_some() || settled.prack.is_some() => {
                settled
            }
            // The PRACK owes an answer that nobody can be asked for now.
            Ok(_) if call.media.owes_answer(here) => {
                Settled { prack: self.answer_midway(key, leg), ..Settled::default() }
            }
            Ok(settled) => settled,
            Err(_) => {
                self.counters.descriptions_refused += 1;
                Settled { prack: self.answer_midway(key, leg), ..Settled::default() }
            }
        }
    }

    /// An offer in a reliable provisional response is answered with what the other leg has described last: it hears of it with the
    /// final response. If that cannot be, nothing comes of the offer, but the PRACK has an answer all the same (RFC 3262 §5).
    fn answer_midway(&mut self, key: CallKey, leg: LegNo) -> Option<Bytes> {
        let call = self.calls.get_mut(key)?;
        let sides = call.sides(Between::Standing, leg)?;
        if !call.media.owes_answer(sides.here) {
            return None;
        }
        if let Exchange::Asked(asked) | Exchange::GivenUp(asked) = &mut call.exchange {
            if asked.early.owed().is_some() {
                call.media.offer_failed(sides.there);
            }
            asked.early = Early::Answered;
        }
        let answer = call.media.compose_answer(sides.here, sides.there, &mut *self.link);
        answer.or_else(|_| call.media.compose_refusal(sides.here)).ok()
    }

    /// The asker hears of the progress, reliably where it takes that; whether it does.
    fn tell_midway(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, from): (LegNo, LegNo),
        (number, response): (Option<u32>, &Response),
        body: Option<Body>,
    ) -> bool {
        let reliability = self.reliability_of(key, from);
        let Some(call) = self.calls.get(key) else { return false };
        let (Some(asked), Some(asker)) = (call.leg(leg), call.leg(from)) else { return false };
        let bare = body.is_none() && call.lacks_offer();
        let reliably = match reliability {
            // The first reliable response to an INVITE without an offer has one (RFC 3262 §5).
            Reliability::Required if bare => return false,
            Reliability::Required => true,
            Reliability::Supported => !bare && number.is_some(),
            Reliability::None => false,
        };
        let crossing = decide::crossing(call, asked, asker);
        let listener = listener_in(&self.endpoint, asker.network);
        let mut parts = decide::parts(response.headers(), On::Response, &crossing, listener);
        // What is not reliable settles nothing in a session that stands.
        parts.body = body.filter(|_| reliably);
        let reply = Reply { status: response.status(), reason: response.reason().to_owned().into(), parts };
        let session = asker.session;
        let Some(dialog) = self.endpoint.standing_dialog(session) else { return false };
        self.name_leg(now, key, from, Some(response.headers()));
        // An asker that has given up has its own event.
        let sent = match reliably {
            true => self.endpoint.progress_reliably(now, session, dialog, &reply),
            false => self.endpoint.progress(now, session, dialog, &reply),
        };
        sent.is_ok()
    }

    /// A provisional response to a re-INVITE that nobody but us has asked for, or that nobody waits for any more.
    fn progress_alone(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        (dialog, number): (DialogNo, Option<u32>),
        response: &Response,
    ) {
        if number.is_none() {
            return;
        }
        let taken = self.settle_alone(key, leg, response);
        self.counters.descriptions_refused += u64::from(taken.is_err());
        let body = Wrap::Nothing.around(self.answer_midway(key, leg));
        self.acknowledge_progress(now, key, (leg, Some(dialog)), number, body);
    }

    /// The description in it: the answer to our offer, or the offer that we have asked for. What is described further is neither.
    fn settle_alone(&mut self, key: CallKey, leg: LegNo, response: &Response) -> Result<(), Refusal> {
        let Some(call) = self.calls.get_mut(key) else { return Ok(()) };
        // Whom others are still called for has no partner.
        let other = call.other(leg).unwrap_or(leg);
        let Some(here) = call.standing_party(leg).filter(|_| call.underway.is_none()) else { return Ok(()) };
        let taken = decide::take_response(call, leg, other, response);
        let Some(sdp) = taken.sdp.as_deref() else { return Ok(()) };
        if call.media.awaits_answer(here) {
            let received = call.media.receive_answer(here, sdp);
            match &mut call.exchange {
                // For its peer it is settled, whether we can read it or not.
                Exchange::GivenUp(asked) => asked.early = Early::Answered,
                Exchange::Asked(asked) if received.is_ok() => asked.early = Early::Answered,
                _ => {}
            }
            return received;
        }
        match &call.exchange {
            Exchange::GivenUp(asked) if asked.offer.is_none() && asked.early == Early::Nothing => {
                call.media.receive_offer(here, sdp)
            }
            _ => Ok(()),
        }
    }

    /// What the sender of an INVITE or re-INVITE says of reliable responses, as far as the profile of its leg takes part.
    pub(super) fn reliability_of(&self, key: CallKey, leg: LegNo) -> Reliability {
        match self.calls.get(key).and_then(|call| call.leg(leg)) {
            Some(leg) if leg.profile.reliable_responses => self.endpoint.reliability(leg.session),
            _ => Reliability::None,
        }
    }

    /// The peer of a leg of an answered call acknowledges a reliable response of ours.
    pub(super) fn on_pracked_inside(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        id: Option<RequestId>,
        request: &Received,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let between = Between::Standing;
        let (Some(other), Some(sides)) = (call.other(leg), call.sides(between, leg)) else {
            let refused = id.map(|_| Reply::new(StatusCode::NOT_ACCEPTABLE_HERE));
            return self.answer_prack(now, key, leg, id, refused);
        };
        let taken = decide::take_ack(call, leg, other, &request.request);
        if call.media.awaits_answer(sides.here) && !call.exchange.is_busy() && !call.refreshes(leg) {
            // The other side has answered an offer of ours already, which a reliable response has made.
            let answer = call.take_answer(sides.here, taken.sdp.as_deref());
            let Err(refusal) = answer else {
                self.answer_prack(now, key, leg, id, None);
                return self.bring_together(now, key);
            };
            self.counters.descriptions_refused += 1;
            self.answer_prack(now, key, leg, id, Some(self.not_in_a_prack(&refusal)));
            let reason = decide::reason(488, "Offer was not answered");
            return self.end_call(now, key, &reason, "offer not answered");
        }
        let owed = match &call.exchange {
            Exchange::Asked(asked) if asked.from == leg => asked.early.owed(),
            _ => None,
        };
        let Some(number) = owed else {
            let Some(sdp) = taken.sdp.as_deref() else { return self.answer_prack(now, key, leg, id, None) };
            if let Some(id) = id
                && let Some(means) = self.means(key, between, leg, Ask::Prack(id))
                && self.ask(now, key, (between, leg), (Ask::Prack(id), means), request).is_ok()
            {
                return;
            }
            let reply = match self.answer_offer(key, (sides.here, sides.there), sdp) {
                Ok(answer) => {
                    let body = taken.wrap.around(Some(answer));
                    Reply { parts: Parts { body, ..Parts::default() }, ..Reply::new(StatusCode::OK) }
                }
                Err(refusal) => {
                    self.counters.descriptions_refused += 1;
                    self.not_in_a_prack(&refusal)
                }
            };
            return self.answer_prack(now, key, leg, id, Some(reply));
        };
        let answer = match taken.sdp.as_deref() {
            Some(sdp) => call
                .media
                .receive_answer(sides.here, sdp)
                .and_then(|()| call.media.compose_answer(sides.there, sides.here, &mut *self.link)),
            None => Err(Refusal::Misuse(media::Misuse::NothingDescribed)),
        };
        let session = call.leg(other).map(|other| other.session);
        let dialog = session.and_then(|session| self.endpoint.standing_dialog(session));
        match answer {
            Ok(answer) => {
                self.goes_on_underway(key);
                self.answer_prack(now, key, leg, id, None);
                let body = taken.wrap.around(Some(answer));
                self.acknowledge_progress(now, key, (other, dialog), Some(number), body);
            }
            Err(refusal) => {
                // Nothing comes of the re-INVITE; who was asked has its answer all the same.
                self.counters.descriptions_refused += 1;
                let body = Wrap::Nothing.around(self.answer_midway(key, other));
                self.answer_prack(now, key, leg, id, Some(self.not_in_a_prack(&refusal)));
                self.acknowledge_progress(now, key, (other, dialog), Some(number), body);
                if let Some(session) = session {
                    let _ = self.endpoint.cancel_reinvite(now, session);
                }
            }
        }
    }

    /// Whoever waits for the PRACK of an offer of its own gets it now, with an answer: the asker has given up.
    pub(super) fn settle_owed(&mut self, now: Now, key: CallKey, other: LegNo) {
        let Some(call) = self.calls.get(key) else { return };
        let Exchange::GivenUp(asked) = &call.exchange else { return };
        let Some(number) = asked.early.owed() else { return };
        let session = call.leg(other).map(|other| other.session);
        let dialog = session.and_then(|session| self.endpoint.standing_dialog(session));
        let body = Wrap::Nothing.around(self.answer_midway(key, other));
        self.acknowledge_progress(now, key, (other, dialog), Some(number), body);
    }
}

impl Call {
    /// Who has asked for what that leg is asked in a re-INVITE of ours, which may take longer from now on.
    fn asker_of(&mut self, leg: LegNo, now: Now) -> Option<LegNo> {
        let other = self.other(leg)?;
        let asked = match (&mut self.underway, &mut self.exchange) {
            (Some(asked), _) if !asked.abandoned => Some(asked),
            (None, Exchange::Asked(asked)) => Some(asked),
            (_, _) => None,
        };
        let asked = asked.filter(|asked| asked.from == other && asked.ask == Ask::Reinvite)?;
        let latest = *asked.latest.get_or_insert(now.mono + LONGEST);
        asked.until = Some(latest.min(now.mono + PROGRESSED));
        Some(other)
    }

    /// How long the change with that number may take now, if its re-INVITE has progressed.
    pub(super) fn lengthened(&self, nth: u32) -> Option<Mono> {
        let asked = match (&self.underway, &self.exchange) {
            (Some(asked), _) | (None, Exchange::Asked(asked)) => asked,
            (None, _) => return None,
        };
        asked.until.filter(|_| asked.nth == nth)
    }

    /// Whether the asker has had no offer that it waits for.
    fn lacks_offer(&self) -> bool {
        matches!(&self.exchange, Exchange::Asked(asked) if !asked.offers() && asked.early.owed().is_none())
    }

    /// The parties of a leg and its partner.
    pub(super) fn parties_of(&self, leg: LegNo) -> Option<(PartyId, PartyId)> {
        self.party(leg).zip(self.party(self.other(leg)?))
    }
}

impl Asked {
    /// Whether it has changed something already that its failure does not undo.
    pub(super) fn has_changed(&self) -> bool {
        self.early == Early::Answered
    }
}
