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
    /// Sends a request other than INVITE, ACK, CANCEL and BYE in the dialog. [`Event::Responded`] follows, unless
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
        let limit = self.settings.limits.pending_requests;
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let no = session.current.filter(|_| session.wants(Purpose::Request));
        let no = no.ok_or(IntentError::WrongState)?;
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
        if self.sessions.get(sid).is_some_and(|s| matches!(s.stage, Stage::Subscribed)) {
            return self.on_request_of_subscriber(now, sid, no, server, request);
        }
        match request.method() {
            Method::Bye => self.on_bye(now, sid, no, server, request),
            Method::Invite => self.on_reinvite(now, sid, no, server, request),
            Method::Update => self.on_update(now, sid, no, server, request),
            Method::Prack if listener.reliable => self.on_prack(now, sid, no, server, request),
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
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        let limit = self.settings.limits.pending_requests;
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if session.told || session.current.is_some_and(|current| current != no) {
            let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return self.reply(now, server, &request, None, false, &gone);
        }
        if session.incoming.len() >= limit {
            self.counters.pending_full += 1;
            let reply = self.unavailable();
            return self.reply(now, server, &request, None, false, &reply);
        }
        session.incoming.push(Incoming { server, dialog: no, request: request.clone() });
        let after = listener.timers.trying();
        self.io.timers.arm(now, after, Timer::Session(sid, SessionTimer::Trying(server)));
        self.io.tell(Event::Requested { session: sid, id: RequestId(server), request });
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
        self.take_outgoing(sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if session.told {
            return self.sweep(sid);
        }
        let fatal = outcome.as_ref().err().filter(|why| is_fatal(why)).cloned();
        self.io.tell(Event::Responded { session: sid, id, outcome });
        if let Some(why) = fatal {
            self.lost(now, sid, why);
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
