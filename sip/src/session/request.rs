//! Requests in a dialog besides those of the session itself: carried as plain transactions.

use super::reinvite::is_fatal;
use super::{
    Incoming, IntentError, Outgoing, OutgoingId, Parts, Purpose, Reply, RequestId, SessionId, SessionTimer,
    Stage,
};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::event::{End, Event, Failure};
use crate::io::Timer;
use crate::received::Received;
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::{Fields, HeaderName, Method, Response, StatusCode};

impl Endpoint {
    /// Sends a request other than INVITE, ACK, CANCEL and BYE in the dialog that stands. [`Event::Responded`] follows, unless
    /// the session ends before.
    ///
    /// # Errors
    /// The session is gone or has no dialog, or has as many requests pending as may be.
    pub fn request(
        &mut self,
        now: Now,
        sid: SessionId,
        method: Method,
        max_forwards: u8,
        parts: Parts,
    ) -> Result<OutgoingId, IntentError> {
        self.request_in(now, sid, None, method, max_forwards, parts)
    }

    /// The same in any dialog of the session. A caller has an early one once it has heard from its peer there; of a caller, it is
    /// certain to know one once it has acknowledged a reliable provisional response in it.
    ///
    /// # Errors
    /// As there; or the dialog is gone, or not certain to be there on both sides.
    pub fn request_in(
        &mut self,
        now: Now,
        sid: SessionId,
        dialog: Option<DialogNo>,
        method: Method,
        max_forwards: u8,
        parts: Parts,
    ) -> Result<OutgoingId, IntentError> {
        let limit = self.settings.limits.pending_requests;
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let no = dialog.or(session.current).filter(|_| session.wants(Purpose::Request));
        let no = no.filter(|no| session.current.is_none_or(|current| current == *no));
        let no = no.ok_or(IntentError::WrongState)?;
        let calls = matches!(session.stage, Stage::Calling { .. });
        let is_known =
            session.dialog(no).is_none_or(|dialog| !dialog.is_over() && (calls || dialog.is_mutual()));
        if !is_known {
            return Err(IntentError::WrongState);
        }
        if session.outgoing.len() >= limit {
            self.counters.pending_full += 1;
            return Err(IntentError::Full);
        }
        let id = session.name_outgoing();
        let mut outgoing = Outgoing::new(id, Purpose::Request, method, parts);
        outgoing.dialog = Some(no);
        outgoing.max_forwards = max_forwards;
        self.launch(now, sid, outgoing);
        Ok(id)
    }

    /// Answers a request that [`Event::Requested`], [`Event::Updated`] or [`Event::Pracked`] told of.
    ///
    /// # Errors
    /// The session or request is gone, or the response is not final: who carries a request leaves 1xx out, which
    /// has no use to the peer (RFC 4320 §4.1).
    pub fn respond(
        &mut self,
        now: Now,
        sid: SessionId,
        id: RequestId,
        reply: &Reply,
    ) -> Result<(), IntentError> {
        let incoming = self.take_incoming(sid, id, reply)?;
        match incoming.request.method() {
            Method::Update => self.answer_update(now, sid, &incoming, reply),
            _ => self.reply(now, incoming.server, &incoming.request, None, false, reply),
        }
        self.release_answer(now, sid);
        Ok(())
    }

    /// Takes a request of the peer out that gets this final response now.
    pub(super) fn take_incoming(
        &mut self,
        sid: SessionId,
        id: RequestId,
        reply: &Reply,
    ) -> Result<Incoming, IntentError> {
        if !reply.status.is_final() {
            return Err(IntentError::Status);
        }
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let at = session.incoming.iter().position(|i| i.server == id.0).ok_or(IntentError::Gone)?;
        Ok(session.incoming.swap_remove(at))
    }

    /// A request in a dialog, numbered in order.
    pub(crate) fn on_request(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        match self.sessions.get(sid).map(|session| &session.stage) {
            Some(Stage::Subscribed) => return self.on_request_of_subscriber(now, sid, no, server, request),
            Some(Stage::Subscribing(_)) => return self.on_request_of_notifier(now, sid, no, server, request),
            _ => {}
        }
        match request.method() {
            Method::Bye => self.on_bye(now, sid, no, server, request),
            Method::Invite => self.on_reinvite(now, sid, no, server, request),
            Method::Update => self.on_update(now, sid, no, server, request),
            Method::Prack if listener.reliable => self.on_prack(now, sid, no, server, request),
            Method::Refer if listener.refers => self.on_refer(now, sid, no, server, request),
            Method::Notify if listener.refers => self.on_refer_notify(now, sid, server, &request),
            Method::Subscribe if listener.refers => self.on_refer_subscribe(now, sid, server, &request),
            Method::Options => {
                let reply = self.capabilities(listener);
                self.reply(now, server, &request, None, false, &reply);
            }
            method if listener.carries(method) => self.carry(now, sid, no, server, request),
            method => {
                let mut reply = Reply::new(StatusCode::METHOD_NOT_ALLOWED);
                reply.parts.fields.push(HeaderName::Allow, listener.allow_without(method));
                self.reply(now, server, &request, None, false, &reply);
            }
        }
    }

    pub(super) fn carry(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        if self.hold(now, sid, no, server, &request) {
            self.io.tell(Event::Requested { session: sid, dialog: no, id: RequestId(server), request });
        }
    }

    /// Keeps a request of the peer until its owner answers it; `false` if it has been refused.
    pub(super) fn hold(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: &Received,
    ) -> bool {
        let Some(listener) = self.settings.listener(request.flow.listener) else { return false };
        let limit = self.settings.limits.pending_requests;
        let Some(session) = self.sessions.get_mut(sid) else { return false };
        // RFC 5407 §3.3.3: nor is there a dialog any more once a BYE of ours is on its way.
        let ends = session.told || matches!(session.stage, Stage::Ending | Stage::Over);
        if ends || session.current.is_some_and(|current| current != no) {
            let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            self.reply(now, server, request, None, false, &gone);
            return false;
        }
        if session.incoming.len() >= limit {
            self.counters.pending_full += 1;
            let reply = self.unavailable();
            self.reply(now, server, request, None, false, &reply);
            return false;
        }
        session.incoming.push(Incoming { server, dialog: no, request: request.clone() });
        let after = listener.timers.trying();
        self.io.timers.arm(now, after, Timer::Session(sid, SessionTimer::Trying(server)));
        true
    }

    /// A request of the peer has no response yet: now a 100 does no harm, and says that we have it (RFC 4320 §4.1).
    pub(crate) fn trying_due(&mut self, now: Now, sid: SessionId, server: ServerId) {
        let Some(session) = self.sessions.get(sid) else { return };
        let Some(incoming) = session.incoming.iter().find(|i| i.server == server) else { return };
        let request = incoming.request.clone();
        self.reply(now, server, &request, None, false, &Reply::new(StatusCode::TRYING));
    }

    /// A request of ours is over.
    pub(crate) fn request_done(
        &mut self,
        now: Now,
        sid: SessionId,
        id: OutgoingId,
        outcome: Result<Response, Failure>,
    ) {
        let done = self.take_outgoing(sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if session.told || session.is_given_up() {
            return self.sweep(sid);
        }
        let no = done.as_ref().and_then(|done| done.dialog);
        if let Some(refer) = done.filter(|done| done.method == Method::Refer) {
            self.refer_responded(sid, id, refer.seq, &outcome);
        }
        let fatal = outcome.as_ref().err().filter(|why| is_fatal(why)).cloned();
        self.io.tell(Event::Responded { session: sid, id, dialog: no, outcome });
        if let (Some(why), Some(no)) = (fatal, no) {
            self.lost_in(now, sid, no, why);
        }
    }

    /// The peer knows no such dialog, or is silent: the session ends on our side too (RFC 3261 §12.2.1.2).
    pub(crate) fn lost(&mut self, now: Now, sid: SessionId, why: Failure) {
        if !self.sessions.get(sid).is_some_and(|s| matches!(s.stage, Stage::Confirmed)) {
            return;
        }
        let mut reason = Fields::default();
        reason.push(HeaderName::Reason, "SIP;cause=481;text=\"Dialog lost\"");
        self.ended(now, sid, End::Lost(why));
        self.hang_up(now, sid, reason);
    }
}
