//! Responses of one side as the other side gives them.

use super::body::{Rules, Taken};
use super::decide;
use media::Mode;
use policy::{Crossing, On};
use sip::session::Reply;
use sip::{Failure, Listener, Unreachable};
use sip_types::{HeaderName, Method, Response, StatusCode};

/// What a response crosses.
pub(crate) struct Across<'a> {
    pub(crate) crossing: Crossing<'a>,
    /// How media flows; of a request outside a call, there is none: nothing that describes a session crosses then either.
    pub(crate) mode: Mode,
}

impl Across<'_> {
    /// Status and body as they are, and what our user agent on that listener says of itself in view of the far side's.
    pub(crate) fn whole(&self, response: &Response, listener: Option<&Listener>) -> Reply {
        let mut reply = Reply::new(response.status());
        reply.reason = response.reason().to_owned().into();
        reply.parts = decide::parts(response.headers(), On::Response, &self.crossing, listener);
        let body = Taken::carried(response.headers(), response.body(), &self.rules());
        reply.parts.body = body.unwrap_or_default();
        reply
    }

    /// What a failure there is here; `full` where it is a limit of ours.
    pub(crate) fn failed(&self, method: &Method, failure: &Failure, full: impl FnOnce() -> Reply) -> Reply {
        let profile = self.crossing.to_profile;
        let mapped = |status, challenged| policy::failure(status, method, challenged, profile);
        match failure {
            Failure::Response(response) => {
                let by_cause = policy::status_by_cause(response.headers(), self.crossing.from_profile);
                self.failure(response, mapped(by_cause.unwrap_or(response.status()), false))
            }
            Failure::Challenged(response) if self.crossing.passes_challenge(response.headers()) => {
                let status = response.status();
                self.failure(response, profile.failures.get(&status).copied().unwrap_or(status))
            }
            Failure::Challenged(response) => Reply::new(mapped(response.status(), true)),
            Failure::Timeout => Reply::new(mapped(StatusCode::REQUEST_TIMEOUT, false)),
            Failure::Unreachable(Unreachable::NotSecure) => decide::sips_not_allowed(),
            Failure::Unreachable(Unreachable::Overloaded) => decide::next_hop_overloaded(profile),
            // RFC 3428 §8.
            Failure::Unreachable(Unreachable::TooLarge) => Reply::new(StatusCode::MESSAGE_TOO_LARGE),
            Failure::Unreachable(_) => Reply::new(mapped(StatusCode::SERVICE_UNAVAILABLE, false)),
            Failure::Full => full(),
        }
    }

    /// A failure with that status, with what crosses of the response that it comes from.
    fn failure(&self, response: &Response, status: StatusCode) -> Reply {
        let mut reply = Reply::new(status);
        if status == response.status() {
            reply.reason = response.reason().to_owned().into();
        }
        // What the far side takes instead is said here, too: Accept, Allow-Events, Recv-Info.
        reply.parts = decide::parts(response.headers(), On::Response, &self.crossing, None);
        if status.is_redirection() {
            // These are no addresses of the far side's user agent, but where the caller may call (RFC 3261 §21.3).
            let contacts = response.headers().all(HeaderName::Contact);
            contacts.for_each(|contact| reply.parts.fields.push_field(contact.to_owned()));
        }
        // A session description in a failure speaks of addresses of the other side.
        let taken = Taken::read(response.headers(), response.body(), &self.rules());
        reply.parts.body = taken.unwrap_or_default().wrap.around(None);
        // What it requires are extensions of our user agent there, unless they are the sender's own: who would ask again with none
        // would hear the same again (RFC 3261 §21.4.16).
        if status == StatusCode::EXTENSION_REQUIRED && !reply.parts.fields.contains(HeaderName::Require) {
            return Reply { parts: reply.parts, ..Reply::new(StatusCode::SERVER_INTERNAL_ERROR) };
        }
        reply
    }

    fn rules(&self) -> Rules<'_> {
        decide::rules(&self.crossing, self.mode, false)
    }
}
