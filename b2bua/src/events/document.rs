//! Documents that name dialogs of ours (RFC 4235): who is told of the dialogs of somebody behind us knows them by the names
//! of its own side.
//!
//! The dialog that a document tells of is one between whom it is about and us. On the other side of its call we stand for
//! that one, in a dialog with other names: those are what somebody there can replace or join (RFC 3891, RFC 3911). What leads
//! to a third side, and all that is none of ours, crosses as it is.

use super::BridgeKey;
use super::elsewhere::Dialog;
use crate::call::LegNo;
use crate::shard::Core;
use sip::dialog::{DialogNo, DialogState};
use sip::session::{Body, DialogNames, SessionId};
use sip::subscription::dialog_info::{self, Names, Renamed};
use sip::{NetworkId, Received};
use sip_types::header::{ContentEncoding, ContentType};

/// What other shards have said of dialogs of theirs.
pub(super) type Known = Vec<(Dialog, Renamed)>;

impl Core {
    /// The body of a NOTIFY, with our dialogs called as its subscriber's side calls them.
    pub(super) fn with_names_across(
        &self,
        key: BridgeKey,
        body: Option<Body>,
        known: &Known,
    ) -> Option<Body> {
        let mut body = body?;
        let Some(bridged) = self.subscriptions.get(key) else { return Some(body) };
        let networks = (bridged.notifier.network, bridged.subscriber.network);
        let kind = body.fields.get::<ContentType>().ok().flatten();
        let encoded = body.fields.list::<ContentEncoding>().is_ok_and(|list| !list.is_empty());
        let elsewhere = |names: &Names<'_>| {
            known.iter().find(|(dialog, _)| dialog.is(names)).map(|(_, renamed)| renamed.clone())
        };
        if let Some(document) = document(kind.as_ref(), encoded, &body.bytes)
            && let Some(text) = dialog_info::rename(document, |names| {
                self.name_across(networks, names).or_else(|| elsewhere(names))
            })
        {
            body.bytes = text.into();
        }
        Some(body)
    }

    /// Each dialog that the document of a NOTIFY names.
    pub(super) fn each_dialog_told(&self, request: &Received, mut each: impl FnMut(&Names<'_>)) {
        let headers = request.headers();
        let kind = headers.get::<ContentType>().ok().flatten();
        let encoded = headers.list::<ContentEncoding>().is_ok_and(|list| !list.is_empty());
        if let Some(document) = document(kind.as_ref(), encoded, request.request.body()) {
            let _ = dialog_info::rename(document, |names| {
                each(names);
                None
            });
        }
    }

    /// What the side of the subscriber calls a dialog that the notifier has with us.
    pub(super) fn name_across(
        &self,
        (notifier, subscriber): (NetworkId, NetworkId),
        names: &Names<'_>,
    ) -> Option<Renamed> {
        let (theirs, ours) = (names.local_tag.as_deref()?, names.remote_tag.as_deref()?);
        let of = self.endpoint.dialog_named(&names.call_id, ours, theirs)?;
        if of.state == DialogState::Ended || of.network != notifier {
            return None;
        }
        let (session, dialog) = self.other_dialog((of.session, of.dialog), subscriber)?;
        let DialogNames { call_id, local_tag, remote_tag, local_target, remote_target } =
            self.endpoint.dialog_names(session, dialog)?;
        // In that one we are whom the document tells of.
        Some(Renamed { call_id, local_tag, remote_tag: remote_tag?, local_target, remote_target })
    }

    /// The dialog on the other side of a call, if that side is the one asked for.
    fn other_dialog(
        &self,
        (session, no): (SessionId, DialogNo),
        network: NetworkId,
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

/// A body that is dialog information, as text.
fn document<'b>(kind: Option<&ContentType>, encoded: bool, body: &'b [u8]) -> Option<&'b str> {
    let (of, subtype) = dialog_info::CONTENT_TYPE;
    let is_told = kind.is_some_and(|kind| kind.is(of, subtype)) && !encoded;
    std::str::from_utf8(body).ok().filter(|_| is_told)
}
