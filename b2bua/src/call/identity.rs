//! Connected identity (RFC 4916): a leg that speaks for somebody else from now on says so, where its peer takes that.

use super::body::refuses_parts;
use super::{CallKey, LegNo};
use crate::shard::Core;
use sip::session::FROM_CHANGE;
use sip::{Event, Received};
use sip_types::header::{NameAddr, Supported};
use sip_types::{HeaderName, Headers};

/// Whether a message says that its sender takes another URI in From.
pub(in crate::call) fn takes_another_from(headers: &Headers) -> bool {
    headers.contains(HeaderName::Supported)
        && headers.list::<Supported>().is_ok_and(|tags| tags.iter().any(|tag| tag.is(FROM_CHANGE)))
}

impl Core {
    /// A message that makes or changes a dialog tells whether the peer of a leg takes another URI in From, and bodies of several
    /// parts.
    pub(crate) fn note_what_it_takes(&mut self, key: CallKey, no: LegNo, event: &Event) {
        let headers = match event {
            Event::Progress { response, .. } | Event::Answered { response, .. } => response.headers(),
            Event::Reinvited { request, .. } => request.headers(),
            _ => return,
        };
        if let Some(leg) = self.calls.get_mut(key).and_then(|call| call.leg_mut(no)) {
            leg.from_change = leg.from_change || takes_another_from(headers);
            leg.refuses_parts = refuses_parts(headers).unwrap_or(leg.refuses_parts);
        }
    }

    /// A request of one leg that may change who it is from is about to be carried to the other: that one speaks for whom it
    /// names (RFC 4916 §4.3).
    pub(super) fn rename_other(&mut self, key: CallKey, (from, to): (LegNo, LegNo), request: &Received) {
        let Some(call) = self.calls.get(key) else { return };
        let (Some(asking), Some(other)) = (call.leg(from), call.leg(to).filter(|leg| leg.from_change)) else {
            return;
        };
        if call.ordered_name(to, from).is_some() {
            return;
        }
        let known = self.endpoint.session(asking.session).map(|session| session.remote);
        let known = known.and_then(|remote| NameAddr::parse(&remote.into()).ok());
        if known.is_none_or(|known| known.uri() != request.from.uri()) {
            self.endpoint.rename(other.session, request.from.untagged());
        }
    }

    /// A leg speaks for the peer of another one, by the name that this is known by: its new partner, or the one that it has after
    /// all, where a request that named somebody else has come to nothing. Whether that is another name.
    pub(super) fn name_peer(&mut self, key: CallKey, (no, of): (LegNo, LegNo)) -> bool {
        let Some(call) = self.calls.get(key) else { return false };
        let (Some(leg), Some(other)) = (call.leg(no).filter(|leg| leg.from_change), call.leg(of)) else {
            return false;
        };
        let name = match call.ordered_name(no, of) {
            Some(name) => Some(name.into()),
            None => self.endpoint.session(other.session).map(|session| session.remote.into()),
        };
        name.is_some_and(|name| self.endpoint.rename(leg.session, name))
    }
}
