//! UPDATE in both directions (RFC 3311): a change of the session or of its targets, answered at once, in early dialogs and in
//! those that stand.

use super::glare::{Change, describes, is_described};
use super::reinvite::is_fatal;
use super::{
    Incoming, IntentError, Outgoing, OutgoingId, Parts, Purpose, Reply, RequestId, Session, SessionId,
    SessionTimer, Stage, refusal,
};
use crate::dialog::{Dialog, DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::event::{End, Event, Failure};
use crate::io::Timer;
use crate::received::Received;
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::{Fields, HeaderName, Method, Response, StatusCode};
use std::borrow::Cow;

impl Endpoint {
    /// Sends an UPDATE, with an offer or without, in a dialog that is confirmed or early; without `dialog`, in the one that
    /// stands. [`Event::Responded`] follows, unless the session ends before; a 491 is answered with another try after the
    /// back-off of RFC 3311 §5.3, as often as the limit of rounds allows. An early dialog takes one once a reliable provisional
    /// response has been acknowledged in it, for then it is there on both sides (§4).
    ///
    /// # Errors
    /// The session or dialog is gone; the dialog cannot take the UPDATE yet, or what is under way in it is in its way
    /// (§5.1, RFC 6337 §4.3); or as many requests are pending as may be.
    pub fn update(
        &mut self,
        now: Now,
        sid: SessionId,
        dialog: Option<DialogNo>,
        max_forwards: u8,
        parts: Parts,
    ) -> Result<OutgoingId, IntentError> {
        let outgoing = self.next_update(sid, dialog, max_forwards, parts)?;
        let id = outgoing.id;
        self.launch(now, sid, outgoing);
        Ok(id)
    }

    /// An UPDATE that may be sent now.
    pub(super) fn next_update(
        &mut self,
        sid: SessionId,
        dialog: Option<DialogNo>,
        max_forwards: u8,
        parts: Parts,
    ) -> Result<Outgoing, IntentError> {
        let may = self.may_update(sid, dialog, describes(&parts));
        self.counters.pending_full += u64::from(may == Err(IntentError::Full));
        let no = may?;
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let id = session.name_outgoing();
        let mut outgoing = Outgoing::new(id, Purpose::Update, Method::Update, parts);
        (outgoing.dialog, outgoing.max_forwards) = (Some(no), max_forwards);
        Ok(outgoing)
    }

    /// The dialog that [`update`](Self::update) would send an UPDATE in at this moment, with an offer or without.
    ///
    /// # Errors
    /// As there.
    pub fn may_update(
        &self,
        sid: SessionId,
        dialog: Option<DialogNo>,
        offer: bool,
    ) -> Result<DialogNo, IntentError> {
        let session = self.sessions.get(sid).ok_or(IntentError::Gone)?;
        let no = dialog.or(session.current).ok_or(IntentError::WrongState)?;
        let found = session.dialog(no).ok_or(IntentError::Gone)?;
        let is_ready = found.is_mutual() && session.current.is_none_or(|current| current == no);
        let admits = session.ledger(no, None).admits(Change::Update { offer });
        if !is_ready || !session.wants(Purpose::Update) || !admits {
            return Err(IntentError::WrongState);
        }
        match session.outgoing.len() < self.settings.limits.pending_requests {
            true => Ok(no),
            false => Err(IntentError::Full),
        }
    }

    /// Whether the peer has said that it takes UPDATE (RFC 3311 §4), in the dialog that stands.
    #[must_use]
    pub fn takes_update(&self, sid: SessionId) -> bool {
        let session = self.sessions.get(sid);
        session.and_then(|session| session.current).is_some_and(|no| self.takes_update_in(sid, no))
    }

    /// The same in any dialog of the session.
    #[must_use]
    pub fn takes_update_in(&self, sid: SessionId, no: DialogNo) -> bool {
        let dialog = self.sessions.get(sid).and_then(|session| session.dialog(no));
        dialog.is_some_and(|dialog| dialog.takes_update)
    }

    /// An UPDATE of the peer.
    pub(crate) fn on_update(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let limit = self.settings.limits.pending_requests;
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        let trying = listener.timers.trying();
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if !session.may_change(no) {
            let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return self.reply(now, server, &request, None, false, &gone);
        }
        if let Some(dialog) = session.dialog_mut(no) {
            dialog.note_allow(request.headers());
        }
        let change = Change::Update { offer: is_described(&request) };
        if let Some(clash) = session.ledger(no, None).meets(change) {
            return self.refuse_clash(now, server, &request, clash);
        }
        if session.incoming.len() >= limit {
            self.counters.pending_full += 1;
            let reply = self.unavailable();
            return self.reply(now, server, &request, None, false, &reply);
        }
        if matches!(session.stage, Stage::Confirmed)
            && let Some(refusal) = self.refuses_interval(sid, &request)
        {
            return self.reply(now, server, &request, None, false, &refusal);
        }
        let Some(session) = self.sessions.get_mut(sid) else { return };
        session.incoming.push(Incoming { server, dialog: no, request: request.clone() });
        self.io.timers.arm(now, trying, Timer::Session(sid, SessionTimer::Trying(server)));
        self.io.tell(Event::Updated { session: sid, dialog: no, id: RequestId(server), request });
    }

    /// A final response of ours to an UPDATE. With a 2xx the peer's target is what it says now, with a failure it stays as it
    /// was (RFC 6141 §4.6).
    pub(super) fn answer_update(&mut self, now: Now, sid: SessionId, incoming: &Incoming, reply: &Reply) {
        let success = reply.status.is_success();
        let mut reply = Cow::Borrowed(reply);
        if success && let Some(session) = self.sessions.get_mut(sid) {
            if let Some(dialog) = session.dialog_mut(incoming.dialog) {
                dialog.refresh(incoming.request.headers());
            }
            session.take_way(&self.settings, &incoming.request);
            if matches!(session.stage, Stage::Confirmed) {
                self.time_answer(now, sid, &incoming.request, &mut reply.to_mut().parts);
            }
        }
        self.reply(now, incoming.server, &incoming.request, None, success, &reply);
    }

    /// Our UPDATE is over (RFC 3311 §5.3).
    pub(crate) fn update_done(
        &mut self,
        now: Now,
        sid: SessionId,
        id: OutgoingId,
        outcome: Result<Response, Failure>,
    ) {
        let no = self.take_outgoing(sid, id).and_then(|outgoing| outgoing.dialog);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if let Some(dialog) = no.and_then(|no| session.dialog_mut(no)) {
            match &outcome {
                Ok(response) => dialog.refresh(response.headers()),
                Err(Failure::Response(response)) if is_unknown(response.status()) => {
                    dialog.takes_update = false;
                }
                Err(_) => {}
            }
        }
        if session.told || session.is_given_up() {
            return self.sweep(sid);
        }
        let confirmed = matches!(session.stage, Stage::Confirmed);
        let is_refresh = self.is_refresh(sid, id);
        if let Ok(response) = &outcome
            && confirmed
        {
            self.timed_by_answer(now, sid, (id, true), response);
        }
        let fatal = outcome.as_ref().err().filter(|why| is_fatal(why)).cloned();
        match &outcome {
            // Nobody has asked for it.
            Ok(_) if is_refresh => {}
            Err(_) if is_refresh && fatal.is_some() => {}
            Err(why) if is_refresh => self.refresh_refused(now, sid, id, why),
            _ => self.io.tell(Event::Responded { session: sid, id, dialog: no, outcome }),
        }
        if let (Some(why), Some(no)) = (fatal, no) {
            self.lost_in(now, sid, no, why);
        }
    }

    /// The peer knows no such dialog, or is silent: it is over (RFC 3261 §12.2.1.2), and no other one with it (RFC 5057 §5.1). An
    /// early one of an INVITE of ours takes that with it where it has no others.
    pub(super) fn lost_in(&mut self, now: Now, sid: SessionId, no: DialogNo, why: Failure) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        match &session.stage {
            Stage::Confirmed => self.lost(now, sid, why),
            Stage::Calling { .. } => {
                let known = session.dialogs.len();
                session.dialogs.retain(|dialog| dialog.no != no || dialog.state != DialogState::Early);
                let is_early = |dialog: &Dialog| dialog.state == DialogState::Early;
                if session.dialogs.len() < known && !session.dialogs.iter().any(is_early) {
                    self.cancel(now, sid, lost());
                    self.ended(now, sid, End::Rejected(why));
                }
            }
            Stage::Called(_) if session.held_answer.as_ref().is_none_or(|held| held.0 != no) => {
                self.close_dialog(sid, no);
                self.io.tell(Event::EarlyDialogLost { session: sid, dialog: no });
            }
            // It is the one that is answered.
            Stage::Called(_) => {
                let tag = session.dialog(no).map_or(session.local_tag, |dialog| dialog.local_tag);
                let Stage::Called(pending) = std::mem::replace(&mut session.stage, Stage::Over) else {
                    return;
                };
                let reply = refusal(StatusCode::SERVER_INTERNAL_ERROR, "Dialog Lost");
                self.reply(now, pending.server, &pending.request, Some(tag), false, &reply);
                self.ended(now, sid, End::Lost(why));
            }
            Stage::Asking { .. }
            | Stage::Subscribing(_)
            | Stage::Subscribed
            | Stage::Ending
            | Stage::Over => {}
        }
    }
}

impl Session {
    /// Whether the peer may change something in that dialog: it is the one that stands, or an early one of an INVITE that nobody
    /// has given up.
    fn may_change(&self, no: DialogNo) -> bool {
        let stands = match &self.stage {
            Stage::Calling { cancel } => cancel.is_none(),
            Stage::Called(_) | Stage::Confirmed => true,
            Stage::Asking { .. }
            | Stage::Subscribing(_)
            | Stage::Subscribed
            | Stage::Ending
            | Stage::Over => false,
        };
        stands && !self.told && self.current.is_none_or(|current| current == no)
    }
}

impl Dialog {
    /// Whether the dialog is certain to be there on both sides (RFC 3311 §4): it is confirmed, or a reliable provisional response
    /// has been acknowledged in it.
    pub(super) fn is_mutual(&self) -> bool {
        let heard = self.heard.as_ref().is_some_and(|heard| heard.is_settled());
        let sent = self.sending.as_ref().is_some_and(|sending| sending.is_pracked());
        self.state == DialogState::Confirmed || heard || sent
    }
}

/// Whether a response says that its sender does not know the method.
pub(super) fn is_unknown(status: StatusCode) -> bool {
    matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED)
}

/// The Reason of what ends because the peer has lost its dialog.
fn lost() -> Fields {
    let mut reason = Fields::default();
    reason.push(HeaderName::Reason, "SIP;cause=481;text=\"Dialog lost\"");
    reason
}
