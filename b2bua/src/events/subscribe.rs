//! SUBSCRIBE in the dialog of a subscription: a refresh, or its end, crosses to the notifier.

use super::begin::{asked, grant, success};
use super::{BridgeKey, Carried, Life, Side};
use crate::call::{OrRefuse, decide};
use crate::shard::Core;
use policy::On;
use sip::session::{OutgoingId, Reply, RequestId};
use sip::subscription;
use sip::time::Now;
use sip::{Failure, Received};
use sip_types::header::Event;
use sip_types::{Method, Response, StatusCode};

impl Core {
    /// The subscriber refreshes, or ends, its subscription.
    pub(super) fn on_subscribe_inside(
        &mut self,
        now: Now,
        key: BridgeKey,
        id: RequestId,
        request: &Received,
    ) {
        if let Err(reply) = self.carry_subscribe(now, key, id, request) {
            self.answer_side(now, key, Side::Subscriber, id, &reply);
        }
    }

    fn carry_subscribe(
        &mut self,
        now: Now,
        key: BridgeKey,
        id: RequestId,
        request: &Received,
    ) -> OrRefuse<()> {
        let refuse = |status| Box::new(Reply::new(status));
        let gone = || refuse(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
        let bridged = self.subscriptions.get(key).ok_or_else(gone)?;
        let is_open = |side| bridged.usage(side).life == Life::Open;
        if bridged.state.is_over() || !is_open(Side::Notifier) || !is_open(Side::Subscriber) {
            return Err(gone());
        }
        let headers = request.headers();
        let event = headers.sole::<Event>().map_err(|_| refuse(StatusCode::BAD_REQUEST))?;
        let event = event.ok_or_else(|| refuse(StatusCode::BAD_EVENT))?;
        if !bridged.is_to(&event) {
            // RFC 6665 §4.5.2.
            let mut reply = refuse(StatusCode::FORBIDDEN);
            reply.reason = "Dialog Sharing Not Supported".into();
            return Err(reply);
        }
        if request.max_forwards.is_some_and(|hops| hops.0 == 0) {
            return Err(refuse(StatusCode::TOO_MANY_HOPS));
        }
        decide::extensions(headers, &bridged.subscriber.profile)?;
        let crossing = bridged.across(Side::Subscriber).crossing;
        let mut parts = decide::parts(headers, On::Request(&Method::Subscribe), &crossing, None);
        parts.body =
            decide::body_across(&request.request, &decide::rules(&crossing, media::Mode::Bypass, true))?;
        let hops = request.max_forwards.map_or(70, |hops| hops.0.saturating_sub(1));
        let session = bridged.notifier.session;
        let sent = self.endpoint.request(now, session, Method::Subscribe, hops, parts);
        let sent = sent.map_err(|_| Box::new(self.overload_reply()))?;
        let carried = Carried { from: Side::Subscriber, id, sent, asked: asked(headers), last: false };
        self.subscriptions.with(key, |bridged| {
            bridged.state.handle_refresh(now);
            bridged.carried.push(carried);
        });
        Ok(())
    }

    /// What became of a SUBSCRIBE of ours.
    pub(super) fn on_subscribed_across(
        &mut self,
        now: Now,
        key: BridgeKey,
        sent: OutgoingId,
        outcome: &Result<Response, Failure>,
    ) {
        let full = self.overload_reply();
        let Some(bridged) = self.subscriptions.get(key) else { return };
        if bridged.notifier.life == Life::Ending(sent) {
            if outcome.is_err() {
                self.close_side(now, key, Side::Notifier);
            }
            return;
        }
        let reply = match outcome {
            Ok(response) => {
                let mut reply = bridged.across(Side::Notifier).whole(response, None);
                reply.status = success(reply.status);
                reply
            }
            Err(why) => bridged.across(Side::Notifier).failed(&Method::Subscribe, why, || full),
        };
        let Some((carried, is_over)) = self.subscriptions.with(key, |bridged| {
            let carried = bridged.take_carried(Side::Subscriber, sent);
            // Of the first SUBSCRIBE only the time is news: a NOTIFY has accepted it before.
            if carried.is_some() || outcome.is_ok() {
                bridged.state.handle_outcome(now, outcome);
            }
            (carried, bridged.state.is_over())
        }) else {
            return;
        };
        let Some(carried) = carried else { return };
        let mut reply = reply;
        if outcome.is_ok() {
            grant(&mut reply.parts.fields, carried.asked);
        }
        self.answer_side(now, key, Side::Subscriber, carried.id, &reply);
        if is_over {
            self.close_side(now, key, Side::Notifier);
            match subscription::ends(reply.status) {
                true => self.close_side(now, key, Side::Subscriber),
                false => self.tell_end(now, key, "deactivated", None),
            }
        }
    }
}
