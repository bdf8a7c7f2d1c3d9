use std::borrow::Cow;

use super::party::Party;
use config::{HostPort, Number, ReferTo};
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

/// Whom a REFER names, by the rules of who refers: rewritten, or `None` where it may not be called. Header fields of the URI stay
/// with the REFER.
#[must_use]
pub fn referred(to: &Uri, rules: &ReferTo) -> Option<Uri> {
    let party = Party::new(to);
    if !rules.called.is_empty() && !rules.called.iter().any(|pattern| party.matches(pattern)) {
        return None;
    }
    let called = match to.is_sip() {
        true => to.for_request_line(),
        false => to.detached(),
    };
    let Some(user) = rules.number.as_ref().and_then(|number| rewritten(&called, Some(number))) else {
        return Some(called);
    };
    if called.scheme() == Scheme::Tel {
        // What is no number any more is called as it was named.
        return Some(format!("tel:{user}").parse().unwrap_or(called));
    }
    let host = called.host()?;
    let mut uri = match called.scheme() {
        Scheme::Sips => Uri::sips(Some(&*user), host, called.port()),
        Scheme::Sip | Scheme::Tel | Scheme::Other => Uri::sip(Some(&*user), host, called.port()),
    };
    for (name, value) in called.params() {
        uri = uri.with_param(name, value);
    }
    Some(uri)
}

/// The called user, escapes unread. A number that is rewritten loses its visual separators.
fn rewritten<'u>(called: &'u Uri, number: Option<&Number>) -> Option<Cow<'u, str>> {
    let as_it_is = || called.user().map(Cow::Borrowed).or_else(|| called.number());
    let Some(rule) = number else { return as_it_is() };
    let user = called.number().or_else(as_it_is)?;
    let rest = user.strip_prefix(&*rule.strip).unwrap_or(&user);
    Some(format!("{}{rest}", rule.prefix).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> ReferTo {
        crate::testing::profile(&format!("refer_to = {{ {text} }}")).refer_to
    }

    fn called(to: &str, text: &str) -> Option<String> {
        referred(&to.parse().unwrap(), &rules(text)).map(|uri| uri.to_string())
    }

    #[test]
    fn whom_a_refer_names_is_rewritten_and_may_be_nobody() {
        let to = "sip:0301234;x=y@pbx.example:5070;user=phone?Replaces=a";
        assert_eq!(
            called("sip:0301234@pbx.example:5070;user=phone?Subject=a", "").unwrap(),
            "sip:0301234@pbx.example:5070;user=phone"
        );
        let number = "number = { strip = \"0\", prefix = \"+49\" }";
        assert_eq!(
            called("sip:0301234@pbx.example:5070;user=phone", number).unwrap(),
            "sip:+49301234@pbx.example:5070;user=phone"
        );
        assert_eq!(called("sips:0301234@pbx.example", number).unwrap(), "sips:+49301234@pbx.example");
        assert_eq!(called("tel:0301-234;phone-context=example.com", number).unwrap(), "tel:+49301234");
        let only = "called = [\"+49*\", \"112\"]";
        assert_eq!(called("tel:112", only).unwrap(), "tel:112");
        assert_eq!((called(to, only), called("sip:+4930@x", only)), (None, Some("sip:+4930@x".into())));
    }
}
