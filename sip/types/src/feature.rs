//! Feature parameters of a Contact, and the feature tags that they stand for (RFC 3840 §9).

/// Feature parameters whose tags begin with `sip.` though their names have no plus sign (RFC 3840 §9, `base-tags`).
const BASE: [&str; 18] = [
    "actor",
    "application",
    "audio",
    "automata",
    "class",
    "control",
    "data",
    "description",
    "duplex",
    "events",
    "extensions",
    "isfocus",
    "methods",
    "mobility",
    "priority",
    "schemes",
    "text",
    "video",
];

/// Feature parameters without plus sign whose tags are their names (RFC 3840 §9).
const BARE: [&str; 2] = ["language", "type"];

/// What the parameters say that a header field says as well (RFC 3840 §7): Allow, Allow-Events, Supported, Accept-Language and
/// Accept.
const SAID_BY_FIELDS: [&str; 5] = ["methods", "events", "extensions", "language", "type"];

/// The feature tag that a parameter of that name stands for, in lower case; `None` if it is no feature parameter.
///
/// ```
/// use sip_types::feature::tag_of;
/// assert_eq!(tag_of("Mobility").as_deref(), Some("sip.mobility"));
/// assert_eq!(tag_of("+rangeparam!a'b").as_deref(), Some("rangeparam:a/b"));
/// assert_eq!((tag_of("q"), tag_of("+1")), (None, None));
/// ```
#[must_use]
pub fn tag_of(name: &str) -> Option<String> {
    let tag = match name.strip_prefix('+') {
        Some(rest) if begins_as_tag(rest) => rest.replace('!', ":").replace('\'', "/"),
        Some(_) => return None,
        None if is_of(&BASE, name) => format!("sip.{name}"),
        None if is_of(&BARE, name) => name.to_owned(),
        None => return None,
    };
    Some(tag.to_ascii_lowercase())
}

/// Whether a parameter of that name is a feature parameter.
#[must_use]
pub fn is_feature(name: &str) -> bool {
    match name.strip_prefix('+') {
        Some(rest) => begins_as_tag(rest),
        None => is_of(&BASE, name) || is_of(&BARE, name),
    }
}

/// Whether a header field says the same where it may stand, and counts then instead of the parameter (RFC 3840 §7).
#[must_use]
pub fn is_said_by_a_field(name: &str) -> bool {
    is_of(&SAID_BY_FIELDS, name)
}

/// Whether parameters of these names stand for one feature tag: `audio` and `+sip.audio` do.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    short(one).eq_ignore_ascii_case(short(other))
}

/// The name without `+sip.`, where that makes no difference.
fn short(name: &str) -> &str {
    let rest = name.split_at_checked(5).filter(|(start, _)| start.eq_ignore_ascii_case("+sip."));
    rest.map(|(_, rest)| rest).filter(|rest| is_of(&BASE, rest)).unwrap_or(name)
}

/// An `ftag-name` begins with a letter (RFC 3840 §9).
fn begins_as_tag(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn is_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3840_9_every_name_that_has_a_tag_is_a_feature() {
        for name in BASE {
            assert_eq!(tag_of(&name.to_uppercase()).as_deref(), Some(&*format!("sip.{name}")));
            assert_eq!(tag_of(&format!("+sip.{name}")), tag_of(name));
            assert!(is_same(&format!("+SIP.{name}"), name));
        }
        for name in BARE {
            assert_eq!(tag_of(name).as_deref(), Some(name));
            assert!(!is_same(&format!("+sip.{name}"), name));
        }
        for name in BASE.iter().chain(&BARE).chain(&["+g.3gpp.icsi-ref", "+sip.x"]) {
            assert!(is_feature(name) && tag_of(name).is_some(), "{name}");
        }
        for name in ["q", "expires", "reg-id", "+", "+1x", "sip.audio", ""] {
            assert!(!is_feature(name) && tag_of(name).is_none(), "{name}");
        }
    }
}
