//! Session-ID (RFC 7989): what one leg's peer says of itself, the other leg says to its own.

use super::{CallKey, LegNo};
use crate::shard::Core;
use config::SessionIds;
use sip::{End, Event, Failure};
use sip_types::header::{SessionIdentifier, SessionUuid};
use sip_types::{HeaderName, Headers};

impl Core {
    /// Something came on a leg: the legs on the other side speak for its peer from now on.
    pub(crate) fn correlate(&mut self, key: CallKey, no: LegNo, event: &Event) {
        let Some(leg) = self.calls.get(key).and_then(|call| call.leg(no)) else { return };
        if leg.profile.session_id == SessionIds::Remove {
            return;
        }
        let said = headers_of(event).and_then(local);
        let known = self.endpoint.peer_identifier(leg.session).map(|(uuid, _)| uuid);
        if said.is_none() && known.is_none() {
            return;
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        let partner = call.other(no);
        // Who knows one identifier for both ends repeats the other one's.
        let is_theirs = |uuid: &SessionUuid| {
            let others = call.legs().filter(|leg| match partner {
                Some(partner) => leg.no == partner,
                None => call.is_calling(leg.no) != call.is_calling(no),
            });
            !others.into_iter().any(|leg| leg.identifier.as_deref() == Some(uuid))
        };
        let said = said.filter(is_theirs);
        let Some(uuid) = said.or(known) else { return };
        // A request that fails changes nothing (§8).
        let stands = known.or(said).unwrap_or(uuid);
        if let Some(leg) = call.leg_mut(no)
            && leg.identifier.as_deref() != Some(&stands)
        {
            leg.identifier = Some(Box::new(stands));
        }
        let others = call.legs().filter(|leg| match call.joined() {
            Some(_) => call.other(no) == Some(leg.no),
            None => call.is_calling(leg.no) != call.is_calling(no),
        });
        let sessions: Vec<_> = others.map(|leg| leg.session).collect();
        for session in sessions {
            self.endpoint.speak_for(session, uuid);
        }
        // What we said to this leg for a request that has failed is taken back.
        if is_failure(event) {
            self.speak_again(key, no);
        }
    }

    /// A leg speaks for who the other leg's peer is known to be.
    fn speak_again(&mut self, key: CallKey, no: LegNo) {
        let Some(call) = self.calls.get(key) else { return };
        let Some(other) = call.other(no).and_then(|other| call.leg(other)) else { return };
        let (Some(leg), Some((uuid, _))) = (call.leg(no), self.endpoint.peer_identifier(other.session))
        else {
            return;
        };
        self.endpoint.speak_for(leg.session, uuid);
    }

    /// Several have failed, and what the caller hears is of none of them (RFC 7989 §7).
    pub(super) fn speak_for_nobody(&mut self, key: CallKey) {
        let Some(call) = self.calls.get(key) else { return };
        if let Some(caller) = call.caller.as_ref().filter(|_| call.callees.len() > 1) {
            self.endpoint.speak_for(caller.session, SessionUuid::NIL);
        }
    }
}

fn local(headers: &Headers) -> Option<SessionUuid> {
    if !headers.contains(HeaderName::SessionId) {
        return None;
    }
    let said = headers.get::<SessionIdentifier>().ok().flatten()?;
    Some(said.local).filter(|uuid| !uuid.is_nil())
}

/// The message that an event tells of.
fn headers_of(event: &Event) -> Option<&Headers> {
    match event {
        Event::Progress { response, .. }
        | Event::Answered { response, .. }
        | Event::ReinviteProgress { response, .. }
        | Event::ReinviteAnswered { response, .. }
        | Event::ReinviteFailed { why: Failure::Response(response), .. }
        | Event::Responded { outcome: Ok(response) | Err(Failure::Response(response)), .. }
        | Event::Ended { why: End::Rejected(Failure::Response(response)), .. } => Some(response.headers()),
        Event::Pracked { request, .. }
        | Event::Acknowledged { request, .. }
        | Event::Reinvited { request, .. }
        | Event::Updated { request, .. }
        | Event::Requested { request, .. }
        | Event::EarlyBye { request, .. }
        | Event::Referred { request, .. }
        | Event::Ended { why: End::Bye(request), .. } => Some(request.headers()),
        _ => None,
    }
}

fn is_failure(event: &Event) -> bool {
    matches!(event, Event::ReinviteFailed { .. } | Event::Responded { outcome: Err(_), .. })
}
