//! One authentication session (RFC 7616 §3.6): a nonce, its count and the key for it.

use super::demand::Offer;
use super::grant::PeerId;
use crate::auth::digest::{self, Covered, Ha1, Protection};
use crate::auth::kind::Kind;
use crate::auth::params::Params;
use crate::auth::secret::Credential;
use crate::ids::Ids;
use std::sync::Arc;

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
}

impl Session {
    /// `None` if the credential has no hash for the offer's algorithm.
    pub(super) fn open(
        key: Arc<Key>,
        credential: Arc<Credential>,
        offer: Offer,
        ids: &mut dyn Ids,
    ) -> Option<Self> {
        let cnonce = cnonce(ids);
        let plain = credential.secret.ha1_for(offer.algorithm.hash, &credential.username, &key.realm)?;
        let ha1 = digest::keyed(offer.algorithm, plain, &offer.nonce, &cnonce);
        Some(Self { key, credential, generation: 1, proven: 0, live: true, offer, ha1, cnonce, count: 0 })
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
        if let Some(next) = Self::open(self.key.clone(), self.credential.clone(), offer, ids) {
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
