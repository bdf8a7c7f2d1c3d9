use std::fmt;

use config::{Profile, SessionIds};
use sip_types::header::{Identities, PAssertedIdentity};
use sip_types::{Field, Fields, HeaderName, Headers};

use crate::crossing::Crossing;
use crate::explain::{Step, Trail};
use crate::headers::proof;
use crate::headers::warning::passed_on;
use crate::headers::{Class, On, Row};

/// What becomes of one header field on its way to the other leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It crosses, by its row; without one it is unknown, and crosses.
    Crosses(Option<&'static Row>),
    /// It belongs to the hop or the dialog.
    Leg(&'static Row),
    /// Each leg composes its own.
    Statement(&'static Row),
    /// It goes with the body.
    Body(&'static Row),
    /// The network that it comes from is not trusted.
    FromUntrusted(&'static Row),
    /// The network that it would go to is not trusted.
    ToUntrusted(&'static Row),
    /// A profile forbids it by name.
    Forbidden,
    /// It is unknown, and a profile carries no unknown fields.
    Unknown,
    /// It names a host of its side, which cannot be told from the rest.
    Unreadable(&'static Row),
    /// It means nothing in the message that it stands in.
    Misplaced(&'static Row),
    /// It has values that are to be ignored.
    Surplus(&'static Row),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crosses(Some(row)) => write!(f, "it crosses ({})", row.source),
            Self::Crosses(None) => f.write_str("it is unknown, and crosses"),
            Self::Leg(row) => write!(f, "it belongs to the leg ({})", row.source),
            Self::Statement(row) => write!(f, "each leg makes its own statement ({})", row.source),
            Self::Body(row) => write!(f, "it goes with the body ({})", row.source),
            Self::FromUntrusted(row) => {
                write!(f, "the network that it comes from is not trusted ({})", row.source)
            }
            Self::ToUntrusted(row) => {
                write!(f, "the network that it goes to is not trusted ({})", row.source)
            }
            Self::Forbidden => f.write_str("a profile forbids it"),
            Self::Unknown => f.write_str("a profile carries no unknown header fields"),
            Self::Unreadable(row) => write!(f, "it cannot be read ({})", row.source),
            Self::Misplaced(row) => write!(f, "it means nothing in this message ({})", row.source),
            Self::Surplus(row) => write!(f, "one SIP URI and one number count ({})", row.source),
        }
    }
}

/// What becomes of a field.
#[must_use]
pub fn verdict(field: &Field<'_>, on: On<'_>, crossing: &Crossing<'_>) -> Verdict {
    let row = Row::of(field.name(), field.name_text());
    let crosses = match row.map(|row| (row, row.class)) {
        Some((row, Class::Leg)) => return Verdict::Leg(row),
        Some((row, Class::Statement)) if proof::crosses(field, on, crossing) => Verdict::Crosses(Some(row)),
        Some((row, Class::Statement)) => return Verdict::Statement(row),
        Some((row, Class::Body)) => return Verdict::Body(row),
        Some((row, Class::TrustDomain)) if !crossing.from_trusted => return Verdict::FromUntrusted(row),
        Some((row, Class::TrustDomain)) if !crossing.to_trusted => return Verdict::ToUntrusted(row),
        Some((row, Class::TrustDomain | Class::EndToEnd)) if !on.admits(field.name()) => {
            return Verdict::Misplaced(row);
        }
        Some((row, Class::TrustDomain | Class::EndToEnd)) => Verdict::Crosses(Some(row)),
        None => Verdict::Crosses(None),
    };
    for profile in crossing.profiles() {
        let carry = &profile.carry;
        if field.name() == HeaderName::SessionId && profile.session_id == SessionIds::Remove {
            return Verdict::Forbidden;
        }
        let name = (field.name(), field.name_text());
        if carry.forbid_header_fields.iter().any(|forbidden| is_named(name, forbidden.as_str())) {
            return Verdict::Forbidden;
        }
        if row.is_none() && !carry.unknown_header_fields {
            return Verdict::Unknown;
        }
    }
    crosses
}

/// Whether a profile forbids a known header field by name: what one has told is told nowhere else then, either.
#[must_use]
pub fn is_forbidden(name: HeaderName, crossing: &Crossing<'_>) -> bool {
    let forbids = |profile: &Profile| {
        let mut forbidden = profile.carry.forbid_header_fields.iter();
        forbidden.any(|forbidden| is_named((name, name.as_str()), forbidden.as_str()))
    };
    crossing.profiles().into_iter().any(forbids)
}

/// Compact forms are forbidden with the long ones (RFC 3261 §7.3.3).
fn is_named((known, text): (HeaderName, &str), name: &str) -> bool {
    match known {
        HeaderName::Unknown => text.eq_ignore_ascii_case(name),
        known => known == HeaderName::from_bytes(name.as_bytes()),
    }
}

/// The fields of a message that cross, in order and byte for byte, but for the agent of a warning. What a profile or the trust domain keeps back is
/// added to the trail; what by its nature belongs to a leg is not.
#[must_use]
pub fn carry(headers: &Headers, on: On<'_>, crossing: &Crossing<'_>, trail: &mut Trail) -> Fields {
    let mut fields = Fields::new();
    let mut asserted = false;
    for field in headers.iter() {
        match verdict(&field, on, crossing) {
            Verdict::Crosses(Some(row)) if field.name() == HeaderName::PAssertedIdentity => {
                if !std::mem::replace(&mut asserted, true) {
                    carry_asserted(headers, row, &mut fields, trail);
                }
            }
            Verdict::Crosses(Some(row)) if field.name() == HeaderName::Warning => match passed_on(&field) {
                Some(ours) => fields.push_field(ours),
                None => {
                    let why = Verdict::Unreadable(row);
                    trail.push(Step::Dropped { field: field.name_text().into(), why });
                }
            },
            Verdict::Crosses(_) => match proof::without_keys(&field) {
                Some(challenge) => fields.push(field.name(), challenge),
                None => {
                    if matches!(field.name(), HeaderName::Authorization | HeaderName::ProxyAuthorization) {
                        trail.push(Step::Proof { field: field.name_text().into() });
                    }
                    fields.push_field(field.to_owned());
                }
            },
            Verdict::Leg(_) | Verdict::Statement(_) | Verdict::Body(_) => {}
            why @ (Verdict::FromUntrusted(_)
            | Verdict::ToUntrusted(_)
            | Verdict::Forbidden
            | Verdict::Unknown
            | Verdict::Unreadable(_)
            | Verdict::Misplaced(_)
            | Verdict::Surplus(_)) => {
                trail.push(Step::Dropped { field: field.name_text().into(), why });
            }
        }
    }
    fields
}

/// The asserted identities of a message, as they came; without those that are to be ignored, which are not passed on
/// (RFC 5876 §4.5).
fn carry_asserted(headers: &Headers, row: &'static Row, fields: &mut Fields, trail: &mut Trail) {
    let identities = Identities::<PAssertedIdentity>::of(headers);
    if identities.ignored == 0 {
        let all = headers.all(HeaderName::PAssertedIdentity);
        return all.for_each(|field| fields.push_field(field.to_owned()));
    }
    trail.push(Step::Dropped { field: row.name.into(), why: Verdict::Surplus(row) });
    let kept: Vec<String> = identities.iter().map(ToString::to_string).collect();
    if !kept.is_empty() {
        fields.push(HeaderName::PAssertedIdentity, kept.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{invite, profile};
    use sip_types::Method;

    const FIELDS: &[&str] = &[
        "v: SIP/2.0/UDP canary.example;branch=z9hG4bK1",
        "Max-Forwards: 70",
        "f: <sip:a@example.com>;tag=1",
        "To: <sip:b@example.com>",
        "Call-ID: canary",
        "CSeq: 1 INVITE",
        "Contact: <sip:canary.example>",
        "Record-Route: <sip:canary.example;lr>",
        "User-Agent: canary",
        "Supported: 100rel",
        "X-Keep: \u{3c0}",
        "Subject: first",
        "P-Asserted-Identity: <sip:a@example.com>",
        "P-DCS-LAES: x",
        "x-Keep:  two\r\n folded",
        "y: identity",
        "Content-Type: text/plain",
        "Content-Length: 0",
    ];

    /// The fields that cross, and the trail.
    fn crossing(trusted: (bool, bool), from: &str, to: &str) -> (Vec<String>, String) {
        let (from, to) = (profile(from), profile(to));
        let crossing = Crossing {
            from_trusted: trusted.0,
            to_trusted: trusted.1,
            from_profile: &from,
            to_profile: &to,
            realms: &[],
        };
        let mut trail = Trail::default();
        let message = invite(FIELDS);
        let fields = carry(message.headers(), On::Request(&Method::Invite), &crossing, &mut trail);
        let text = |field: &sip_types::OwnedField| {
            format!("{}: {}", field.name_text(), String::from_utf8_lossy(field.value()))
        };
        (fields.iter().map(text).collect(), trail.to_string())
    }

    #[test]
    fn unknown_fields_cross_in_order_and_byte_for_byte_and_those_of_a_leg_do_not() {
        let (fields, trail) = crossing((true, true), "", "");
        let expected = [
            "X-Keep: \u{3c0}",
            "Subject: first",
            "P-Asserted-Identity: <sip:a@example.com>",
            "P-DCS-LAES: x",
            "x-Keep: two\r\n folded",
            "y: identity",
        ];
        assert_eq!(fields, expected);
        assert_eq!(trail, "");
        assert!(!fields.concat().contains("canary"));
    }

    #[test]
    fn rfc3325_5_trust_domain_fields_cross_between_trusted_networks_only() {
        for trusted in [(false, true), (true, false), (false, false)] {
            let (fields, trail) = crossing(trusted, "", "");
            assert_eq!(fields.len(), 4, "{fields:?}");
            assert!(!fields.iter().any(|field| field.starts_with("P-")), "{fields:?}");
            assert_eq!(trail.lines().count(), 2, "{trail}");
        }
        let (_, trail) = crossing((true, false), "", "");
        insta::assert_snapshot!(trail, @r#"
        header: P-Asserted-Identity does not cross (the network that it goes to is not trusted (RFC 3325 §9.1))
        header: P-DCS-LAES does not cross (the network that it goes to is not trusted (RFC 5503 §8))
        "#);
    }

    // conforms: RFC5876-4.5-2
    #[test]
    fn rfc5876_4_5_an_asserted_identity_that_is_to_be_ignored_is_not_passed_on() {
        let open = profile("");
        let crossing = Crossing {
            from_trusted: true,
            to_trusted: true,
            from_profile: &open,
            to_profile: &open,
            realms: &[],
        };
        let carried = |values: &[&str]| {
            let lines: Vec<_> = values.iter().map(|value| format!("P-Asserted-Identity: {value}")).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let mut trail = Trail::default();
            let fields = carry(invite(&lines).headers(), On::Request(&Method::Invite), &crossing, &mut trail);
            let values = fields.iter().map(|field| String::from_utf8_lossy(field.value()).into_owned());
            (values.collect::<Vec<_>>().join("|"), trail.to_string())
        };
        let regular = ["\"A\"  <sip:a@x>", "<tel:+49>"];
        assert_eq!(carried(&regular), (regular.join("|"), String::new()), "byte for byte");
        let (values, trail) = carried(&["<sip:a@x>, <sip:b@x>", "<mailto:a@x>, <tel:+49>"]);
        assert_eq!(values, "<sip:a@x>, <tel:+49>");
        insta::assert_snapshot!(trail, @"header: P-Asserted-Identity does not cross (one SIP URI and one number count (RFC 3325 §9.1))");
        assert_eq!(carried(&["<urn:x:y>"]).0, "");
    }

    #[test]
    fn either_profile_forbids_fields_by_name() {
        let (fields, trail) = crossing(
            (true, true),
            "carry = { forbid_header_fields = [\"Identity\"] }",
            "carry = { unknown_header_fields = false }",
        );
        assert_eq!(fields, ["Subject: first", "P-Asserted-Identity: <sip:a@example.com>", "P-DCS-LAES: x"]);
        insta::assert_snapshot!(trail, @r#"
        header: X-Keep does not cross (a profile carries no unknown header fields)
        header: x-Keep does not cross (a profile carries no unknown header fields)
        header: y does not cross (a profile forbids it)
        "#);
    }

    #[test]
    fn rfc3261_20_43_a_warning_that_is_passed_on_is_ours() {
        let open = profile("");
        let crossing = Crossing {
            from_trusted: true,
            to_trusted: true,
            from_profile: &open,
            to_profile: &open,
            realms: &[],
        };
        let passed = |warning: &str| {
            let mut trail = Trail::default();
            let message = invite(&[&format!("Warning: {warning}")]);
            let fields = carry(message.headers(), On::Response, &crossing, &mut trail);
            let values = fields.iter().map(|field| String::from_utf8_lossy(field.value()).into_owned());
            (values.collect::<Vec<_>>().join("|"), trail.to_string())
        };
        let (values, trail) =
            passed(r#"392 192.0.2.1:5060 "Noisy, \"very\"", 399 [2001:db8::1]:5060 "b",301 isi.edu "c""#);
        assert_eq!(values, r#"392 liaison "Noisy, \"very\"", 399 liaison "b", 301 liaison "c""#);
        assert_eq!(trail, "");
        let (values, trail) = passed("399 192.0.2.1 no quotes");
        assert_eq!(values, "");
        assert!(trail.starts_with("header: Warning does not cross (it cannot be read"), "{trail}");
    }

    // conforms: RFC3261-7.3.2-1 RFC3261-20-4,6 RFC6665-8.2.1-3 RFC6665-8.2.3-1
    #[test]
    fn rfc3261_7_3_2_what_means_nothing_in_a_message_does_not_cross() {
        let open = profile("");
        let crossing = Crossing {
            from_trusted: true,
            to_trusted: true,
            from_profile: &open,
            to_profile: &open,
            realms: &[],
        };
        let message =
            invite(&["Subject: s", "Retry-After: 5", "o: reg", "Subscription-State: active", "X-Any: x"]);
        let crossing = |on| {
            let mut trail = Trail::default();
            let fields = carry(message.headers(), on, &crossing, &mut trail);
            let names: Vec<_> = fields.iter().map(|field| field.name_text().to_owned()).collect();
            (names.join(" "), trail.to_string())
        };
        let (names, trail) = crossing(On::Request(&Method::Invite));
        assert_eq!(names, "Subject X-Any");
        insta::assert_snapshot!(trail, @r#"
        header: Retry-After does not cross (it means nothing in this message (RFC 3261 §20.33))
        header: o does not cross (it means nothing in this message (RFC 6665 §8.2.1))
        header: Subscription-State does not cross (it means nothing in this message (RFC 6665 §8.2.3))
        "#);
        assert_eq!(crossing(On::Request(&Method::Subscribe)).0, "Subject o X-Any");
        assert_eq!(crossing(On::Request(&Method::Notify)).0, "Subject o Subscription-State X-Any");
        assert_eq!(crossing(On::Response).0, "Retry-After X-Any");
    }

    #[test]
    fn every_verdict_gives_its_reason_with_the_source() {
        let (from, message) = (profile(""), invite(FIELDS));
        let crossing = Crossing {
            from_trusted: false,
            to_trusted: true,
            from_profile: &from,
            to_profile: &from,
            realms: &[],
        };
        let verdicts: Vec<String> = message
            .headers()
            .iter()
            .map(|field| {
                format!("{}: {}", field.name_text(), verdict(&field, On::Request(&Method::Invite), &crossing))
            })
            .collect();
        insta::assert_snapshot!(verdicts.join("\n"), @r#"
        v: it belongs to the leg (RFC 3261 §20.42)
        Max-Forwards: it belongs to the leg (RFC 3261 §20.22; counted on, RFC 7332 §5)
        f: it belongs to the leg (RFC 3261 §20.20; the URI crosses, the tag is the leg's)
        To: it belongs to the leg (RFC 3261 §20.39; the URI crosses, the tag is the leg's)
        Call-ID: it belongs to the leg (RFC 3261 §20.8)
        CSeq: it belongs to the leg (RFC 3261 §20.16)
        Contact: it belongs to the leg (RFC 3261 §20.10; feature parameters cross, RFC 3840 §9)
        Record-Route: it belongs to the leg (RFC 3261 §20.30)
        User-Agent: each leg makes its own statement (RFC 3261 §20.41)
        Supported: each leg makes its own statement (RFC 3261 §20.37)
        X-Keep: it is unknown, and crosses
        Subject: it crosses (RFC 3261 §20.36)
        P-Asserted-Identity: the network that it comes from is not trusted (RFC 3325 §9.1)
        P-DCS-LAES: the network that it comes from is not trusted (RFC 5503 §8)
        x-Keep: it is unknown, and crosses
        y: it crosses (RFC 8224 §4)
        Content-Type: it goes with the body (RFC 3261 §20.15)
        Content-Length: it belongs to the leg (RFC 3261 §20.14)
        "#);
    }
}
