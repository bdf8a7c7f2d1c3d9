//! Which credentials answer a challenge, if any: they are bound to realm and peer.

use std::borrow::Cow;
use std::net::IpAddr;

use config::{Algorithm, Credentials, Profile, TrunkName};
use sip_types::header::Challenge;

use crate::compiled::Compiled;

/// Where a challenged request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To this address, by the trunk's targets or within a dialog.
    Address(IpAddr),
    /// Where a redirection pointed to.
    Redirected,
}

/// One challenge of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'c> {
    /// Whether the scheme is Digest.
    pub digest: bool,
    /// The realm.
    pub realm: Cow<'c, str>,
    /// The algorithm; absent means MD5 (RFC 3261 §22.4).
    pub algorithm: Option<Cow<'c, str>>,
    /// Whether there is a qop, and `auth` in it.
    pub qop: Option<bool>,
    /// Whether the nonce was merely stale.
    pub stale: bool,
}

impl<'c> From<&'c Challenge> for Offer<'c> {
    fn from(challenge: &'c Challenge) -> Self {
        let has_qop = challenge.qop().next().is_some();
        Self {
            digest: challenge.is_digest(),
            realm: challenge.realm().unwrap_or_default(),
            algorithm: challenge.algorithm(),
            qop: has_qop.then(|| challenge.offers_qop("auth")),
            stale: challenge.stale(),
        }
    }
}

/// A challenge and where it was met.
#[derive(Clone, Copy, Debug)]
pub struct ChallengeFacts<'f> {
    /// The trunk of the challenged leg.
    pub trunk: Option<&'f TrunkName>,
    /// Where the request went.
    pub place: Place,
    /// The addresses that the trunk's targets were resolved to.
    pub resolved: &'f [IpAddr],
    /// The challenges, in the order of the response.
    pub offers: &'f [Offer<'f>],
    /// Whether credentials for this realm were sent already.
    pub answered: bool,
    /// The profile of the leg.
    pub profile: &'f Profile,
}

/// What to answer with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Use<'f> {
    /// The credentials.
    pub credentials: &'f Credentials,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The index of the challenge that is answered.
    pub offer: usize,
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The leg has no trunk, and so no credentials.
    #[error("the leg belongs to no trunk")]
    NoTrunk,
    /// The request was redirected: credentials are for the trunk itself.
    #[error("the request was redirected away from the trunk")]
    Redirected,
    /// The request went to an address that is not the trunk's.
    #[error("{0} is not an address of the trunk")]
    OutsidePeer(IpAddr),
    /// There is no challenge of the Digest scheme.
    #[error("no challenge is of the scheme Digest")]
    Scheme,
    /// The trunk has no credentials for the realm.
    #[error("the trunk has no credentials for the realm")]
    ForeignRealm,
    /// The algorithm is unknown, or the profile does not permit it.
    #[error("the profile permits none of the algorithms")]
    Algorithm,
    /// The challenge has no qop, or not `auth`, and the profile asks for it.
    #[error("the challenge does not offer qop auth")]
    Qop,
    /// The credentials were sent, and refused.
    #[error("the credentials were refused")]
    Refused,
}

impl Compiled {
    /// The credentials that answer a challenge, for the first offer that may be answered (RFC 8760 §2.4).
    ///
    /// # Errors
    /// Nothing may be sent, and why: of several offers the reason that came closest to an answer.
    pub fn credentials<'f>(&'f self, facts: &ChallengeFacts<'f>) -> Result<Use<'f>, Refusal> {
        let trunk = facts.trunk.and_then(|name| self.config().trunks.get(name)).ok_or(Refusal::NoTrunk)?;
        let address = match facts.place {
            Place::Address(address) => address.to_canonical(),
            Place::Redirected => return Err(Refusal::Redirected),
        };
        let resolved = || facts.resolved.iter().any(|of| of.to_canonical() == address);
        if !resolved() && !trunk.from.iter().any(|from| from.contains(&address)) {
            return Err(Refusal::OutsidePeer(address));
        }
        let mut nearest = Refusal::Scheme;
        for (index, offer) in facts.offers.iter().enumerate() {
            match answer(&trunk.credentials, offer, facts) {
                Ok((credentials, algorithm)) => return Ok(Use { credentials, algorithm, offer: index }),
                Err(refusal) if closeness(refusal) > closeness(nearest) => nearest = refusal,
                Err(_) => {}
            }
        }
        Err(nearest)
    }
}

fn answer<'f>(
    credentials: &'f [Credentials],
    offer: &Offer<'_>,
    facts: &ChallengeFacts<'_>,
) -> Result<(&'f Credentials, Algorithm), Refusal> {
    if !offer.digest {
        return Err(Refusal::Scheme);
    }
    let of_realm = credentials.iter().find(|of| *of.realm == *offer.realm).ok_or(Refusal::ForeignRealm)?;
    if facts.answered && !offer.stale {
        return Err(Refusal::Refused);
    }
    let named = offer.algorithm.as_deref().unwrap_or(Algorithm::Md5.as_str());
    let permitted = facts.profile.digest.algorithms.iter();
    let algorithm = permitted.copied().find(|of| of.as_str().eq_ignore_ascii_case(named));
    let algorithm = algorithm.ok_or(Refusal::Algorithm)?;
    match offer.qop {
        Some(true) => Ok((of_realm, algorithm)),
        None if facts.profile.digest.allow_without_qop => Ok((of_realm, algorithm)),
        Some(false) | None => Err(Refusal::Qop),
    }
}

/// How far an offer got before it was refused.
const fn closeness(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::NoTrunk | Refusal::Redirected | Refusal::OutsidePeer(_) | Refusal::Scheme => 0,
        Refusal::ForeignRealm => 1,
        Refusal::Algorithm => 2,
        Refusal::Qop => 3,
        Refusal::Refused => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NETWORKS, compiled, name, profile};

    const TRUNKS: &str = r#"
[trunks.north]
network = "b"
from = ["192.0.2.0/28"]
credentials = [
    { realm = "north", username = "n", password = { env = "N" } },
    { realm = "proxy.north", username = "p", password = { env = "P" } },
]
[trunks.south]
network = "b"
from = ["198.51.100.1"]
credentials = [{ realm = "south", username = "s", password = { env = "S" } }]
"#;

    fn offer(realm: &str, algorithm: Option<&'static str>) -> Offer<'static> {
        let algorithm = algorithm.map(Cow::Borrowed);
        Offer { digest: true, realm: realm.to_owned().into(), algorithm, qop: Some(true), stale: false }
    }

    /// What the trunk `north` answers to these offers, met at this place.
    fn north(
        place: Place,
        offers: &[Offer<'_>],
        answered: bool,
        lines: &str,
    ) -> Result<(String, Algorithm, usize), Refusal> {
        let policy = compiled(&format!("{NETWORKS}{TRUNKS}"));
        let trunk = name(&policy.config().trunks, "north");
        let facts = ChallengeFacts {
            trunk: Some(trunk),
            place,
            resolved: &["203.0.113.9".parse().unwrap()],
            offers,
            answered,
            profile: &profile(lines),
        };
        let used = policy.credentials(&facts)?;
        Ok((used.credentials.username.to_string(), used.algorithm, used.offer))
    }

    fn at(address: &str) -> Place {
        Place::Address(address.parse().unwrap())
    }

    #[test]
    fn rfc3261_22_1_credentials_are_chosen_by_realm() {
        let offers = [offer("elsewhere", None), offer("proxy.north", None)];
        assert_eq!(north(at("192.0.2.3"), &offers, false, ""), Ok(("p".to_owned(), Algorithm::Md5, 1)));
        assert_eq!(north(at("203.0.113.9"), &[offer("north", None)], false, "").unwrap().0, "n");
        assert_eq!(north(at("::ffff:192.0.2.3"), &[offer("north", None)], false, "").unwrap().0, "n");
    }

    #[test]
    fn a_foreign_realm_or_the_wrong_place_gets_nothing() {
        let right = [offer("north", None)];
        assert_eq!(north(at("192.0.2.3"), &[offer("south", None)], false, ""), Err(Refusal::ForeignRealm));
        assert_eq!(north(at("192.0.2.3"), &[offer("North", None)], false, ""), Err(Refusal::ForeignRealm));
        let south = "198.51.100.1".parse().unwrap();
        assert_eq!(north(Place::Address(south), &right, false, ""), Err(Refusal::OutsidePeer(south)));
        assert_eq!(north(Place::Redirected, &right, false, ""), Err(Refusal::Redirected));
        let policy = compiled(&format!("{NETWORKS}{TRUNKS}"));
        let open = profile("");
        let facts = ChallengeFacts {
            trunk: None,
            place: at("192.0.2.3"),
            resolved: &[],
            offers: &right,
            answered: false,
            profile: &open,
        };
        assert_eq!(policy.credentials(&facts), Err(Refusal::NoTrunk));
    }

    #[test]
    fn rfc8760_2_4_the_first_permitted_algorithm_is_used_and_no_weaker_one() {
        let both = [offer("north", Some("SHA-256")), offer("north", Some("MD5"))];
        assert_eq!(north(at("192.0.2.3"), &both, false, ""), Ok(("n".to_owned(), Algorithm::Sha256, 0)));
        let md5 = [offer("north", None)];
        let strict = "digest = { algorithms = [\"SHA-256\"] }";
        assert_eq!(north(at("192.0.2.3"), &md5, false, strict), Err(Refusal::Algorithm));
        let odd = [offer("north", Some("SHA-512-256")), offer("north", Some("md5"))];
        assert_eq!(north(at("192.0.2.3"), &odd, false, ""), Ok(("n".to_owned(), Algorithm::Md5, 1)));
    }

    #[test]
    fn a_challenge_without_qop_is_answered_only_where_allowed() {
        let without = [Offer { qop: None, ..offer("north", None) }];
        assert_eq!(north(at("192.0.2.3"), &without, false, ""), Err(Refusal::Qop));
        assert!(north(at("192.0.2.3"), &without, false, "digest = { allow_without_qop = true }").is_ok());
        let integrity = [Offer { qop: Some(false), ..offer("north", None) }];
        assert_eq!(north(at("192.0.2.3"), &integrity, false, ""), Err(Refusal::Qop));
    }

    #[test]
    fn rfc3261_22_2_refused_credentials_are_not_sent_again_unless_the_nonce_was_stale() {
        let fresh = [offer("north", None)];
        assert_eq!(north(at("192.0.2.3"), &fresh, true, ""), Err(Refusal::Refused));
        let stale = [Offer { stale: true, ..offer("north", None) }];
        assert!(north(at("192.0.2.3"), &stale, true, "").is_ok());
        let other = [Offer { digest: false, ..offer("north", None) }];
        assert_eq!(north(at("192.0.2.3"), &other, false, ""), Err(Refusal::Scheme));
    }
}
