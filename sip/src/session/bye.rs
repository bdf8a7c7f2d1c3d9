//! The end of a session (RFC 3261 §15).

use super::{IntentError, Outgoing, OutgoingId, Parts, Purpose, Reply, SessionId, Stage};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::event::{End, Event};
use crate::received::Received;
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::{Fields, Method, Response, StatusCode};

impl Endpoint {
    /// Ends a session in the way that its state asks for: CANCEL, BYE, or BYE once the ACK of our 2xx has come.
    /// `reason` goes with it (RFC 3326). [`Event::Ended`] follows. A call that waits for our final response is
    /// refused with [`reject`](Self::reject) instead.
    ///
    /// # Errors
    /// The session is gone, or waits for our final response.
    pub fn end(&mut self, now: Now, sid: SessionId, reason: Fields) -> Result<(), IntentError> {
        let session = self.sessions.get_mut(sid).filter(|s| !s.told).ok_or(IntentError::Gone)?;
        match &session.stage {
            Stage::Calling { .. } => self.cancel(now, sid, reason),
            Stage::Called(_) | Stage::Asking { .. } | Stage::Subscribed | Stage::Subscribing(_) => {
                return Err(IntentError::WrongState);
            }
            Stage::Confirmed => self.hang_up(now, sid, reason),
            Stage::Ending | Stage::Over => {}
        }
        Ok(())
    }

    /// Ends a confirmed session.
    pub(crate) fn hang_up(&mut self, now: Now, sid: SessionId, reason: Fields) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(no) = session.current else { return };
        if !session.unacked.is_empty() {
            // RFC 3261 §15: not before the ACK, or 64*T1.
            session.stage = Stage::Ending;
            session.owed_bye = Some(reason);
            return self.drop_unwanted(now, sid);
        }
        if let Some(seq) = session.owed_ack.take() {
            self.send_ack(now, sid, no, seq, Parts::default());
        }
        self.begin_bye(now, sid, no, reason);
    }

    /// Sends a BYE in one of the dialogs. If it is the current one the session is ending, and what else was
    /// pending in it is given up.
    pub(crate) fn begin_bye(&mut self, now: Now, sid: SessionId, no: DialogNo, reason: Fields) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if session.current == Some(no) {
            session.stage = Stage::Ending;
        }
        let parts = Parts { fields: reason, ..Parts::default() };
        let mut outgoing = Outgoing::new(session.name_outgoing(), Purpose::Bye, Method::Bye, parts);
        outgoing.dialog = Some(no);
        self.launch(now, sid, outgoing);
        if self.sessions.get(sid).is_some_and(|s| s.current == Some(no)) {
            self.drop_unwanted(now, sid);
            self.refuse_pending(now, sid);
        }
    }

    /// A BYE of ours is over, whatever came of it.
    pub(crate) fn bye_done(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: Option<Response>) {
        let Some(bye) = self.take_outgoing(sid, id) else { return };
        let Some(no) = bye.dialog else { return };
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if let Some(dialog) = session.dialog_mut(no) {
            dialog.end();
        }
        if session.current == Some(no) {
            session.stage = Stage::Over;
            session.bye_authenticated = !bye.credentials.is_empty();
            self.ended(now, sid, End::HungUp(response));
        } else {
            self.left(now, sid, (bye.parts.fields, response.as_ref()));
            self.sweep(sid);
        }
    }

    /// The peer hangs up.
    pub(crate) fn on_bye(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        self.reply(now, server, &request, None, false, &Reply::new(StatusCode::OK));
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if let Stage::Calling { .. } = session.stage {
            // A callee sends no BYE on an early dialog (RFC 3261 §15): the final response to the INVITE decides.
            return;
        }
        if let Stage::Called(_) = session.stage {
            return self.on_early_bye(now, sid, no, request);
        }
        if let Some(dialog) = session.dialog_mut(no) {
            dialog.end();
        }
        if session.current != Some(no) {
            return self.sweep(sid);
        }
        session.stage = Stage::Over;
        session.unacked = Vec::new();
        session.owed_bye = None;
        if let Some(seq) = session.owed_ack.take() {
            self.send_ack(now, sid, no, seq, Parts::default());
        }
        self.drop_unwanted(now, sid);
        self.ended(now, sid, End::Bye(request));
    }

    /// Answers what the peer still waits for with 487 (RFC 3261 §15.1.2).
    pub(crate) fn refuse_pending(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let reinvite = session.reinvite.take().map(|p| (p.server, p.request));
        let waiting = std::mem::take(&mut session.incoming).into_iter().map(|i| (i.server, i.request));
        let terminated = Reply::new(StatusCode::REQUEST_TERMINATED);
        for (server, request) in waiting.chain(reinvite) {
            self.reply(now, server, &request, None, false, &terminated);
        }
    }

    /// Tells the owner, once, that a session is over, answers what the peer waits for, and lets it go if nothing
    /// keeps it.
    pub(crate) fn ended(&mut self, now: Now, sid: SessionId, why: End) {
        if let Some(session) = self.sessions.get_mut(sid)
            && !session.told
        {
            session.told = true;
            let authenticated = session.bye_authenticated;
            let found = session.found.take();
            self.io.tell(Event::Ended { session: sid, why, authenticated, found });
        }
        self.refuse_pending(now, sid);
        self.sweep(sid);
    }

    /// Lets a session go if nothing keeps it.
    pub(crate) fn sweep(&mut self, sid: SessionId) {
        let Some(session) = self.sessions.get(sid) else { return };
        if !session.is_spent() {
            return;
        }
        let Some(session) = self.sessions.remove(sid) else { return };
        self.share.leave();
        self.by_tag.remove(&session.local_tag);
        for dialog in &session.dialogs {
            self.by_tag.remove(&dialog.local_tag);
        }
    }
}
