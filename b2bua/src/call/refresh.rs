//! Session timers (RFC 4028): each leg refreshes its session with its peer, and answers its peer's refreshes. Nothing crosses.

use super::body::Wrap;
use super::{Call, CallKey, LegNo, State, decide};
use crate::shard::{Core, listener_in};
use bytes::Bytes;
use media::Refusal;
use policy::On;
use sip::Received;
use sip::session::{IntentError, Parts, RELIABLE, Reply, SessionId, TIMER};
use sip::time::Now;
use sip_types::header::{SessionExpires, Supported};
use sip_types::{Fields, HeaderName, Headers, Method, Response, StatusCode};

impl Core {
    /// A leg is to refresh its session by a re-INVITE: it offers what stands. While the two legs are in the middle of an exchange it
    /// waits for its next turn.
    pub(crate) fn on_refresh_due(&mut self, now: Now, key: CallKey, leg: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let stands = call.state == State::Established || call.waits(leg);
        if !stands || call.exchanges_now() {
            return;
        }
        let other = call.other(leg).unwrap_or(leg);
        let (Some(here), Some(there)) = (call.standing_party(leg), call.standing_party(other)) else {
            return;
        };
        let Ok(offer) = call.media.offer_again(here, there, &mut *self.link) else { return };
        self.offer_alone(now, key, leg, offer, |core, session, parts| {
            core.endpoint.refresh(now, session, parts)
        });
    }

    /// Offers something to a leg by a re-INVITE whose answer concerns nobody else.
    fn offer_alone(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        offer: Bytes,
        send: impl FnOnce(&mut Self, SessionId, Parts) -> Result<(), IntentError>,
    ) {
        let parts = self.offering_alone(key, leg, offer);
        self.name_leg(now, key, leg, None);
        let session = self.calls.get(key).and_then(|call| call.leg(leg)).map(|leg| leg.session);
        let sent = session.map_or(Err(IntentError::Gone), |session| send(self, session, parts));
        let Some(call) = self.calls.get_mut(key) else { return };
        match (sent, call.standing_party(leg)) {
            (Ok(()), _) => {
                call.set_refreshing(leg, true);
                self.watch_telling(now, key);
            }
            (Err(_), Some(party)) => call.media.offer_failed(party),
            (Err(_), None) => {}
        }
    }

    /// A 2xx to a re-INVITE of ours: if it was a refresh, its answer is taken. `false`: it was another one.
    pub(super) fn refreshed(&mut self, now: Now, key: CallKey, leg: LegNo, response: &Response) -> bool {
        let Some(call) = self.calls.get_mut(key) else { return false };
        if !call.set_refreshing(leg, false) {
            return false;
        }
        let other = call.other(leg).unwrap_or(leg);
        let Some(here) = call.standing_party(leg) else { return true };
        let Some(session) = call.leg(leg).map(|leg| leg.session) else { return true };
        let taken = decide::take_response(call, leg, other, response);
        let changes = taken.sdp.as_deref().is_some_and(|sdp| !call.media.is_unchanged(here, sdp));
        if call.take_answer(here, taken.sdp.as_deref()).is_err() {
            // What stood on both sides stands.
            self.counters.descriptions_refused += u64::from(taken.sdp.is_some());
            call.media.offer_failed(here);
        }
        let _ = self.endpoint.acknowledge(now, session, Parts::default());
        if changes {
            self.bring_together(now, key);
        }
        true
    }

    /// A re-INVITE of ours failed: if it was a refresh, nothing has changed. `false`: it was another one.
    pub(super) fn refresh_failed(&mut self, key: CallKey, leg: LegNo) -> bool {
        let Some(call) = self.calls.get_mut(key) else { return false };
        if !call.set_refreshing(leg, false) {
            return false;
        }
        if let Some(party) = call.standing_party(leg) {
            call.media.offer_failed(party);
        }
        true
    }

    /// Answers a re-INVITE that does nothing but refresh its leg's session, with the description that stands on that leg. `false`: it
    /// is to cross, for it changes something, or says something that the other leg has not heard.
    pub(super) fn answers_refresh(&mut self, now: Now, key: CallKey, leg: LegNo, request: &Received) -> bool {
        let Some(call) = self.calls.get_mut(key) else { return false };
        let stands = call.state == State::Established && !call.hands_over();
        // Whom others are still called for has nobody who could have news of it.
        let alone = call.waits(leg);
        let Some(other) = call.other(leg).filter(|_| stands).or(alone.then_some(leg)) else { return false };
        if !speaks_of_timers(request.headers()) || request.max_forwards.is_some_and(|hops| hops.0 == 0) {
            return false;
        }
        let Ok(taken) = decide::take(call, leg, other, &request.request) else { return false };
        let (Some(here), Some(there)) = (call.standing_party(leg), call.standing_party(other)) else {
            return false;
        };
        let (Some(sdp), Wrap::Plain(_)) = (taken.sdp.as_deref(), &taken.wrap) else { return false };
        if !call.media.is_unchanged(here, sdp) {
            return false;
        }
        if !alone && self.says_news(key, leg, other, request.headers()) {
            return false;
        }
        let Some(call) = self.calls.get_mut(key) else { return false };
        let Some(session) = call.leg(leg).map(|leg| leg.session) else { return false };
        let answer = call.media.receive_offer(here, sdp).and_then(|()| {
            let answer = match alone {
                true => call.media.compose_alone(here, &mut *self.link),
                false => call.media.compose_answer(here, there, &mut *self.link),
            };
            answer.inspect_err(|_| call.media.offer_failed(here))
        });
        match answer {
            Ok(answer) => {
                let mut parts = self.statement_alone(key, leg);
                parts.body = taken.wrap.around(Some(answer));
                self.name_leg(now, key, leg, None);
                let _ = self.endpoint.answer_reinvite(now, session, parts);
            }
            Err(refusal) => {
                let reply = match refusal {
                    Refusal::Misuse(_) => Reply::new(StatusCode::REQUEST_PENDING),
                    _ => self.media_reply(&refusal),
                };
                let _ = self.endpoint.reject_reinvite(now, session, &reply);
            }
        }
        true
    }

    /// Whether a re-INVITE has header fields that cross and that its leg's last one did not have: who its sender is may have
    /// changed (RFC 5876), and the like.
    fn says_news(&mut self, key: CallKey, leg: LegNo, other: LegNo, headers: &Headers) -> bool {
        let Some(call) = self.calls.get(key) else { return false };
        let (Some(from), Some(to)) = (call.leg(leg), call.leg(other)) else { return false };
        let crossing = decide::crossing(call, from, to);
        let fields = decide::carried(headers, On::Request(&Method::Invite), &crossing);
        if fields.is_empty() {
            return false;
        }
        let said = self.hash_of(&fields);
        let leg = self.calls.get_mut(key).and_then(|call| call.leg_mut(leg));
        leg.is_some_and(|leg| leg.said.replace(said) != Some(said))
    }

    fn hash_of(&self, fields: &Fields) -> u64 {
        let all = fields.iter().map(|field| (field.name_text(), field.value()));
        self.by_session.hasher().hash_one(all.collect::<Vec<_>>())
    }

    /// What a re-INVITE says that offers something to a leg, and has nothing of the other side.
    pub(super) fn offering_alone(&self, key: CallKey, leg: LegNo, offer: Bytes) -> Parts {
        let mut parts = self.statement_alone(key, leg);
        let leg = self.calls.get(key).and_then(|call| call.leg(leg));
        if let Some(leg) = leg {
            if leg.profile.reliable_responses {
                parts.fields.push(HeaderName::Supported, RELIABLE);
            }
            decide::tell_extensions(&mut parts, &leg.profile);
        }
        parts.body = Wrap::Nothing.around(Some(offer));
        parts
    }

    /// What a leg's user agent says of itself in a message that nothing of the other side is in.
    pub(super) fn statement_alone(&self, key: CallKey, leg: LegNo) -> Parts {
        let mut parts = Parts::default();
        let Some(call) = self.calls.get(key) else { return parts };
        let other = call.leg(call.other(leg).unwrap_or(leg));
        let (Some(to), Some(from)) = (call.leg(leg), other) else { return parts };
        if let Some(listener) = listener_in(&self.endpoint, to.network) {
            let allow = policy::own_allow(&decide::crossing(call, from, to), listener.methods());
            parts.fields.push(HeaderName::Allow, allow);
        }
        parts
    }
}

impl Call {
    /// Says whether a leg refreshes its session, and whether it did before.
    fn set_refreshing(&mut self, leg: LegNo, refreshing: bool) -> bool {
        self.leg_mut(leg).is_some_and(|leg| std::mem::replace(&mut leg.refreshing, refreshing))
    }
}

/// Whether a request is one of a user agent with session timers.
fn speaks_of_timers(headers: &Headers) -> bool {
    headers.list::<Supported>().is_ok_and(|tags| tags.iter().any(|tag| tag.is(TIMER)))
        || headers.get::<SessionExpires>().is_ok_and(|expires| expires.is_some())
}
