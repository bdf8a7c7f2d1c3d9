//! A subscription begins: whom it is to has accepted it, by a 2xx or by telling of it.

use super::{BridgeKey, Bridged, Life, Usage};
use crate::call::outside::{Asked, Waiting};
use crate::registrar::leads_back;
use crate::shard::Core;
use crate::snapshot::conduct;
use sip::Received;
use sip::session::{Parts, Reply, RequestId, SessionId};
use sip::subscription::subscriber::Subscriber;
use sip::time::Now;
use sip_types::header::{Expires, SubscriptionState};
use sip_types::{Fields, HeaderName, Headers, Response, StatusCode};
use std::time::Duration;

/// What a SUBSCRIBE asks for that names no time: only its package knows, and what is granted counts.
const UNSAID: u32 = 3_600;

/// What a SUBSCRIBE asks for. A malformed Expires asks for nothing (RFC 3261 §20.19).
pub(super) fn asked(headers: &Headers) -> Option<u32> {
    headers.get::<Expires>().ok().flatten().map(|expires| expires.0)
}

/// Says what was granted, which is never more than was asked for (RFC 6665 §4.2.1.1).
pub(super) fn grant(fields: &mut Fields, asked: Option<u32>) {
    let granted = fields.get::<Expires>().ok().flatten().map(|expires| expires.0);
    let granted = granted.or(asked).unwrap_or(UNSAID).min(asked.unwrap_or(u32::MAX));
    fields.remove(HeaderName::Expires);
    fields.push(HeaderName::Expires, granted.to_string());
}

/// 202 means what 200 does, and is not sent any more (RFC 6665 §8.3.1).
pub(super) fn success(status: StatusCode) -> StatusCode {
    if status == StatusCode::ACCEPTED { StatusCode::OK } else { status }
}

impl Core {
    /// A SUBSCRIBE of ours has had its 2xx before any NOTIFY.
    pub(crate) fn subscription_granted(
        &mut self,
        now: Now,
        waiting: Waiting,
        place: &Asked,
        response: &Response,
    ) {
        let listener = self.endpoint.settings().listener(waiting.request.flow.listener);
        let mut parts = waiting.across(place).whole(response, listener).parts;
        grant(&mut parts.fields, asked(waiting.request.headers()));
        let Some(key) = self.accept(now, waiting, place, parts) else {
            // The NOTIFY that follows finds nothing, and its 481 ends the subscription there.
            self.endpoint.end_subscription(now, place.session);
            return;
        };
        self.subscriptions.with(key, |bridged| bridged.state.handle_outcome(now, &Ok(response.clone())));
    }

    /// A NOTIFY has come before the response to its SUBSCRIBE (RFC 6665 §4.1.2.4).
    pub(super) fn subscription_told(
        &mut self,
        now: Now,
        session: SessionId,
        id: RequestId,
        request: &Received,
    ) {
        let refuse = |status| Reply::new(status);
        let state = request.headers().get::<SubscriptionState>().ok().flatten();
        let Some(state) = state else {
            let _ = self.endpoint.answer_notifier(now, session, id, &refuse(StatusCode::BAD_REQUEST));
            return;
        };
        let Some((waiting, place)) = self.outside.take(session) else { return };
        let mut parts = Parts::default();
        if let Some(expires) = state.expires().filter(|_| !state.is("terminated")) {
            parts.fields.push(HeaderName::Expires, expires.to_string());
        }
        grant(&mut parts.fields, asked(waiting.request.headers()));
        match self.accept(now, waiting, &place, parts) {
            Some(key) => self.on_notify(now, key, id, request),
            None => {
                let gone = refuse(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
                let _ = self.endpoint.answer_notifier(now, session, id, &gone);
                self.endpoint.end_subscription(now, session);
            }
        }
    }

    /// Accepts the SUBSCRIBE that waits, and joins the two sides; `None` if it can make no dialog, or gave up.
    fn accept(&mut self, now: Now, waiting: Waiting, place: &Asked, parts: Parts) -> Option<BridgeKey> {
        let held = waiting.subscription?;
        let by_flow = leads_back(&waiting.snapshot, &self.endpoint, &waiting.request);
        let session = self.endpoint.accept_subscription(now, waiting.id, by_flow, parts).ok()?;
        let label = self.label(waiting.trunk.as_ref());
        self.endpoint.label(session, label);
        self.endpoint.conduct(now, session, conduct(&waiting.profile));
        let headers = waiting.request.headers();
        let event = headers.first(HeaderName::Event).and_then(|field| field.text().ok()).unwrap_or_default();
        let wait = place.profile.timers.t1 * 64;
        let asked = Duration::from_secs(asked(headers).unwrap_or(UNSAID).into());
        let usage = |session, network, trunk, profile, user| Usage {
            session,
            network,
            trunk,
            profile,
            user,
            life: Life::Open,
        };
        let user = self.user_that_sends(waiting.network, waiting.trunk.as_ref(), &waiting.request);
        tracing::debug!(%event, to = %waiting.request.to.uri(), "a subscription is carried");
        let bridged = Bridged {
            event: event.into(),
            from: waiting.request.from.uri().to_string().into(),
            request_uri: waiting.request.request.uri_text().into(),
            began: now.wall,
            notifications: 0,
            subscriber: usage(session, waiting.network, waiting.trunk, waiting.profile, user),
            notifier: usage(
                place.session,
                place.network,
                place.trunk.clone(),
                place.profile.clone(),
                place.user.clone(),
            ),
            snapshot: waiting.snapshot,
            state: Subscriber::new(now, asked, wait),
            carried: Vec::new(),
            held: Vec::new(),
            _held: held,
        };
        Some(self.subscriptions.enter(bridged))
    }
}
