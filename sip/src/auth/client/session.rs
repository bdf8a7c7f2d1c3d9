//! One authentication session (RFC 7616 §3.6): a nonce, its count and the key for it.

use super::authorizer::Denial;
use super::demand::Offer;
use super::grant::PeerId;
use super::info::Info;
use crate::auth::aka::{self, Auts};
use crate::auth::algorithm::Qop;
use crate::auth::digest::{self, Covered, Ha1, Hex, Protection};
use crate::auth::kind::Kind;
use crate::auth::params::Params;
use crate::auth::secret::Credential;
use crate::ids::Ids;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Whom a session is with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) peer: PeerId,
    pub(super) kind: Kind,
    pub(super) realm: Box<str>,
    pub(super) place: usize,
}

pub(super) struct Session {
    pub(super) key: Arc<Key>,
    pub(super) credential: Arc<Credential>,
    /// Which nonce this is, counted from 1.
    pub(super) generation: u32,
    /// The last generation whose response was accepted; 0 if none was.
    pub(super) proven: u32,
    /// Whether requests carry it; false after a refusal.
    pub(super) live: bool,
    offer: Offer,
    /// H(A1) for `offer`.
    ha1: Ha1,
    /// One per nonce, as a session algorithm needs it (RFC 7616 §3.4.2).
    cnonce: String,
    /// The count last sent.
    count: u32,
    /// What is sent along because the card found the challenge old.
    auts: Option<Auts>,
}

impl Session {
    /// The answer to an offer.
    ///
    /// # Errors
    /// [`Denial::NoHash`] if the credential has no hash for the offer's algorithm; [`Denial::BadNonce`] or
    /// [`Denial::NotOurs`] if its card refuses.
    pub(super) fn open(
        key: Arc<Key>,
        credential: Arc<Credential>,
        offer: Offer,
        ids: &mut dyn Ids,
    ) -> Result<Self, Denial> {
        let cnonce = cnonce(ids);
        let (plain, auts) = Self::prove(&credential, &offer, &key.realm)?;
        let ha1 = digest::keyed(offer.algorithm, plain, &offer.nonce, &cnonce);
        Ok(Self { key, credential, generation: 1, proven: 0, live: true, offer, ha1, auts, cnonce, count: 0 })
    }

    /// H(A1) without session, and AUTS in its stead: then the password is empty (RFC 3310 §3.4).
    fn prove(credential: &Credential, offer: &Offer, realm: &str) -> Result<(Ha1, Option<Auts>), Denial> {
        let hash = offer.algorithm.hash;
        let Some(version) = offer.algorithm.aka else {
            let ha1 = credential.secret.ha1_for(hash, &credential.username, realm);
            return ha1.map(|ha1| (ha1, None)).ok_or(Denial::NoHash);
        };
        let card = credential.secret.of_card().ok_or(Denial::NoHash)?;
        let challenge = aka::Challenge::of_nonce(&offer.nonce).ok_or(Denial::BadNonce)?;
        let ha1 = |password: &[u8]| digest::ha1(hash, &credential.username, realm, password);
        match card.answer(&challenge).map_err(|aka::NotOurs| Denial::NotOurs)? {
            aka::Reply::Keys(keys) => Ok((ha1(&keys.password(version, hash)), None)),
            aka::Reply::Resynchronise(auts) => Ok((ha1(b""), Some(auts))),
        }
    }

    /// Whether it asks for another sequence number, and proves nothing.
    pub(super) fn resynchronises(&self) -> bool {
        self.auts.is_some()
    }

    /// Whether an Authentication-Info is by who knows the secret (RFC 7616 §3.5); `None` where it does not say. `count` and
    /// `uri` are those of the request, `body` is that of the response.
    pub(super) fn confirms(&self, info: &Info<'_>, count: u32, uri: &str, body: &[u8]) -> Option<bool> {
        let given = info.rspauth.as_deref()?;
        let hash = self.offer.algorithm.hash;
        let right = || {
            let qop = self.offer.qop?;
            let nc = info.nc.as_deref()?;
            let ours = u32::from_str_radix(nc, 16) == Ok(count) && info.cnonce.as_deref()? == self.cnonce;
            let same_qop = info.qop.as_deref().is_none_or(|text| Qop::from_token(text) == Some(qop));
            if !ours || !same_qop {
                return None;
            }
            let ha2 = digest::ha2(hash, Some(qop), &Covered { method: "", uri, body });
            let with = Protection { qop, nc, cnonce: &self.cnonce };
            let expected = digest::response(hash, &self.ha1, &self.offer.nonce, Some(with), &ha2);
            Some(Hex::parse(hash, given)?.ct_eq(&expected).into())
        };
        Some(right().unwrap_or(false))
    }

    /// The count last sent.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Takes over the next nonce, in place of `self`.
    pub(super) fn follow(&mut self, mut next: Session) {
        next.generation = self.generation.saturating_add(1);
        next.proven = self.proven;
        *self = next;
    }

    /// Goes on with a nonce that the server handed out along with an acceptance, which it therefore shares.
    pub(super) fn renew(&mut self, nonce: &str, ids: &mut dyn Ids) {
        let offer = Offer { nonce: nonce.into(), ..self.offer.clone() };
        if let Ok(next) = Self::open(self.key.clone(), self.credential.clone(), offer, ids) {
            self.follow(next);
            self.proven = self.generation;
        }
    }

    /// The value of the next (Proxy-)Authorization; `None` once the count is used up.
    pub(super) fn sign(&mut self, covered: &Covered<'_>) -> Option<String> {
        self.count = self.count.checked_add(1)?;
        let count = format!("{:08x}", self.count);
        let offer = &self.offer;
        let hash = offer.algorithm.hash;
        let ha2 = digest::ha2(hash, offer.qop, covered);
        let with = offer.qop.map(|qop| Protection { qop, nc: &count, cnonce: &self.cnonce });
        let response = digest::response(hash, &self.ha1, &offer.nonce, with, &ha2);

        let username = &self.credential.username;
        let params = if offer.userhash {
            let hashed = digest::userhash(hash, username, &self.key.realm);
            Params::digest().quoted("username", hashed.as_str())
        } else {
            Params::digest().quoted("username", username)
        };
        let mut params = params
            .quoted("realm", &self.key.realm)
            .quoted("nonce", &offer.nonce)
            .quoted("uri", covered.uri)
            .quoted("response", response.as_str());
        if let Some(text) = &offer.algorithm_text {
            params = params.token("algorithm", text);
        }
        if let Some(qop) = offer.qop {
            params = params.quoted("cnonce", &self.cnonce).token("qop", qop).token("nc", &count);
        }
        if let Some(opaque) = &offer.opaque {
            params = params.quoted("opaque", opaque);
        }
        if let Some(auts) = &self.auts {
            params = params.quoted("auts", &auts.to_string());
        }
        if offer.userhash {
            params = params.token("userhash", "true");
        }
        Some(params.finish())
    }
}

/// 128 random bits in hexadecimal.
fn cnonce(ids: &mut dyn Ids) -> String {
    let mut text = String::with_capacity(32);
    digest::push_hex(&mut text, &ids.next_u64().to_be_bytes());
    digest::push_hex(&mut text, &ids.next_u64().to_be_bytes());
    text
}
