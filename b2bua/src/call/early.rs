//! Media before the answer: what flows of it is what the called side is authorized to (RFC 5009).

use super::{Call, CallKey, LegNo, Pair};
use crate::shard::Core;
use config::EarlyMedia;
use media::{Direction, PartyId};
use sip::Failure;
use sip::dialog::DialogNo;
use sip_types::header::CSeq;
use sip_types::{Fields, HeaderName, Headers, Method, Response};

impl Call {
    /// An early dialog of a called leg begins: where its profile waits for an authorization, nothing flows yet.
    pub(super) fn gate_early_media(&mut self, leg: LegNo, party: PartyId) {
        if self.leg(leg).is_some_and(|leg| leg.profile.early_media == EarlyMedia::Require) {
            self.media.gate(party, Some(&[Direction::Inactive]));
        }
    }

    /// A message of the called side in the early dialogs of that pair may say what flows from now on (RFC 5009 §8).
    pub(super) fn heed_early_media(&mut self, at: usize, headers: &Headers) {
        let Some(pair) = self.pairs.get(at) else { return };
        let (callee, party) = (pair.callee, pair.callee_party);
        let Some(leg) = self.leg(callee) else { return };
        if let Some(authorized) =
            policy::early_media(headers, self.snapshot.trusts(leg.network), &leg.profile)
        {
            self.media.gate(party, Some(&authorized));
        }
    }
}

impl Core {
    /// A called leg has answered a PRACK or UPDATE of ours in an early dialog: its 2xx may say what flows, as its provisional
    /// responses may (RFC 5009 §8).
    pub(crate) fn heed_what_was_answered(
        &mut self,
        key: CallKey,
        (leg, dialog): (LegNo, Option<DialogNo>),
        outcome: &Result<Response, Failure>,
    ) {
        let (Some(call), Ok(response)) = (self.calls.get_mut(key), outcome) else { return };
        let method = response.headers().get::<CSeq>().ok().flatten().map(|cseq| cseq.method);
        if !matches!(method, Some(Method::Prack | Method::Update)) {
            return;
        }
        let is_its = |pair: &Pair| pair.callee == leg && dialog.is_some() && pair.callee_dialog == dialog;
        if let Some(at) = call.pairs.iter().position(is_its) {
            call.heed_early_media(at, response.headers());
        }
    }
}

/// Says to who is called that we know of authorizations (RFC 5009 §8.1), where the caller has not said so.
pub(super) fn tell_early_media(fields: &mut Fields, trusted: bool, early_media: EarlyMedia) {
    if trusted && early_media != EarlyMedia::Open && fields.all(HeaderName::PEarlyMedia).next().is_none() {
        fields.push(HeaderName::PEarlyMedia, "supported");
    }
}
