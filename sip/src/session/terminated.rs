//! The end of one early dialog while others of its INVITE go on (199, RFC 6228).

use super::{OutgoingId, Parts, Reply, SessionId, Stage};
use crate::dialog::{Dialog, DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::session::Reliability;
use crate::time::Now;
use sip_types::header::{Supported, To};
use sip_types::{Fields, HeaderName, Headers, Response, StatusCode};

/// The option tag (RFC 6228 §11.2).
pub const OPTION: &str = "199";

impl Endpoint {
    /// A 199 to our INVITE. The early dialog that it names is over: no request of ours is sent in it any more but the PRACK of a
    /// reliable 199 (RFC 6228 §4, §7). One that is not known is only acknowledged. What its sender says in it after all is as if
    /// we had never heard of it.
    pub(crate) fn on_terminated(&mut self, now: Now, sid: SessionId, id: OutgoingId, response: Response) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let given_up = session.is_given_up();
        let Some(seq) = session.outgoing_mut(id).map(|outgoing| outgoing.seq) else { return };
        let Ok(to) = response.headers().require::<To>() else { return };
        let Some(tag) = to.tag() else { return };
        let early = |dialog: &&Dialog| dialog.state == DialogState::Early && dialog.has_remote_tag(Some(tag));
        let known = session.dialogs.iter().find(early).map(|dialog| dialog.no);
        let reliable = response.headers().contains(HeaderName::RSeq);
        let dialog = match known {
            None if !reliable => return,
            None => self.early_dialog(sid, seq, tag, &response),
            Some(_) => known,
        };
        let Some(no) = dialog else { return };
        let Ok(number) = self.order(sid, dialog, seq, &response) else { return };
        if let Some(number) = number {
            // It has waited in its order just now.
            let _ = self.prack(now, sid, no, number, Parts::default());
        }
        let Some(session) = self.sessions.get_mut(sid) else { return };
        session.dialogs.retain(|dialog| dialog.no != no);
        if known.is_some() && !given_up {
            self.counters.early_dialogs_ended += 1;
            self.io.tell(Event::EarlyDialogEnded { session: sid, dialog: no, response });
        }
    }

    /// Lets an early dialog towards a caller go, as [`close_dialog`](Self::close_dialog), while others of its INVITE may go on or
    /// come. A caller that knows of 199 is told so, with that Reason (RFC 6228 §5), once and unreliably; one that requires reliable
    /// responses is not.
    pub fn terminate_dialog(&mut self, now: Now, sid: SessionId, no: DialogNo, reason: Fields) {
        let Some(session) = self.sessions.get(sid) else { return };
        if let (Stage::Called(pending), Some(dialog)) = (&session.stage, session.dialog(no))
            && session.held_answer.is_none()
            && pending.reliability != Reliability::Required
            && takes(pending.request.headers())
        {
            let (server, request, tag) = (pending.server, pending.request.clone(), dialog.local_tag);
            let mut reply = Reply::new(StatusCode::EARLY_DIALOG_TERMINATED);
            reply.parts.fields = reason;
            self.reply(now, server, &request, Some(tag), true, &reply);
            self.counters.early_dialogs_told += 1;
            if let Some(Stage::Called(pending)) = self.sessions.get_mut(sid).map(|session| &mut session.stage)
            {
                // It is nothing to be said again.
                pending.progressed = None;
            }
        }
        self.close_dialog(sid, no);
    }
}

/// Whether the sender of an INVITE takes 199 (RFC 6228 §4).
fn takes(headers: &Headers) -> bool {
    headers.list::<Supported>().is_ok_and(|tags| tags.iter().any(|tag| tag.is(OPTION)))
}
