//! An INVITE or re-INVITE of the peer while it waits for our final response: CANCEL, its Expires, and provisional responses in time.

use super::{Opening, Reliability, Reply, SessionId, SessionTimer, Stage};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::event::{End, Event};
use crate::io::Timer;
use crate::received::Received;
use crate::time::{Mono, Now};
use crate::timers::TimerQueue;
use crate::transaction::ServerId;
use sip_types::StatusCode;
use std::time::Duration;

/// An INVITE of the peer that waits for our final response.
pub(crate) struct PendingInvite {
    pub(crate) server: ServerId,
    pub(crate) request: Received,
    /// The last provisional response sent other than 100.
    pub(crate) progressed: Option<(DialogNo, StatusCode)>,
    /// What it says of reliable provisional responses.
    pub(crate) reliability: Reliability,
    /// When it has waited for as long as its Expires allows.
    pub(crate) expires_at: Option<Mono>,
    /// Longest time without a provisional response.
    pub(crate) every: Duration,
    pub(crate) provisional_at: Mono,
}

impl PendingInvite {
    /// A provisional response is sent: its transaction and the INVITE.
    pub(super) fn note_progress(
        &mut self,
        now: Now,
        no: DialogNo,
        status: StatusCode,
    ) -> (ServerId, Received) {
        self.progressed = Some((no, status));
        self.provisional_at = now.mono + self.every;
        (self.server, self.request.clone())
    }
}

impl Endpoint {
    /// The caller gave up (RFC 3261 §9.2). The CANCEL has had its 200.
    pub(crate) fn on_cancel(&mut self, now: Now, sid: SessionId, invite: ServerId, cancel: Received) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let terminated = Reply::new(StatusCode::REQUEST_TERMINATED);
        let standing = session.current.and_then(|no| session.dialog(no));
        let executed = standing.is_some_and(|dialog| dialog.opening == Opening::Settled);
        match session.reinvite.take_if(|p| p.server == invite) {
            Some(pending) if executed => {
                session.reinvite = Some(pending);
                if session.held_answer.is_none() {
                    self.io.tell(Event::ReinviteCancelled { session: sid, executed });
                }
                return;
            }
            Some(pending) => {
                session.held_answer = None;
                self.reply(now, invite, &pending.request, None, false, &terminated);
                return self.io.tell(Event::ReinviteCancelled { session: sid, executed });
            }
            None => {}
        }
        if !matches!(&session.stage, Stage::Called(pending) if pending.server == invite) {
            return;
        }
        let Stage::Called(pending) = std::mem::replace(&mut session.stage, Stage::Over) else { return };
        let tag = session.dialogs.first().map_or(session.local_tag, |d| d.local_tag);
        self.reply(now, invite, &pending.request, Some(tag), false, &terminated);
        self.ended(now, sid, End::Cancelled(cancel));
    }

    /// The INVITE has waited for as long as its Expires allows (RFC 3261 §13.3.1).
    pub(crate) fn expires_due(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Stage::Called(pending) = &session.stage else { return };
        let Some(at) = pending.expires_at else { return };
        if at > now.mono {
            return self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Expires));
        }
        let Stage::Called(pending) = std::mem::replace(&mut session.stage, Stage::Over) else { return };
        let tag = session.dialogs.first().map_or(session.local_tag, |d| d.local_tag);
        let terminated = Reply::new(StatusCode::REQUEST_TERMINATED);
        self.reply(now, pending.server, &pending.request, Some(tag), false, &terminated);
        self.ended(now, sid, End::Expired);
    }

    /// A re-INVITE that has progressed may take its time, as an INVITE may: then it has a provisional response every minute too.
    pub(super) fn keep_reinvite_alive(&mut self, now: Now, sid: SessionId) {
        let session = self.sessions.get(sid).filter(|session| matches!(session.stage, Stage::Confirmed));
        if let Some(pending) = session.and_then(|session| session.reinvite.as_ref()) {
            let at = pending.provisional_at;
            self.look_alive(now, sid, at);
        }
    }

    /// It is to be looked at that time whether a provisional response is due: one timer does for all that progress.
    pub(super) fn look_alive(&mut self, now: Now, sid: SessionId, at: Mono) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let at = at.min(now.mono + TimerQueue::<Timer>::HOP);
        if session.looks_at.is_none_or(|next| at < next) {
            session.looks_at = Some(at);
            self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Provisional));
        }
    }

    /// A minute without a provisional response: the last one again, or a 183 (RFC 3261 §13.3.1.1).
    pub(crate) fn provisional_due(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if session.looks_at.take_if(|at| *at <= now.mono).is_none() {
            return;
        }
        let Some(pending) = session.pending_invite() else { return };
        if pending.provisional_at > now.mono {
            let at = pending.provisional_at;
            return self.look_alive(now, sid, at);
        }
        pending.provisional_at = now.mono + pending.every;
        let (server, last, at) = (pending.server, pending.progressed, pending.provisional_at);
        self.look_alive(now, sid, at);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let (no, status) = match (last, session.dialogs.first()) {
            (Some((no, status)), _) => (no, status),
            (None, Some(dialog)) => (dialog.no, StatusCode::SESSION_PROGRESS),
            (None, None) => match self.open_dialog(sid) {
                Ok(no) => (no, StatusCode::SESSION_PROGRESS),
                Err(_) => return,
            },
        };
        let sending =
            self.sessions.get(sid).and_then(|s| s.dialog(no)).map(|dialog| dialog.sending.is_some());
        match (last, sending) {
            // One that is reliable is news only with a number of its own.
            (Some(_), Some(false)) => self.servers.repeat(&mut self.io, server),
            // The session was just seen to be there and pending.
            _ => drop(self.progress(now, sid, no, &Reply::new(status))),
        }
    }
}
