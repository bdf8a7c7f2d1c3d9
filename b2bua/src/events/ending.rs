//! The end of a subscription on each side, and the times that bring it.

use super::{BridgeKey, Life, Side};
use crate::shard::Core;
use sip::subscription::subscriber::{Over, State};
use sip::time::Now;
use sip_types::{HeaderName, Method};
use std::time::Duration;

impl Core {
    /// Lets the usage of one side go.
    pub(super) fn close_side(&mut self, now: Now, key: BridgeKey, side: Side) {
        if let Some(session) = self.subscriptions.close(key, side) {
            self.endpoint.end_subscription(now, session);
        }
    }

    /// Tells the subscriber that it is over, perhaps with the time after which it may try again.
    pub(super) fn tell_end(&mut self, now: Now, key: BridgeKey, why: &str, retry_after: Option<Duration>) {
        let Some(bridged) = self.subscriptions.get(key) else { return };
        if bridged.subscriber.life != Life::Open {
            return;
        }
        let session = bridged.subscriber.session;
        let retry_after = retry_after.map(|after| format!(";retry-after={}", after.as_secs()));
        let state = format!("terminated;reason={why}{}", retry_after.unwrap_or_default());
        let parts = Self::own_parts(&bridged.event, HeaderName::SubscriptionState, state);
        match self.endpoint.request(now, session, Method::Notify, 70, parts) {
            Ok(sent) => {
                self.counters.notifies += 1;
                self.subscriptions.with(key, |bridged| bridged.subscriber.life = Life::Ending(sent));
            }
            Err(_) => self.close_side(now, key, Side::Subscriber),
        }
    }

    /// Ends it at the notifier, whose last NOTIFY is answered here.
    pub(super) fn unsubscribe(&mut self, now: Now, key: BridgeKey) {
        let Some(bridged) = self.subscriptions.get(key) else { return };
        if bridged.notifier.life != Life::Open {
            return;
        }
        if bridged.state.is_over() {
            return self.close_side(now, key, Side::Notifier);
        }
        let session = bridged.notifier.session;
        let parts = Self::own_parts(&bridged.event, HeaderName::Expires, "0".into());
        match self.endpoint.request(now, session, Method::Subscribe, 70, parts) {
            Ok(sent) => {
                self.subscriptions.with(key, |bridged| {
                    bridged.notifier.life = Life::Ending(sent);
                    bridged.state.handle_refresh(now);
                });
            }
            Err(_) => self.close_side(now, key, Side::Notifier),
        }
    }

    /// Hears subscriptions whose time has come: what the notifier has not told of, we do.
    pub(crate) fn bridged_due(&mut self, now: Now) {
        for key in self.subscriptions.due(now) {
            self.release_notifies(now, key);
            let is_due = |at: sip::time::Mono| at <= now.mono;
            if !self.subscriptions.get(key).is_some_and(|b| b.state.poll_timeout().is_some_and(is_due)) {
                continue;
            }
            let state = self.subscriptions.with(key, |bridged| {
                bridged.state.handle_timeout(now);
                (bridged.state.state(), bridged.state.left(now), bridged.snapshot.config().limits.retry_after)
            });
            let Some((State::Terminated(why), left, retry_after)) = state else { continue };
            self.close_side(now, key, Side::Notifier);
            match why {
                Over::NoNotify if !left.is_zero() => {
                    self.tell_end(now, key, "probation", Some(retry_after));
                }
                Over::NoNotify | Over::Expired | Over::Notified | Over::Refused => {
                    self.tell_end(now, key, "timeout", None);
                }
            }
        }
    }

    /// The node goes: each subscriber is told to look elsewhere, and each notifier that nobody is there any more.
    pub(crate) fn end_bridged(&mut self, now: Now) {
        for key in self.subscriptions.keys() {
            self.tell_end(now, key, "deactivated", None);
            self.unsubscribe(now, key);
        }
    }
}
