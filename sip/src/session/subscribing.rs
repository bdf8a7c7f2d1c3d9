//! The dialog of a subscription of ours: a NOTIFY makes it (RFC 6665 §4.4.1).

use super::outside::is_not_asked;
use super::{Ask, IntentError, OutgoingId, Reply, Session, SessionId, Stage, refusal};
use crate::dialog::{Dialog, DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::event::{Event, Failure};
use crate::ids::{self, Tag};
use crate::received::Received;
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::header::{Event as Package, To};
use sip_types::{Headers, Method, Response, StatusCode};

/// What a subscription of ours is to.
pub(crate) struct Subscribing {
    package: Box<str>,
    id: Option<Box<str>>,
    /// Whether a NOTIFY has made the dialog. Until then that of the 2xx stands for it.
    notified: bool,
}

impl Subscribing {
    fn of(event: &Package) -> Self {
        Self { package: event.kind().into(), id: event.id().map(Into::into), notified: false }
    }

    /// Whether a NOTIFY is of this subscription (RFC 6665 §8.2.1).
    fn is_told_by(&self, headers: &Headers) -> bool {
        let event = headers.sole::<Package>().ok().flatten();
        event.is_some_and(|event| *self.package == *event.kind() && self.id.as_deref() == event.id())
    }
}

impl Endpoint {
    /// Subscribes: `ask` is the SUBSCRIBE, with its Event. [`Event::Responded`] tells what came of it, and ends the session if
    /// that is a failure; NOTIFYs come as [`Event::Requested`], the first perhaps before the response, and are answered by
    /// [`answer_notifier`](Self::answer_notifier). Of the dialogs that several notifiers make, the first one counts. Further
    /// SUBSCRIBEs are sent by [`request`](Self::request); [`end_subscription`](Self::end_subscription) ends it.
    ///
    /// # Errors
    /// [`IntentError::Full`] if there are as many sessions as may be, [`IntentError::WrongState`] for another method, or
    /// without exactly one Event.
    pub fn subscribe(&mut self, now: Now, ask: Ask) -> Result<SessionId, IntentError> {
        let event = ask.parts.fields.get::<Package>().ok().flatten();
        let event = event.filter(|_| ask.method == Method::Subscribe && !is_not_asked(&ask.method));
        let subscribing = Box::new(Subscribing::of(&event.ok_or(IntentError::WrongState)?));
        if self.is_full() {
            return Err(IntentError::Full);
        }
        let local_tag = Tag::new(&mut *self.io.ids);
        let call_id = ids::call_id(&mut *self.io.ids);
        let mut session = Session::new(Stage::Subscribing(subscribing), ask.network, call_id, local_tag);
        session.caller = true;
        let sid = self.sessions.insert(session);
        self.share.enter();
        self.by_tag.insert(local_tag, sid);
        self.send_asked(now, sid, ask).ok_or(IntentError::Gone)?;
        Ok(sid)
    }

    /// Answers a NOTIFY; a 2xx refreshes the remote target (RFC 6665 §4.4.1).
    ///
    /// # Errors
    /// The session or request is gone, or the response is not final.
    pub fn answer_notifier(
        &mut self,
        now: Now,
        sid: SessionId,
        id: super::RequestId,
        reply: &Reply,
    ) -> Result<(), IntentError> {
        self.answer_subscriber(now, sid, id, reply)
    }

    /// The SUBSCRIBE that makes a subscription of ours is over.
    pub(super) fn subscribe_done(
        &mut self,
        sid: SessionId,
        id: OutgoingId,
        outcome: Result<Response, Failure>,
    ) {
        let client = self.sessions.get_mut(sid).and_then(|s| s.outgoing_mut(id)?.client());
        if let (Ok(response), Some(client)) = (&outcome, client)
            && self.sessions.get(sid).is_some_and(|session| session.current.is_none())
        {
            self.learn_way(sid, client, response);
            self.open_by_response(sid, response);
        }
        self.take_outgoing(sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        // One of several notifiers has told of it already: what a proxy says of the others is of no matter.
        if outcome.is_err() && session.current.is_none() {
            (session.stage, session.told) = (Stage::Over, true);
        }
        self.io.tell(Event::Responded { session: sid, id, dialog: None, outcome });
        self.sweep(sid);
    }

    /// The dialog that a 2xx makes, until a NOTIFY makes it anew.
    fn open_by_response(&mut self, sid: SessionId, response: &Response) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let tag = response.headers().require::<To>().ok().and_then(|to| to.tag().map(str::to_owned));
        let (no, seq) = (session.name_dialog(), session.invite_seq);
        let dialog = Dialog::of_uac(no, session.local_tag, tag.as_deref(), seq, response).or_else(|_| {
            Dialog::without_contact(no, session.local_tag, tag.as_deref(), seq, session.aim.as_deref())
        });
        let Ok(mut dialog) = dialog else { return };
        dialog.state = DialogState::Confirmed;
        session.current = Some(no);
        session.enter(dialog, &self.census);
    }

    /// The dialog that a NOTIFY makes, if it is the first of a subscription of ours: its route set is that of the NOTIFY
    /// (RFC 6665 §4.4.1).
    ///
    /// # Errors
    /// It can make none: 400.
    pub(crate) fn open_by_notify(
        &mut self,
        request: &Received,
    ) -> Result<Option<(SessionId, DialogNo)>, Box<Reply>> {
        if *request.method() != Method::Notify {
            return Ok(None);
        }
        let Some(local_tag) = request.to.tag().and_then(Tag::parse) else { return Ok(None) };
        let Some(sid) = self.by_tag.get(&local_tag).copied() else { return Ok(None) };
        let network = self.settings.listener(request.flow.listener).map(|l| l.network);
        let Some(session) = self.sessions.get_mut(sid) else { return Ok(None) };
        let Stage::Subscribing(subscribing) = &mut session.stage else { return Ok(None) };
        let is_ours = *session.call_id == *request.call_id.as_str() && network == Some(session.network);
        if subscribing.notified || !is_ours || !subscribing.is_told_by(request.headers()) {
            return Ok(None);
        }
        let no = DialogNo(session.next_dialog);
        let Ok(mut dialog) = Dialog::of_uas(no, local_tag, request) else {
            return Err(Box::new(refusal(StatusCode::BAD_REQUEST, "Missing or Malformed Contact")));
        };
        subscribing.notified = true;
        session.next_dialog = session.next_dialog.wrapping_add(1);
        dialog.state = DialogState::Confirmed;
        let before = session.dialogs.iter().map(|before| before.local_seq).max().unwrap_or_default();
        dialog.local_seq = before.max(session.invite_seq);
        session.dialogs.iter_mut().for_each(Dialog::end);
        session.dialogs.clear();
        session.current = Some(no);
        session.take_way(&self.settings, request);
        session.enter(dialog, &self.census);
        Ok(Some((sid, no)))
    }

    /// A request in the dialog of a subscription of ours: a NOTIFY of it goes up. Others have no usage here
    /// (RFC 6665 §4.1.3, RFC 5057 §5.3).
    pub(super) fn on_request_of_notifier(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let gone = || Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        let told = |session: &Session| match &session.stage {
            Stage::Subscribing(subscribing) => subscribing.is_told_by(request.headers()),
            _ => false,
        };
        let reply = match request.method() {
            Method::Notify if self.sessions.get(sid).is_some_and(told) => {
                return self.carry(now, sid, no, server, request);
            }
            Method::Notify | Method::Bye => gone(),
            _ => {
                let mut reply = Reply::new(StatusCode::METHOD_NOT_ALLOWED);
                reply.parts.fields.push(sip_types::HeaderName::Allow, "NOTIFY");
                reply
            }
        };
        self.reply(now, server, &request, None, false, &reply);
    }
}
