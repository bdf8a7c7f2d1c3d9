//! The side that was asked: it accepts a REFER, and tells what comes of it.

use super::{PACKAGE, Refer, ReferId, Told};
use crate::dialog::DialogNo;
use crate::endpoint::Endpoint;
use crate::event::{Event, Failure};
use crate::io::Timer;
use crate::received::Received;
use crate::session::{
    Body, IntentError, Outgoing, OutgoingId, Parts, Purpose, Reply, RequestId, SessionId, SessionTimer, Stage,
};
use crate::subscription::notifier::{EndReason, Notify, State, Subscription};
use crate::time::Now;
use crate::transaction::ServerId;
use bytestring::ByteString;
use sip_types::header::{Event as EventField, Expires};
use sip_types::{Fields, HeaderName, Method, Response, StatusCode};
use std::time::Duration;

/// The longest that a refresh prolongs the subscription by.
const LONGEST: u32 = 3_600;

impl Endpoint {
    /// Accepts a REFER that [`Event::Referred`] told of: with 200, as 202 is no more (RFC 7647 §5). Its sender is told at once
    /// that it is tried, then what [`tell_referrer`](Self::tell_referrer) is told, for that `lifetime` unless it prolongs
    /// it. Without a lifetime it is told nothing, which only its sender can ask for (RFC 4488 §4); then there is no name.
    ///
    /// # Errors
    /// The session or request is gone.
    pub fn accept_refer(
        &mut self,
        now: Now,
        sid: SessionId,
        id: RequestId,
        lifetime: Option<Duration>,
    ) -> Result<Option<ReferId>, IntentError> {
        let mut ok = Reply::new(StatusCode::OK);
        if lifetime.is_none() {
            // To who requires `nosub` it says nothing new (RFC 7614 §5.3).
            ok.parts.fields.push(HeaderName::ReferSub, "false");
        }
        let incoming = self.take_incoming(sid, id, &ok)?;
        self.reply(now, incoming.server, &incoming.request, None, true, &ok);
        let Some(lifetime) = lifetime else { return Ok(None) };
        self.begin_to_tell(now, sid, incoming.request.cseq.seq, lifetime).map(Some)
    }

    /// The same of a REFER outside a dialog that [`Event::Asked`] told of and [`Refer::read`] has read: the subscription has a dialog of
    /// its own, and a session, which is over with it. NOTIFYs go on the flow that it came on where `by_flow` says so.
    ///
    /// # Errors
    /// As for [`accept_subscription`](Self::accept_subscription).
    pub fn accept_refer_outside(
        &mut self,
        now: Now,
        id: RequestId,
        by_flow: bool,
        lifetime: Option<Duration>,
    ) -> Result<Option<(SessionId, ReferId)>, IntentError> {
        let Some(lifetime) = lifetime else {
            let mut ok = Reply::new(StatusCode::OK);
            ok.parts.fields.push(HeaderName::ReferSub, "false");
            return self.answer_asked(now, id, &ok).map(|()| None);
        };
        let number = self.asked.get(&id.0).map(|request| request.cseq.seq).ok_or(IntentError::Gone)?;
        let sid = self.accept_subscription(now, id, by_flow, Parts::default())?;
        self.begin_to_tell(now, sid, number, lifetime).map(|name| Some((sid, name)))
    }

    fn begin_to_tell(
        &mut self,
        now: Now,
        sid: SessionId,
        number: u32,
        lifetime: Duration,
    ) -> Result<ReferId, IntentError> {
        let session = self.sessions.get_mut(sid).ok_or(IntentError::Gone)?;
        let refers = session.refers.get_or_insert_default();
        refers.first.get_or_insert(number);
        refers.told.push(Told {
            number,
            subscription: Subscription::new(now, lifetime, true, Duration::ZERO),
            status: StatusCode::TRYING,
            reason: ByteString::new(),
            under_way: None,
        });
        self.notify_referrer(now, sid, number);
        Ok(ReferId(number))
    }

    /// Tells the sender of a REFER how far it has come; a final status is the last word, and so is what nothing more follows
    /// (`last`): it ends the subscription with `noresource` (RFC 3515 §2.4.7). Of several that come while a NOTIFY is under way, the last one is told.
    ///
    /// # Errors
    /// The session is gone, or the subscription is over.
    pub fn tell_referrer(
        &mut self,
        now: Now,
        sid: SessionId,
        refer: ReferId,
        (status, reason): (StatusCode, ByteString),
        last: bool,
    ) -> Result<(), IntentError> {
        let told = self.told(sid, refer.0).ok_or(IntentError::Gone)?;
        (told.status, told.reason) = (status, reason);
        match last || status.is_final() {
            true => told.subscription.end(now, EndReason::Noresource, None),
            false => told.subscription.changed(),
        }
        self.notify_referrer(now, sid, refer.0);
        Ok(())
    }

    /// A REFER of the peer goes up, or is refused.
    pub(in crate::session) fn on_refer(
        &mut self,
        now: Now,
        sid: SessionId,
        no: DialogNo,
        server: ServerId,
        request: Received,
    ) {
        let refer = match Refer::read(&request) {
            Ok(refer) => Box::new(refer),
            Err(refusal) => return self.reply(now, server, &request, None, false, &refusal),
        };
        let limit = self.settings.limits.pending_requests;
        let told = self.sessions.get(sid).and_then(|session| session.refers.as_ref());
        if told.is_some_and(|refers| refers.told.len() >= limit) {
            self.counters.pending_full += 1;
            let reply = self.unavailable();
            return self.reply(now, server, &request, None, false, &reply);
        }
        if self.hold(now, sid, no, server, &request) {
            self.counters.refers += 1;
            self.io.tell(Event::Referred { session: sid, id: RequestId(server), refer, request });
        }
    }

    /// A SUBSCRIBE in the dialog of a session: it prolongs or ends what a REFER has begun, and begins nothing by itself: 403
    /// (RFC 3515 §2.4.4).
    pub(in crate::session) fn on_refer_subscribe(
        &mut self,
        now: Now,
        sid: SessionId,
        server: ServerId,
        request: &Received,
    ) {
        let event = request.headers().get::<EventField>().ok().flatten();
        let Some(event) = event.filter(|event| event.is(PACKAGE)) else {
            let mut reply = Reply::new(StatusCode::BAD_EVENT);
            reply.parts.fields.push(HeaderName::AllowEvents, PACKAGE);
            return self.reply(now, server, request, None, false, &reply);
        };
        let first = self.sessions.get(sid).and_then(|s| s.refers.as_ref()).and_then(|refers| refers.first);
        let number = event.id().map_or(first, |id| id.parse().ok());
        let asked = request.headers().get::<Expires>().ok().flatten().map_or(LONGEST, |e| e.0.min(LONGEST));
        let Some(told) = number.and_then(|number| self.told(sid, number)) else {
            return self.reply(now, server, request, None, false, &Reply::new(StatusCode::FORBIDDEN));
        };
        told.subscription.refresh(now, Duration::from_secs(asked.into()));
        let number = told.number;
        let mut ok = Reply::new(StatusCode::OK);
        ok.parts.fields.push(HeaderName::Expires, asked.to_string());
        self.reply(now, server, request, None, true, &ok);
        self.notify_referrer(now, sid, number);
    }

    /// Time to tell the sender of a REFER something, or that its subscription is over.
    pub(crate) fn refer_due(&mut self, now: Now, sid: SessionId, refer: ReferId) {
        self.notify_referrer(now, sid, refer.0);
    }

    /// The end of a NOTIFY for a REFER. Its failure ends the subscription, and no more than that: the session goes on (RFC 5057 §5.1).
    /// The last word waits for it, and is sent though the session may be over by then; after silence too, once: it is what lets
    /// its receiver, where there is one, forget the subscription.
    pub(in crate::session) fn referrer_notified(
        &mut self,
        now: Now,
        sid: SessionId,
        id: OutgoingId,
        outcome: &Result<Response, Failure>,
    ) {
        self.take_outgoing(sid, id);
        let refers = self.sessions.get_mut(sid).and_then(|session| session.refers.as_mut());
        let told = refers.and_then(|refers| refers.told.iter_mut().find(|told| told.under_way == Some(id)));
        if let Some(told) = told {
            told.under_way = None;
            match outcome {
                Err(Failure::Timeout) if told.subscription.owes_last_word() => told.subscription.not_sent(),
                outcome => told.subscription.handle_outcome(outcome),
            }
            let number = told.number;
            self.notify_referrer(now, sid, number);
        }
        self.sweep(sid);
    }

    fn told(&mut self, sid: SessionId, number: u32) -> Option<&mut Told> {
        let refers = self.sessions.get_mut(sid)?.refers.as_mut()?;
        refers.told.iter_mut().find(|told| told.number == number)
    }

    /// Sends the NOTIFY that is due, if one is; a subscription that nothing more comes of is forgotten. Once the session is over, only
    /// the last word is due.
    fn notify_referrer(&mut self, now: Now, sid: SessionId, number: u32) {
        let Some(session) = self.sessions.get_mut(sid) else { return };
        let is_over = matches!(session.stage, Stage::Ending | Stage::Over);
        let dialog = session.current.filter(|_| session.wants(Purpose::Notify));
        let id = session.name_outgoing();
        let Some(refers) = session.refers.as_mut() else { return };
        let first = refers.first == Some(number);
        let Some(told) = refers.told.iter_mut().find(|told| told.number == number) else { return };
        if is_over && !matches!(told.subscription.state(), State::Terminated(..)) {
            return;
        }
        if let Some(notify) = told.subscription.poll(now) {
            match dialog {
                Some(no) => {
                    told.under_way = Some(id);
                    let parts = notify_parts(told, first, &notify);
                    let mut outgoing = Outgoing::new(id, Purpose::Notify, Method::Notify, parts);
                    outgoing.dialog = Some(no);
                    // No more of them are under way than REFERs may be told of.
                    self.launch(now, sid, outgoing);
                }
                None => told.subscription.not_sent(),
            }
        }
        let Some(told) = self.told(sid, number) else { return };
        if told.subscription.is_over() {
            let refers = self.sessions.get_mut(sid).and_then(|session| session.refers.as_mut());
            refers.into_iter().for_each(|refers| refers.told.retain(|told| told.number != number));
            // A dialog that the REFER has made is over with what it was made for.
            return self.end_subscription(now, sid);
        }
        if let Some(at) = told.subscription.poll_timeout() {
            self.io.timers.arm_at(now, at, Timer::Session(sid, SessionTimer::Refer(ReferId(number))));
        }
    }
}

/// A NOTIFY of the event `refer` (RFC 3515 §2.4.5): a status line, and of the response nothing more, which may speak of the
/// other side.
fn notify_parts(told: &Told, first: bool, notify: &Notify) -> Parts {
    let mut parts = Parts::default();
    match first {
        true => parts.fields.push(HeaderName::Event, PACKAGE),
        false => parts.fields.push(HeaderName::Event, format!("{PACKAGE};id={}", told.number)),
    }
    parts.fields.push(HeaderName::SubscriptionState, notify.state.clone());
    let reason: &str = if told.reason.is_empty() { told.status.reason_phrase() } else { &told.reason };
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "message/sipfrag;version=2.0");
    let line = format!("SIP/2.0 {} {reason}\r\n", told.status.as_u16());
    parts.body = Some(Body { fields, bytes: line.into() });
    parts
}
