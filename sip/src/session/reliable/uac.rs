//! The caller: reliable provisional responses of the peer, and our PRACKs (RFC 3262 §4).

use super::{Heard, number};
use crate::dialog::{DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::event::{Event, Failure};
use crate::session::glare::{describes, has_description};
use crate::session::{IntentError, Opening, Outgoing, OutgoingId, Parts, Purpose, SessionId};
use crate::time::Now;
use sip_types::{HeaderName, Method, Response};

impl Endpoint {
    /// Whether a PRACK of ours is under way in that dialog which an offer or an answer goes with: no UPDATE with an offer is sent
    /// before it is over (RFC 6337 §4.3, UAC-IU).
    #[must_use]
    pub fn is_acknowledging(&self, sid: SessionId, no: DialogNo) -> bool {
        let dialog = self.sessions.get(sid).and_then(|session| session.dialog(no));
        dialog.is_some_and(|dialog| dialog.opening == Opening::Acknowledging)
    }

    /// Acknowledges the reliable provisional response with that number. [`Event::Responded`] follows, unless the session ends
    /// before.
    ///
    /// # Errors
    /// The session or dialog is gone, no such response waits, or as many requests are pending as may be.
    pub fn prack(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        number: u32,
        mut parts: Parts,
    ) -> Result<OutgoingId, IntentError> {
        let limit = self.settings.limits.pending_requests;
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        if session.outgoing.len() >= limit {
            self.counters.pending_full += 1;
            return Err(IntentError::Full);
        }
        let dialog = session.dialog_mut(no).ok_or(IntentError::Gone)?;
        let invite = dialog.heard.as_mut().and_then(|heard| heard.settle(number));
        let invite = invite.ok_or(IntentError::WrongState)?;
        parts.fields.push(HeaderName::RAck, format!("{number} {invite} INVITE"));
        let id = session.name_outgoing();
        let describes = describes(&parts);
        if let Some(dialog) = session.dialog_mut(no)
            && dialog.heard.as_mut().is_some_and(|heard| heard.acknowledge(number, id, describes))
        {
            dialog.opening = Opening::Acknowledging;
        }
        let mut outgoing = Outgoing::new(id, Purpose::Prack, Method::Prack, parts);
        outgoing.dialog = Some(no);
        self.launch(now, sid, outgoing);
        Ok(id)
    }

    /// What a provisional response is in its early dialog: `Ok(None)` one that is not reliable, and an error where it is not
    /// to be looked at.
    pub(crate) fn order(
        &mut self,
        sid: SessionId,
        dialog: Option<DialogNo>,
        invite: u32,
        response: &Response,
    ) -> Result<Option<u32>, OutOfOrder> {
        let Some(number) = number(response.headers()) else { return Ok(None) };
        let session = self.sessions.get_mut(sid).ok_or(OutOfOrder)?;
        let dialog = dialog.and_then(|no| session.dialog_mut(no)).ok_or(OutOfOrder)?;
        match Heard::take(&mut dialog.heard, invite, number) {
            true => {
                // One that is not reliable refreshes nothing (RFC 6141 §4.7).
                dialog.refresh(response.headers());
                if dialog.state == DialogState::Early {
                    dialog.hear_packages(response.headers());
                }
                let described = !response.body().is_empty() && has_description(response.headers());
                if described && dialog.heard.as_mut().is_some_and(|heard| heard.describe(number)) {
                    dialog.opening = Opening::Acknowledging;
                }
                Ok(Some(number))
            }
            false => {
                self.counters.progress_out_of_order += 1;
                Err(OutOfOrder)
            }
        }
    }

    /// Our PRACK is over.
    pub(crate) fn prack_done(&mut self, sid: SessionId, id: OutgoingId, outcome: Result<Response, Failure>) {
        let no = self.take_outgoing(sid, id).and_then(|outgoing| outgoing.dialog);
        let Some(session) = self.sessions.get_mut(sid) else { return };
        if let Some(dialog) = no.and_then(|no| session.dialog_mut(no))
            && dialog.heard.as_mut().is_some_and(|heard| heard.is_settled_by(id))
        {
            dialog.opening = Opening::Settled;
        }
        if session.told || session.is_given_up() {
            return self.sweep(sid);
        }
        self.io.tell(Event::Responded { session: sid, id, dialog: no, outcome });
    }
}

/// A reliable provisional response that is a repetition, or has one before it that has not come.
pub(crate) struct OutOfOrder;
