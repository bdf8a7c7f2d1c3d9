//! A BYE on one early dialog while its INVITE is pending: it ends that dialog and no other (RFC 3261 §15, RFC 5407 Appendix A).

use super::{IntentError, Parts, Reply, SessionId, Stage};
use crate::dialog::{Dialog, DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::event::{End, Event};
use crate::received::Received;
use crate::time::Now;
use sip_types::{Fields, Response, StatusCode};

impl Endpoint {
    /// Ends one early dialog of an INVITE of ours with BYE, as only a caller may (RFC 3261 §15). The INVITE goes on: what its
    /// other dialogs bring is told of as ever, of this one nothing any more. If it is the one that is answered after all, or if the
    /// peer does not take the BYE and there is no other, [`End::Left`] follows.
    ///
    /// # Errors
    /// The session or dialog is gone, or the INVITE is answered or given up.
    pub fn end_dialog(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        reason: Fields,
    ) -> Result<(), IntentError> {
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        if !matches!(session.stage, Stage::Calling { cancel: None }) {
            return Err(IntentError::WrongState);
        }
        let dialog = session.dialog_mut(no).filter(|dialog| dialog.state == DialogState::Early);
        dialog.ok_or(IntentError::Gone)?.leave();
        self.begin_bye(now, sid, no, reason);
        Ok(())
    }

    /// The BYE of a dialog that we have left is over. Whoever does not take it may know no BYE before the answer: if nobody else is
    /// heard of, the INVITE is given up.
    pub(super) fn left(&mut self, now: Now, sid: SessionId, (reason, response): (Fields, Option<&Response>)) {
        let Some(session) = self.sessions.get(sid) else { return };
        let taken = response.is_some_and(|response| response.status().is_success());
        if !taken && session.has_left_all() {
            self.cancel(now, sid, reason);
        }
    }

    /// A dialog is answered that we have left: the 2xx has crossed our BYE (RFC 5407 §3.1.3), or the peer has not taken it.
    pub(super) fn left_is_answered(&mut self, now: Now, sid: SessionId, no: DialogNo, seq: u32) {
        self.send_ack(now, sid, no, seq, Parts::default());
        let Some(session) = self.sessions.get_mut(sid) else { return };
        session.stage = Stage::Over;
        if !session.outgoing.iter().any(|outgoing| outgoing.dialog == Some(no)) {
            self.begin_bye(now, sid, no, super::failover::too_late());
        }
        self.drop_unwanted(now, sid);
        self.ended(now, sid, End::Left);
    }

    /// The caller ends an early dialog. What is pending in it is answered 487 (RFC 3261 §15.1.2); what becomes of its INVITE, which
    /// other dialogs may belong to, says the owner. In the one that is being answered, that ends the call.
    pub(super) fn on_early_bye(&mut self, now: Now, sid: SessionId, no: DialogNo, request: Received) {
        let terminated = Reply::new(StatusCode::REQUEST_TERMINATED);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let waiting: Vec<_> = session.incoming.extract_if(.., |incoming| incoming.dialog == no).collect();
        let is_answered = session.held_answer.as_ref().is_some_and(|held| held.0 == no);
        for incoming in waiting {
            self.reply(now, incoming.server, &incoming.request, None, false, &terminated);
        }
        if !is_answered {
            self.close_dialog(sid, no);
            return self.io.tell(Event::EarlyBye { session: sid, dialog: no, request });
        }
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let tag = session.dialog(no).map_or(session.local_tag, |dialog| dialog.local_tag);
        if let Stage::Called(pending) = std::mem::replace(&mut session.stage, Stage::Over) {
            self.reply(now, pending.server, &pending.request, Some(tag), false, &terminated);
        }
        self.ended(now, sid, End::Bye(request));
    }
}

impl super::Session {
    /// The INVITE is sent anew: what its first attempt has brought about is no part of it.
    pub(super) fn forget_early(&mut self) {
        self.dialogs.retain(|dialog| dialog.state != DialogState::Early);
        for left in self.dialogs.iter_mut().filter(|dialog| dialog.state == DialogState::Left) {
            left.state = DialogState::Ended;
        }
    }

    /// Whether we have left early dialogs of our INVITE, and know of no other.
    pub(super) fn has_left_all(&self) -> bool {
        let is = |state: DialogState| move |dialog: &Dialog| dialog.state == state;
        self.dialogs.iter().any(is(DialogState::Left)) && !self.dialogs.iter().any(is(DialogState::Early))
    }
}
