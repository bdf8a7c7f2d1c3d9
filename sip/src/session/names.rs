//! What our dialogs are called, for who tells of them elsewhere.

use super::SessionId;
use crate::dialog::{Dialog, DialogNo, DialogState};
use crate::endpoint::Endpoint;
use crate::flow::NetworkId;
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

impl Endpoint {
    /// The dialog of ours in a network with that name: Call-ID, our tag, and the peer's.
    #[must_use]
    pub fn dialog_called(
        &self,
        network: NetworkId,
        call_id: &str,
        local_tag: &str,
        remote_tag: &str,
    ) -> Option<(SessionId, DialogNo)> {
        let local = Tag::parse(local_tag)?;
        let sid = *self.by_tag.get(&local)?;
        let session = self.sessions.get(sid)?;
        let is_meant =
            |dialog: &&Dialog| dialog.state != DialogState::Ended && dialog.matches(local, Some(remote_tag));
        let dialog = session.dialogs.iter().find(is_meant)?;
        (*session.call_id == *call_id && session.network == network).then_some((sid, dialog.no))
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
                let contact = reply::contact(listener, secure, "", "");
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
