//! Refreshing a session, and ending one that is not refreshed (RFC 4028 §10).

use super::standing::Standing;
use crate::endpoint::Endpoint;
use crate::event::{End, Event, Failure};
use crate::session::update::is_unknown;
use crate::session::{IntentError, Outgoing, OutgoingId, Parts, SessionId, Stage};
use crate::time::Now;
use sip_types::{Fields, HeaderName, Method, Response};
use std::time::Duration;

/// When a refresh is looked at again that something else of the session is in the way of.
const AGAIN: Duration = Duration::from_secs(2);

/// So many refreshes may fail, each after half of the time that was left, before the end is waited for: what is refused the same
/// way again and again is not asked for without end (RFC 4028 §10).
const TRIES: u8 = 3;

impl Endpoint {
    /// Refreshes a session by an UPDATE without an offer, which its owner need not know of (RFC 4028 §7.4). If something is in its
    /// way, it is looked at again.
    fn refresh_by_update(&mut self, now: Now, sid: SessionId) {
        if let Ok(outgoing) = self.next_update(sid, None, 70, Parts::default()) {
            // A timer was just seen to stand.
            let _ = self.begin_refresh(now, sid, outgoing);
        }
    }

    /// Refreshes a session by a re-INVITE, as [`Event::RefreshDue`] asks, with the description that stands as its offer.
    /// [`Event::ReinviteAnswered`] or [`Event::ReinviteFailed`] follows as for any other; who failed is asked for again in time.
    ///
    /// # Errors
    /// The session is gone or not confirmed, has no timer, or an INVITE is pending in it.
    pub fn refresh(&mut self, now: Now, sid: SessionId, parts: Parts) -> Result<(), IntentError> {
        let outgoing = self.next_reinvite(sid, 70, parts)?;
        self.begin_refresh(now, sid, outgoing)
    }

    fn begin_refresh(&mut self, now: Now, sid: SessionId, outgoing: Outgoing) -> Result<(), IntentError> {
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let timing = session.timing.as_mut().ok_or(IntentError::WrongState)?;
        let standing = timing.stands.as_mut().ok_or(IntentError::WrongState)?;
        standing.due = standing.expiration();
        timing.refreshing = Some(outgoing.id);
        self.counters.refreshes += 1;
        self.launch(now, sid, outgoing);
        Ok(())
    }

    /// A deadline of a session's timer has come.
    pub(crate) fn interval_due(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let busy = session.outgoing.iter().any(|o| o.method == Method::Invite)
            || session.reinvite.is_some()
            || !session.unacked.is_empty()
            || session.owed_ack.is_some();
        let confirmed = matches!(session.stage, Stage::Confirmed);
        let Some(timing) = &mut session.timing else { return };
        if timing.armed.is_some_and(|at| at > now.mono) {
            // One that came before another deadline and waits no more.
            return;
        }
        timing.armed = None;
        let Some(standing) = timing.stands.as_mut().filter(|_| confirmed) else { return };
        if now.mono < standing.due {
            return self.arm_interval(now, sid);
        }
        let under_way = timing.refreshing.is_some();
        if now.mono >= standing.end() || under_way {
            return self.expired(now, sid);
        }
        standing.wait(now.mono, AGAIN);
        self.arm_interval(now, sid);
        if self.takes_update(sid) {
            self.refresh_by_update(now, sid);
        } else if !busy {
            self.io.tell(Event::RefreshDue { session: sid });
        }
    }

    /// Nobody has refreshed the session.
    fn expired(&mut self, now: Now, sid: SessionId) {
        self.counters.sessions_expired += 1;
        let mut reason = Fields::default();
        reason.push(HeaderName::Reason, "SIP;cause=408;text=\"Session expired\"");
        self.ended(now, sid, End::SessionExpired);
        self.hang_up(now, sid, reason);
    }

    /// Whether a request of ours is a refresh.
    pub(crate) fn is_refresh(&self, sid: SessionId, id: OutgoingId) -> bool {
        let timing = self.sessions.get(sid).and_then(|session| session.timing.as_ref());
        timing.is_some_and(|timing| timing.refreshing == Some(id))
    }

    /// A refresh of ours has met a request of the peer (491). It is not sent again as it is, for what stands may be another thing
    /// after the back-off (RFC 3261 §14.1): the owner is asked again. `false`: it was no refresh.
    pub(crate) fn refresh_collided(
        &mut self,
        now: Now,
        sid: SessionId,
        id: OutgoingId,
        response: &Response,
    ) -> bool {
        if !self.is_refresh(sid, id) {
            return false;
        }
        let wait = self.back_off_time(sid);
        self.take_outgoing(sid, id);
        self.refresh_failed(now, sid, id, Some(wait));
        self.io.tell(Event::ReinviteFailed { session: sid, why: Failure::Response(response.clone()) });
        true
    }

    /// A refresh of ours failed in a way that leaves the session: it is tried again before the session expires. A peer that knows
    /// nothing of timers and answers at all is there, which is all that we wanted to know.
    pub(crate) fn refresh_refused(&mut self, now: Now, sid: SessionId, id: OutgoingId, why: &Failure) {
        if !self.is_refresh(sid, id) {
            return;
        }
        let answered = matches!(why, Failure::Response(_) | Failure::Challenged(_));
        let timing = self.sessions.get_mut(sid).and_then(|session| session.timing.as_mut());
        if let Some(standing) = timing.and_then(|timing| timing.stands.as_mut())
            && answered
            && standing.agreed.alone
        {
            *standing = Standing::new(standing.agreed, now.mono);
            return self.refresh_over(now, sid);
        }
        // Who knows no UPDATE is asked by re-INVITE, at once.
        let unknown = matches!(why, Failure::Response(response) if is_unknown(response.status()));
        self.refresh_failed(now, sid, id, unknown.then_some(Duration::ZERO));
    }

    fn refresh_failed(&mut self, now: Now, sid: SessionId, id: OutgoingId, wait: Option<Duration>) {
        tracing::debug!(outgoing = id.0, "a refresh failed");
        let timing = self.sessions.get_mut(sid).and_then(|session| session.timing.as_mut());
        if let Some(standing) = timing.and_then(|timing| timing.stands.as_mut()) {
            let left = standing.end().since(now.mono);
            standing.failed = standing.failed.saturating_add(1);
            let wait = match wait {
                Some(wait) if standing.failed < TRIES => wait,
                _ if standing.failed < 2 * TRIES => left / 2,
                _ => left,
            };
            standing.wait(now.mono, wait);
        }
        self.refresh_over(now, sid);
    }

    fn refresh_over(&mut self, now: Now, sid: SessionId) {
        self.counters.refreshes_failed += 1;
        if let Some(timing) = self.sessions.get_mut(sid).and_then(|session| session.timing.as_mut()) {
            timing.refreshing = None;
        }
        self.arm_interval(now, sid);
    }
}
