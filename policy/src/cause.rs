//! Causes of ISDN (ITU-T Q.850) and statuses of SIP, where a profile asks for the one by the other (RFC 3398).

use config::{Cause, Profile};
use sip_types::header::Reason;
use sip_types::{Fields, HeaderName, Headers, StatusCode, TypedHeader};

/// The protocol of a Reason with an ISDN cause (RFC 3326 §2).
const PROTOCOL: &str = "Q.850";
/// Normal clearing, which a BYE or CANCEL means (RFC 3398 §8.2.6.1).
const NORMAL: u8 = 16;
/// "Normal, unspecified", where no other cause fits.
const UNSPECIFIED: u8 = 31;
/// "Bearer capability not implemented".
const BEARER: u8 = 65;

/// Adds the cause of a release to what says its Reason, if the profile of the leg that hears it asks for that and none is there
/// (RFC 6432 §4 for responses). `status` is that of a response; else it is a BYE or CANCEL, whose Reason may name one.
pub fn add_cause(fields: &mut Fields, status: Option<StatusCode>, profile: &Profile) {
    if !profile.causes.add {
        return;
    }
    let reasons = fields.all(HeaderName::Reason).filter_map(|field| std::str::from_utf8(field.value()).ok());
    let mut of_sip = None;
    for reason in reasons.flat_map(elements) {
        if reason.is_protocol(PROTOCOL) {
            return;
        }
        of_sip = of_sip.or_else(|| reason.cause().filter(|_| reason.is_protocol("SIP")));
    }
    let named = of_sip.and_then(|cause| u16::try_from(cause).ok()).and_then(StatusCode::new);
    let cause = match status.or(named.filter(|status| status.class() >= 3)) {
        Some(status) => cause_of(status, is_of_bearer(fields), profile),
        None => Some(NORMAL),
    };
    if let Some(cause) = cause {
        fields.push(HeaderName::Reason, format!("{PROTOCOL};cause={cause}"));
    }
}

/// The status that the ISDN cause of a failure stands for, if the profile of the leg that it comes from says that the cause
/// counts; `None` where it does not, there is none, or it has no status.
#[must_use]
pub fn status_by_cause(headers: &Headers, profile: &Profile) -> Option<StatusCode> {
    if !profile.causes.heed {
        return None;
    }
    let reasons = headers.list::<Reason>().ok()?;
    let reason = reasons.iter().find(|reason| reason.is_protocol(PROTOCOL))?;
    let cause = reason.cause().and_then(|cause| u8::try_from(cause).ok())?;
    let of_profile = Cause::new(cause).and_then(|cause| profile.causes.statuses.get(&cause).copied());
    of_profile.or_else(|| StatusCode::new(status_of(cause, is_of_user(reason))?))
}

/// RFC 3398 §8.2.6.1.
fn cause_of(status: StatusCode, of_bearer: bool, profile: &Profile) -> Option<u8> {
    if let Some(cause) = profile.causes.causes.get(&status) {
        return Some(cause.value());
    }
    Some(match status.as_u16() {
        404 | 485 | 604 => 1,
        486 | 600 => 17,
        480 => 18,
        401..=403 | 407 | 603 => 21,
        410 => 22,
        482 | 483 => 25,
        484 => 28,
        502 => 38,
        400 | 481 | 500 | 503 => 41,
        405 => 63,
        488 | 606 if of_bearer => BEARER,
        406 | 415 | 501 => 79,
        408 | 504 => 102,
        413 | 414 | 416 | 420 | 421 | 423 | 505 | 513 => 127,
        487 => return None,
        _ => UNSPECIFIED,
    })
}

/// RFC 3398 §7.2.4.1.
fn status_of(cause: u8, of_user: bool) -> Option<u16> {
    Some(match cause {
        1..=3 | 26 => 404,
        17 => 486,
        18 => 408,
        19 | 20 | 31 => 480,
        21 if of_user => 603,
        21 | 55 | 57 | 87 => 403,
        22 | 23 => 410,
        27 => 502,
        28 => 484,
        29 | 79 => 501,
        34 | 38 | 41 | 42 | 47 | 58 | 88 => 503,
        65 | 70 => 488,
        102 => 504,
        // A call is cleared so with BYE or CANCEL; and a circuit of a gateway is its own business.
        16 | 44 => return None,
        _ => 500,
    })
}

/// Whether the release was the user's (RFC 8606 §4).
fn is_of_user(reason: &Reason) -> bool {
    reason.params().get_unquoted("location").is_some_and(|location| location.eq_ignore_ascii_case("U"))
}

/// Whether a Warning speaks of media that cannot be had (RFC 3398 §8.2.6.1; RFC 3261 §27.2: 304 and 305).
fn is_of_bearer(fields: &Fields) -> bool {
    let mut warnings = fields.all(HeaderName::Warning);
    warnings.any(|field| field.value().starts_with(b"304") || field.value().starts_with(b"305"))
}

/// The reasons of one field. Their texts may have commas between quotes.
fn elements(value: &str) -> impl Iterator<Item = Reason> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = value.split(move |c| {
        let ends = c == ',' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && quoted && !escaped;
        ends
    });
    parts.filter_map(|part| Reason::parse(&part.into()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{invite, profile};

    fn added(reason: &[&str], status: Option<u16>, lines: &str) -> Vec<String> {
        let mut fields = Fields::new();
        reason.iter().for_each(|reason| fields.push(HeaderName::Reason, *reason));
        add_cause(&mut fields, status.and_then(StatusCode::new), &profile(lines));
        let values = fields.all(HeaderName::Reason).skip(reason.len());
        values.map(|field| String::from_utf8_lossy(field.value()).into_owned()).collect()
    }

    #[test]
    fn rfc3398_8_2_6_1_every_status_has_its_cause() {
        let rows = [
            (400, 41),
            (401, 21),
            (402, 21),
            (403, 21),
            (404, 1),
            (405, 63),
            (406, 79),
            (407, 21),
            (408, 102),
            (410, 22),
            (413, 127),
            (414, 127),
            (415, 79),
            (416, 127),
            (420, 127),
            (421, 127),
            (423, 127),
            (480, 18),
            (481, 41),
            (482, 25),
            (483, 25),
            (484, 28),
            (485, 1),
            (486, 17),
            (488, 31),
            (500, 41),
            (501, 79),
            (502, 38),
            (503, 41),
            (504, 102),
            (505, 127),
            (513, 127),
            (600, 17),
            (603, 21),
            (604, 1),
            (606, 31),
            (499, 31),
            (302, 31),
        ];
        for (status, cause) in rows {
            assert_eq!(
                added(&[], Some(status), "causes = { add = true }"),
                [format!("Q.850;cause={cause}")],
                "{status}"
            );
        }
        assert!(added(&[], Some(487), "causes = { add = true }").is_empty());
        assert!(added(&[], Some(486), "").is_empty(), "nobody has asked for it");
        assert_eq!(
            added(&[], Some(486), "causes = { add = true, causes = { \"486\" = 19 } }"),
            ["Q.850;cause=19"]
        );
    }

    #[test]
    fn rfc3398_8_2_6_1_media_that_cannot_be_had_is_a_lack_of_the_bearer() {
        let mut fields = Fields::new();
        fields.push(HeaderName::Warning, "304 liaison \"No media\"");
        add_cause(&mut fields, StatusCode::new(488), &profile("causes = { add = true }"));
        assert_eq!(&fields.first(HeaderName::Reason).unwrap().value()[..], b"Q.850;cause=65");
    }

    #[test]
    fn a_bye_has_the_cause_of_the_status_that_its_reason_names_or_else_normal_clearing() {
        let on = "causes = { add = true }";
        assert_eq!(added(&[], None, on), ["Q.850;cause=16"]);
        assert_eq!(added(&["SIP;cause=200;text=\"Call completed elsewhere\""], None, on), ["Q.850;cause=16"]);
        assert_eq!(added(&["SIP;cause=503;text=\"gone, for good\""], None, on), ["Q.850;cause=41"]);
        for there in ["q.850;cause=17;location=LN", "SIP;text=\"a, b\" , Q.850 ;cause=17"] {
            assert!(added(&[there], None, on).is_empty(), "{there}: it has one, and keeps it");
        }
        assert_eq!(added(&["SIP;text=\"x, Q.850;cause=3\""], None, on), ["Q.850;cause=16"], "a text is none");
    }

    // conforms: RFC8606-4-2
    #[test]
    fn rfc3398_7_2_4_1_every_cause_has_its_status() {
        let heed = profile("causes = { heed = true, statuses = { \"42\" = 486 } }");
        let by = |reason: &str, profile: &Profile| {
            let message = invite(&[&format!("Reason: {reason}")]);
            status_by_cause(message.headers(), profile).map(|status| status.as_u16())
        };
        let rows = [
            (1, 404),
            (2, 404),
            (3, 404),
            (17, 486),
            (18, 408),
            (19, 480),
            (20, 480),
            (21, 403),
            (22, 410),
            (23, 410),
            (26, 404),
            (27, 502),
            (28, 484),
            (29, 501),
            (31, 480),
            (34, 503),
            (38, 503),
            (41, 503),
            (42, 486),
            (47, 503),
            (55, 403),
            (57, 403),
            (58, 503),
            (65, 488),
            (70, 488),
            (79, 501),
            (87, 403),
            (88, 503),
            (102, 504),
            (111, 500),
            (127, 500),
            (99, 500),
        ];
        for (cause, status) in rows {
            assert_eq!(by(&format!("SIP;cause=500, Q.850;cause={cause}"), &heed), Some(status), "{cause}");
        }
        assert_eq!(by("Q.850;cause=21;location=U", &heed), Some(603), "the user's own refusal");
        assert_eq!(by("Q.850;cause=21;location=XX", &heed), Some(403), "a location that is none");
        for none in ["Q.850;cause=16", "Q.850;cause=44", "Q.850", "SIP;cause=486", "Q.850;cause=300"] {
            assert_eq!(by(none, &heed), None, "{none}");
        }
        assert_eq!(by("Q.850;cause=17", &profile("")), None);
    }
}
