//! The end of legs, and of the call with the last of them.

use super::{Call, CallKey, Leg, LegEnd, LegNo, Release, State, decide};
use crate::cdr::Record;
use crate::shard::Core;
use policy::{On, Step, Tried};
use sip::location::Found;
use sip::session::{IntentError, Reply};
use sip::time::Now;
use sip::{End, Failure, Received, Unreachable};
use sip_types::header::CSeq;
use sip_types::{Fields, HeaderName, Headers, Method, Response, StatusCode};

impl Leg {
    /// What the history of another leg tells of it.
    pub(crate) fn as_tried(&self, network: sip::NetworkId) -> Tried<'_> {
        Tried {
            target: &self.target,
            status: self.end.as_ref().and_then(|end| end.status),
            reason: self.end.as_ref().and_then(|end| end.reason.as_deref()),
            redirected: self.redirected.as_deref().copied(),
            same_network: self.network == network,
            heard: false,
            brought: &[],
        }
    }

    /// Notes how it ended; without a Reason that came with it, with the one that it was ended with.
    pub(crate) fn close(
        &mut self,
        at: Now,
        status: Option<StatusCode>,
        cause: &'static str,
        reason: Option<String>,
    ) {
        if self.end.is_none() {
            let reason = reason.or_else(|| self.farewell.take());
            self.end = Some(LegEnd { at, status, cause, reason, release: None });
        }
    }

    /// Notes the Reason that it is ended with.
    pub(crate) fn bid_farewell(&mut self, fields: &Fields) {
        if self.farewell.is_some() {
            return;
        }
        self.farewell = fields.first(HeaderName::Reason).map(|f| f.unfolded().into_owned());
    }

    /// How it was let go, if it had been answered.
    fn release(&self, why: &End, authenticated: bool) -> Option<Release> {
        if self.confirmed.is_none() && !has_had_bye(why) {
            return None;
        }
        match why {
            End::Bye(_) => Some(Release::ByPeer),
            End::HungUp(Some(response)) if response.status().is_success() => {
                Some(Release::Confirmed { authenticated })
            }
            End::HungUp(_) => Some(Release::Unconfirmed),
            End::Cancelled(_)
            | End::Expired
            | End::Rejected(_)
            | End::Lost(_)
            | End::SessionExpired
            | End::Left
            | End::NoAck
            | End::NoPrack => None,
        }
    }
}

impl Call {
    /// Adds to the trail how a branch of a fork has ended.
    pub(crate) fn explain_end(&mut self, no: LegNo) {
        let Some(leg) = self.leg(no).filter(|leg| leg.device) else { return };
        let Some(end) = &leg.end else { return };
        let step = Step::Branch { contact: leg.target.as_str().into(), status: end.status, cause: end.cause };
        self.trail.push(step);
    }
}

impl Call {
    /// From here on its legs are let go: nobody else is called, and no media flows, however long it takes to hear of a BYE
    /// (RFC 3261 §15.1.1).
    fn let_go(&mut self) {
        self.state = State::Ending;
        self.fork.clear();
        self.media.stop();
    }
}

impl Core {
    /// How whom a leg called was found is told when its session is over.
    pub(crate) fn keep_found(&mut self, key: CallKey, no: LegNo, found: Option<Box<Found>>) {
        if let Some(leg) = self.calls.get_mut(key).and_then(|call| call.leg_mut(no)) {
            leg.found = found;
        }
    }

    /// A session is over; `authenticated` says that a BYE of ours for it carried credentials.
    pub(crate) fn on_ended(&mut self, now: Now, key: CallKey, no: LegNo, why: &End, authenticated: bool) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(leg) = call.leg_mut(no) else { return };
        let was_over = leg.end.is_some();
        let (status, cause, reason) = match why {
            End::Bye(request) => (None, "BYE from the peer", reason_of(request.headers())),
            End::Cancelled(request) => (None, "CANCEL from the peer", reason_of(request.headers())),
            End::Expired => (Some(StatusCode::REQUEST_TERMINATED), "INVITE expired", None),
            End::Rejected(failure @ Failure::Unreachable(Unreachable::Overloaded)) => {
                (status_of(failure), "next hop overloaded", None)
            }
            End::Rejected(failure @ (Failure::Response(response) | Failure::Challenged(response))) => {
                (status_of(failure), "INVITE failed", reason_of(response.headers()))
            }
            End::Rejected(failure) => (status_of(failure), "INVITE failed", None),
            // The answer to our CANCEL is that of the INVITE; that to a BYE says nothing more.
            End::HungUp(response) => {
                let of_invite = leg.confirmed.is_none() && !has_had_bye(why);
                let status = response.as_ref().map(Response::status).filter(|_| of_invite);
                (status, "ended by us", None)
            }
            End::Left => (Some(StatusCode::REQUEST_TERMINATED), "early dialog ended", None),
            End::Lost(failure) => (status_of(failure), "dialog lost", None),
            End::SessionExpired => (None, "session expired", None),
            End::NoAck => (None, "no ACK", None),
            End::NoPrack => (Some(StatusCode::SERVER_TIMEOUT), "no PRACK", None),
        };
        leg.close(now, status, cause, reason);
        let release = leg.release(why, authenticated);
        if let Some(end) = &mut leg.end {
            end.release = release;
        }
        // It is no call of its trunk any more, however long another leg talks.
        leg._in_trunk = None;
        let breadth = std::mem::take(&mut leg.breadth);
        call.fork.give_back(breadth);
        if !was_over {
            call.explain_end(no);
        }
        let joined = call.party(no).is_some();
        let answered = call.joined().is_some();
        if !joined {
            self.give_up_taking_over(now, key, no);
            self.answer_carried(now, key, no);
        } else if self.outlives(now, key, no) {
            self.answer_carried(now, key, no);
            return;
        }
        if self.target_gone(now, key, no, why) {
            return self.finish_if_done(now, key);
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        match why {
            End::Rejected(failure) if !joined && no != LegNo::CALLER => {
                return self.leg_failed(now, key, no, failure);
            }
            End::Bye(request) | End::Cancelled(request)
                if joined || (!answered && call.is_called_for(no)) =>
            {
                self.hang_up_others(now, key, no, request);
            }
            // The other legs are being ended already.
            _ if call.state == State::Ending => {}
            // It had lost against another leg, or its place to one.
            _ if answered && !joined => self.dial_more(now, key),
            End::Left => self.branch_failed(now, key, no, Reply::new(StatusCode::REQUEST_TERMINATED)),
            End::Lost(_) => self.end_call(now, key, &decide::reason(481, "Dialog lost"), "dialog lost"),
            End::SessionExpired => {
                self.end_call(now, key, &decide::reason(408, "Session expired"), "session expired");
            }
            End::NoAck => self.end_call(now, key, &decide::reason(408, "No ACK"), "no ACK"),
            End::NoPrack => self.end_call(now, key, &decide::reason(504, "No PRACK"), "no PRACK"),
            End::Expired => self.end_call(now, key, &decide::reason(487, "INVITE expired"), "INVITE expired"),
            End::Rejected(_) => self.end_call(now, key, &decide::reason(487, "Call ended"), "call ended"),
            End::HungUp(_) if joined => {
                self.end_call(now, key, &decide::reason(487, "Call ended"), "call ended");
            }
            // A leg that was given up is over now, even if its own BYE came first: what it had of the breadth is free.
            End::HungUp(_) | End::Bye(_) | End::Cancelled(_) => self.dial_more(now, key),
        }
        self.finish_if_done(now, key);
    }

    /// A leg hung up: the others are, with the Reason and whatever else its request carried.
    fn hang_up_others(&mut self, now: Now, key: CallKey, no: LegNo, request: &Received) {
        self.end_transfers(now, key);
        let Some(call) = self.calls.get_mut(key) else { return };
        if call.state != State::Ending {
            call.hung_up = Some(no);
        }
        call.let_go();
        let Some(from) = call.leg(no) else { return };
        let mut work = Vec::new();
        for leg in call.legs().filter(|l| l.no != no && l.end.is_none()) {
            let crossing = decide::crossing(call, from, leg);
            work.push((
                leg.no,
                leg.session,
                decide::carried(request.headers(), On::Request(request.method()), &crossing),
            ));
        }
        for (leg, session, fields) in work {
            self.end_leg(now, key, leg, session, fields);
        }
    }

    /// Ends one leg in the way that its state asks for.
    pub(crate) fn end_leg(
        &mut self,
        now: Now,
        key: CallKey,
        no: LegNo,
        session: sip::session::SessionId,
        mut fields: Fields,
    ) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let joined = call.joined().is_some();
        let is_refused = no == LegNo::CALLER && !joined;
        if let Some(leg) = call.leg_mut(no) {
            let status = is_refused.then_some(StatusCode::TEMPORARILY_UNAVAILABLE);
            policy::add_cause(&mut fields, status, &leg.profile);
            leg.bid_farewell(&fields);
        }
        // Who waits for an answer of ours is refused.
        if !is_refused && self.endpoint.end(now, session, fields.clone()) != Err(IntentError::WrongState) {
            return;
        }
        let mut reply = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
        reply.parts.fields = fields;
        let _ = self.endpoint.reject(now, session, &reply);
        if let Some(call) = self.calls.get_mut(key) {
            call.leg_mut(no).into_iter().for_each(|leg| leg.close(now, Some(reply.status), "refused", None));
        }
    }

    /// Ends a call for a reason of ours.
    pub(crate) fn end_call(&mut self, now: Now, key: CallKey, reason: &Fields, cause: &'static str) {
        self.end_transfers(now, key);
        let Some(call) = self.calls.get_mut(key) else { return };
        call.let_go();
        if call.cause.is_none() {
            call.cause = Some(cause);
        }
        let live: Vec<_> = call.legs().filter(|l| l.end.is_none()).map(|l| (l.no, l.session)).collect();
        for (no, session) in live {
            self.end_leg(now, key, no, session, reason.clone());
        }
        self.carry_out_media(key);
        self.finish_if_done(now, key);
    }

    /// Ends every leg towards the called side.
    pub(crate) fn release_callees(&mut self, now: Now, key: CallKey, reason: &Fields) {
        let Some(call) = self.calls.get_mut(key) else { return };
        call.let_go();
        let live: Vec<_> =
            call.callees.iter().filter(|l| l.end.is_none()).map(|l| (l.no, l.session)).collect();
        for (no, session) in live {
            self.end_leg(now, key, no, session, reason.clone());
        }
    }

    /// Lets a call go when the last of its legs has ended.
    pub(crate) fn finish_if_done(&mut self, now: Now, key: CallKey) {
        let Some(call) = self.calls.get(key) else { return };
        if call.legs().any(|leg| leg.end.is_none()) {
            return;
        }
        self.end_transfers(now, key);
        let Some(call) = self.calls.get(key) else { return };
        let record = Record::of(call, &self.node, now);
        let Some(mut call) = self.leave(key) else { return };
        for leg in call.legs() {
            for stream in call.media.tally(call.party(leg.no).unwrap_or(leg.party)) {
                self.counters.quality.observe(&stream.counted, &stream.quality);
            }
        }
        let joined = call.joined().and_then(|(leg, ..)| call.leg(leg)).or(call.callees.last());
        tracing::debug!(
            call = %call.id,
            sip_call_id = call.sip_call_id(),
            leg_sip_call_id = joined.map(|leg| &*leg.call_id),
            session_id = call.session_id().map(tracing::field::display),
            leg_session_id = joined.and_then(|leg| leg.identifier.as_deref()).map(tracing::field::display),
            cause = record.cause,
            released_by = record.released_by,
            duration_seconds = record.duration_seconds,
            "a call is over"
        );
        call.media.close();
        while let Some(command) = call.media.poll_command() {
            self.link.carry_out(command);
        }
        self.records.push(record);
        self.counters.ended += 1;
    }
}

/// Whether we ended it with a BYE that was answered, though nobody was told of a 2xx: that crossed our CANCEL.
fn has_had_bye(why: &End) -> bool {
    let End::HungUp(Some(response)) = why else { return false };
    response.headers().require::<CSeq>().is_ok_and(|cseq| cseq.method == Method::Bye)
}

fn status_of(failure: &Failure) -> Option<StatusCode> {
    match failure {
        Failure::Response(response) | Failure::Challenged(response) => Some(response.status()),
        Failure::Timeout => Some(StatusCode::REQUEST_TIMEOUT),
        Failure::Unreachable(_) | Failure::Full => Some(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The Reason of a message, as text (RFC 3326).
fn reason_of(headers: &Headers) -> Option<String> {
    headers.first(HeaderName::Reason).map(|f| f.unfolded().into_owned())
}
