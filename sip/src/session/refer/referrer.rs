//! The side that asks: a REFER of ours, and what the peer tells of it.

use super::PACKAGE;
use crate::endpoint::Endpoint;
use crate::event::{Event, Failure};
use crate::io::Timer;
use crate::received::Received;
use crate::session::{IntentError, OutgoingId, Parts, Reply, SessionId, SessionTimer, refusal};
use crate::time::{Mono, Now};
use crate::transaction::ServerId;
use sip_types::header::{ContentType, Event as EventField, ReferSub, SubscriptionState};
use sip_types::{Method, Response, StatusCode};
use std::time::Duration;

/// How long somebody tells who does not say for how long, in seconds.
const UNSAID: u32 = 3_600;
/// No subscription is taken to last longer, in seconds.
const LONGEST: u32 = 86_400;

/// A REFER of ours whose NOTIFYs may come: before its response too (RFC 3515 §2.4.4).
pub(super) struct Asked {
    id: OutgoingId,
    /// The number that the accepted one had; known once its response is there.
    number: Option<u32>,
    /// Until when it is told of, if nothing more comes.
    until: Mono,
    /// What was told last.
    last: (StatusCode, Box<str>),
}

impl Endpoint {
    /// Sends a REFER in the dialog, with the Refer-To that `parts` have. [`Event::Responded`] follows, and
    /// [`Event::ReferNotified`] for each NOTIFY, before it or after it.
    ///
    /// # Errors
    /// As for [`request`](Self::request); or there are as many REFERs of ours as a session may have requests pending.
    pub fn refer(
        &mut self,
        now: Now,
        sid: SessionId,
        max_forwards: u8,
        parts: Parts,
    ) -> Result<OutgoingId, IntentError> {
        let limit = self.settings.limits.pending_requests;
        let asked = |session: &crate::session::Session| session.refers.as_ref().map_or(0, |r| r.asked.len());
        if self.sessions.get(sid).is_some_and(|session| asked(session) >= limit) {
            self.counters.pending_full += 1;
            return Err(IntentError::Full);
        }
        let id = self.request(now, sid, Method::Refer, max_forwards, parts)?;
        if let Some(session) = self.sessions.get_mut(sid) {
            let wait = session.conduct.map(|conduct| conduct.timers).unwrap_or_default().transaction();
            let last = (StatusCode::REQUEST_TIMEOUT, Box::default());
            let asked = Asked { id, number: None, until: now.mono + wait, last };
            session.refers.get_or_insert_default().asked.push(asked);
            self.io.timers.arm(now, wait, Timer::Session(sid, SessionTimer::Referred(id)));
        }
        Ok(id)
    }

    /// A NOTIFY of the peer in the dialog of a session: 481 where we have not asked for it (RFC 6665 §4.1.3), 400 where it says
    /// nothing that we understand.
    pub(in crate::session) fn on_refer_notify(
        &mut self,
        now: Now,
        sid: SessionId,
        server: ServerId,
        request: &Received,
    ) {
        let headers = request.headers();
        let event = headers.get::<EventField>().ok().flatten().filter(|event| event.is(PACKAGE));
        let id = event.and_then(|event| self.asked_of(sid, event.id()));
        let Some(id) = id else {
            let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return self.reply(now, server, request, None, false, &gone);
        };
        let state = headers.get::<SubscriptionState>().ok().flatten();
        let (Some(state), Some((status, reason))) = (state, status_line(request)) else {
            let bad = refusal(StatusCode::BAD_REQUEST, "Missing or Malformed Status");
            return self.reply(now, server, request, None, false, &bad);
        };
        self.reply(now, server, request, None, true, &Reply::new(StatusCode::OK));
        let last = state.is("terminated");
        if let Some(session) = self.sessions.get_mut(sid) {
            if let Some(dialog) = session.current_mut() {
                // A NOTIFY refreshes the target (RFC 6665 §3.2).
                dialog.refresh(request.headers());
            }
            let wait = session.conduct.map(|conduct| conduct.timers).unwrap_or_default().transaction();
            if last && let Some(refers) = &mut session.refers {
                refers.asked.retain(|asked| asked.id != id);
            }
            let asked =
                session.refers.as_mut().and_then(|refers| refers.asked.iter_mut().find(|a| a.id == id));
            if let Some(asked) = asked {
                asked.last = (status, reason.clone());
                // What says nothing of its time goes on for as long as a SUBSCRIBE would ask for that names none (RFC 3515 §3.4).
                let expires = state.expires().unwrap_or(UNSAID).min(LONGEST);
                asked.until = now.mono + Duration::from_secs(expires.into()) + wait;
                let at = asked.until;
                self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Referred(id)));
            }
        }
        self.io.tell(Event::ReferNotified { session: sid, refer: id, status, reason, last });
    }

    /// A REFER of ours is told of no more, though nobody has said so: its owner hears what was told last, or that nothing was.
    pub(crate) fn referred_due(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let refers = self.sessions.get_mut(sid).and_then(|session| session.refers.as_mut());
        let Some(refers) = refers else { return };
        let Some(at) = refers.asked.iter().position(|asked| asked.id == id) else { return };
        let Some(until) = refers.asked.get(at).map(|asked| asked.until).filter(|until| *until > now.mono)
        else {
            let (status, reason) = refers.asked.swap_remove(at).last;
            self.counters.refers_untold += 1;
            return self.io.tell(Event::ReferNotified {
                session: sid,
                refer: id,
                status,
                reason,
                last: true,
            });
        };
        self.io.timers.arm_at(now, until, Timer::Session(sid, SessionTimer::Referred(id)));
    }

    /// The REFER of ours that a NOTIFY with that `id` is for. Without one it is for the oldest.
    fn asked_of(&self, sid: SessionId, id: Option<&str>) -> Option<OutgoingId> {
        let session = self.sessions.get(sid)?;
        let asked = &session.refers.as_ref()?.asked;
        let Some(id) = id else { return asked.first().map(|asked| asked.id) };
        let wanted = id.parse::<u32>().ok()?;
        let sent = |id| session.outgoing.iter().find(|o| o.id == id).map(|o| o.seq);
        asked
            .iter()
            .find(|asked| asked.number.or_else(|| sent(asked.id)) == Some(wanted))
            .map(|asked| asked.id)
    }

    /// The end of a request of ours of that number: if it was a REFER, whether its NOTIFYs are still to come.
    pub(in crate::session) fn refer_responded(
        &mut self,
        sid: SessionId,
        id: OutgoingId,
        number: u32,
        outcome: &Result<Response, Failure>,
    ) {
        let refers = self.sessions.get_mut(sid).and_then(|session| session.refers.as_mut());
        let Some(refers) = refers else { return };
        let is_told = matches!(outcome, Ok(response)
            if !response.headers().get::<ReferSub>().ok().flatten().is_some_and(|told| told.is_false()));
        match is_told {
            true => refers.asked.iter_mut().filter(|a| a.id == id).for_each(|a| a.number = Some(number)),
            false => refers.asked.retain(|asked| asked.id != id),
        }
    }
}

/// The status line that the body of a NOTIFY begins with (RFC 3515 §2.4.5).
fn status_line(request: &Received) -> Option<(StatusCode, Box<str>)> {
    let kind = request.headers().get::<ContentType>().ok().flatten()?;
    if !kind.is("message", "sipfrag") {
        return None;
    }
    let line = request.request.body().split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let rest = std::str::from_utf8(line).ok()?.strip_prefix("SIP/2.0 ")?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((StatusCode::new(code.parse().ok()?)?, reason.into()))
}
