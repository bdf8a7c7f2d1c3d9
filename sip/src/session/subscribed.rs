//! The dialog of a subscription of the peer's: its SUBSCRIBE made it, our NOTIFYs go in it (RFC 6665 §4.4.1).

use super::{IntentError, Parts, Reply, RequestId, Session, SessionId, Stage, refusal};
use crate::dialog::{Dialog, DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::ids::Tag;
use crate::received::Received;
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::{Method, StatusCode};

impl Endpoint {
    /// Accepts a SUBSCRIBE that [`Event::Asked`](crate::Event::Asked) told of with 200 (RFC 6665 §8.3.1). `parts` has
    /// the Expires that was granted. NOTIFYs are sent by [`request`](Self::request), on the flow that the last SUBSCRIBE
    /// came on where `by_flow` says so; SUBSCRIBEs in the dialog come as [`Event::Requested`](crate::Event::Requested).
    /// A SUBSCRIBE without a usable Contact is refused with 400.
    ///
    /// # Errors
    /// The request was answered before, makes no dialog, or there are as many sessions as may be; only in the first
    /// case it has no answer from us.
    pub fn accept_subscription(
        &mut self,
        now: Now,
        id: RequestId,
        by_flow: bool,
        parts: Parts,
    ) -> Result<SessionId, IntentError> {
        let request = self.asked.remove(&id.0).ok_or(IntentError::Gone)?;
        let listener = self.settings.listener(request.flow.listener).ok_or(IntentError::Gone)?;
        let network = listener.network;
        if self.is_full() {
            self.counters.overloaded += 1;
            let reply = self.unavailable();
            self.reply(now, id.0, &request, None, false, &reply);
            return Err(IntentError::Full);
        }
        let local_tag = Tag::new(&mut *self.io.ids);
        let Ok(mut dialog) = Dialog::of_uas(DialogNo(0), local_tag, &request) else {
            let reply = refusal(StatusCode::BAD_REQUEST, "Missing or Malformed Contact");
            self.reply(now, id.0, &request, Some(local_tag), false, &reply);
            return Err(IntentError::NoDialog);
        };
        dialog.state = DialogState::Confirmed;
        let mut session =
            Session::new(Stage::Subscribed, network, request.call_id.as_str().into(), local_tag);
        (session.local, session.remote) = (request.to.untagged(), request.from.untagged());
        session.take_way(&self.settings, &request);
        session.flow = by_flow.then_some(request.flow);
        session.current = Some(session.name_dialog());
        session.enter(dialog, &self.census);
        let sid = self.sessions.insert(session);
        self.share.enter();
        self.by_tag.insert(local_tag, sid);
        let ok = Reply { parts, ..Reply::new(StatusCode::OK) };
        self.reply(now, id.0, &request, Some(local_tag), true, &ok);
        Ok(sid)
    }

    /// Answers a SUBSCRIBE in the dialog of a subscription; a 2xx refreshes the remote target (RFC 6665 §4.4.1).
    ///
    /// # Errors
    /// The session or request is gone, or the response is not final.
    pub fn answer_subscriber(
        &mut self,
        now: Now,
        sid: SessionId,
        id: RequestId,
        reply: &Reply,
    ) -> Result<(), IntentError> {
        let incoming = self.take_incoming(sid, id, reply)?;
        let success = reply.status.is_success();
        if success && let Some(session) = self.sessions.get_mut(sid) {
            session.flow = session.flow.map(|_| incoming.request.flow);
            session.take_way(&self.settings, &incoming.request);
            if let Some(dialog) = session.current_mut() {
                dialog.refresh(incoming.request.headers());
            }
        }
        self.reply(now, incoming.server, &incoming.request, None, success, reply);
        Ok(())
    }

    /// Lets the dialog of a subscription of either side go: nothing more is sent in it, and what comes, or waits for an
    /// answer, gets 481.
    pub fn end_subscription(&mut self, now: Now, sid: SessionId) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if !matches!(session.stage, Stage::Subscribed | Stage::Subscribing(_)) {
            return;
        }
        (session.stage, session.told) = (Stage::Over, true);
        session.dialogs.iter_mut().for_each(Dialog::end);
        let waiting = std::mem::take(&mut session.incoming);
        self.drop_unwanted(now, sid);
        self.sweep(sid);
        let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        for incoming in waiting {
            self.reply(now, incoming.server, &incoming.request, None, false, &gone);
        }
    }

    /// A request in the dialog of a subscription: SUBSCRIBE goes up. Others have no usage here (RFC 5057 §5.3): BYE
    /// gets 481, the rest 405.
    pub(super) fn on_request_of_subscriber(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let reply = match request.method() {
            Method::Subscribe if self.sessions.get(sid).is_some_and(|session| session.refers.is_some()) => {
                return self.on_refer_subscribe(now, sid, server, &request);
            }
            Method::Subscribe => return self.carry(now, sid, no, server, request),
            Method::Bye => Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST),
            _ => {
                let mut reply = Reply::new(StatusCode::METHOD_NOT_ALLOWED);
                reply.parts.fields.push(sip_types::HeaderName::Allow, "SUBSCRIBE");
                reply
            }
        };
        self.reply(now, server, &request, None, false, &reply);
    }
}
