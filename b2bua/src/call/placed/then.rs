//! The other party is called for the first one.

use super::order::Party;
use crate::call::transfer::Transfer;
use crate::call::{CallKey, LegNo, State, decide};
use crate::shard::Core;
use policy::Trail;
use sip::session::Reply;
use sip::time::Now;
use sip_types::{Fields, HeaderName};

impl Core {
    /// Dials the other party, where it is at this moment, as the target of a transfer of the leg that stands.
    pub(super) fn dial_then(&mut self, now: Now, key: CallKey, of: LegNo, then: Party) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let (snapshot, before) = (call.snapshot.clone(), call.callees.len());
        if let Some(placed) = &mut call.placed {
            (placed.network, placed.profile) = (then.network, then.profile.clone());
        }
        call.transfers.get_or_insert_default().now = Some(Transfer::for_first(of, before));
        let mut trail = Trail::default();
        let found = self.places_of_party(now, &snapshot, &then, &mut trail);
        match found {
            Ok(places) => {
                let Some(call) = self.calls.get_mut(key) else { return };
                call.begin_to_seek(places, Box::new(then.invite), &trail);
                self.dial_more(now, key);
            }
            Err(reply) => self.transfer_failed(now, key, &reply),
        }
    }

    /// Both parties talk.
    pub(in crate::call) fn placed_call_stands(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.state = State::Established;
        call.answered = Some(now);
        let legs = call.callees.len();
        call.placed.iter_mut().for_each(|placed| placed.legs = Some(legs));
        self.counters.answered += 1;
        self.counters.placed_answered += 1;
        self.watch_established(now, key);
    }

    /// The other party is not to be had: the first is told why (RFC 3725 §6).
    pub(in crate::call) fn then_failed(&mut self, now: Now, key: CallKey, reply: &Reply) {
        self.counters.placed_then_failed += 1;
        self.end_call(now, key, &reason_of(reply), "second party not reached");
    }
}

/// The Reason of a party that is let go because of a response, with what else that says of it, such as the cause of Q.850.
pub(super) fn reason_of(reply: &Reply) -> Fields {
    let mut fields = decide::reason(reply.status.as_u16(), reply.status.reason_phrase());
    let told = reply.parts.fields.all(HeaderName::Reason);
    for field in told.filter(|field| !field.value().starts_with(b"SIP")) {
        fields.push_field(field.clone());
    }
    fields
}
