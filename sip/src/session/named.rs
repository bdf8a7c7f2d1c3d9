//! The dialogs that Replaces, Join and Target-Dialog name (RFC 3891 §3, RFC 3911 §4, RFC 4538 §4).

use super::SessionId;
use crate::dialog::DialogState;
use crate::endpoint::Endpoint;
use crate::ids::Tag;

impl Endpoint {
    /// The session that has a dialog with these identifiers, made by an INVITE, and how far that has come. The tags are as they
    /// stand in a request that the peer sends in it: `local` in To, `remote` in From, where 0 also stands for none (RFC 3891 §6.1).
    pub fn named(&self, call_id: &str, local: &str, remote: &str) -> Option<(SessionId, DialogState)> {
        let local = Tag::parse(local)?;
        let sid = *self.by_tag.get(&local)?;
        let session = self.sessions.get(sid).filter(|session| *session.call_id == *call_id)?;
        if matches!(session.stage, super::Stage::Subscribed | super::Stage::Asking { .. }) {
            return None;
        }
        let found = session.dialogs.iter().find(|dialog| {
            let none = remote == "0" && dialog.remote_tag.is_none();
            dialog.local_tag == local && (none || dialog.has_remote_tag(Some(remote)))
        });
        found.map(|dialog| (sid, dialog.state))
    }
}
