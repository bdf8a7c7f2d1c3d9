//! What a response asks for.

use crate::auth::algorithm::{Algorithm, Hash, Qop};
use crate::auth::kind::Kind;
use sip_types::header::auth::{Challenge, ProxyAuthenticate, WwwAuthenticate};
use sip_types::{HeaderName, Headers};
use std::cmp::Reverse;

/// How many challenges of one response are read; a fork may bring several (RFC 3261 §22.3).
const MAX_CHALLENGES: usize = 32;

/// What we are willing to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// No hash function with fewer [bits](Hash::bits) than this one, where a password is to be shown. Default: MD5, which is
    /// all that many peers know.
    pub weakest: Hash,
    /// Whether a challenge without qop (RFC 2069) is answered. It gets a response without qop, which such a server
    /// expects (RFC 3261 §22.4 item 8) though RFC 8760 §2.6 would have it sent; there is then no nonce count. Default: false.
    pub allow_without_qop: bool,
}

impl Default for Acceptance {
    fn default() -> Self {
        Self { weakest: Hash::Md5, allow_without_qop: false }
    }
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// The field is no challenge.
    #[error("malformed")]
    Malformed,
    /// No realm (RFC 7616 §3.3).
    #[error("no realm")]
    NoRealm,
    /// No nonce.
    #[error("no nonce")]
    NoNonce,
    /// `-sess` without qop: there is no cnonce to make the session key with (RFC 3261 §22.4 item 8).
    #[error("a session algorithm without qop")]
    SessionWithoutQop,
    /// Another scheme than Digest. Basic is never answered (RFC 3261 §22).
    #[error("a scheme other than Digest")]
    Scheme,
    /// An algorithm that we do not compute.
    #[error("an unknown algorithm")]
    Algorithm,
    /// qop values, none of which we know.
    #[error("no known qop")]
    Qop,
    /// Weaker than [`Acceptance::weakest`].
    #[error("a weaker algorithm than configured")]
    Weaker,
    /// Without qop, and [`Acceptance::allow_without_qop`] is false.
    #[error("no qop")]
    WithoutQop,
    /// Beyond the 32 challenges of one response that are read.
    #[error("too many challenges")]
    TooMany,
}

/// A challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) algorithm: Algorithm,
    /// As it was written, since it is returned so (RFC 7616 §3.4); `None` if it was absent.
    pub(super) algorithm_text: Option<Box<str>>,
    pub(super) nonce: Box<str>,
    pub(super) opaque: Option<Box<str>>,
    pub(super) qop: Option<Qop>,
    pub(super) stale: bool,
    pub(super) userhash: bool,
}

impl Offer {
    fn read(challenge: &Challenge, acceptance: &Acceptance) -> Result<Self, Unacceptable> {
        if !challenge.is_digest() {
            return Err(Unacceptable::Scheme);
        }
        let nonce = challenge.nonce().ok_or(Unacceptable::NoNonce)?;
        let algorithm_text = challenge.algorithm();
        let algorithm = match &algorithm_text {
            Some(text) => Algorithm::from_token(text).ok_or(Unacceptable::Algorithm)?,
            None => Algorithm::MD5,
        };
        if !algorithm.reaches(acceptance.weakest) {
            return Err(Unacceptable::Weaker);
        }
        let qop = Self::qop(challenge)?;
        if qop.is_none() && algorithm.session {
            return Err(Unacceptable::SessionWithoutQop);
        }
        if qop.is_none() && !acceptance.allow_without_qop {
            return Err(Unacceptable::WithoutQop);
        }
        Ok(Self {
            algorithm,
            algorithm_text: algorithm_text.map(|text| text.into()),
            nonce: nonce.into(),
            opaque: challenge.opaque().map(|text| text.into()),
            qop,
            stale: challenge.stale(),
            userhash: challenge.param("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }

    /// `auth` before `auth-int`: bodies are changed on the way by half the boxes of the field. `None` if none is offered.
    fn qop(challenge: &Challenge) -> Result<Option<Qop>, Unacceptable> {
        let Some(list) = challenge.param("qop") else { return Ok(None) };
        let known = |wanted| list.split(',').any(|token| Qop::from_token(token.trim()) == Some(wanted));
        if known(Qop::Auth) {
            Ok(Some(Qop::Auth))
        } else if known(Qop::AuthInt) {
            Ok(Some(Qop::AuthInt))
        } else {
            Err(Unacceptable::Qop)
        }
    }
}

/// One challenger of a response: the acceptable ones of its challenges.
#[derive(Clone, Debug)]
pub struct Asked {
    pub(super) kind: Kind,
    pub(super) realm: Box<str>,
    /// 0 for the first challenger with this kind and realm, 1 for the second…
    pub(super) place: usize,
    /// Strongest first; the order of the response among equals. Never empty.
    pub(super) offers: Vec<Offer>,
}

impl Asked {
    /// User agent or proxy.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The realm, unescaped.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The algorithms that may be answered, strongest first.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> + '_ {
        self.offers.iter().map(|offer| offer.algorithm)
    }
}

/// A challenge that is not answered, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// User agent or proxy.
    pub kind: Kind,
    /// The realm, where there is one.
    pub realm: Option<Box<str>>,
    /// Why not.
    pub why: Unacceptable,
}

/// What a 401 or 407 asks: per challenger the acceptable challenges, and beside them the others with a reason.
///
/// Challenges with one kind and realm belong to one challenger until an algorithm comes a second time: a server uses
/// each once (RFC 8760 §2.3), but proxies behind a fork may share a realm (RFC 3261 §22.3).
#[derive(Clone, Debug, Default)]
pub struct Demand {
    asked: Vec<Asked>,
    unusable: Vec<Unusable>,
}

impl Demand {
    /// Reads the WWW-Authenticate and Proxy-Authenticate fields of a response, each for itself: one that is not understood
    /// hides no other (RFC 8760 §2.4).
    pub fn of(headers: &Headers, acceptance: &Acceptance) -> Self {
        let parsed = headers.iter().filter_map(|field| match field.name() {
            HeaderName::WwwAuthenticate => {
                Some((Kind::User, field.parse::<WwwAuthenticate>().map(|one| one.0)))
            }
            HeaderName::ProxyAuthenticate => {
                Some((Kind::Proxy, field.parse::<ProxyAuthenticate>().map(|one| one.0)))
            }
            _ => None,
        });
        let mut demand = Self::default();
        for (index, (kind, challenge)) in parsed.enumerate().take(MAX_CHALLENGES + 1) {
            match challenge {
                Ok(challenge) => demand.take(index, kind, &challenge, acceptance),
                Err(_) => demand.refuse(kind, None, Unacceptable::Malformed),
            }
        }
        demand.sorted()
    }

    /// Reads challenges in the order in which they stand in the response.
    pub fn read<'c>(
        challenges: impl IntoIterator<Item = (Kind, &'c Challenge)>,
        acceptance: &Acceptance,
    ) -> Self {
        let mut demand = Self::default();
        for (index, (kind, challenge)) in challenges.into_iter().enumerate().take(MAX_CHALLENGES + 1) {
            demand.take(index, kind, challenge, acceptance);
        }
        demand.sorted()
    }

    fn take(&mut self, index: usize, kind: Kind, challenge: &Challenge, acceptance: &Acceptance) {
        let realm: Option<Box<str>> = challenge.realm().map(|realm| realm.into());
        let offer = if index < MAX_CHALLENGES {
            Offer::read(challenge, acceptance)
        } else {
            Err(Unacceptable::TooMany)
        };
        match (offer, realm) {
            (Ok(offer), Some(realm)) => self.add(kind, realm, offer),
            (Ok(_), None) => self.refuse(kind, None, Unacceptable::NoRealm),
            (Err(why), realm) => self.refuse(kind, realm, why),
        }
    }

    fn sorted(mut self) -> Self {
        for asked in &mut self.asked {
            asked.offers.sort_by_key(|offer| Reverse(offer.algorithm.strength()));
        }
        self
    }

    fn add(&mut self, kind: Kind, realm: Box<str>, offer: Offer) {
        let mut place = 0;
        if let Some(last) =
            self.asked.iter_mut().rev().find(|asked| asked.kind == kind && asked.realm == realm)
        {
            if last.offers.iter().all(|known| known.algorithm != offer.algorithm) {
                last.offers.push(offer);
                return;
            }
            place = last.place + 1;
        }
        self.asked.push(Asked { kind, realm, place, offers: vec![offer] });
    }

    fn refuse(&mut self, kind: Kind, realm: Option<Box<str>>, why: Unacceptable) {
        self.unusable.push(Unusable { kind, realm, why });
    }

    /// Each challenger that can be answered.
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// The protection spaces of those who ask (RFC 3261 §22.1), each once.
    pub fn realms(&self) -> Vec<Box<str>> {
        let mut realms: Vec<Box<str>> = Vec::new();
        for asked in &self.asked {
            if !realms.contains(&asked.realm) {
                realms.push(asked.realm.clone());
            }
        }
        realms
    }

    /// The challenges that cannot, or may not.
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }
}
