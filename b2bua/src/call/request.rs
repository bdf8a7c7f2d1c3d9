//! Other requests in the dialog: carried, with their bodies and what nobody here understands.

use super::across::Across;
use super::exchange::Between;
use super::outside::message;
use super::{Call, CallKey, Carried, LegNo, OrRefuse, State, decide};
use crate::shard::{Core, listener_in};
use policy::{Crossing, On};
use sip::dialog::DialogNo;
use sip::session::{IntentError, OutgoingId, Reply, RequestId, SessionId};
use sip::time::Now;
use sip::{Failure, Received};
use sip_types::{HeaderName, Method, Response, StatusCode};

impl Core {
    /// A request in a dialog that our user agent does not serve by itself.
    pub(crate) fn on_requested(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, DialogNo),
        id: RequestId,
        request: &Received,
    ) {
        if self.takes_key(now, key, (leg, dialog), id, request) {
            return;
        }
        if let Err(reply) = self.carry_request(now, key, (leg, dialog), id, request) {
            let session = self.calls.get(key).and_then(|c| c.leg(leg)).map(|l| l.session);
            if let Some(session) = session {
                let _ = self.endpoint.respond(now, session, id, &reply);
            }
        }
    }

    fn carry_request(
        &mut self,
        now: Now,
        key: CallKey,
        (leg, dialog): (LegNo, DialogNo),
        id: RequestId,
        request: &Received,
    ) -> OrRefuse<()> {
        let refuse = |status| Box::new(Reply::new(status));
        let call = self.calls.get(key).ok_or_else(|| refuse(StatusCode::SERVER_INTERNAL_ERROR))?;
        let (other, dialog) = call.beyond(leg, dialog).ok_or_else(|| refuse(StatusCode::REQUEST_PENDING))?;
        let (Some(from), Some(to)) = (call.leg(leg), call.leg(other)) else {
            return Err(refuse(StatusCode::SERVER_INTERNAL_ERROR));
        };
        if request.max_forwards.is_some_and(|m| m.0 == 0) {
            return Err(refuse(StatusCode::TOO_MANY_HOPS));
        }
        let crossing = decide::crossing(call, from, to);
        let headers = request.headers();
        decide::extensions(headers, &from.profile)?;
        policy::method_crosses(request.method(), &crossing).map_err(|refused| {
            let mut reply = refuse(refused.status());
            let listener = listener_in(&self.endpoint, from.network);
            let allow = listener.map(|l| l.allow_without(request.method())).unwrap_or_default();
            reply.parts.fields.push(HeaderName::Allow, allow);
            reply
        })?;
        self.takes_package((to.session, dialog), &crossing, request)?;
        let settings = self.endpoint.settings();
        message::permit(&from.profile, message::is_secure(settings, &request.flow), &request.request)?;
        message::permit(&to.profile, self.endpoint.goes_securely(to.session), &request.request)?;
        let rules = decide::rules(&crossing, call.media.mode(), true);
        let body = decide::body_across(&request.request, &rules)?;
        let mut parts = decide::parts(headers, On::Request(request.method()), &crossing, None);
        parts.body = body;
        let max_forwards = request.max_forwards.map_or(70, |m| m.0.saturating_sub(1));
        let (session, method) = (to.session, request.method().clone());
        let sent =
            self.endpoint.request_in(now, session, dialog, method, max_forwards, parts).map_err(|why| {
                match why {
                    IntentError::Full => Box::new(self.overload_reply()),
                    // Its peer may not know of the early dialog yet.
                    IntentError::WrongState if dialog.is_some() => refuse(StatusCode::REQUEST_PENDING),
                    // The other leg is on its way out.
                    _ => refuse(StatusCode::TEMPORARILY_UNAVAILABLE),
                }
            })?;
        if let Some(call) = self.calls.get_mut(key) {
            call.carried.push(Carried { from: leg, id, to: other, sent, method: request.method().clone() });
        }
        Ok(())
    }

    /// Whether the other side takes the Info Package of an INFO, if it is of one (RFC 6086 §4.2.2).
    ///
    /// # Errors
    /// It does not: 469 with those that it does take.
    fn takes_package(
        &self,
        (to, dialog): (SessionId, Option<DialogNo>),
        crossing: &Crossing<'_>,
        request: &Received,
    ) -> OrRefuse<()> {
        let field = request.headers().first(HeaderName::InfoPackage);
        let Some(field) = field.filter(|_| *request.method() == Method::Info) else { return Ok(()) };
        let name =
            |element: &str| element.split(';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
        let wanted = name(field.text().unwrap_or_default());
        let taken = self.endpoint.info_packages(to, dialog).unwrap_or_default();
        let taken = policy::info_packages(taken, crossing);
        if taken.split(',').any(|package| !package.trim_ascii().is_empty() && name(package) == wanted) {
            return Ok(());
        }
        let mut reply = Reply::new(StatusCode::BAD_INFO_PACKAGE);
        reply.parts.fields.push(HeaderName::RecvInfo, taken);
        Err(Box::new(reply))
    }

    /// A leg has ended while the call goes on without it: who waits for what it was asked is told so.
    pub(super) fn answer_carried(&mut self, now: Now, key: CallKey, gone: LegNo) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let waiting: Vec<_> = call.carried.extract_if(.., |carried| carried.to == gone).collect();
        for carried in waiting {
            let session = self.calls.get(key).and_then(|call| call.leg(carried.from)).map(|leg| leg.session);
            if let Some(session) = session {
                let gone = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
                let _ = self.endpoint.respond(now, session, carried.id, &gone);
            }
        }
    }

    /// The end of a request of ours: an UPDATE, or one that was carried.
    pub(crate) fn on_responded(
        &mut self,
        now: Now,
        key: CallKey,
        leg: LegNo,
        sent: OutgoingId,
        outcome: &Result<Response, Failure>,
    ) {
        if self.on_update_over(now, key, leg, sent, outcome) || self.key_told(now, key, leg, sent, outcome) {
            return;
        }
        let Some(call) = self.calls.get_mut(key) else { return };
        let Some(at) = call.carried.iter().position(|c| c.to == leg && c.sent == sent) else { return };
        let carried = call.carried.swap_remove(at);
        let reply = match outcome {
            Ok(response) => self.response_across(key, leg, carried.from, response),
            Err(why) => self.failure_reply(key, (leg, carried.from), &carried.method, why),
        };
        let Some(session) = self.calls.get(key).and_then(|c| c.leg(carried.from)).map(|l| l.session) else {
            return;
        };
        let _ = self.endpoint.respond(now, session, carried.id, &reply);
    }

    /// One leg's response as the other leg gives it, status and body as they are.
    pub(crate) fn response_across(&self, key: CallKey, from: LegNo, to: LegNo, response: &Response) -> Reply {
        let alone = || Reply::new(response.status());
        let Some(call) = self.calls.get(key) else { return alone() };
        let (Some(from), Some(to)) = (call.leg(from), call.leg(to)) else { return alone() };
        Across { crossing: decide::crossing(call, from, to), mode: call.media.mode() }.whole(response, None)
    }
}

impl Call {
    /// The leg that a request in a dialog of that one is for, and the dialog where that is early: before the answer, a request goes
    /// by the pair of early dialogs that it came in (RFC 6086 §4.2.1).
    fn beyond(&self, leg: LegNo, dialog: DialogNo) -> Option<(LegNo, Option<DialogNo>)> {
        match (self.state, self.between(leg, dialog)?) {
            (State::Established, Between::Standing) => Some((self.other(leg)?, None)),
            (State::SettingUp, Between::Early(at)) => {
                let pair = self.pairs.get(at)?;
                match leg {
                    LegNo::CALLER => Some((pair.callee, Some(pair.callee_dialog?))),
                    _ => Some((LegNo::CALLER, Some(pair.caller_dialog))),
                }
            }
            (_, _) => None,
        }
    }
}
