//! The Info Packages that the peer of a dialog takes (RFC 6086 §5.2): of a fork, each one says for itself.

use super::{PendingInvite, Session, SessionId};
use crate::dialog::{Dialog, DialogNo};
use crate::endpoint::Endpoint;
use sip_types::{Fields, HeaderName, Headers};

impl Dialog {
    /// Takes what a message says that sets them: an INVITE or re-INVITE once it has our 2xx, a reliable provisional response or a 2xx
    /// to ours. One that says nothing changes nothing; what was refused has said nothing (RFC 6086 §5.2.4).
    pub(in crate::session) fn hear_packages(&mut self, headers: &Headers) {
        if !headers.contains(HeaderName::RecvInfo) {
            return;
        }
        let values = headers.all(HeaderName::RecvInfo).filter_map(|field| field.text().ok());
        self.packages = Some(values.map(str::trim_ascii).collect::<Vec<_>>().join(", ").into());
    }
}

impl Session {
    /// The same in the dialog that stands.
    pub(crate) fn hear_packages(&mut self, headers: &Headers) {
        if let Some(dialog) = self.current_mut() {
            dialog.hear_packages(headers);
        }
    }
}

impl Endpoint {
    /// The Info Packages that the peer of a dialog takes, as Recv-Info lists them; without `dialog`, of the one that stands. `None` if
    /// it does not know of any.
    #[must_use]
    pub fn info_packages(&self, sid: SessionId, dialog: Option<DialogNo>) -> Option<&str> {
        let session = self.sessions.get(sid)?;
        session.dialog(dialog.or(session.current)?)?.packages.as_deref()
    }
}

/// Who says in a request which packages it takes hears in the 2xx which ones we do, and be it none (RFC 6086 §5.2.3).
pub(super) fn say_none(pending: &PendingInvite, fields: &mut Fields) {
    if pending.request.headers().contains(HeaderName::RecvInfo) && !fields.contains(HeaderName::RecvInfo) {
        fields.push(HeaderName::RecvInfo, "");
    }
}
