//! A REFER outside a dialog that names one of ours with Target-Dialog (RFC 4538, RFC 7647 §4): it asks for what one in that dialog
//! would, and what comes of it is told in a dialog of its own.

use super::Asking;
use crate::call::{Caller, OrRefuse, decide};
use crate::registrar::leads_back;
use crate::shard::Core;
use config::ReferPolicy;
use sip::Received;
use sip::dialog::DialogState;
use sip::session::{Refer, Reply, RequestId};
use sip::time::Now;
use sip_types::header::TargetDialog;
use sip_types::{HeaderName, Method, StatusCode};

impl Core {
    /// A REFER outside a dialog.
    pub(in crate::call) fn on_refer_outside(&mut self, now: Now, id: RequestId, request: &Received) {
        if let Err(reply) = self.take_refer_outside(now, id, request) {
            self.counters.transfers_refused += 1;
            self.refused(now, &request.flow, reply.status);
            // It was asked in this very turn.
            let _ = self.endpoint.turn_away_asked(now, id, &reply);
        }
    }

    /// The Target-Dialog of a SUBSCRIBE as whom it reaches knows that dialog: the one behind ours (RFC 4538 §7).
    pub(in crate::call) fn target_dialog_there(&self, request: &Received) -> Option<String> {
        if *request.method() != Method::Subscribe {
            return None;
        }
        let target = request.headers().sole::<TargetDialog>().ok().flatten()?;
        let named = self.endpoint.dialog_named(target.call_id(), target.local_tag(), target.remote_tag())?;
        let (key, no) = self.by_session.get(&named.session).copied()?;
        let (_, (call_id, theirs, ours)) = self.other_end(key, no)?;
        Some(TargetDialog::new(&call_id, &theirs, &ours).ok()?.to_string())
    }

    /// # Errors
    /// 403 without a dialog that it is authorized by: one that stands, whose peer its sender is (RFC 4538 §4); else as for one in a dialog.
    fn take_refer_outside(&mut self, now: Now, id: RequestId, request: &Received) -> OrRefuse<()> {
        let snapshot = self.snapshot.clone();
        let Caller { network, trunk, .. } = self.caller(now, &snapshot, request)?;
        let profile = decide::profile(&snapshot, network, trunk.as_ref());
        if profile.refer == ReferPolicy::Refuse {
            let mut reply = Reply::new(StatusCode::METHOD_NOT_ALLOWED);
            let listener = self.endpoint.settings().listener(request.flow.listener);
            let allow = listener.map(|listener| listener.allow_without(&Method::Refer)).unwrap_or_default();
            reply.parts.fields.push(HeaderName::Allow, allow);
            return Err(Box::new(reply));
        }
        decide::extensions(request.headers(), &profile)?;
        let refer = Refer::read(request)?;
        let target = request.headers().sole::<TargetDialog>().ok().flatten();
        let named = target.and_then(|target| {
            self.endpoint.dialog_named(target.call_id(), target.local_tag(), target.remote_tag())
        });
        let named = named.filter(|named| named.state == DialogState::Confirmed);
        let leg = named.and_then(|named| self.by_session.get(&named.session).copied());
        let who = self.who_sends(network, trunk.as_ref(), request);
        let leg = leg.filter(|(key, no)| self.who_of(*key, *no).is_some_and(|own| own.is_same(&who)));
        // Where REFERs cross, they do in the dialog that they are about.
        let leg = leg.filter(|(key, no)| !self.crosses_refer(*key, *no));
        let (key, no) = leg.ok_or_else(|| Box::new(Reply::new(StatusCode::FORBIDDEN)))?;
        let by_flow = leads_back(&snapshot, &self.endpoint, request);
        self.on_asked_to_refer(now, key, no, Asking { id, outside: Some(by_flow) }, (&refer, request));
        self.carry_out_media(key);
        Ok(())
    }
}
