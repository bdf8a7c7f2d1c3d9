//! What the outcome of a REGISTER means.

use super::Gruus;
use crate::event::{Failure, Unreachable};
use sip_types::header::{
    Contact, Expires, FlowTimer, MinExpires, NameAddr, RetryAfter, ServiceRoute, Unsupported, Via,
};
use sip_types::{HeaderName, Headers, Response, Uri};
use std::time::Duration;

/// Which Contact of a 200 is ours.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// The contact that we registered.
    pub contact: &'a Uri,
    /// The instance that we registered it as, where we did.
    pub instance: Option<&'a str>,
    /// The flow of that instance, where it is one of several (`reg-id`, RFC 5626 §4.2.1).
    pub flow: Option<u32>,
}

/// What a 200 brings besides the lifetime.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// The route of requests that use this registration (RFC 3608 §5), in order.
    pub service_route: Vec<ServiceRoute>,
    /// Whether there is a route that cannot be read: then none of it is followed.
    pub route_unreadable: bool,
    /// Our GRUUs (RFC 5627 §4.2).
    pub gruus: Gruus,
    /// Other identities of ours (RFC 7315 §4.1), as they came.
    pub associated: Vec<Box<str>>,
    /// Whether the registrar applies outbound (RFC 5626 §4.2.1).
    pub outbound: bool,
    /// How often the far side wants to hear from us at the latest (RFC 5626 §4.4).
    pub flow_timer: Option<Duration>,
    /// The first hop takes keepalives, so often; zero leaves that to us (RFC 6223 §4.4).
    pub keep: Option<Duration>,
}

/// What the outcome of a REGISTER says.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Bound for that long.
    Bound(Duration, Box<Extras>),
    /// 200, but nothing of ours is bound.
    NotBound,
    /// The lifetime must be that long at least (RFC 3261 §10.2.8).
    TooBrief(Duration),
    /// Option tags that must be left out, in lower case, and the status that says so (420, 439).
    Without(u16, Vec<Box<str>>),
    /// To be sent elsewhere, by that status (3xx, RFC 3261 §8.1.3.4).
    Elsewhere(u16, Uri),
    /// The flow is broken; another one may do (430, RFC 5626 §11.5).
    FlowFailed,
    /// The flow that a refresh was sent on is gone, of whatever it had proved (RFC 5626 §4.5).
    FlowGone {
        /// Whether a keepalive on it was answered.
        proven: bool,
        /// What was found out.
        fault: Fault,
    },
    /// It failed for now; perhaps with the time to wait.
    Later(Fault, Option<Duration>),
    /// It will fail again unless somebody changes something.
    Refused(Fault),
}

/// Why a REGISTER failed, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The status of the response.
    Status(u16),
    /// Challenged, and there are no credentials, or they are not taken.
    Credentials,
    /// Nobody answered.
    Timeout,
    /// Nobody could be reached.
    Unreachable,
    /// We ran into a limit of ours.
    Limit,
    /// The 200 has no binding of ours.
    NotBound,
}

impl Answer {
    /// Reads the final response to a REGISTER, or why there is none.
    #[must_use]
    pub fn read(outcome: &Result<Response, Failure>, own: Own<'_>) -> Self {
        match outcome {
            Ok(response) => Self::of_success(response.headers(), own),
            Err(Failure::Response(response)) => Self::of_failure(response),
            Err(Failure::Challenged(_)) => Self::Refused(Fault::Credentials),
            Err(Failure::Timeout) => Self::Later(Fault::Timeout, None),
            // It was not sent (RFC 7339 §5.10): that says nothing of the way.
            Err(Failure::Full | Failure::Unreachable(Unreachable::Overloaded)) => {
                Self::Later(Fault::Limit, None)
            }
            Err(Failure::Unreachable(_)) => Self::Later(Fault::Unreachable, None),
        }
    }

    fn of_success(headers: &Headers, own: Own<'_>) -> Self {
        let contacts = headers.list::<Contact>().unwrap_or_default();
        let Some(contact) = own.among(&contacts) else { return Self::NotBound };
        let of_message = || headers.get::<Expires>().ok().flatten().map(|e| e.0);
        match contact.expires().or_else(of_message) {
            None | Some(0) => Self::NotBound,
            Some(seconds) => {
                let extras = Extras::read(headers, contact.address());
                Self::Bound(Duration::from_secs(seconds.into()), Box::new(extras))
            }
        }
    }

    fn of_failure(response: &Response) -> Self {
        let headers = response.headers();
        let status = response.status().as_u16();
        let fault = Fault::Status(status);
        match status {
            423 => match headers.get::<MinExpires>() {
                Ok(Some(least)) => Self::TooBrief(Duration::from_secs(least.0.into())),
                _ => Self::Refused(fault),
            },
            420 => {
                let tags = headers.list::<Unsupported>().unwrap_or_default();
                Self::Without(status, tags.iter().map(|t| t.as_str().to_ascii_lowercase().into()).collect())
            }
            439 => Self::Without(status, vec!["outbound".into()]),
            430 => Self::FlowFailed,
            300..=399 => {
                let contacts = headers.list::<Contact>().unwrap_or_default();
                let target = contacts.iter().filter_map(Contact::address).find(|a| a.uri().is_sip());
                target.map_or(Self::Refused(fault), |a| Self::Elsewhere(status, a.uri().clone()))
            }
            // What the server cannot do at all will not change by asking again (RFC 3261 §21.5.2, §21.5.6, §21.5.7, RFC 8599 §8.2.1).
            501 | 505 | 513 | 555 => Self::Refused(fault),
            // The registrar or the way to it is in trouble (RFC 3261 §21.4.9, §21.4.18, §21.5); a 5xx that is not known is
            // a 500 (§8.1.3.2).
            408 | 480 | 486 | 491 | 500..=599 => Self::Later(fault, retry_after(headers)),
            // A refusal that ends by itself, where it says so (RFC 3261 §20.33).
            404 | 413 | 600 | 603 => match retry_after(headers) {
                Some(wait) => Self::Later(fault, Some(wait)),
                None => Self::Refused(fault),
            },
            _ => Self::Refused(fault),
        }
    }
}

impl Own<'_> {
    /// Ours among contacts: the one of our instance and flow (RFC 5626 §6), else of our instance (RFC 5627 §4.2), else the one
    /// that is equal to ours as a URI (RFC 3261 §10.2.4). Some edges write another host into it, as they see it behind a NAT:
    /// then the only one of our user.
    fn among<'c>(&self, contacts: &'c [Contact]) -> Option<&'c Contact> {
        let known = || contacts.iter().filter_map(|contact| Some((contact, contact.address()?)));
        if self.flow.is_some()
            && let Some((ours, _)) = known().find(|(_, address)| self.number(address) == self.flow)
        {
            return Some(ours);
        }
        // A registrar without outbound does not return the number.
        let unnumbered = || known().filter(|(_, address)| self.number(address).is_none());
        let equal = |address: &NameAddr| address.uri() == self.contact;
        let of_instance = || unnumbered().filter(|(_, address)| self.is_instance(address));
        let chosen = of_instance()
            .find(|(_, address)| equal(address))
            .or_else(|| only(of_instance()))
            .or_else(|| unnumbered().find(|(_, address)| equal(address)))
            .or_else(|| {
                only(unnumbered().filter(|(_, address)| address.uri().user() == self.contact.user()))
            });
        chosen.map(|(contact, _)| contact)
    }

    fn is_instance(&self, contact: &NameAddr) -> bool {
        let told = contact.params().get_unquoted("+sip.instance");
        told.zip(self.instance)
            .is_some_and(|(told, ours)| told.trim_matches(['<', '>']).eq_ignore_ascii_case(ours))
    }

    /// The number of a flow of our instance.
    fn number(&self, contact: &NameAddr) -> Option<u32> {
        let number = contact.param("reg-id").flatten()?.parse().ok();
        number.filter(|_| self.is_instance(contact))
    }
}

/// The first, if there is no other.
fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next();
    first.filter(|_| all.next().is_none())
}

impl Extras {
    fn read(headers: &Headers, contact: Option<&NameAddr>) -> Self {
        let associated = headers.all(HeaderName::PAssociatedUri);
        let service_route = headers.list::<ServiceRoute>();
        Self {
            route_unreadable: service_route.is_err(),
            service_route: service_route.unwrap_or_default(),
            gruus: contact.map(Gruus::read).unwrap_or_default(),
            associated: associated.map(|f| String::from_utf8_lossy(f.value()).into()).collect(),
            outbound: headers
                .list::<sip_types::header::Require>()
                .unwrap_or_default()
                .iter()
                .any(|tag| tag.as_str().eq_ignore_ascii_case("outbound")),
            flow_timer: headers.get::<FlowTimer>().ok().flatten().map(|t| Duration::from_secs(t.0.into())),
            keep: keep(headers),
        }
    }
}

fn retry_after(headers: &Headers) -> Option<Duration> {
    let wait = headers.get::<RetryAfter>().ok().flatten()?;
    Some(Duration::from_secs(wait.seconds.into()))
}

/// A day: whoever asks for less often has said that none are needed.
const MOST_KEEP: u64 = 86_400;

/// What the first hop says of keepalives in the topmost Via, which is ours.
fn keep(headers: &Headers) -> Option<Duration> {
    let via = headers.first_of::<Via>().ok()??;
    let seconds: u64 = via.param("keep")??.parse().ok()?;
    Some(Duration::from_secs(seconds.min(MOST_KEEP)))
}
