//! Which bodies and parts of bodies cross.

use config::Profile;
use sip_types::header::{Accept, ContentType};
use sip_types::{HeaderName, Headers, StatusCode};

use crate::crossing::Crossing;

/// Why a body does not cross, and must be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyRefused {
    /// There is no Content-Type (RFC 3261 §20.15).
    #[error("the body has no Content-Type")]
    Untyped,
    /// A profile forbids its media type.
    #[error("a profile forbids this media type")]
    Forbidden,
    /// It is no session description, and a profile carries nothing else.
    #[error("a profile carries session descriptions only")]
    Unknown,
    /// It has parts that cannot be told apart, so that nobody can say what is in it.
    #[error("a multipart body cannot be taken apart")]
    Malformed,
    /// It is to be handled as a reference to it says, and there is none (RFC 5621 §9.4).
    #[error("nothing refers to a body by reference")]
    Unreferenced,
    /// It is protected end to end (RFC 8551), and a profile forbids that.
    #[error("a profile forbids bodies that are protected end to end")]
    Protected,
}

impl BodyRefused {
    /// The response: 415 with Accept (RFC 3261 §8.2.3, RFC 5621 §8.4); 400 without a type, or with parts
    /// that cannot be told apart; 493 where it is encrypted or signed
    /// (RFC 3261 §21.4.28).
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Untyped | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Forbidden | Self::Unknown | Self::Unreferenced => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Protected => StatusCode::UNDECIPHERABLE,
        }
    }
}

/// Whether a body or a part of one crosses: `true` if it does, `false` if it is left out because nobody needs to
/// understand it (`handling=optional`, RFC 3261 §20.11). The session description is media's, and is not asked about.
///
/// # Errors
/// It does not cross and `required` is set: the request must be refused with the status of the error.
pub fn body_crosses(
    kind: Option<&ContentType>,
    required: bool,
    crossing: &Crossing<'_>,
) -> Result<bool, BodyRefused> {
    let verdict = match kind {
        None => Err(BodyRefused::Untyped),
        Some(kind) => crossing.profiles().into_iter().try_for_each(|profile| permitted(kind, profile)),
    };
    match verdict {
        Ok(()) => Ok(true),
        Err(_) if !required => Ok(false),
        Err(refused) => Err(refused),
    }
}

fn permitted(kind: &ContentType, profile: &Profile) -> Result<(), BodyRefused> {
    let carry = &profile.carry;
    let refused = |otherwise| if is_protected(kind) { BodyRefused::Protected } else { otherwise };
    if carry.forbid_bodies.iter().any(|forbidden| forbidden.covers(kind.type_(), kind.subtype())) {
        return Err(refused(BodyRefused::Forbidden));
    }
    if !carry.unknown_bodies && !kind.is("application", "sdp") && !is_container(kind) {
        return Err(refused(BodyRefused::Unknown));
    }
    Ok(())
}

/// S/MIME, signed or encrypted (RFC 8551 §3): it crosses whole or not at all.
#[must_use]
pub fn is_protected(kind: &ContentType) -> bool {
    kind.is("application", "pkcs7-mime")
        || kind.is("multipart", "signed")
        || kind.is("multipart", "encrypted")
}

/// What only holds parts, each of which is asked about (RFC 5621 §3).
fn is_container(kind: &ContentType) -> bool {
    kind.is_multipart() && !is_protected(kind)
}

/// Whether the sender of a request takes a body of this media type in the response (RFC 3261 §20.1): without an Accept
/// a session description; a malformed Accept refuses nothing. Where the response cannot do without the body, the
/// request is answered 406 (RFC 3261 §21.4.7).
#[must_use]
pub fn is_acceptable(headers: &Headers, kind: &str, subtype: &str) -> bool {
    if !headers.contains(HeaderName::Accept) {
        return kind.eq_ignore_ascii_case("application") && subtype.eq_ignore_ascii_case("sdp");
    }
    let ranges = headers.list::<Accept>();
    ranges.is_err() || ranges.iter().flatten().any(|range| range.q() > 0 && range.admits(kind, subtype))
}

#[cfg(test)]
mod tests {
    use sip_types::TypedHeader;

    use super::*;
    use crate::testing::{invite, profile};

    fn decide(kind: &str, required: bool, to: &Profile) -> Result<bool, BodyRefused> {
        let open = profile("");
        let crossing = Crossing {
            from_trusted: false,
            to_trusted: false,
            from_profile: &open,
            to_profile: to,
            realms: &[],
        };
        let kind = (!kind.is_empty()).then(|| ContentType::parse(&kind.into()).unwrap());
        body_crosses(kind.as_ref(), required, &crossing)
    }

    #[test]
    fn rfc3261_8_2_3_a_body_that_may_not_cross_is_refused_when_it_must_be_understood() {
        let open = profile("");
        assert_eq!(decide("application/isup;version=itu-t92+", true, &open), Ok(true));
        assert_eq!(decide("application/pkcs7-mime", true, &open), Ok(true));
        assert_eq!(decide("", true, &open), Err(BodyRefused::Untyped));
        let closed = profile("carry = { unknown_bodies = false }");
        assert_eq!(decide("application/isup", true, &closed), Err(BodyRefused::Unknown));
        assert_eq!(decide("application/isup", false, &closed), Ok(false));
        assert_eq!(decide("Application/SDP", true, &closed), Ok(true));
        assert_eq!(decide("multipart/mixed;boundary=b", true, &closed), Ok(true));
        assert_eq!(decide("multipart/signed;boundary=b", true, &closed), Err(BodyRefused::Protected));
    }

    #[test]
    fn bodies_are_forbidden_by_name_or_family() {
        let strict = profile("carry = { forbid_bodies = [\"application/isup\", \"image/*\"] }");
        assert_eq!(decide("APPLICATION/ISUP", true, &strict), Err(BodyRefused::Forbidden));
        assert_eq!(decide("image/png", true, &strict), Err(BodyRefused::Forbidden));
        assert_eq!(decide("application/qsig", true, &strict), Ok(true));
        assert_eq!(BodyRefused::Forbidden.status().as_u16(), 415);
        assert_eq!(BodyRefused::Protected.status().as_u16(), 493);
    }

    #[test]
    fn rfc3261_20_1_without_accept_a_session_description_is_acceptable() {
        let sdp = |fields: &[&str]| is_acceptable(invite(fields).headers(), "application", "sdp");
        assert!(sdp(&[]));
        assert!(sdp(&["Accept: text/plain, application/*"]));
        assert!(!sdp(&["Accept: text/plain"]));
        assert!(!sdp(&["Accept: application/sdp;q=0"]));
        assert!(!sdp(&["Accept:"]), "an empty Accept admits nothing");
        assert!(!is_acceptable(invite(&[]).headers(), "text", "plain"));
    }
}
