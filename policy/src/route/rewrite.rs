use std::borrow::Cow;

use config::{HostPort, Number};
use sip_types::{Host, Scheme, Uri};

/// The Request-URI for a trunk's target (RFC 3261 §8.1.1.1): the user of the target if it has one, else the called one
/// as the route rewrites it; the host of the trunk's domain if it has one, else of the target.
pub(crate) fn request_uri(
    called: &Uri,
    target: &Uri,
    domain: Option<&HostPort>,
    number: Option<&Number>,
) -> Uri {
    if target.user().is_some() && domain.is_none() {
        return target.for_request_line();
    }
    let own = target.user().map(Cow::Borrowed);
    let is_phone = own.is_none() && (called.user().is_none() || called.user_is_phone());
    let user = own.or_else(|| rewritten(called, number));
    let at_domain = domain.and_then(|domain| Some((Host::parse(domain.host()).ok()?, domain.port())));
    let Some((host, port)) = at_domain.or_else(|| Some((target.host()?, target.port()))) else {
        return target.clone();
    };
    // RFC 5630 §5.1.1: a SIPS URI is never made a SIP URI.
    let mut uri = match target.scheme() {
        Scheme::Sips => Uri::sips(user.as_deref(), host, port),
        Scheme::Sip | Scheme::Tel | Scheme::Other => Uri::sip(user.as_deref(), host, port),
    };
    if domain.is_none() {
        for (name, value) in target.for_request_line().params() {
            uri = uri.with_param(name, value);
        }
    }
    if is_phone && user.is_some() { uri.with_param("user", Some("phone")) } else { uri }
}

/// The called user, as the route rewrites it, at a domain of ours. A GRUU (RFC 5627) stays one.
pub(crate) fn user_at(called: &Uri, domain: &HostPort, number: Option<&Number>) -> Option<Uri> {
    let user = rewritten(called, number);
    let uri = Uri::sip(user.as_deref(), Host::parse(domain.host()).ok()?, domain.port());
    Some(match called.param("gr") {
        Some(instance) => uri.with_param("gr", instance),
        None => uri,
    })
}

/// The called user, escapes unread. A number that is rewritten loses its visual separators.
fn rewritten<'u>(called: &'u Uri, number: Option<&Number>) -> Option<Cow<'u, str>> {
    let as_it_is = || called.user().map(Cow::Borrowed).or_else(|| called.number());
    let Some(rule) = number else { return as_it_is() };
    let user = called.number().or_else(as_it_is)?;
    let rest = user.strip_prefix(&*rule.strip).unwrap_or(&user);
    Some(format!("{}{rest}", rule.prefix).into())
}
