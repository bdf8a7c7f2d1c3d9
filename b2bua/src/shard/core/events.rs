//! What user agents tell, given to whom it concerns.

use super::Core;
use sip::session::SessionId;
use sip::time::Now;
use sip::{Event, Failure, Unreachable};
use sip_types::Response;

impl Core {
    pub(super) fn on_event(&mut self, now: Now, event: Event) {
        let event = match event {
            Event::Invited { session, request } => return self.on_invited(now, session, request),
            Event::Asked { id, request } => return self.on_asked(now, id, &request),
            Event::Overload(change) => return self.on_overload(&change),
            Event::Strayed(stray) => return self.on_strayed(now, *stray),
            Event::Responded { session, ref outcome, .. } if self.on_registered(now, session, outcome) => {
                return;
            }
            Event::Responded { session, ref outcome, .. }
                if self.keepalive_over(session, is_answered(outcome)) =>
            {
                return;
            }
            Event::FlowProven { keep } => return self.on_flow_proven(now, keep),
            Event::FlowLost { keep, why, proven } => return self.on_flow_lost(now, keep, why, proven),
            Event::Responded { session, ref outcome, .. } if self.outside_over(now, session, outcome) => {
                return;
            }
            of_a_session => of_a_session,
        };
        let Some(event) = self.subscription_event(now, event) else { return };
        let Some(event) = self.bridged_event(now, event) else { return };
        let Some((key, leg)) = session_of(&event).and_then(|sid| self.by_session.get(&sid)).copied() else {
            return;
        };
        self.correlate(key, leg, &event);
        self.note_what_it_takes(key, leg, &event);
        match event {
            Event::Invited { .. }
            | Event::Asked { .. }
            | Event::Overload(_)
            | Event::Strayed(_)
            | Event::FlowProven { .. }
            | Event::FlowLost { .. } => {}
            Event::Progress { session, dialog, reliable, response } => {
                self.see_signalling(key, leg, session);
                self.on_progress(now, key, leg, (dialog, reliable), &response);
            }
            Event::Pracked { dialog, id, request, .. } => {
                self.on_pracked(now, key, (leg, dialog), id, &request);
            }
            Event::Answered { session, dialog, response } => {
                self.see_signalling(key, leg, session);
                self.on_answered(now, key, leg, dialog, &response);
            }
            Event::Acknowledged { request, .. } => self.on_acknowledged(now, key, leg, &request),
            Event::Reinvited { request, .. } => self.on_reinvited(now, key, leg, &request),
            Event::ReinviteProgress { dialog, reliable, response, .. } => {
                self.on_reinvite_progress(now, key, leg, (dialog, reliable), &response);
            }
            Event::ReinviteCancelled { executed, .. } => self.on_reinvite_cancelled(now, key, leg, executed),
            Event::ReinviteAnswered { response, .. } => self.on_reinvite_answered(now, key, leg, &response),
            Event::ReinviteFailed { why, .. } => self.on_reinvite_failed(now, key, leg, &why),
            Event::EarlyDialogEnded { dialog, response, .. } => {
                self.on_early_dialog_ended(now, key, (leg, dialog), &response);
            }
            Event::RefreshDue { .. } => self.on_refresh_due(now, key, leg),
            Event::Updated { dialog, id, request, .. } => {
                self.on_updated(now, key, (leg, dialog), id, &request);
            }
            Event::EarlyBye { dialog, request, .. } => self.on_early_bye(now, key, dialog, &request),
            Event::EarlyDialogLost { dialog, .. } => self.on_early_dialog_lost(now, key, dialog),
            Event::Requested { dialog, id, request, .. } => {
                self.on_requested(now, key, (leg, dialog), id, &request);
            }
            Event::Referred { id, refer, request, .. } => {
                self.on_referred(now, key, leg, id, (&refer, &request));
            }
            Event::ReferNotified { refer, status, reason, last, .. } => {
                self.on_refer_notified(now, key, leg, refer, (status, &reason, last));
            }
            Event::Responded { id, outcome, .. } if self.refer_over(now, key, leg, id, &outcome) => {}
            Event::Responded { id, dialog, outcome, .. } => {
                self.heed_what_was_answered(key, (leg, dialog), &outcome);
                self.on_responded(now, key, leg, id, &outcome);
                self.ask_what_waits(now, key, (leg, dialog));
            }
            Event::Ended { why, authenticated, found, .. } => {
                self.keep_found(key, leg, found);
                self.on_ended(now, key, leg, &why, authenticated);
            }
        }
        self.note_keys(key);
        self.note_left_out(key);
        self.carry_out_media(key);
        self.note_role(now, key);
    }
}

/// Whether anybody has answered a request, or would have: who asks for fewer is there.
fn is_answered(outcome: &Result<Response, Failure>) -> bool {
    match outcome {
        Ok(_) | Err(Failure::Response(_) | Failure::Challenged(_)) => true,
        Err(Failure::Unreachable(Unreachable::Overloaded)) => true,
        Err(Failure::Timeout | Failure::Unreachable(_) | Failure::Full) => false,
    }
}

/// Whose event it is; that of a request outside a dialog, or of a flow, is nobody's.
fn session_of(event: &Event) -> Option<SessionId> {
    match event {
        Event::Asked { .. } | Event::Overload(_) | Event::FlowProven { .. } | Event::FlowLost { .. } => None,
        Event::Strayed(stray) => Some(stray.session),
        Event::Invited { session, .. }
        | Event::Progress { session, .. }
        | Event::Pracked { session, .. }
        | Event::Answered { session, .. }
        | Event::Acknowledged { session, .. }
        | Event::Reinvited { session, .. }
        | Event::ReinviteProgress { session, .. }
        | Event::ReinviteCancelled { session, .. }
        | Event::ReinviteAnswered { session, .. }
        | Event::ReinviteFailed { session, .. }
        | Event::EarlyDialogEnded { session, .. }
        | Event::RefreshDue { session }
        | Event::Updated { session, .. }
        | Event::EarlyBye { session, .. }
        | Event::EarlyDialogLost { session, .. }
        | Event::Requested { session, .. }
        | Event::Referred { session, .. }
        | Event::ReferNotified { session, .. }
        | Event::Responded { session, .. }
        | Event::Ended { session, .. } => Some(*session),
    }
}
