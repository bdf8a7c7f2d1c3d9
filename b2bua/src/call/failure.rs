//! A leg fails: the next place, or what the caller hears of it.

use super::across::Across;
use super::terminated::reason_of;
use super::{CallKey, LegNo, State, decide, history};
use crate::shard::Core;
use config::Profile;
use sip::session::Reply;
use sip::time::Now;
use sip::{Failure, Unreachable};
use sip_types::{Method, StatusCode};

impl Core {
    /// The INVITE of a called leg came to nothing. What is left to try is tried, or the caller hears of it.
    pub(super) fn leg_failed(&mut self, now: Now, key: CallKey, no: LegNo, failure: &Failure) {
        let asker = self.calls.get(key).and_then(|call| call.asker()).map_or(no, |asker| asker.no);
        let reply = self.failure_reply(key, (no, asker), &Method::Invite, failure);
        let ended = self.forget_media_of(now, key, no);
        self.without_leg(now, key, no, (failure, reply));
        self.tell_ended(now, key, &ended, &reason_of(failure));
    }

    fn without_leg(&mut self, now: Now, key: CallKey, no: LegNo, (failure, reply): (&Failure, Reply)) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(leg) = call.leg(no) else { return };
        let (device, branch, trunk_flow) = (leg.device, leg.branch, leg.trunk.clone().zip(leg.trunk_flow));
        // A device that is not where it was registered is no failure of ours, nor of the way.
        let reply = match failure {
            Failure::Unreachable(
                Unreachable::NotSecure | Unreachable::Overloaded | Unreachable::TooLarge,
            ) => reply,
            Failure::Unreachable(_) if device => Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE),
            _ => reply,
        };
        // Whether the next place, which for a device is another way to the same one, is tried.
        let tries_another = tries_another(failure, device, trunk_flow.is_some(), &leg.profile);
        match (tries_another, device) {
            (true, _) => {}
            (false, true) => call.fork.settle(branch),
            (false, false) => call.fork.clear(),
        }
        if matches!(failure, Failure::Response(response) if policy::is_of_a_loop(response.status())) {
            call.fork.clear();
        }
        if let Some((trunk, flow)) = trunk_flow.filter(|_| speaks_of_flow(failure)) {
            self.doubt_flow(now, &trunk, flow);
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        if let Failure::Response(response) = failure {
            call.fork.remember(no, history::brought(response.headers()));
        }
        if let Failure::Response(response) = failure
            && call.follow(no, response)
        {
            call.fork.fall_back(reply);
            return self.go_on(now, key);
        }
        let is_global = matches!(failure, Failure::Response(r) if r.status().is_global_failure());
        self.leg_over(now, key, (device, is_global), reply);
    }

    /// A called leg that answered cannot be used: other devices may still be, but no other target of a route.
    pub(super) fn branch_failed(&mut self, now: Now, key: CallKey, no: LegNo, reply: Reply) {
        let ended = self.forget_media_of(now, key, no);
        let reason = decide::reason(reply.status.as_u16(), reply.status.reason_phrase());
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some((device, branch)) = call.leg(no).map(|leg| (leg.device, leg.branch)) else { return };
        match device {
            true => call.fork.settle(branch),
            false => call.fork.clear(),
        }
        self.leg_over(now, key, (device, false), reply);
        self.tell_ended(now, key, &ended, &reason);
    }

    /// Goes on without a leg. Another device is another person's ear; only a global failure ends the search, and at once:
    /// who says so speaks for the user (RFC 3261 §16.7 step 5, §21.6).
    fn leg_over(&mut self, now: Now, key: CallKey, (device, is_global): (bool, bool), reply: Reply) {
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.state == State::Ending {
            return self.finish_if_done(now, key);
        }
        call.fork.note(reply, device);
        if device && is_global {
            let reply = call.fork.take_failure();
            return self.refuse_caller(now, key, reply);
        }
        self.dial_more(now, key);
    }

    /// Calls what a redirection leads to.
    fn go_on(&mut self, now: Now, key: CallKey) {
        match self.calls.get(key).map(|call| call.state) {
            Some(State::Ending) => self.finish_if_done(now, key),
            _ => self.dial_more(now, key),
        }
    }

    /// What a leg hears of another leg's failure.
    pub(crate) fn failure_reply(
        &self,
        key: CallKey,
        (from, to): (LegNo, LegNo),
        method: &Method,
        failure: &Failure,
    ) -> Reply {
        let nobody = || Reply::new(StatusCode::SERVER_INTERNAL_ERROR);
        let Some(call) = self.calls.get(key) else { return nobody() };
        let (Some(from), Some(to)) = (call.leg(from), call.leg(to)) else { return nobody() };
        let across = Across { crossing: decide::crossing(call, from, to), mode: call.media.mode() };
        across.failed(method, failure, || self.overload_reply())
    }
}

/// Whether a failure speaks of the way only: then the next place is tried, which for a device is another way to the same one.
/// `by_flow` says that it went on a flow to a trunk.
pub(super) fn tries_another(failure: &Failure, device: bool, by_flow: bool, profile: &Profile) -> bool {
    match failure {
        Failure::Response(response) if device => is_of_the_way(response.status()),
        Failure::Response(response) if by_flow && response.status() == StatusCode::FLOW_FAILED => true,
        Failure::Response(response) => policy::fails_over(response.status(), profile),
        Failure::Timeout | Failure::Unreachable(_) => true,
        Failure::Challenged(_) | Failure::Full => false,
    }
}

/// Whether a failure may be that of the flow to a trunk. 430 speaks of another one, but whoever sends it to us means ours
/// (RFC 5626 §11.5).
pub(super) fn speaks_of_flow(failure: &Failure) -> bool {
    match failure {
        Failure::Response(response) => response.status() == StatusCode::FLOW_FAILED,
        Failure::Challenged(_) | Failure::Full | Failure::Unreachable(Unreachable::Overloaded) => false,
        Failure::Timeout | Failure::Unreachable(_) => true,
    }
}

/// Whether a device's final response speaks of the way to it only; with all others the device has given its response
/// (RFC 5626 §7).
fn is_of_the_way(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::FLOW_FAILED)
}
