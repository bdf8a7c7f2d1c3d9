//! The Info Packages that the peer of a session takes (RFC 6086 §5.2).

use super::{PendingInvite, Session, SessionId};
use crate::endpoint::Endpoint;
use sip_types::{Fields, HeaderName, Headers};

impl Session {
    /// Takes what a message says that sets them: an INVITE or re-INVITE once it has our 2xx, a 2xx to ours. One that says
    /// nothing changes nothing; what was refused has said nothing (RFC 6086 §5.2.4).
    pub(crate) fn hear_packages(&mut self, headers: &Headers) {
        if !headers.contains(HeaderName::RecvInfo) {
            return;
        }
        let values = headers.all(HeaderName::RecvInfo).filter_map(|field| field.text().ok());
        self.packages = Some(values.map(str::trim_ascii).collect::<Vec<_>>().join(", ").into());
    }
}

impl Endpoint {
    /// The Info Packages that the peer of a session takes, as Recv-Info lists them; `None` if it does not know of any.
    #[must_use]
    pub fn info_packages(&self, sid: SessionId) -> Option<&str> {
        self.sessions.get(sid)?.packages.as_deref()
    }
}

/// Who says in a request which packages it takes hears in the 2xx which ones we do, and be it none (RFC 6086 §5.2.3).
pub(super) fn say_none(pending: &PendingInvite, fields: &mut Fields) {
    if pending.request.headers().contains(HeaderName::RecvInfo) && !fields.contains(HeaderName::RecvInfo) {
        fields.push(HeaderName::RecvInfo, "");
    }
}
