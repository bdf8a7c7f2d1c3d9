//! Event and Subscription-State (RFC 6665 §8.2).

use std::fmt;

use super::{TypedHeader, content::token_with_params};
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor, span::Span};

token_with_params! {
    /// Event: package and templates (RFC 6665 §8.2.1).
    Event, "an event type";
    /// Subscription-State: `active`, `pending`, `terminated` or an extension (RFC 6665 §8.2.3).
    SubscriptionState, "a subscription state";
}

impl Event {
    /// The `id` parameter, which tells subscriptions of one dialog apart.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.params().get("id").flatten()
    }
}

impl SubscriptionState {
    /// Why the subscription ended or waits.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.params().get("reason").flatten()
    }

    /// Seconds left; `None` if absent or malformed.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.params().get("expires").flatten().and_then(|v| v.parse().ok())
    }

    /// Seconds to wait before subscribing again; `None` if absent or malformed.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        self.params().get("retry-after").flatten().and_then(|v| v.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, SubscriptionState, TypedHeader};

    #[test]
    fn rfc6665_8_2_packages_and_states() {
        let event = Event::parse(&"dialog.winfo;id=5".into()).unwrap();
        assert!(event.is("dialog.winfo"));
        assert_eq!(event.id(), Some("5"));
        let state =
            SubscriptionState::parse(&"terminated;reason=timeout;retry-after=7;expires=x".into()).unwrap();
        assert_eq!((state.kind(), state.reason()), ("terminated", Some("timeout")));
        assert_eq!((state.retry_after(), state.expires()), (Some(7), None));
    }
}
