//! Documents that name dialogs of ours (RFC 4235): who is told of the dialogs of somebody behind us knows them by the names
//! of its own side.
//!
//! The dialog that a document tells of is one between whom it is about and us. On the other side of its call we stand for
//! that one, in a dialog with other names: those are what somebody there can replace or join (RFC 3891, RFC 3911). What leads
//! to a third side, and all that is none of ours, crosses as it is.

use super::{BridgeKey, Bridged};
use crate::call::LegNo;
use crate::shard::Core;
use sip::dialog::DialogNo;
use sip::session::{Body, DialogNames, SessionId};
use sip::subscription::dialog_info::{self, Names, Renamed};
use sip_types::header::{ContentEncoding, ContentType};

impl Core {
    /// The body of a NOTIFY, with our dialogs called as its subscriber's side calls them.
    pub(super) fn with_names_across(&self, key: BridgeKey, body: Option<Body>) -> Option<Body> {
        let mut body = body?;
        let Some(bridged) = self.subscriptions.get(key) else { return Some(body) };
        let (kind, subtype) = dialog_info::CONTENT_TYPE;
        let told = body.fields.get::<ContentType>().ok().flatten().is_some_and(|of| of.is(kind, subtype));
        let encoded = body.fields.list::<ContentEncoding>().is_ok_and(|list| !list.is_empty());
        if told
            && !encoded
            && let Ok(document) = std::str::from_utf8(&body.bytes)
            && let Some(text) = dialog_info::rename(document, |names| self.name_across(bridged, names))
        {
            body.bytes = text.into();
        }
        Some(body)
    }

    /// What the side of the subscriber calls a dialog that the notifier has with us.
    fn name_across(&self, bridged: &Bridged, names: &Names<'_>) -> Option<Renamed> {
        let (theirs, ours) = (names.local_tag.as_deref()?, names.remote_tag.as_deref()?);
        let of = self.endpoint.dialog_called(bridged.notifier.network, &names.call_id, ours, theirs)?;
        let (session, dialog) = self.other_dialog(of, bridged.subscriber.network)?;
        let DialogNames { call_id, local_tag, remote_tag, local_target, remote_target } =
            self.endpoint.dialog_names(session, dialog)?;
        // In that one we are whom the document tells of.
        Some(Renamed { call_id, local_tag, remote_tag: remote_tag?, local_target, remote_target })
    }

    /// The dialog on the other side of a call, if that side is the one asked for.
    fn other_dialog(
        &self,
        (session, no): (SessionId, DialogNo),
        network: sip::NetworkId,
    ) -> Option<(SessionId, Option<DialogNo>)> {
        let (key, leg) = self.by_session.get(&session).copied()?;
        let call = self.calls.get(key)?;
        let (other, dialog) = match call.other(leg) {
            Some(other) => (other, None),
            None if leg == LegNo::CALLER => {
                let pair = call.pairs.iter().find(|pair| pair.caller_dialog == no)?;
                (pair.callee, Some(pair.callee_dialog?))
            }
            None => {
                let of = |pair: &&crate::call::Pair| pair.callee == leg && pair.callee_dialog == Some(no);
                (LegNo::CALLER, Some(call.pairs.iter().find(of)?.caller_dialog))
            }
        };
        let other = call.leg(other).filter(|leg| leg.network == network)?;
        Some((other.session, dialog))
    }
}
