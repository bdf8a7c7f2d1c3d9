//! Whom legs that get another partner speak for: the peer of that one, by its Session-ID (RFC 7989) and, where that is taken, in From
//! (RFC 4916).

use crate::call::{CallKey, LegNo};
use crate::shard::Core;
use sip_types::header::SessionUuid;

impl Core {
    /// A leg speaks for the peer of another one from its next message on; for nobody where that has no identifier
    /// that is known (RFC 7989 §7). Whether its peer is to hear of another name.
    pub(super) fn speak_for_peer(&mut self, key: CallKey, (no, of): (LegNo, LegNo)) -> bool {
        let Some(call) = self.calls.get(key) else { return false };
        let (Some(leg), Some(other)) = (call.leg(no), call.leg(of)) else { return false };
        let uuid = self.endpoint.peer_identifier(other.session).map_or(SessionUuid::NIL, |(uuid, _)| uuid);
        self.endpoint.speak_for(leg.session, uuid);
        self.name_peer(key, (no, of))
    }

    /// Two legs that talk with each other speak for each other's peer. Those whose own peers are to hear of another name.
    pub(super) fn speak_for_each_other(&mut self, key: CallKey, (a, b): (LegNo, LegNo)) -> Vec<LegNo> {
        let both = [(a, b), (b, a)].into_iter();
        both.filter(|pair| self.speak_for_peer(key, *pair)).map(|(no, _)| no).collect()
    }
}
