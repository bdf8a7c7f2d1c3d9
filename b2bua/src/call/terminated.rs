//! Early dialogs that end while their call goes on: what stood for them is let go, and a caller that takes 199 is told
//! (RFC 6228). A BYE of the caller's ends one on both sides (RFC 5407 Appendix A).

use super::{Call, CallKey, LegNo, Only, Pair, State, decide};
use crate::shard::Core;
use policy::On;
use sip::dialog::DialogNo;
use sip::session::Reply;
use sip::time::Now;
use sip::{End, Failure, Received};
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
        let Some(pair) = call.unpair(at) else { return };
        let (Some(callee), Some(caller)) = (call.leg(leg), &call.caller) else { return };
        let mut fields =
            decide::carried(response.headers(), On::Response, &decide::crossing(call, callee, caller));
        if !fields.contains(HeaderName::Reason) {
            // Whoever sent it should have said why (RFC 6228 §5); all that is known is that nobody is there.
            fields.extend(decide::reason(480, "Early dialog terminated").iter().cloned());
        }
        self.abandon(now, key, pair.caller_party, pair.exchange);
        self.tell_ended(now, key, &[Ended { dialog: pair.caller_dialog, told: pair.told }], &fields);
    }

    /// The caller has ended one early dialog, and not its INVITE: so does a BYE of ours the one that it stood for, and whoever else
    /// is called, there or in other legs, may answer. If none does, the caller hears of that. The one dialog that stands for all of
    /// the called side is all that there is to end: the INVITE gets the 487 of a single user agent (RFC 3261 §15.1.2).
    pub(crate) fn on_early_bye(&mut self, now: Now, key: CallKey, ended: DialogNo, request: &Received) {
        let Some(call) = self.calls.get_mut(key).filter(|call| call.state == State::SettingUp) else {
            return;
        };
        if call.only.is_some_and(|only| only.dialog == ended) {
            let Some(session) = call.caller.as_ref().map(|caller| caller.session) else { return };
            // It waits for that since its BYE.
            let _ = self.endpoint.reject(now, session, &Reply::new(StatusCode::REQUEST_TERMINATED));
            return self.on_ended(now, key, LegNo::CALLER, &End::Bye(request.clone()), false);
        }
        let Some(at) = call.pairs.iter().position(|pair| pair.caller_dialog == ended) else { return };
        let Some(pair) = call.unpair(at) else { return };
        let (Some(callee), Some(caller)) = (call.leg(pair.callee), &call.caller) else { return };
        let (no, session) = (callee.no, callee.session);
        let crossing = decide::crossing(call, caller, callee);
        let fields = decide::carried(request.headers(), On::Request(request.method()), &crossing);
        self.counters.early_dialogs_left += 1;
        self.abandon(now, key, pair.caller_party, pair.exchange);
        let left =
            pair.callee_dialog.map(|dialog| self.endpoint.end_dialog(now, session, dialog, fields.clone()));
        if left != Some(Ok(())) {
            // A far side that has no tag has no dialog that a BYE could name.
            self.end_leg(now, key, no, session, fields);
            self.branch_failed(now, key, no, Reply::new(StatusCode::REQUEST_TERMINATED));
        }
    }

    /// An early dialog towards the caller is gone, but not the INVITE: what rings behind it goes on in another one, which begins with
    /// what the caller is told next.
    pub(crate) fn on_early_dialog_lost(&mut self, now: Now, key: CallKey, lost: DialogNo) {
        let Some(call) = self.calls.get(key).filter(|call| call.state == State::SettingUp) else { return };
        if !call.pairs.iter().any(|pair| pair.caller_dialog == lost) {
            return;
        }
        let Some((session, first)) = call.caller.as_ref().map(|caller| (caller.session, caller.party)) else {
            return;
        };
        // There is room for one, as one has just gone.
        let Ok(dialog) = self.endpoint.open_dialog(session) else {
            return self.refuse_caller(now, key, Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        };
        let Some(call) = self.calls.get_mut(key) else { return };
        let (mut begun, mut unanswered) = (Vec::new(), Vec::new());
        for pair in call.pairs.iter_mut().filter(|pair| pair.caller_dialog == lost) {
            let exchange = std::mem::take(&mut pair.exchange);
            begun.push((pair.caller_party.take(), exchange));
            unanswered.extend(pair.owes.take().map(|_| pair.callee));
            (pair.caller_dialog, pair.told, pair.shown, pair.agreed) = (dialog, false, false, false);
        }
        if let Some(only) = &mut call.only {
            *only = Only { dialog, shown: false, agreed: false };
        }
        self.counters.early_dialogs_lost += 1;
        for (party, exchange) in begun {
            self.abandon(now, key, party, exchange);
            let Some(call) = self.calls.get_mut(key) else { return };
            match party {
                Some(party) if party != first => call.media.remove_party(party),
                Some(party) => call.media.part(party),
                None => {}
            }
        }
        // What the far side has offered, nobody can answer any more.
        for leg in unanswered {
            let Some(session) = self.calls.get(key).and_then(|call| call.leg(leg)).map(|leg| leg.session)
            else {
                continue;
            };
            self.end_leg(now, key, leg, session, decide::reason(481, "Dialog lost"));
            self.branch_failed(now, key, leg, Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        }
    }

    /// Lets go of the media of a leg that was not answered, and of the early dialogs that stood for it: those are still to be
    /// [told](Self::tell_ended).
    pub(super) fn forget_media_of(&mut self, now: Now, key: CallKey, no: LegNo) -> Vec<Ended> {
        self.forget_target(key, no);
        let Some(call) = self.calls.get_mut(key) else { return Vec::new() };
        let own = call.leg(no).map(|leg| leg.party);
        let first = call.caller.as_ref().map(|caller| caller.party);
        let pairs: Vec<_> = call.pairs.extract_if(.., |pair| pair.callee == no).collect();
        let parties =
            pairs.iter().flat_map(|pair| pair.caller_party.into_iter().chain(Some(pair.callee_party)));
        for party in parties.chain(own).filter(|party| Some(*party) != first) {
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
        let Some(caller) = &call.caller else { return };
        let (session, tells) = (caller.session, caller.profile.early_dialog_terminated);
        for Ended { dialog, told } in ended {
            match tells && *told {
                true => self.endpoint.terminate_dialog(now, session, *dialog, reason.clone()),
                false => self.endpoint.close_dialog(session, *dialog),
            }
        }
    }
}

impl Call {
    /// Two early dialogs that went together are over. A further one of the leg, or its answer, would go on with the ports of its
    /// first.
    fn unpair(&mut self, at: usize) -> Option<Pair> {
        let known = self.pairs.get(at)?.callee;
        let (callee, caller) = (self.leg(known)?.party, self.caller.as_ref()?.party);
        let pair = self.pairs.remove(at);
        self.media.part(pair.callee_party);
        for party in [Some(pair.callee_party), pair.caller_party].into_iter().flatten() {
            if party != callee && party != caller {
                self.media.remove_party(party);
            }
        }
        Some(pair)
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
