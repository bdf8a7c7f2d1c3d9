//! A realm of ours.

use super::accepted::Accepted;
use super::nonce::{Clock, NonceId, Signer};
use super::presented::{Presented, Reading};
use super::uri::UriCheck;
use super::username::Claimant;
use super::verdict::{Refusal, StaleCause, Verdict};
use super::window::{Claim, Windows};
use crate::auth::algorithm::{Algorithm, Qop};
use crate::auth::digest::{self, Covered};
use crate::auth::params::Params;
use crate::auth::secret::{Credential, Secret};
use crate::ids::Ids;
use crate::time::{Now, Wall};
use sip_types::header::auth::Credentials;
use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// What a [`Challenger`] asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The realm: globally unique, best a domain (RFC 3261 §22.1).
    pub realm: Box<str>,
    /// At least one, each for a hash that the stored secrets know. They are offered strongest first, in this order among
    /// equals. Default: SHA-256, then MD5. A session algorithm is checked with the cnonce of each request.
    pub algorithms: Vec<Algorithm>,
    /// Offered in this order; at least one. Default: `auth`.
    pub qop: Vec<Qop>,
    /// Whether a response without qop, of an RFC 2069 client, is accepted; each nonce is then good for one request.
    /// Default: false.
    pub allow_without_qop: bool,
    /// Whether users may name themselves by a hash (RFC 7616 §3.4.4); [`super::UserHashes`] tells who it is. Default: false.
    pub userhash: bool,
    /// Age up to which a nonce is good. Default: 300 s.
    pub lifetime: Duration,
    /// Digest-uri against Request-URI. Default: [`UriCheck::Resource`].
    pub uri: UriCheck,
}

impl Settings {
    /// The defaults for `realm`.
    pub fn new(realm: impl Into<Box<str>>) -> Self {
        Self {
            realm: realm.into(),
            algorithms: vec![Algorithm::SHA_256, Algorithm::MD5],
            qop: vec![Qop::Auth],
            allow_without_qop: false,
            userhash: false,
            lifetime: Duration::from_secs(300),
            uri: UriCheck::default(),
        }
    }
}

/// Why settings make no challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No algorithm.
    #[error("no digest algorithm")]
    NoAlgorithm,
    /// One algorithm twice (RFC 8760 §2.3).
    #[error("{0} is listed twice")]
    Twice(Algorithm),
    /// An algorithm for cards: their secrets are kept by the home network.
    #[error("{0} asks for a card")]
    Card(Algorithm),
    /// No qop (RFC 8760 §2.6 item 8 has one sent always).
    #[error("no quality of protection")]
    NoQop,
    /// An empty realm.
    #[error("no realm")]
    NoRealm,
}

/// Challenges for one realm and checks the answers. `Sync`, without state that changes.
pub struct Challenger {
    settings: Settings,
    signer: Signer,
    clock: Clock,
}

/// The password of users who do not exist: hashed like any other, right for nobody.
const DECOY: &str = "no such user";

impl Challenger {
    /// `key`: 32 random bytes, the same for all shards of a process, best drawn anew at each start. `started`: the start of
    /// the process, the same for all shards and for [`super::NonceWindows::new`].
    ///
    /// # Errors
    /// [`SettingsError`] where the settings cannot make a valid challenge.
    pub fn new(key: &[u8; 32], started: Now, mut settings: Settings) -> Result<Self, SettingsError> {
        if settings.realm.is_empty() {
            return Err(SettingsError::NoRealm);
        }
        if settings.qop.is_empty() {
            return Err(SettingsError::NoQop);
        }
        if settings.algorithms.is_empty() {
            return Err(SettingsError::NoAlgorithm);
        }
        let mut seen = Vec::new();
        for &algorithm in &settings.algorithms {
            if seen.contains(&algorithm) {
                return Err(SettingsError::Twice(algorithm));
            }
            if algorithm.aka.is_some() {
                return Err(SettingsError::Card(algorithm));
            }
            seen.push(algorithm);
        }
        settings.algorithms.sort_by_key(|algorithm| Reverse(algorithm.strength()));
        let signer = Signer::new(key, &settings.realm);
        Ok(Self { settings, signer, clock: Clock::new(started) })
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.settings.realm
    }

    /// The values of the WWW-Authenticate or Proxy-Authenticate fields of a challenge, in the order in which they must
    /// stand: one per algorithm, strongest first (RFC 8760 §2.3), with one fresh nonce, which is good for requests from `source`.
    pub fn challenge(&self, now: Now, source: IpAddr, stale: bool, ids: &mut dyn Ids) -> Vec<String> {
        let nonce = self.signer.mint(self.clock.read(now.mono), source, ids);
        let qop = self.settings.qop.iter().map(|qop| qop.as_str()).collect::<Vec<_>>().join(",");
        let field = |algorithm: &Algorithm| {
            let mut params = Params::digest()
                .quoted("realm", self.realm())
                .quoted("nonce", &nonce)
                .quoted("qop", &qop)
                .token("algorithm", algorithm);
            if self.settings.userhash {
                // Text in SIP is UTF-8 anyhow; who knows userhash knows this too.
                params = params.token("charset", "UTF-8").token("userhash", true);
            }
            if stale { params.token("stale", true).finish() } else { params.finish() }
        };
        self.settings.algorithms.iter().map(field).collect()
    }

    /// A nonce for the next request of an accepted user, so that it needs no challenge (RFC 7616 §3.5 `nextnonce`).
    pub fn next_nonce(&self, now: Now, source: IpAddr, ids: &mut dyn Ids) -> String {
        self.signer.mint(self.clock.read(now.mono), source, ids)
    }

    /// [`Challenger::read`] and [`Challenger::settle`] at once, where the secret is at hand; the answer of `lookup` for a
    /// user who does not exist is `None`.
    pub fn verify(
        &self,
        now: Now,
        (source, covered): (IpAddr, &Covered<'_>),
        credentials: &[Credentials],
        windows: impl Windows,
        lookup: impl FnOnce(&Claimant) -> Option<Arc<Credential>>,
    ) -> Verdict {
        match self.read(source, covered, credentials) {
            Reading::Absent => Verdict::Absent,
            Reading::Refused(refusal) => Verdict::Rejected(refusal),
            Reading::Presented(presented) => {
                let user = lookup(&presented.user);
                self.settle(now, *presented, user.as_deref(), windows)
            }
        }
    }

    /// Checks the response with the user's secret, then the age of the nonce and its count. A nonce that is none of ours is stale
    /// whatever the response: it is no guess, for anybody can make one up under anybody's address, and nobody learns anything by it. `None`: there is no such user, which takes
    /// the same work and gets the same answer as a wrong password.
    pub fn settle(
        &self,
        now: Now,
        presented: Presented,
        known: Option<&Credential>,
        mut windows: impl Windows,
    ) -> Verdict {
        let Presented { user, algorithm, nonce, id, uri, response, protection, ha2 } = presented;
        let Some(id) = id else { return Verdict::Stale(StaleCause::Unknown) };
        let hash = algorithm.hash;
        // Always hashed from a password, so that the time does not tell who exists.
        let username = known.map_or(user.text(), |known| &*known.username);
        let secret = known.map(|known| &known.secret);
        let password = secret.and_then(Secret::cleartext).unwrap_or(DECOY);
        let typed = digest::ha1(hash, username, self.realm(), password.as_bytes());
        let plain = secret.and_then(|secret| secret.stored(hash)).cloned().unwrap_or(typed);
        let cnonce = protection.as_ref().map_or("", |with| &*with.cnonce);
        let ha1 = digest::keyed(algorithm, plain, &nonce, cnonce);
        let with = protection.as_ref().map(super::accepted::Owned::borrow);
        let expected = digest::response(hash, &ha1, &nonce, with, &ha2);
        let right = bool::from(expected.ct_eq(&response));
        let refusal = match secret {
            None => Some(Refusal::UnknownUser),
            Some(secret) if !secret.answers(algorithm) => Some(Refusal::NoHash),
            Some(_) if !right => Some(Refusal::WrongResponse),
            Some(_) => None,
        };
        if let Some(refusal) = refusal {
            return Verdict::Rejected(refusal);
        }
        // Without qop there is no count: the nonce is good once.
        let count = protection.as_ref().map_or(1, |with| with.count);
        if let Err(cause) = self.check_nonce(now, id, count, &mut windows) {
            return Verdict::Stale(cause);
        }
        let username = username.into();
        Verdict::Accepted(Accepted { username, algorithm, nonce, uri, protection, ha1 })
    }

    fn check_nonce(
        &self,
        now: Now,
        id: NonceId,
        count: u32,
        windows: &mut impl Windows,
    ) -> Result<(), StaleCause> {
        let clock = self.clock.read(now.mono);
        let lifetime = u64::try_from(self.settings.lifetime.as_millis()).unwrap_or(u64::MAX);
        let oldest = Wall(clock.0.saturating_sub(lifetime));
        if id.issued() > clock {
            return Err(StaleCause::Unknown);
        }
        if id.issued() < oldest {
            return Err(StaleCause::Expired);
        }
        match windows.claim(id, count, oldest) {
            Claim::Fresh => Ok(()),
            Claim::Used => Err(StaleCause::Replayed),
            Claim::Forgotten => Err(StaleCause::Forgotten),
        }
    }

    pub(super) fn open(&self, nonce: &str, source: IpAddr) -> Option<NonceId> {
        self.signer.open(nonce, source)
    }

    pub(super) fn offers(&self, algorithm: Algorithm) -> bool {
        self.settings.algorithms.contains(&algorithm)
    }

    pub(super) fn offers_qop(&self, qop: Qop) -> bool {
        self.settings.qop.contains(&qop)
    }

    pub(super) fn allows_without_qop(&self) -> bool {
        self.settings.allow_without_qop
    }

    pub(super) fn offers_userhash(&self) -> bool {
        self.settings.userhash
    }

    pub(super) fn uri_check(&self) -> UriCheck {
        self.settings.uri
    }
}
