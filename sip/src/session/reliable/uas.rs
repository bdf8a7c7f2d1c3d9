//! The callee: reliable provisional responses of ours, and the PRACKs of them (RFC 3262 §3).

use super::sending::{Sending, Unpracked, has_description};
use super::{OPTION, Reliability};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::event::{End, Event};
use crate::ids;
use crate::io::Timer;
use crate::received::Received;
use crate::session::{
    Incoming, IntentError, Opening, Reply, RequestId, SessionId, SessionTimer, Stage, refusal,
};
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::header::RAck;
use sip_types::{HeaderName, Method, StatusCode};

/// The highest number that the first response may have (RFC 3262 §3).
const FIRST: u32 = (1 << 31) - 1;

impl Endpoint {
    /// What the sender of a pending INVITE or re-INVITE says of reliable provisional responses.
    #[must_use]
    pub fn reliability(&self, sid: SessionId) -> Reliability {
        let Some(session) = self.sessions.get(sid) else { return Reliability::None };
        let pending = match &session.stage {
            Stage::Called(pending) => Some(&**pending),
            Stage::Confirmed => session.reinvite.as_deref(),
            _ => None,
        };
        pending.map_or(Reliability::None, |pending| pending.reliability)
    }

    /// Sends a provisional response above 100 reliably, in one of the early dialogs or, to a re-INVITE, in the one that stands: again and again until its PRACK comes,
    /// which [`Event::Pracked`] tells. One that has another before it waits for that one's PRACK.
    ///
    /// # Errors
    /// The session or dialog is gone, the session is answered, the peer does not support it, too many wait, or the status is
    /// not 101 to 199.
    pub fn progress_reliably(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        reply: &Reply,
    ) -> Result<(), IntentError> {
        if !reply.status.is_provisional() || reply.status == StatusCode::TRYING {
            return Err(IntentError::Status);
        }
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let held = session.held_answer.is_some();
        let pending = session.pending_invite().ok_or(IntentError::WrongState)?;
        if pending.reliability == Reliability::None || held {
            return Err(IntentError::WrongState);
        }
        let cseq = pending.request.cseq.seq;
        let dialog = session.dialog_mut(no).ok_or(IntentError::Gone)?;
        // What waits for the PRACK of a response to an INVITE before is not waited for any more.
        dialog.sending.take_if(|sending| sending.cseq != cseq);
        let sending = dialog
            .sending
            .get_or_insert_with(|| Box::new(Sending::new(1 + ids::below(&mut *self.io.ids, FIRST), cseq)));
        if sending.out.is_some() {
            return if sending.queue(reply) { Ok(()) } else { Err(IntentError::Full) };
        }
        self.send_reliably(now, sid, no, reply.clone());
        Ok(())
    }

    fn send_reliably(&mut self, now: Now, sid: SessionId, no: DialogNo, mut reply: Reply) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(dialog) = session.dialog_mut(no) else { return };
        let (Some(sending), tag) = (&mut dialog.sending, dialog.local_tag) else { return };
        let number = sending.next;
        sending.next = number.saturating_add(1);
        let Some(pending) = session.pending_invite() else { return };
        reply.parts.fields.push(HeaderName::Require, OPTION);
        reply.parts.fields.push(HeaderName::RSeq, number.to_string());
        let (server, request) = pending.note_progress(now, no, reply.status);
        self.keep_reinvite_alive(now, sid);
        self.reply(now, server, &request, Some(tag), true, &reply);
        let bytes = self.servers.last(server);
        let listener = self.settings.listener(request.flow.listener);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let timers = listener.map(|l| session.conduct(l).timers).unwrap_or_default();
        let Some(dialog) = session.dialog_mut(no) else { return };
        let described = has_description(&reply);
        if described && dialog.opening == Opening::Open {
            dialog.opening = Opening::Acknowledging;
        }
        let Some(sending) = dialog.sending.as_mut() else { return };
        sending.out = Some(Unpracked {
            number,
            described,
            bytes,
            interval: timers.t1,
            repeat_at: now.mono + timers.t1,
            give_up_at: now.mono + timers.transaction(),
        });
        self.io.timers.arm(now, timers.t1, Timer::Session(sid, SessionTimer::Unpracked(no)));
    }

    /// A reliable provisional response has waited: it is sent again, in intervals that double, until 64*T1 have passed. Then
    /// the INVITE is refused. After a final response it is only waited for.
    pub(crate) fn unpracked_due(&mut self, now: Now, sid: SessionId, no: DialogNo) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let pending = session.pending_invite().map(|pending| (pending.server, pending.request.cseq.seq));
        let Some(sending) = session.dialog_mut(no).and_then(|dialog| dialog.sending.as_mut()) else { return };
        let server = pending.filter(|(_, seq)| *seq == sending.cseq).map(|(server, _)| server);
        let Some(out) = &mut sending.out else { return };
        if now.mono >= out.give_up_at {
            sending.out = None;
            return match server {
                Some(_) => self.never_pracked(now, sid, no),
                None => self.sweep(sid),
            };
        }
        let due = match server {
            Some(_) => out.repeat_at,
            None => out.give_up_at,
        };
        if now.mono < due {
            return self.io.timers.arm_at(now, due, Timer::Session(sid, SessionTimer::Unpracked(no)));
        }
        out.interval = out.interval.saturating_mul(2);
        out.repeat_at = (now.mono + out.interval).min(out.give_up_at);
        let (bytes, repeat_at) = (out.bytes.clone(), out.repeat_at);
        if let Some(server) = server {
            self.servers.send(&mut self.io, server, bytes);
        }
        self.io.timers.arm_at(now, repeat_at, Timer::Session(sid, SessionTimer::Unpracked(no)));
    }

    /// No PRACK came: the INVITE is refused with a 5xx (RFC 3262 §3).
    fn never_pracked(&mut self, now: Now, sid: SessionId, no: DialogNo) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let tag = session.dialog(no).map_or(session.local_tag, |dialog| dialog.local_tag);
        let reply = refusal(StatusCode::SERVER_TIMEOUT, "No PRACK Came");
        if let Some(pending) = session.reinvite.take() {
            session.held_answer = None;
            self.reply(now, pending.server, &pending.request, None, false, &reply);
            return self.io.tell(Event::ReinviteCancelled { session: sid, executed: false });
        }
        let Stage::Called(pending) = std::mem::replace(&mut session.stage, Stage::Over) else { return };
        self.reply(now, pending.server, &pending.request, Some(tag), false, &reply);
        self.ended(now, sid, End::NoPrack);
    }

    /// A PRACK.
    pub(crate) fn on_prack(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let Ok(rack) = request.headers().require::<RAck>() else {
            let refusal = refusal(StatusCode::BAD_REQUEST, "Missing or Malformed RAck");
            return self.reply(now, server, &request, None, false, &refusal);
        };
        let limit = self.settings.limits.pending_requests;
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        let trying = listener.timers.trying();
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let (told, full) = (session.told, session.incoming.len() >= limit);
        let sending = session.dialog_mut(no).and_then(|dialog| dialog.sending.as_mut());
        let matching = sending.filter(|sending| {
            let numbers = sending.out.as_ref().map(|out| (out.number, sending.cseq));
            numbers == Some((rack.rseq, rack.cseq)) && rack.method == Method::Invite
        });
        let Some(sending) = matching else {
            let stray = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return self.reply(now, server, &request, None, false, &stray);
        };
        // An offer or an answer: what we say to it is the owner's.
        let described = !request.request.body().is_empty() && !told;
        if described && full {
            self.counters.pending_full += 1;
            let reply = self.unavailable();
            return self.reply(now, server, &request, None, false, &reply);
        }
        let settles = sending.out.take().is_some_and(|out| out.described);
        sending.pracked = true;
        let next = sending.waiting.pop_front();
        if settles && let Some(dialog) = session.dialog_mut(no) {
            dialog.opening = Opening::Settled;
        }
        if described {
            session.incoming.push(Incoming { server, dialog: no, request: request.clone() });
            self.io.timers.arm(now, trying, Timer::Session(sid, SessionTimer::Trying(server)));
        } else {
            self.reply(now, server, &request, None, false, &Reply::new(StatusCode::OK));
        }
        if told {
            return self.sweep(sid);
        }
        let id = described.then_some(RequestId(server));
        self.io.tell(Event::Pracked { session: sid, dialog: no, id, request });
        if let Some(reply) = next {
            self.send_reliably(now, sid, no, reply);
        }
        self.release_answer(now, sid);
    }

    /// Sends the 2xx that has waited for PRACKs, once they are there and answered: what was described in provisional
    /// responses is settled before (RFC 3262 §3, §5).
    pub(crate) fn release_answer(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(held) = session.held_answer.take() else { return };
        let (no, parts) = *held;
        // It was allowed when it was held; what has come between has ended the session or closed the dialog.
        let _ = match session.reinvite {
            Some(_) => self.answer_reinvite(now, sid, parts),
            None => self.answer(now, sid, no, parts),
        };
    }
}
