//! NOTIFY: what the notifier tells crosses to the subscriber, and its response back.

use super::begin::success;
use super::document::Known;
use super::{BridgeKey, Bridged, Carried, Life, Side};
use crate::call::{OrRefuse, decide};
use crate::shard::Core;
use policy::On;
use sip::session::{OutgoingId, Parts, Reply, RequestId};
use sip::subscription::{self, notifier};
use sip::time::Now;
use sip::{Failure, Received};
use sip_types::header::{Event, SubscriptionState};
use sip_types::{Fields, HeaderName, Method, Response, StatusCode};

impl Bridged {
    /// Whether an Event is that of the subscription (RFC 6665 §8.2.1).
    pub(super) fn is_to(&self, event: &Event) -> bool {
        let mut fields = Fields::default();
        fields.push(HeaderName::Event, &*self.event);
        let ours = fields.get::<Event>().ok().flatten();
        ours.is_some_and(|ours| ours.kind() == event.kind() && ours.id() == event.id())
    }

    /// Says how long the subscription lasts, which is never longer than its subscriber knows (RFC 6665 §4.2.2).
    fn tell_time(&self, now: Now, state: &SubscriptionState, fields: &mut Fields) {
        let left = u32::try_from(self.state.left(now).as_secs()).unwrap_or(u32::MAX);
        if state.is("terminated") || state.expires().is_some_and(|told| told <= left) {
            return;
        }
        let others = state.params().filter(|(name, _)| !name.eq_ignore_ascii_case("expires"));
        let mut text = format!("{};expires={left}", state.kind());
        for (name, value) in others {
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
        }
        fields.remove(HeaderName::SubscriptionState);
        fields.push(HeaderName::SubscriptionState, text);
    }
}

impl Core {
    /// The notifier tells something.
    pub(super) fn on_notify(&mut self, now: Now, key: BridgeKey, id: RequestId, request: &Received) {
        if !self.hold_notify(now, key, id, request) {
            self.take_notify(now, key, id, request, &Known::default());
        }
    }

    /// The same once other shards have said what they know of the dialogs that it names.
    pub(super) fn take_notify(
        &mut self,
        now: Now,
        key: BridgeKey,
        id: RequestId,
        request: &Received,
        known: &Known,
    ) {
        let state = request.headers().get::<SubscriptionState>().ok().flatten();
        let Some(state) = state else {
            // RFC 6665 §4.1.3.
            return self.answer_side(now, key, Side::Notifier, id, &Reply::new(StatusCode::BAD_REQUEST));
        };
        let last = state.is("terminated");
        if self.subscriptions.get(key).is_some_and(|bridged| bridged.subscriber.life != Life::Open) {
            // Nobody is there any more to be told.
            self.answer_side(now, key, Side::Notifier, id, &Reply::new(StatusCode::OK));
            if last {
                self.close_side(now, key, Side::Notifier);
            }
            return;
        }
        let carried = self.carry_notify(now, key, id, (request, known), &state);
        self.subscriptions.with(key, |bridged| {
            bridged.notifications = bridged.notifications.saturating_add(1);
            bridged.state.handle_notify(now, &state);
        });
        if let Err(reply) = carried {
            self.answer_side(now, key, Side::Notifier, id, &reply);
            if last {
                self.close_side(now, key, Side::Notifier);
                self.tell_end(now, key, "deactivated", None);
            }
        }
    }

    fn carry_notify(
        &mut self,
        now: Now,
        key: BridgeKey,
        id: RequestId,
        (request, known): (&Received, &Known),
        state: &SubscriptionState,
    ) -> OrRefuse<()> {
        let refuse = |status| Box::new(Reply::new(status));
        let gone = || refuse(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        let bridged = self.subscriptions.get(key).ok_or_else(gone)?;
        if request.max_forwards.is_some_and(|hops| hops.0 == 0) {
            return Err(refuse(StatusCode::TOO_MANY_HOPS));
        }
        let headers = request.headers();
        decide::extensions(headers, &bridged.notifier.profile)?;
        let crossing = bridged.across(Side::Notifier).crossing;
        let mut parts = decide::parts(headers, On::Request(&Method::Notify), &crossing, None);
        bridged.tell_time(now, state, &mut parts.fields);
        parts.body =
            decide::body_across(&request.request, &decide::rules(&crossing, media::Mode::Bypass, true))?;
        parts.body = self.with_names_across(key, parts.body.take(), known);
        let hops = request.max_forwards.map_or(70, |hops| hops.0.saturating_sub(1));
        let session = bridged.subscriber.session;
        let sent = self.endpoint.request(now, session, Method::Notify, hops, parts);
        let sent = sent.map_err(|_| {
            self.counters.notifies_failed += 1;
            Box::new(self.overload_reply())
        })?;
        self.counters.notifies += 1;
        let carried = Carried { from: Side::Notifier, id, sent, asked: None, last: state.is("terminated") };
        self.subscriptions.with(key, |bridged| bridged.carried.push(carried));
        Ok(())
    }

    /// What became of a NOTIFY of ours.
    pub(super) fn on_notified_across(
        &mut self,
        now: Now,
        key: BridgeKey,
        sent: OutgoingId,
        outcome: &Result<Response, Failure>,
    ) {
        let full = self.overload_reply();
        let Some(bridged) = self.subscriptions.get(key) else { return };
        if bridged.subscriber.life == Life::Ending(sent) {
            return self.close_side(now, key, Side::Subscriber);
        }
        let is_gone = outcome.as_ref().is_err_and(notifier::ends);
        let reply = match outcome {
            Ok(response) => {
                let mut reply = bridged.across(Side::Subscriber).whole(response, None);
                reply.status = success(reply.status);
                reply
            }
            // Nobody is there: to the notifier that is no time-out of ours, but the end.
            Err(Failure::Timeout | Failure::Unreachable(_)) if is_gone => {
                Reply::new(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST)
            }
            Err(why) => bridged.across(Side::Subscriber).failed(&Method::Notify, why, || full),
        };
        self.counters.notifies_failed += u64::from(outcome.is_err());
        let carried = self.subscriptions.with(key, |bridged| bridged.take_carried(Side::Notifier, sent));
        let Some(carried) = carried.flatten() else { return };
        self.answer_side(now, key, Side::Notifier, carried.id, &reply);
        let is_removed = matches!(outcome, Err(Failure::Response(_))) && subscription::ends(reply.status);
        if is_gone || carried.last {
            self.close_side(now, key, Side::Subscriber);
        }
        match (carried.last || is_removed, is_gone) {
            (true, _) => self.close_side(now, key, Side::Notifier),
            // Its NOTIFY may have timed out there as well, before our answer.
            (false, true) => self.unsubscribe(now, key),
            (false, false) => {}
        }
    }

    /// The header fields of a NOTIFY or SUBSCRIBE that is ours alone.
    pub(super) fn own_parts(event: &str, name: HeaderName, value: String) -> Parts {
        let mut parts = Parts::default();
        parts.fields.push(HeaderName::Event, event);
        parts.fields.push(name, value);
        parts
    }
}
