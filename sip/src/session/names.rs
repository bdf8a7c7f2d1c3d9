//! What our dialogs are called, for who tells of them elsewhere; and which one it is that somebody names: Replaces, Join and
//! Target-Dialog (RFC 3891 §3, RFC 3911 §4, RFC 4538 §4), and what a notifier says of its own (RFC 4235).

use super::{Parts, SessionId, Stage};
use crate::dialog::{DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::flow::NetworkId;
use crate::home::ShardNo;
use crate::ids::Tag;
use crate::reply;

/// What names a dialog, and leads to its two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogNames {
    /// The Call-ID.
    pub call_id: Box<str>,
    /// Our tag.
    pub local_tag: Box<str>,
    /// The peer's.
    pub remote_tag: Option<Box<str>>,
    /// Our Contact, as a URI.
    pub local_target: Box<str>,
    /// The peer's.
    pub remote_target: Box<str>,
}

/// A dialog that somebody has named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedDialog {
    /// The session that it belongs to.
    pub session: SessionId,
    /// Its number there.
    pub dialog: DialogNo,
    /// The network of that session.
    pub network: NetworkId,
    /// How far it has come.
    pub state: DialogState,
}

impl Endpoint {
    /// The shard that has made a tag, if that is another one of this node.
    #[must_use]
    pub fn elsewhere(&self, tag: &str) -> Option<ShardNo> {
        Tag::parse(tag).and_then(|tag| self.io.ids.elsewhere(tag.bits()))
    }

    /// The dialog with these identifiers that an INVITE has made. The tags are as they stand in a request that the peer sends in
    /// it: `local` in To, `remote` in From, where 0 also stands for none (RFC 3891 §6.1).
    #[must_use]
    pub fn dialog_named(&self, call_id: &str, local: &str, remote: &str) -> Option<NamedDialog> {
        let local = Tag::parse(local)?;
        let sid = *self.by_tag.get(&local)?;
        let session = self.sessions.get(sid).filter(|session| *session.call_id == *call_id)?;
        if matches!(session.stage, Stage::Subscribed | Stage::Asking { .. }) {
            return None;
        }
        let dialog = session.dialogs.iter().find(|dialog| {
            let none = remote == "0" && dialog.remote_tag.is_none();
            dialog.local_tag == local && (none || dialog.has_remote_tag(Some(remote)))
        })?;
        Some(NamedDialog { session: sid, dialog: dialog.no, network: session.network, state: dialog.state })
    }

    /// The names of a dialog of a session; without a number, of the one that stands.
    #[must_use]
    pub fn dialog_names(&self, sid: SessionId, no: Option<DialogNo>) -> Option<DialogNames> {
        let session = self.sessions.get(sid)?;
        let dialog = session.dialog(no.or(session.current)?)?;
        let listener = self.settings.listener(session.way.as_ref()?.listener())?;
        let local_target = match &session.gruu {
            Some(gruu) => gruu.to_string(),
            None => {
                let secure = session.secure && listener.transport.is_secure();
                let contact = reply::contact(listener, secure, "", &Parts::default());
                contact.trim_start_matches('<').trim_end_matches('>').to_owned()
            }
        };
        Some(DialogNames {
            call_id: session.call_id.clone(),
            local_tag: dialog.local_tag.to_string().into(),
            remote_tag: dialog.remote_tag.clone(),
            local_target: local_target.into(),
            remote_target: dialog.remote_target.to_string().into(),
        })
    }
}
