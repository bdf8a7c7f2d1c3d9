//! Requests within dialogs (RFC 3261 §12.2.2).

use super::{Endpoint, admission};
use crate::dialog::DialogNo;
use crate::ids::Tag;
use crate::received::Received;
use crate::session::{Reply, SessionId, refusal};
use crate::time::Now;
use crate::transaction::ServerId;
use sip_types::{Head, HeaderName, StatusCode, param_of};

impl Endpoint {
    pub(super) fn receive_inside(&mut self, now: Now, server: ServerId, request: Received) {
        let opened = match self.open_by_notify(&request) {
            Ok(opened) => opened,
            Err(refusal) => return self.reply(now, server, &request, None, false, &refusal),
        };
        let found = opened.or_else(|| self.dialog_of(&request));
        let Some((sid, no)) = found.filter(|(sid, _)| self.is_in_network(*sid, &request.flow)) else {
            match found {
                Some(_) => self.counters.foreign_requests += 1,
                None => self.counters.unknown_dialogs += 1,
            }
            let gone = Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            return self.reply(now, server, &request, None, false, &gone);
        };
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        if !listener.transport.is_secure() && self.sessions.get(sid).is_some_and(|session| session.secure) {
            let refusal = admission::sips_not_allowed(listener);
            return self.reply(now, server, &request, None, false, &refusal);
        }
        self.receive_from(now, sid, no, server, request);
    }

    /// A request of the peer in a dialog.
    pub(crate) fn receive_known(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let Some(listener) = self.settings.listener(request.flow.listener) else { return };
        let misplaced = admission::refuse_misplaced(listener, &request);
        let extension = misplaced.or_else(|| admission::refuse_extensions(listener, &request));
        let Some(dialog) = self.sessions.get_mut(sid).and_then(|session| session.dialog_mut(no)) else {
            return;
        };
        if dialog.remote_seq.is_some_and(|last| request.cseq.seq < last) {
            // RFC 3261 §12.2.2.
            let late = refusal(StatusCode::SERVER_INTERNAL_ERROR, "CSeq Out of Order");
            return self.reply(now, server, &request, None, false, &late);
        }
        dialog.remote_seq = Some(request.cseq.seq);
        if let Some(refusal) = extension {
            return self.reply(now, server, &request, None, false, &refusal);
        }
        self.on_request(now, sid, no, server, request);
    }

    /// The dialog that a request is in by its Call-ID and tags (RFC 3261 §12.2.2), wherever it comes from.
    pub(super) fn dialog_of(&self, request: &Received) -> Option<(SessionId, DialogNo)> {
        let local = Tag::parse(request.to.tag()?)?;
        let sid = *self.by_tag.get(&local)?;
        let session = self.sessions.get(sid)?;
        if *session.call_id != *request.call_id.as_str() {
            return None;
        }
        let remote = request.from.tag();
        let dialog = session.dialogs.iter().find(|d| !d.is_over() && d.matches(local, remote))?;
        Some((sid, dialog.no))
    }

    /// Whether a message names, in To, a dialog of ours that stands. Told from its head alone.
    pub fn is_in_dialog(&self, message: &[u8]) -> bool {
        let to = Head::of(message).and_then(|mut head| head.find(|(name, _)| *name == HeaderName::To));
        let tag = to.and_then(|(_, value)| param_of(value, "tag"));
        let tag = tag.and_then(|tag| std::str::from_utf8(tag).ok()).and_then(Tag::parse);
        let session = tag.and_then(|tag| self.sessions.get(*self.by_tag.get(&tag)?));
        session.is_some_and(|session| session.dialogs.iter().any(|dialog| !dialog.is_over()))
    }
}
