//! Challenges and their answers that are between the two sides: a home network and its terminal prove themselves to one another
//! through us, by a password or by a card (RFC 3261 §22.2, RFC 3310), where both profiles say so.

use sip_types::header::auth::{
    Authorization, Challenge, ProxyAuthenticate, ProxyAuthorization, WwwAuthenticate,
};
use sip_types::{Field, HeaderName, Headers, Method};

use crate::crossing::Crossing;
use crate::headers::On;

/// What a home network hands to a proxy in front of its terminals, and not to them (3GPP TS 24.229 §7.2A.1).
const KEYS: [&str; 2] = ["ik", "ck"];

/// Whether a field is such a challenge, or what belongs to one: of Digest, for a realm that is none of ours.
pub(super) fn crosses(field: &Field<'_>, on: On<'_>, crossing: &Crossing<'_>) -> bool {
    if !crossing.carries_proofs() {
        return false;
    }
    let theirs =
        |realm: Option<&str>| realm.is_some_and(|realm| !crossing.realms.iter().any(|ours| **ours == *realm));
    match (field.name(), on) {
        (HeaderName::WwwAuthenticate | HeaderName::ProxyAuthenticate, On::Response) => {
            challenge(field).is_some_and(|one| one.is_digest() && theirs(one.realm().as_deref()))
        }
        (HeaderName::Authorization, On::Request(_)) => {
            field.parse::<Authorization>().is_ok_and(|one| one.is_digest() && theirs(one.realm().as_deref()))
        }
        (HeaderName::ProxyAuthorization, On::Request(_)) => field
            .parse::<ProxyAuthorization>()
            .is_ok_and(|one| one.is_digest() && theirs(one.realm().as_deref())),
        // It names no realm, and shows nothing of a secret.
        (HeaderName::AuthenticationInfo, On::Response) => true,
        (_, On::Response) => field.name_text().eq_ignore_ascii_case("Proxy-Authentication-Info"),
        (_, On::Request(_)) => false,
    }
}

/// A challenge without the keys that are not for whom it goes to; `None` for any other field, which goes on as it is.
pub(super) fn without_keys(field: &Field<'_>) -> Option<String> {
    Some(challenge(field)?.without(&KEYS).to_string())
}

fn challenge(field: &Field<'_>) -> Option<Challenge> {
    match field.name() {
        HeaderName::WwwAuthenticate => field.parse::<WwwAuthenticate>().ok().map(|one| one.0),
        HeaderName::ProxyAuthenticate => field.parse::<ProxyAuthenticate>().ok().map(|one| one.0),
        _ => None,
    }
}

impl Crossing<'_> {
    /// Whether challenges and what answers them cross at all.
    #[must_use]
    pub fn carries_proofs(&self) -> bool {
        self.profiles().iter().all(|profile| profile.carry.credentials)
    }

    /// Whether a request has a proof for the other side.
    #[must_use]
    pub fn passes_proof(&self, headers: &Headers, method: &Method) -> bool {
        let proofs = [HeaderName::Authorization, HeaderName::ProxyAuthorization];
        self.carries_proofs()
            && headers
                .iter()
                .any(|field| proofs.contains(&field.name()) && crosses(&field, On::Request(method), self))
    }

    /// Whether a response has a challenge that the other side is to answer.
    #[must_use]
    pub fn passes_challenge(&self, headers: &Headers) -> bool {
        headers.iter().any(|field| challenge(&field).is_some() && crosses(&field, On::Response, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Trail;
    use crate::headers::carry;
    use crate::testing::{invite, profile};
    const FIELDS: &[&str] = &[
        "WWW-Authenticate: Digest realm=\"ims\", nonce=\"n+/=\",algorithm=AKAv1-MD5, ik=\"0011\", CK=\"00\",  qop=\"auth\"",
        "WWW-Authenticate: Digest realm=\"ours\", nonce=\"n\"",
        "Proxy-Authenticate: Digest realm=\"proxy\",nonce=\"p\"",
        "WWW-Authenticate: Basic realm=\"ims\"",
        "WWW-Authenticate: Bearer realm=\"ims\", authz_server=\"https://a\"",
        "WWW-Authenticate: Digest realm=\"ims",
        "Authorization: Digest username=\"u\", realm=\"ims\",nonce=\"n\", auts=\"a\"",
        "Authorization: Digest username=\"u\", realm=\"ours\"",
        "Authorization: Bearer abc",
        "Proxy-Authorization: Digest username=\"u\", realm=\"proxy\"",
        "Authentication-Info: nextnonce=\"n\"",
        "Proxy-Authentication-Info: nextnonce=\"p\"",
    ];

    /// What crosses, and the trail.
    fn crossing(on: On<'_>, lines: [&str; 2]) -> (Vec<String>, String, bool) {
        let [from, to] = lines.map(profile);
        let realms = ["ours".into()];
        let crossing = Crossing {
            from_trusted: false,
            to_trusted: false,
            from_profile: &from,
            to_profile: &to,
            realms: &realms,
        };
        let (message, mut trail) = (invite(FIELDS), Trail::default());
        let fields = carry(message.headers(), on, &crossing, &mut trail);
        let text = |field: &sip_types::OwnedField| {
            format!("{}: {}", field.name_text(), String::from_utf8_lossy(field.value()))
        };
        let passes = crossing.passes_challenge(message.headers());
        (fields.iter().map(text).collect(), trail.to_string(), passes)
    }

    const ON: &str = "carry = { credentials = true }";

    #[test]
    fn rfc3310_3_challenges_and_answers_cross_where_both_profiles_say_so_and_keys_do_not() {
        let (challenges, _, passes) = crossing(On::Response, [ON, ON]);
        assert_eq!(
            challenges,
            [
                "WWW-Authenticate: Digest realm=\"ims\", nonce=\"n+/=\", algorithm=AKAv1-MD5, qop=\"auth\"",
                "Proxy-Authenticate: Digest realm=\"proxy\",nonce=\"p\"",
                "Authentication-Info: nextnonce=\"n\"",
                "Proxy-Authentication-Info: nextnonce=\"p\"",
            ]
        );
        assert!(passes);
        let (answers, trail, _) = crossing(On::Request(&Method::Invite), [ON, ON]);
        assert_eq!(
            answers,
            [
                "Authorization: Digest username=\"u\", realm=\"ims\",nonce=\"n\", auts=\"a\"",
                "Proxy-Authorization: Digest username=\"u\", realm=\"proxy\"",
            ]
        );
        insta::assert_snapshot!(trail, @r"
        credentials: Authorization crosses (it is between the two sides: requests of our own prove nothing there)
        credentials: Proxy-Authorization crosses (it is between the two sides: requests of our own prove nothing there)
        ");
        for lines in [["", ON], [ON, ""], ["", ""]] {
            for on in [On::Response, On::Request(&Method::Invite)] {
                assert_eq!(crossing(on, lines), (Vec::new(), String::new(), false));
            }
        }
    }
}
