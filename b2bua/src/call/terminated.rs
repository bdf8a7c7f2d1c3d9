//! Early dialogs that end while their call goes on: what stood for them is let go, and a caller that takes 199 is told
//! (RFC 6228).

use super::{CallKey, LegNo, Pair, State, decide};
use crate::shard::Core;
use policy::On;
use sip::Failure;
use sip::dialog::DialogNo;
use sip::time::Now;
use sip_types::{Fields, HeaderName, Response, StatusCode};

/// An early dialog towards the caller that stands for nothing any more, and whether the caller has heard of it.
pub(super) struct Ended {
    dialog: DialogNo,
    told: bool,
}

impl Core {
    /// 199 of a called leg.
    pub(crate) fn on_early_dialog_ended(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, DialogNo),
        response: &Response,
    ) {
        let Some(call) = self.calls.get_mut(key).filter(|call| call.state == State::SettingUp) else {
            return;
        };
        let known = |pair: &Pair| pair.callee == leg && pair.callee_dialog == Some(dialog);
        let Some(at) = call.pairs.iter().position(known) else { return };
        let pair = call.pairs.remove(at);
        let Some(callee) = call.leg(leg) else { return };
        let mut fields =
            decide::carried(response.headers(), On::Response, &decide::crossing(call, callee, &call.caller));
        if !fields.contains(HeaderName::Reason) {
            // Whoever sent it should have said why (RFC 6228 §5); all that is known is that nobody is there.
            fields.extend(decide::reason(480, "Early dialog terminated").iter().cloned());
        }
        // A further early dialog of the leg, or its answer, would go on with the ports of its first.
        let first = (callee.party, call.caller.party);
        call.media.part(pair.callee_party);
        for party in [Some(pair.callee_party), pair.caller_party].into_iter().flatten() {
            if party != first.0 && party != first.1 {
                call.media.remove_party(party);
            }
        }
        self.abandon(now, key, pair.caller_party, pair.exchange);
        self.tell_ended(now, key, &[Ended { dialog: pair.caller_dialog, told: pair.told }], &fields);
    }

    /// Lets go of the media of a leg that was not answered, and of the early dialogs that stood for it: those are still to be
    /// [told](Self::tell_ended).
    pub(super) fn forget_media_of(&mut self, now: Now, key: CallKey, no: LegNo) -> Vec<Ended> {
        self.forget_target(key, no);
        let Some(call) = self.calls.get_mut(key) else { return Vec::new() };
        let own = call.leg(no).map(|leg| leg.party);
        let first = call.caller.party;
        let pairs: Vec<_> = call.pairs.extract_if(.., |pair| pair.callee == no).collect();
        let parties =
            pairs.iter().flat_map(|pair| pair.caller_party.into_iter().chain(Some(pair.callee_party)));
        for party in parties.chain(own).filter(|party| *party != first) {
            call.media.remove_party(party);
        }
        let mut ended = Vec::with_capacity(pairs.len());
        for pair in pairs {
            self.abandon(now, key, pair.caller_party, pair.exchange);
            ended.push(Ended { dialog: pair.caller_dialog, told: pair.told });
        }
        ended
    }

    /// Closes early dialogs towards a caller whose call goes on; with its end they would have ended anyway.
    pub(super) fn tell_ended(&mut self, now: Now, key: CallKey, ended: &[Ended], reason: &Fields) {
        let Some(call) = self.calls.get(key).filter(|call| call.state == State::SettingUp) else { return };
        if call.only.is_some() {
            // The one dialog stands for all that ring, or will.
            return;
        }
        let (session, tells) = (call.caller.session, call.caller.profile.early_dialog_terminated);
        for Ended { dialog, told } in ended {
            match tells && *told {
                true => self.endpoint.terminate_dialog(now, session, *dialog, reason.clone()),
                false => self.endpoint.close_dialog(session, *dialog),
            }
        }
    }
}

/// The Reason of an early dialog that has ended so, with what else its final response says of it, such as the cause of
/// Q.850 (RFC 3326).
pub(super) fn reason_of(failure: &Failure) -> Fields {
    let response = match failure {
        Failure::Response(response) | Failure::Challenged(response) => response,
        Failure::Timeout => return named(StatusCode::REQUEST_TIMEOUT),
        Failure::Unreachable(_) | Failure::Full => return named(StatusCode::SERVICE_UNAVAILABLE),
    };
    let mut fields = named(response.status());
    for field in response.headers().all(HeaderName::Reason).filter(|field| !field.value().starts_with(b"SIP"))
    {
        fields.push_field(field.to_owned());
    }
    fields
}

fn named(status: StatusCode) -> Fields {
    decide::reason(status.as_u16(), status.reason_phrase())
}
