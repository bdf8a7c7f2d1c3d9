//! Re-INVITEs in both directions (RFC 3261 §14).

use super::ack::shown;
use super::glare::{Change, is_described};
use super::uac::to_tag;
use super::{
    Flight, IntentError, Opening, Outgoing, OutgoingId, Parts, PendingInvite, Purpose, Reliability, Reply,
    SessionId, Stage,
};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::event::{Event, Failure};
use crate::received::Received;
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::{Fields, Method, Response, StatusCode};
use std::time::Duration;

impl Endpoint {
    /// Sends a re-INVITE. [`Event::ReinviteAnswered`] or [`Event::ReinviteFailed`] follows; a 491 is answered with
    /// another try after the back-off of RFC 3261 §14.1, as often as the limit of rounds allows. It may take so many
    /// hops as `max_forwards` says.
    ///
    /// # Errors
    /// The session is gone or not confirmed, or an INVITE or an offer is pending in it.
    pub fn reinvite(
        &mut self,
        now: Now,
        sid: SessionId,
        max_forwards: u8,
        parts: Parts,
    ) -> Result<(), IntentError> {
        let outgoing = self.next_reinvite(sid, max_forwards, parts)?;
        self.launch(now, sid, outgoing);
        Ok(())
    }

    /// A re-INVITE that may be sent now.
    pub(super) fn next_reinvite(
        &mut self,
        sid: SessionId,
        max_forwards: u8,
        parts: Parts,
    ) -> Result<Outgoing, IntentError> {
        let no = self.may_reinvite(sid)?;
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        if let Some(dialog) = session.dialog_mut(no) {
            dialog.opening = Opening::Open;
        }
        let mut outgoing = Outgoing::new(session.name_outgoing(), Purpose::Reinvite, Method::Invite, parts);
        (outgoing.dialog, outgoing.max_forwards) = (Some(no), max_forwards);
        Ok(outgoing)
    }

    /// The dialog that [`reinvite`](Self::reinvite) would send a re-INVITE in at this moment.
    ///
    /// # Errors
    /// As there.
    pub fn may_reinvite(&self, sid: SessionId) -> Result<DialogNo, IntentError> {
        let session = self.sessions.get(sid).ok_or(IntentError::Gone)?;
        let no = session.current.filter(|_| matches!(session.stage, Stage::Confirmed));
        let no = no.filter(|no| session.ledger(*no, None).admits(Change::Reinvite { offer: true }));
        no.ok_or(IntentError::WrongState)
    }

    /// The dialog that a 2xx has confirmed.
    #[must_use]
    pub fn standing_dialog(&self, sid: SessionId) -> Option<DialogNo> {
        self.sessions.get(sid).and_then(|session| session.current)
    }

    /// Gives a re-INVITE of ours up: with CANCEL as soon as it has had a provisional response (RFC 3261 §9.1), and without another try
    /// after a 491 or a challenge. [`Event::ReinviteFailed`] follows, or [`Event::ReinviteAnswered`] if the answer crosses the CANCEL.
    ///
    /// # Errors
    /// The session is gone, or no re-INVITE of ours is pending.
    pub fn cancel_reinvite(&mut self, now: Now, sid: SessionId) -> Result<(), IntentError> {
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let reinvite = session.outgoing.iter_mut().find(|o| o.purpose == Purpose::Reinvite);
        let reinvite = reinvite.ok_or(IntentError::WrongState)?;
        reinvite.given_up = true;
        let id = reinvite.id;
        if let Flight::Backoff(response) = &reinvite.flight {
            let why = Failure::Response(Response::clone(response));
            self.failed(now, sid, id, why);
        } else {
            self.cancel_reinvite_if_wanted(now, sid, id);
        }
        Ok(())
    }

    /// Cancels a re-INVITE that was given up, once it may be.
    pub(crate) fn cancel_reinvite_if_wanted(&mut self, now: Now, sid: SessionId, id: OutgoingId) {
        let Some(outgoing) = self.sessions.get_mut(sid).and_then(|s| s.outgoing_mut(id)) else { return };
        if let (true, Flight::Sent(client)) = (outgoing.given_up, &outgoing.flight) {
            let client = *client;
            self.clients.cancel(&mut self.io, now, client, &Fields::default());
        }
    }

    /// Answers a re-INVITE with a 2xx; it waits for what [`answer`](Self::answer) waits for.
    ///
    /// # Errors
    /// The session is gone, or no re-INVITE waits.
    pub fn answer_reinvite(&mut self, now: Now, sid: SessionId, parts: Parts) -> Result<(), IntentError> {
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let no = session.current.filter(|_| session.reinvite.is_some()).ok_or(IntentError::WrongState)?;
        if session.held_answer.is_some() {
            return Err(IntentError::WrongState);
        }
        if session.awaits_prack_in(no) {
            session.held_answer = Some(Box::new((no, parts)));
            return Ok(());
        }
        let pending = session.reinvite.take().ok_or(IntentError::WrongState)?;
        let dialog = session.current_mut().ok_or(IntentError::WrongState)?;
        dialog.refresh(pending.request.headers());
        let tag = dialog.local_tag;
        session.take_way(&self.settings, &pending.request);
        self.send_success(now, sid, &pending, tag, parts);
        Ok(())
    }

    /// Refuses a re-INVITE; the session stands as it was.
    ///
    /// # Errors
    /// The session is gone, no re-INVITE waits, or the status is below 300.
    pub fn reject_reinvite(&mut self, now: Now, sid: SessionId, reply: &Reply) -> Result<(), IntentError> {
        if !reply.refuses() {
            return Err(IntentError::Status);
        }
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let pending = session.reinvite.take().ok_or(IntentError::WrongState)?;
        session.held_answer = None;
        self.reply(now, pending.server, &pending.request, None, false, reply);
        Ok(())
    }

    /// A re-INVITE of the peer.
    pub(crate) fn on_reinvite(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if let Some(clash) =
            session.ledger(no, None).meets(Change::Reinvite { offer: is_described(&request) })
        {
            return self.refuse_clash(now, server, &request, clash);
        }
        if session.current != Some(no) || !matches!(session.stage, Stage::Confirmed) {
            let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return self.reply(now, server, &request, None, false, &gone);
        }
        if let Some(dialog) = session.dialog_mut(no) {
            dialog.opening = Opening::Open;
        }
        if let Some(refusal) = self.refuses_interval(sid, &request) {
            return self.reply(now, server, &request, None, false, &refusal);
        }
        let listener = self.settings.listener(request.flow.listener);
        let reliability = listener.map_or(Reliability::None, |listener| Reliability::of(listener, &request));
        let every = listener.map_or(Duration::MAX, |listener| listener.provisional_interval);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        session.reinvite = Some(Box::new(PendingInvite {
            server,
            request: request.clone(),
            progressed: None,
            reliability,
            expires_at: None,
            every,
            provisional_at: now.mono + every,
        }));
        self.servers.bind(server, sid);
        self.reply(now, server, &request, None, false, &Reply::new(StatusCode::TRYING));
        self.io.tell(Event::Reinvited { session: sid, request });
    }

    /// A provisional response to our re-INVITE, in the one dialog that it has.
    pub(crate) fn on_reinvite_progress(
        &mut self,
        now: Now,
        sid: SessionId,
        id: OutgoingId,
        response: Response,
    ) {
        self.cancel_reinvite_if_wanted(now, sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let confirmed = matches!(session.stage, Stage::Confirmed);
        let Some(outgoing) = session.outgoing_mut(id).filter(|_| response.status() != StatusCode::TRYING)
        else {
            return;
        };
        let (seq, given_up, no) = (outgoing.seq, outgoing.given_up, outgoing.dialog);
        let tag = to_tag(&response);
        let dialog = no.and_then(|no| session.dialog_mut(no)).filter(|_| confirmed);
        let Some(no) = dialog.filter(|dialog| dialog.has_remote_tag(tag.as_deref())).map(|dialog| dialog.no)
        else {
            return;
        };
        let Ok(reliable) = self.order(sid, Some(no), seq, &response) else { return };
        // What is reliable may settle offer and answer though the re-INVITE is given up, and has a PRACK in any case.
        if !given_up || reliable.is_some() {
            self.io.tell(Event::ReinviteProgress { session: sid, dialog: no, reliable, response });
        }
    }

    /// A 2xx to our re-INVITE.
    pub(crate) fn on_reinvite_answer(
        &mut self,
        now: Now,
        sid: SessionId,
        id: OutgoingId,
        response: Response,
    ) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let Some(mut outgoing) = session.take_outgoing(id) else { return };
        session.ack_credentials = shown(&self.clients, &mut outgoing);
        let Some(no) = outgoing.dialog else { return };
        if let Some(dialog) = session.dialog_mut(no) {
            dialog.confirm(&response);
        }
        session.hear_packages(response.headers());
        if matches!(session.stage, Stage::Confirmed) {
            session.owed_ack = Some(outgoing.seq);
            self.timed_by_answer(now, sid, (id, true), &response);
            self.io.tell(Event::ReinviteAnswered { session: sid, response });
        } else {
            self.send_ack(now, sid, no, outgoing.seq, Parts::default());
            self.sweep(sid);
        }
    }

    /// Our re-INVITE failed (RFC 3261 §14.1).
    pub(crate) fn on_reinvite_failed(&mut self, now: Now, sid: SessionId, id: OutgoingId, why: Failure) {
        self.take_outgoing(sid, id);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if !matches!(session.stage, Stage::Confirmed) {
            return self.sweep(sid);
        }
        if is_fatal(&why) {
            return self.lost(now, sid, why);
        }
        self.refresh_refused(now, sid, id, &why);
        self.io.tell(Event::ReinviteFailed { session: sid, why });
    }
}

/// Whether a failed request ends its dialog (RFC 3261 §12.2.1.2).
pub(crate) fn is_fatal(why: &Failure) -> bool {
    match why {
        Failure::Response(response) => matches!(response.status().as_u16(), 408 | 481),
        Failure::Timeout => true,
        Failure::Challenged(_) | Failure::Unreachable(_) | Failure::Full => false,
    }
}
