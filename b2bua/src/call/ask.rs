//! A change that one leg asks for is asked of the other: in a re-INVITE what came in one, in an UPDATE what came in an UPDATE or a
//! PRACK, or in a re-INVITE as well where the other side takes no UPDATE.

use super::conversion::Conversion;
use super::exchange::{Ask, Asked, Between, By, Exchange, Sides};
use super::{CallKey, LegNo, OrRefuse, State, decide};
use crate::shard::{Core, listener_in};
use bytes::Bytes;
use media::{PartyId, Refusal};
use policy::On;
use sip::Received;
use sip::dialog::DialogNo;
use sip::session::{IntentError, Parts, RELIABLE, Reliability, Reply, SessionId};
use sip::time::Now;
use sip_types::{HeaderName, Method, StatusCode};

/// How the other leg can be asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    Reinvite,
    Update,
}

impl Core {
    /// How the other leg of two dialogs can be asked for what came in that; `None` where it cannot be: an early dialog takes
    /// UPDATE or nothing (RFC 6337 §3.2).
    pub(super) fn means(&self, key: CallKey, between: Between, leg: LegNo, ask: Ask) -> Option<Means> {
        let call = self.calls.get(key)?;
        let sides = call.sides(between, leg)?;
        let session = call.leg(sides.other)?.session;
        let takes_update = match sides.dialog {
            Some(no) => self.endpoint.takes_update_in(session, no),
            None => self.endpoint.takes_update(session),
        };
        match (ask, between) {
            (Ask::Reinvite, _) => Some(Means::Reinvite),
            (Ask::Update(_) | Ask::Prack(_), _) if takes_update => Some(Means::Update),
            (Ask::Update(_), Between::Standing) => Some(Means::Reinvite),
            (Ask::Update(_) | Ask::Prack(_), _) => None,
        }
    }

    /// Asks the other leg for what one asks for; its answer comes later. While the two are in the middle of something, the
    /// asking leg hears of a glare, as it is one seen from here (RFC 3261 §14.2, RFC 3311 §5.2).
    ///
    /// # Errors
    /// The response that refuses it.
    pub(super) fn ask(
        &mut self,
        now: Now,
        key: CallKey,
        (between, leg): (Between, LegNo),
        (ask, means): (Ask, Means),
        request: &Received,
    ) -> OrRefuse<()> {
        let refuse = |status| Box::new(Reply::new(status));
        let busy = || refuse(StatusCode::REQUEST_PENDING);
        let Some(call) = self.calls.get_mut(key) else { return Err(busy()) };
        let awaits = if between == Between::Standing { State::Established } else { State::SettingUp };
        let takes_changes = call.state == awaits && !(between == Between::Standing && call.hands_over());
        let sides = call.sides(between, leg).filter(|_| takes_changes).ok_or_else(busy)?;
        if !matches!(call.exchange_of(between), Some(Exchange::Idle)) {
            return Err(busy());
        }
        if request.max_forwards.is_some_and(|hops| hops.0 == 0) {
            return Err(refuse(StatusCode::TOO_MANY_HOPS));
        }
        if let Some(from) = call.leg(leg) {
            decide::extensions(request.headers(), &from.profile)?;
        }
        let taken = decide::take(call, leg, sides.other, &request.request)?;
        if ask != Ask::Reinvite && means == Means::Reinvite && taken.sdp.is_none() {
            // A re-INVITE without an offer asks for one, which no 2xx to an UPDATE may have (RFC 3311 §5).
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let target = call.leg(sides.other).map(|to| to.session).ok_or_else(busy)?;
        // Before an offer is made: what is not sent must have had no version.
        let may = match means {
            Means::Reinvite => self.endpoint.may_reinvite(target),
            Means::Update => self.endpoint.may_update(target, sides.dialog, taken.sdp.is_some()),
        };
        match may {
            Ok(_) => {}
            Err(IntentError::Full) => return Err(Box::new(self.overload_reply())),
            Err(_) => return Err(busy()),
        }
        let conversion =
            match (ask, self.calls.get(key).and_then(|call| Some((call, call.leg(sides.other)?)))) {
                (Ask::Reinvite, Some((call, to))) => {
                    Conversion::of(&to.profile, taken.sdp.is_some(), call.media.mode())
                }
                (_, _) => Conversion::Carried,
            };
        let before =
            self.calls.get(key).filter(|_| ask == Ask::Reinvite).and_then(|call| call.described_before(leg));
        let offer = self.offer_across(key, sides, conversion, taken.sdp.as_deref()).map_err(|refusal| {
            self.counters.descriptions_refused += 1;
            Box::new(self.media_reply(&refusal))
        })?;
        let Some(call) = self.calls.get(key) else { return Err(busy()) };
        let (Some(from), Some(to)) = (call.leg(leg), call.leg(sides.other)) else { return Err(busy()) };
        let method = means.method();
        let crossing = decide::crossing(call, from, to);
        let listener = listener_in(&self.endpoint, to.network);
        let mut parts = decide::parts(request.headers(), On::Request(&method), &crossing, listener);
        // Without an offer to answer, a reliable response would bring one, which only the asker can answer.
        let takes =
            offer.is_some() || taken.sdp.is_some() || self.reliability_of(key, leg) != Reliability::None;
        if means == Means::Reinvite {
            if to.profile.reliable_responses && takes {
                parts.fields.push(HeaderName::Supported, RELIABLE);
            }
            decide::tell_extensions(&mut parts, &to.profile);
        }
        parts.body = taken.wrap.around(offer.clone());
        // RFC 7332 §5, as for the INVITE.
        let hops = request.max_forwards.map_or(70, |hops| hops.0.saturating_sub(1));
        self.name_leg(now, key, sides.other, Some(request.headers()));
        self.rename_other(key, (leg, sides.other), request);
        let sent = self.send_change(now, (target, sides.dialog), means, hops, parts);
        let Some(call) = self.calls.get_mut(key) else { return Err(busy()) };
        match sent {
            Ok(by) => {
                call.exchanges = call.exchanges.wrapping_add(1);
                let asked = Asked::new(leg, (ask, by), offer, call.exchanges);
                let asked = Asked { conversion, before, ..asked };
                if let Some(exchange) = call.exchange_of(between) {
                    *exchange = Exchange::Asked(Box::new(asked));
                }
                self.watch_exchange(now, key, ask);
                Ok(())
            }
            // It could have been sent a moment ago.
            Err(_) => {
                call.undo_offer(sides);
                self.name_peer(key, (sides.other, leg));
                Err(busy())
            }
        }
    }

    /// Sends a re-INVITE or an UPDATE on a leg.
    pub(super) fn send_change(
        &mut self,
        now: Now,
        (session, dialog): (SessionId, Option<DialogNo>),
        means: Means,
        hops: u8,
        parts: Parts,
    ) -> Result<By, IntentError> {
        match means {
            Means::Reinvite => self.endpoint.reinvite(now, session, hops, parts).map(|()| By::Reinvite),
            Means::Update => self.endpoint.update(now, session, dialog, hops, parts).map(By::Update),
        }
    }

    /// The offer for the other leg, if this one made one, or that one is to have one: then it is offered what stands.
    fn offer_across(
        &mut self,
        key: CallKey,
        sides: Sides,
        conversion: Conversion,
        sdp: Option<&[u8]>,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(call) = self.calls.get_mut(key) else { return Ok(None) };
        if conversion == Conversion::Made {
            return call.media.offer_again(sides.there, sides.here, &mut *self.link).map(Some);
        }
        let Some(sdp) = sdp else { return Ok(None) };
        call.media.receive_offer(sides.here, sdp)?;
        let reserved = call.media.reserve(sides.here, &mut *self.link);
        if conversion == Conversion::Asked {
            return reserved.inspect_err(|_| call.media.offer_failed(sides.here)).map(|()| None);
        }
        let offer =
            reserved.and_then(|()| call.media.compose_offer(sides.there, sides.here, &mut *self.link));
        if offer.is_err() {
            call.media.offer_failed(sides.here);
        }
        offer.map(Some)
    }

    /// A leg whose peer asks for a change hears that it is made.
    pub(super) fn grant(&mut self, now: Now, session: SessionId, ask: Ask, parts: Parts) {
        // A peer that has gone meanwhile has had its answer.
        match ask {
            Ask::Reinvite => drop(self.endpoint.answer_reinvite(now, session, parts)),
            Ask::Update(id) | Ask::Prack(id) => {
                let ok = Reply { parts, ..Reply::new(StatusCode::OK) };
                let _ = self.endpoint.respond(now, session, id, &ok);
            }
        }
    }

    /// It hears that it is not.
    pub(super) fn deny(&mut self, now: Now, session: SessionId, ask: Ask, reply: &Reply) {
        match ask {
            Ask::Reinvite => drop(self.endpoint.reject_reinvite(now, session, reply)),
            Ask::Update(id) | Ask::Prack(id) => drop(self.endpoint.respond(now, session, id, reply)),
        }
    }

    /// An early dialog has ended in the middle of an exchange: what it would have brought is undone on the caller's side, and who
    /// asks for something is told. The caller's dialog is over with the other side's, unless it stands for all others too.
    pub(super) fn abandon(&mut self, now: Now, key: CallKey, caller: Option<PartyId>, exchange: Exchange) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let waits = matches!(exchange, Exchange::Waiting(_));
        if let Some(caller) = caller.filter(|_| exchange.is_busy() && !waits) {
            call.media.offer_failed(caller);
        }
        let (from, ask) = match exchange {
            Exchange::Asked(asked) => (asked.from, asked.ask),
            Exchange::Waiting(waiting) => (LegNo::CALLER, Ask::Prack(waiting.0)),
            _ => return,
        };
        let stands = from == LegNo::CALLER && call.only.is_some();
        let status = match stands {
            true => StatusCode::REQUEST_PENDING,
            false => StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
        };
        if let Some(session) = call.leg(from).map(|leg| leg.session) {
            self.deny(now, session, ask, &Reply::new(status));
        }
    }
}

impl Means {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Reinvite => Method::Invite,
            Self::Update => Method::Update,
        }
    }
}

impl Ask {
    /// The method of the request.
    pub(super) fn method(self) -> Method {
        match self {
            Self::Reinvite => Method::Invite,
            Self::Update(_) => Method::Update,
            Self::Prack(_) => Method::Prack,
        }
    }
}
