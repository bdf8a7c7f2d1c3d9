//! Connected identity (RFC 4916): the URIs of a dialog may change in the middle of it, for tags alone say which one it is.

use super::SessionId;
use crate::endpoint::Endpoint;
use crate::received::Received;

/// The option tag of whoever takes another URI in From (RFC 4916 §4.1).
pub const FROM_CHANGE: &str = "from-change";

impl Endpoint {
    /// Says whom a session speaks for from its next request on: From without tag. For peers that take that only ([`FROM_CHANGE`]).
    /// Whether that is somebody else than before.
    pub fn rename(&mut self, sid: SessionId, local: Box<str>) -> bool {
        let Some(session) = self.sessions.get_mut(sid).filter(|session| session.local != local) else {
            return false;
        };
        session.local = local;
        true
    }

    /// A request of the peer's in a dialog has had a 2xx: whom it is from is whom our next requests are to (RFC 4916 §4.4.2).
    pub(crate) fn accept_remote(&mut self, sid: SessionId, request: &Received) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let remote = request.from.untagged();
        if session.remote != remote {
            session.remote = remote;
        }
    }
}
