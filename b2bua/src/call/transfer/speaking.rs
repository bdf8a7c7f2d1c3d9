//! Session-ID (RFC 7989) of legs that get another partner: each speaks for the peer of that one.

use crate::call::{CallKey, LegNo};
use crate::shard::Core;
use sip_types::header::SessionUuid;

impl Core {
    /// A leg speaks for the peer of another one from its next message on; for nobody where that has no identifier
    /// that is known (RFC 7989 §7).
    pub(super) fn speak_for_peer(&mut self, key: CallKey, (no, of): (LegNo, LegNo)) {
        let Some(call) = self.calls.get(key) else { return };
        let (Some(leg), Some(of)) = (call.leg(no), call.leg(of)) else { return };
        let uuid = self.endpoint.peer_identifier(of.session).map_or(SessionUuid::NIL, |(uuid, _)| uuid);
        self.endpoint.speak_for(leg.session, uuid);
    }

    /// Two legs that talk with each other speak for each other's peer.
    pub(super) fn speak_for_each_other(&mut self, key: CallKey, (a, b): (LegNo, LegNo)) {
        self.speak_for_peer(key, (a, b));
        self.speak_for_peer(key, (b, a));
    }
}
