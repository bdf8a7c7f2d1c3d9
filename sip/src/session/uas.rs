//! The callee: an INVITE of the peer, our responses, its ACK or CANCEL (RFC 3261 §13.3, §9.2).

use super::glare::{describes, is_described};
use super::packages;
use super::{
    Incoming, IntentError, Parts, PendingInvite, Reliability, Reply, Session, SessionId, SessionTimer, Stage,
    Unacked,
};
use crate::dialog::{Dialog, DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::event::{End, Event};
use crate::ids::Tag;
use crate::io::Timer;
use crate::received::Received;
use crate::time::Now;
use crate::transaction::ServerId;
use bytestring::ByteString;
use sip_types::header::Expires;
use sip_types::{Fields, HeaderName, Method, Scheme, StatusCode};
use std::time::Duration;

impl Endpoint {
    /// A new INVITE that passed admission: it gets its 100, and goes up.
    pub(crate) fn on_invite(&mut self, now: Now, server: ServerId, request: Received) {
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        let (network, every) = (listener.network, listener.provisional_interval);
        let reliability = Reliability::of(listener, &request);
        let local_tag = Tag::new(&mut *self.io.ids);
        let placeholder = Dialog::of_uas(DialogNo(0), local_tag, &request);
        if placeholder.is_err() {
            let refusal = refusal(StatusCode::BAD_REQUEST, "Missing or Malformed Contact");
            return self.reply(now, server, &request, Some(local_tag), false, &refusal);
        }
        self.reply(now, server, &request, None, false, &Reply::new(StatusCode::TRYING));
        let provisional_at = now.mono + every;
        let expires = request.headers().get::<Expires>().ok().flatten();
        let expires_at = expires.map(|expires| now.mono + Duration::from_secs(expires.0.into()));
        let pending = PendingInvite {
            expires_at,
            every,
            server,
            request: request.clone(),
            progressed: None,
            reliability,
            provisional_at,
        };
        let call_id = request.call_id.as_str().into();
        let mut session = Session::new(Stage::Called(Box::new(pending)), network, call_id, local_tag);
        session.local = request.to.untagged();
        session.remote = request.from.untagged();
        session.secure = request.request.uri().is_ok_and(|uri| uri.scheme() == Scheme::Sips);
        session.take_way(&self.settings, &request);
        if let Some(listener) = self.settings.listener(request.flow.listener) {
            session.identify_caller(&request, listener, &mut *self.io.ids);
        }
        let sid = self.sessions.insert(session);
        self.share.enter();
        self.servers.bind(server, sid);
        self.by_tag.insert(local_tag, sid);
        self.look_alive(now, sid, provisional_at);
        if let Some(at) = expires_at {
            self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Expires));
        }
        self.io.tell(Event::Invited { session: sid, request });
    }

    /// Opens another early dialog towards a caller: one for each that our own call has forked into.
    ///
    /// # Errors
    /// The session is gone or answered, or has as many early dialogs as may be.
    pub fn open_dialog(&mut self, sid: SessionId) -> Result<DialogNo, IntentError> {
        let limit = self.settings.limits.early_dialogs;
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let Stage::Called(pending) = &session.stage else { return Err(IntentError::WrongState) };
        if session.dialogs.len() >= limit {
            return Err(IntentError::Full);
        }
        // The tag of a dialog that was closed is not used again.
        let first = session.next_dialog == 0;
        let tag = if first { session.local_tag } else { Tag::new(&mut *self.io.ids) };
        let no = DialogNo(session.next_dialog);
        let mut dialog = Dialog::of_uas(no, tag, &pending.request).map_err(|_| IntentError::NoDialog)?;
        dialog.hear_packages(pending.request.headers());
        session.name_dialog();
        session.enter(dialog, &self.census);
        self.by_tag.insert(tag, sid);
        Ok(no)
    }

    /// Lets an early dialog towards a caller go, as what it stood for is over; nothing is sent. What comes in it is answered
    /// 481 from now on.
    pub fn close_dialog(&mut self, sid: SessionId, no: DialogNo) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Stage::Called(pending) = &mut session.stage else { return };
        // What keeps the INVITE alive is said in a dialog that is there.
        pending.progressed.take_if(|(progressed, _)| *progressed == no);
        for closed in session.dialogs.extract_if(.., |d| d.no == no) {
            self.by_tag.remove(&closed.local_tag);
        }
    }

    /// Sends a provisional response above 100 in one of the early dialogs or, to a re-INVITE, in the one that stands: reliably where
    /// its sender requires that, or else only once.
    ///
    /// # Errors
    /// The session or dialog is gone, the session is answered, or the status is not 101 to 199.
    pub fn progress(
        &mut self,
        now: Now,
        sid: SessionId,
        dialog: DialogNo,
        reply: &Reply,
    ) -> Result<(), IntentError> {
        if !reply.status.is_provisional() || reply.status == StatusCode::TRYING {
            return Err(IntentError::Status);
        }
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let tag = session.dialog(dialog).ok_or(IntentError::Gone)?.local_tag;
        let held = session.held_answer.is_some();
        let pending = session.pending_invite().filter(|_| !held).ok_or(IntentError::WrongState)?;
        if pending.reliability == Reliability::Required {
            return self.progress_reliably(now, sid, dialog, reply);
        }
        let (server, request) = pending.note_progress(now, dialog, reply.status);
        self.keep_reinvite_alive(now, sid);
        self.reply(now, server, &request, Some(tag), true, reply);
        Ok(())
    }

    /// Answers the call with a 2xx, which is repeated until its ACK comes (RFC 3261 §13.3.1.4). Where a session description of a
    /// reliable provisional response waits for its PRACK, or a PRACK or UPDATE for its answer, the 2xx waits for that (RFC 3262 §3).
    ///
    /// # Errors
    /// The session or dialog is gone, or the session is answered.
    pub fn answer(
        &mut self,
        now: Now,
        sid: SessionId,
        dialog: DialogNo,
        parts: Parts,
    ) -> Result<(), IntentError> {
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        if !matches!(session.stage, Stage::Called(_)) || session.held_answer.is_some() {
            return Err(IntentError::WrongState);
        }
        let waits = session.awaits_prack_in(dialog);
        let chosen = session.dialog_mut(dialog).ok_or(IntentError::Gone)?;
        if waits {
            session.held_answer = Some(Box::new((dialog, parts)));
            return Ok(());
        }
        chosen.state = DialogState::Confirmed;
        let tag = chosen.local_tag;
        let stage = std::mem::replace(&mut session.stage, Stage::Confirmed);
        let Stage::Called(pending) = stage else { return Err(IntentError::WrongState) };
        session.current = Some(dialog);
        let losers: Vec<Tag> =
            session.dialogs.extract_if(.., |d| d.no != dialog).map(|loser| loser.local_tag).collect();
        losers.iter().for_each(|tag| {
            self.by_tag.remove(tag);
        });
        self.send_success(now, sid, &pending, tag, parts);
        Ok(())
    }

    /// Refuses the call with a final response of 300 or above. The session is gone afterwards, without an event.
    ///
    /// # Errors
    /// The session is gone or answered, or the status is below 300.
    pub fn reject(&mut self, now: Now, sid: SessionId, reply: &Reply) -> Result<(), IntentError> {
        self.refuse_call(now, sid, reply).map(drop)
    }

    /// The same for a caller who has proved nothing: it gets this response once, and nothing is kept that would send it again or
    /// wait for its ACK (RFC 3261 §26.3.2.4). An INVITE that is sent again is another one.
    ///
    /// # Errors
    /// As for [`reject`](Self::reject).
    pub fn turn_away(&mut self, now: Now, sid: SessionId, reply: &Reply) -> Result<(), IntentError> {
        let server = self.refuse_call(now, sid, reply)?;
        self.servers.forget(server);
        Ok(())
    }

    fn refuse_call(&mut self, now: Now, sid: SessionId, reply: &Reply) -> Result<ServerId, IntentError> {
        if !reply.refuses() {
            return Err(IntentError::Status);
        }
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        if !matches!(session.stage, Stage::Called(_)) {
            return Err(IntentError::WrongState);
        }
        let Stage::Called(pending) = std::mem::replace(&mut session.stage, Stage::Over) else {
            return Err(IntentError::WrongState);
        };
        session.told = true;
        let tag = session.dialogs.first().map_or(session.local_tag, |d| d.local_tag);
        self.reply(now, pending.server, &pending.request, Some(tag), false, reply);
        self.refuse_pending(now, sid);
        self.sweep(sid);
        Ok(pending.server)
    }

    /// Sends a 2xx to an INVITE or re-INVITE, to be repeated until its ACK comes.
    pub(crate) fn send_success(
        &mut self,
        now: Now,
        sid: SessionId,
        pending: &PendingInvite,
        tag: Tag,
        mut parts: Parts,
    ) {
        self.time_answer(now, sid, &pending.request, &mut parts);
        let offers = describes(&parts) && !is_described(&pending.request);
        packages::say_none(pending, &mut parts.fields);
        let reply = Reply { parts, ..Reply::new(StatusCode::OK) };
        self.reply(now, pending.server, &pending.request, Some(tag), true, &reply);
        let listener = self.settings.listener(pending.request.flow.listener);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        session.hear_packages(pending.request.headers());
        let timers = listener.map(|l| session.conduct(l).timers).unwrap_or_default();
        session.unacked.reserve_exact(1);
        session.unacked.push(Unacked {
            server: pending.server,
            seq: pending.request.cseq.seq,
            offers,
            interval: timers.t1,
            longest: timers.t2,
            repeat_at: now.mono + timers.t1,
            give_up_at: now.mono + timers.transaction(),
        });
        self.io.timers.arm(now, timers.t1, Timer::Session(sid, SessionTimer::Unacked));
    }

    /// A 2xx of ours has waited: it is sent again, over a reliable transport too, until 64*T1 have passed.
    pub(crate) fn unacked_due(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if session.unacked.iter().any(|unacked| now.mono >= unacked.give_up_at) {
            session.unacked = Vec::new();
            return self.never_acked(now, sid);
        }
        for unacked in session.unacked.iter_mut().filter(|unacked| now.mono >= unacked.repeat_at) {
            unacked.interval = unacked.interval.saturating_mul(2).min(unacked.longest);
            unacked.repeat_at = (now.mono + unacked.interval).min(unacked.give_up_at);
            self.servers.repeat(&mut self.io, unacked.server);
            let again = Timer::Session(sid, SessionTimer::Unacked);
            self.io.timers.arm_at(now, unacked.repeat_at, again);
        }
    }

    /// No ACK came: the dialog is confirmed, but the session ends with BYE (RFC 3261 §13.3.1.4).
    fn never_acked(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(no) = session.current else { return };
        match session.owed_bye.take() {
            Some(reason) => self.begin_bye(now, sid, no, reason),
            None if matches!(session.stage, Stage::Confirmed) => {
                let mut reason = Fields::default();
                reason.push(HeaderName::Reason, "SIP;cause=408;text=\"No ACK\"");
                self.ended(now, sid, End::NoAck);
                self.begin_bye(now, sid, no, reason);
            }
            None => self.sweep(sid),
        }
    }

    /// An ACK that belongs to no transaction: that of a 2xx of ours.
    pub(crate) fn on_ack(&mut self, now: Now, sid: SessionId, request: Received) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let at = session.unacked.iter().position(|unacked| unacked.seq == request.cseq.seq);
        let Some(at) = at else { return };
        session.unacked.remove(at);
        if session.unacked.is_empty() {
            // For nearly all of its life a session waits for none.
            session.unacked = Vec::new();
        }
        session.accept_identifier(request.headers());
        let owed_bye = session.owed_bye.take_if(|_| session.unacked.is_empty());
        match (owed_bye, session.current) {
            (Some(reason), Some(no)) => self.begin_bye(now, sid, no, reason),
            _ if session.told => self.sweep(sid),
            _ => self.io.tell(Event::Acknowledged { session: sid, request }),
        }
    }
}

impl Session {
    /// Whether what is described in a dialog is not settled yet that a 2xx would settle: a reliable provisional response waits for
    /// its PRACK, or a PRACK or UPDATE for its answer.
    pub(super) fn awaits_prack_in(&self, no: DialogNo) -> bool {
        let has_offer = self.incoming.iter().any(|incoming| incoming.dialog == no && incoming.has_offer());
        let sending = self.dialog(no).and_then(|dialog| dialog.sending.as_ref());
        has_offer || sending.is_some_and(|sending| sending.is_describing())
    }
}

impl Incoming {
    /// Whether it may have an offer, or the answer to one.
    fn has_offer(&self) -> bool {
        match self.request.method() {
            Method::Prack => true,
            Method::Update => is_described(&self.request),
            _ => false,
        }
    }
}

/// A response of ours with a reason phrase of our own.
pub(crate) fn refusal(status: StatusCode, reason: &'static str) -> Reply {
    Reply { reason: ByteString::from_static(reason), ..Reply::new(status) }
}
