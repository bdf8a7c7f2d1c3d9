use std::fmt::{Display, Write};

use config::{MediaMode, ReferPolicy};
use sip_types::header::{Accept, AllowEvents, Require, Supported, Unsupported};
use sip_types::{Fields, HeaderName, Headers, Method};

use crate::crossing::Crossing;
use crate::headers::On;
use crate::method::{is_own, method_crosses};

/// A user agent's statement about itself, in view of what the far side said of itself in `headers`: it claims what the
/// leg serves alone, and what the far side serves and crosses.
///
/// - Allow (RFC 3261 §20.5): of `own`, the methods that this leg serves or carries, those that it serves alone, and those
///   that the far side allows as well; beside them the far side's unknown ones that may cross. Without an Allow there,
///   nothing is known, and all of `own` that may cross is claimed. Without `own` there is no Allow.
/// - Supported and Require (RFC 3261 §20.37, §20.32), Unsupported: the far side's transparent option tags.
/// - Accept (RFC 3261 §20.1): the far side's media ranges but for those that a profile forbids.
/// - Allow-Events (RFC 6665 §4.4.4): the far side's packages, where SUBSCRIBE crosses.
/// - Recv-Info (RFC 6086 §7.3): the far side's packages, be they none, where INFO crosses.
#[must_use]
pub fn statement<'m>(
    headers: &Headers,
    on: On<'_>,
    crossing: &Crossing<'_>,
    own: Option<impl Iterator<Item = &'m Method>>,
) -> Fields {
    let mut fields = Fields::new();
    if let Some(own) = own {
        let far = headers.contains(HeaderName::Allow).then(|| listed(headers, HeaderName::Allow));
        let allow = allow(far.as_deref(), crossing, own);
        if !allow.is_empty() {
            fields.push(HeaderName::Allow, allow);
        }
    }
    let transparent = |tag: &str| crossing.is_transparent(tag);
    if headers.contains(HeaderName::Supported) {
        let supported = headers.list::<Supported>().unwrap_or_default();
        push(&mut fields, HeaderName::Supported, supported.iter().filter(|tag| transparent(tag.as_str())));
    }
    if crossing.profiles().iter().all(|profile| !profile.transparent.is_empty()) {
        let require = headers.list::<Require>().unwrap_or_default();
        push(&mut fields, HeaderName::Require, require.iter().filter(|tag| transparent(tag.as_str())));
        let unsupported = match on.admits(HeaderName::Unsupported) {
            true => headers.list::<Unsupported>().unwrap_or_default(),
            false => Vec::new(),
        };
        push(
            &mut fields,
            HeaderName::Unsupported,
            unsupported.iter().filter(|tag| transparent(tag.as_str())),
        );
    }
    if headers.contains(HeaderName::Accept) {
        let ranges = headers.list::<Accept>().unwrap_or_default();
        push(&mut fields, HeaderName::Accept, ranges.iter().filter(|range| accepts(range, crossing)));
    }
    if headers.contains(HeaderName::AllowEvents) && method_crosses(&Method::Subscribe, crossing).is_ok() {
        let packages = headers.list::<AllowEvents>().unwrap_or_default();
        push(&mut fields, HeaderName::AllowEvents, packages.iter());
    }
    // RFC 6086 §4.2.1: not in an INFO itself.
    let says_packages = headers.contains(HeaderName::RecvInfo) && on != On::Request(&Method::Info);
    if says_packages && method_crosses(&Method::Info, crossing).is_ok() {
        // As they stand, with their parameters. That there are none is said as well (RFC 6086 §5.2.2).
        let values = headers.all(HeaderName::RecvInfo).filter_map(|field| field.text().ok());
        let values: Vec<&str> = values.map(str::trim_ascii).filter(|value| !value.is_empty()).collect();
        fields.push(HeaderName::RecvInfo, info_packages(&values.join(", "), crossing));
    }
    fields
}

/// Of the Info Packages that a Recv-Info lists, those that cross: not that of candidates (RFC 8840 §10) where media is anchored, for
/// then each leg's ICE ends with us.
#[must_use]
pub fn info_packages(listed: &str, crossing: &Crossing<'_>) -> String {
    let ends = crossing.profiles().iter().any(|profile| profile.media == MediaMode::Anchored);
    let is_ice = |package: &str| {
        let name = package.split(';').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case("trickle-ice")
    };
    let crosses = |package: &&str| !(ends && is_ice(package));
    listed.split(',').map(str::trim_ascii).filter(crosses).collect::<Vec<_>>().join(", ")
}

/// The option tags of a message's Require that nobody on our side of the far leg serves: 420 with these in Unsupported
/// (RFC 3261 §8.2.2.3). `own` are the tags that the leg serves alone.
#[must_use]
pub fn required(headers: &Headers, crossing: &Crossing<'_>, own: &[&str]) -> Vec<Require> {
    let mut tags = headers.list::<Require>().unwrap_or_default();
    tags.retain(|tag| !own.iter().any(|own| tag.is(own)) && !crossing.is_transparent(tag.as_str()));
    tags
}

/// Methods of the far side that nobody knows: so many are claimed, and no more looked at.
const MOST_EXTENSIONS: usize = 32;

/// An Allow is rarely longer, in bytes.
const EXPECTED_ALLOW: usize = 128;

/// An Allow rarely has more methods.
const EXPECTED_METHODS: usize = 16;

/// The Allow of a message that the far side has no part in.
#[must_use]
pub fn own_allow<'m>(crossing: &Crossing<'_>, own: impl Iterator<Item = &'m Method>) -> String {
    allow(None, crossing, own)
}

/// Its value. It stands in every INVITE and in most responses to it, so the names are compared as they stand.
fn allow<'m>(far: Option<&[&str]>, crossing: &Crossing<'_>, own: impl Iterator<Item = &'m Method>) -> String {
    let crosses = |method: &Method| method_crosses(method, crossing).is_ok();
    let far_allows = |method: &str| far.is_none_or(|far| far.contains(&method));
    let mut value = String::with_capacity(EXPECTED_ALLOW);
    for method in own {
        let claims = match method {
            // Whoever does what a REFER asks for needs nothing of the far side, and tells of it in NOTIFY.
            Method::Refer | Method::Notify => match crossing.to_profile.refer {
                ReferPolicy::Handle => true,
                ReferPolicy::Carry => far_allows(Method::Refer.as_str()) && crosses(&Method::Refer),
                ReferPolicy::Refuse => false,
            },
            own if is_own(own) => true,
            carried => far_allows(carried.as_str()) && crosses(carried),
        };
        if claims {
            add(&mut value, method.as_str());
        }
    }
    let mut room = MOST_EXTENSIONS;
    for name in far.into_iter().flatten() {
        let Ok(method) = name.parse::<Method>() else { continue };
        let new = || !value.split(", ").any(|known| known == *name);
        if room > 0 && matches!(method, Method::Extension(_)) && crosses(&method) && new() {
            add(&mut value, name);
            room -= 1;
        }
    }
    value
}

/// Adds an element to a list.
/// The elements of the fields of that name, as they stand.
fn listed(headers: &Headers, name: HeaderName) -> Vec<&str> {
    let mut elements = Vec::with_capacity(EXPECTED_METHODS);
    for value in headers.all(name).filter_map(|field| field.text().ok()) {
        let mut rest = Some(value);
        while let Some(list) = rest {
            // As `split(',')`: elements are too short for that to pay.
            let end = list.bytes().position(|byte| byte == b',').unwrap_or(list.len());
            elements.extend(list.get(..end).map(str::trim_ascii));
            rest = list.get(end + 1..);
        }
    }
    elements
}

fn add(list: &mut String, element: &str) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push_str(element);
}

fn accepts(range: &Accept, crossing: &Crossing<'_>) -> bool {
    let forbidden = crossing.profiles().into_iter().flat_map(|profile| &profile.carry.forbid_bodies);
    let unknown = crossing.profiles().iter().all(|profile| profile.carry.unknown_bodies);
    let known = range.type_().eq_ignore_ascii_case("multipart") || range.admits("application", "sdp");
    (unknown || known) && !forbidden.into_iter().any(|of| of.covers(range.type_(), range.subtype()))
}

/// Adds a field with a list of values; none where the list is empty.
fn push<T: Display>(fields: &mut Fields, name: HeaderName, values: impl Iterator<Item = T>) {
    let mut text = String::new();
    for value in values {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{value}");
    }
    if !text.is_empty() {
        fields.push(name, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{invite, profile};

    const OWN: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE";

    fn state(fields: &[&str], from: &str, to: &str) -> Vec<String> {
        state_on(On::Request(&Method::Invite), fields, from, to)
    }

    fn state_on(on: On<'_>, fields: &[&str], from: &str, to: &str) -> Vec<String> {
        let (from, to) = (profile(from), profile(to));
        let crossing = Crossing {
            from_trusted: false,
            to_trusted: false,
            from_profile: &from,
            to_profile: &to,
            realms: &[],
        };
        let own: Vec<Method> = OWN.split(", ").map(|name| name.parse().unwrap()).collect();
        let fields = statement(invite(fields).headers(), on, &crossing, Some(own.iter()));
        fields.iter().map(|field| format!("{}: {}", field.name_text(), field.text().unwrap())).collect()
    }

    // conforms: RFC3261-20.5-2
    #[test]
    fn rfc3261_20_5_allow_claims_what_the_leg_serves_and_what_both_can_carry() {
        let allow = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, REFER, INFO, FOO";
        assert_eq!(state(&[allow], "", ""), ["Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, FOO"]);
        let many = format!("Allow: {}", (0..100).map(|n| format!("X{n}")).collect::<Vec<_>>().join(", "));
        let [claimed] = state(&[&many], "", "").try_into().unwrap();
        assert_eq!(claimed.matches(", X").count(), MOST_EXTENSIONS);
        let strict = "carry = { unknown_methods = false, forbid_methods = [\"INFO\"] }";
        assert_eq!(state(&[allow], "", strict), ["Allow: INVITE, ACK, CANCEL, BYE, OPTIONS"]);
        assert_eq!(state(&[], "", ""), [format!("Allow: {OWN}")]);
        assert_eq!(state(&[], strict, ""), ["Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE"]);
    }

    #[test]
    fn option_tags_are_claimed_only_where_both_profiles_let_them_through() {
        let fields = ["k: 100rel, Replaces, foo", "Require: foo, bar", "Unsupported: foo, x"];
        let through = "transparent = [\"replaces\", \"FOO\"]";
        let claimed = state_on(On::Response, &fields, through, through);
        assert_eq!(
            claimed.get(1..).unwrap(),
            ["Supported: Replaces, foo", "Require: foo", "Unsupported: foo"]
        );
        assert_eq!(state(&fields, through, through).len(), 3, "Unsupported means nothing in a request");
        assert_eq!(state(&fields, through, "").len(), 1);
        let open = profile(through);
        let crossing = Crossing {
            from_trusted: false,
            to_trusted: false,
            from_profile: &open,
            to_profile: &open,
            realms: &[],
        };
        let left = required(invite(&fields).headers(), &crossing, &["BAR"]);
        assert_eq!(left, []);
        assert_eq!(required(invite(&fields).headers(), &crossing, &[]).len(), 1);
    }

    #[test]
    fn bodies_and_packages_are_claimed_where_they_cross() {
        let fields = ["Accept: application/sdp, application/isup;q=0.5, */*", "Recv-Info: dtmf, x"];
        assert_eq!(
            state(&fields, "", "").get(1..).unwrap(),
            ["Accept: application/sdp, application/isup;q=0.5, */*", "Recv-Info: dtmf, x"]
        );
        let candidates = ["Recv-Info: dtmf, Trickle-ICE;x=y, x"];
        let around = "media = \"bypass\"";
        assert_eq!(state(&candidates, "", around).get(1..).unwrap(), ["Recv-Info: dtmf, x"]);
        let both = ["Recv-Info: dtmf, Trickle-ICE;x=y, x"];
        assert_eq!(state(&candidates, around, around).get(1..).unwrap(), both);
        let strict = "carry = { unknown_bodies = false, forbid_methods = [\"INFO\"] }";
        assert_eq!(state(&fields, strict, "").get(1..).unwrap(), ["Accept: application/sdp, */*"]);
        let no_isup = "carry = { forbid_bodies = [\"application/isup\"] }";
        assert_eq!(state(&fields[..1], "", no_isup).get(1..).unwrap(), ["Accept: application/sdp, */*"]);
    }
}
