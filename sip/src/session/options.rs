//! What we say of ourselves (RFC 3261 §11.2).

use super::{
    FROM_CHANGE, NO_SUBSCRIPTION, NO_SUBSCRIPTION_REQUIRED, RELIABLE, Reply, TARGET_DIALOG, TERMINATED, TIMER,
};
use crate::endpoint::Endpoint;
use crate::settings::{Carrying, Listener};
use sip_types::{HeaderName, StatusCode};
use std::collections::BTreeSet;

impl Endpoint {
    /// A 200 to OPTIONS: Allow, Accept and Supported as they are on this listener.
    #[must_use]
    pub fn capabilities(&self, listener: &Listener) -> Reply {
        let mut reply = Reply::new(StatusCode::OK);
        let fields = &mut reply.parts.fields;
        fields.push(HeaderName::Allow, listener.allow());
        let (accept, transparent) = match &listener.carrying {
            Carrying::Nothing => ("application/sdp", [].as_slice()),
            Carrying::All { transparent } => ("application/sdp, */*;q=0.5", transparent.as_slice()),
        };
        let understood = listener.asked.iter().flat_map(|asked| asked.understood).copied();
        let own = [FROM_CHANGE].into_iter().chain(listener.reliable.then_some(RELIABLE));
        let of_transfer =
            listener.refers.then_some(["replaces", NO_SUBSCRIPTION, NO_SUBSCRIPTION_REQUIRED, TARGET_DIALOG]);
        let own = own.chain(of_transfer.into_iter().flatten());
        let own = own.chain(listener.takes_terminated.then_some(TERMINATED));
        let timer = listener.session_timers.takes_part().then_some(TIMER);
        let supported: BTreeSet<&str> =
            transparent.iter().map(|t| &**t).chain(understood).chain(own).chain(timer).collect();
        let supported = supported.into_iter().collect::<Vec<_>>().join(", ");
        fields.push(HeaderName::Accept, accept);
        fields.push(HeaderName::AcceptEncoding, "identity");
        fields.push(HeaderName::AcceptLanguage, "en");
        fields.push(HeaderName::Supported, supported);
        if !listener.events.is_empty() {
            fields.push(HeaderName::AllowEvents, listener.events.join(", "));
        }
        reply
    }

    /// A 503 that a limit causes.
    pub(crate) fn unavailable(&self) -> Reply {
        let mut reply = Reply::new(StatusCode::SERVICE_UNAVAILABLE);
        reply.parts.fields.push(HeaderName::RetryAfter, self.settings.retry_after.to_string());
        reply
    }
}
