//! Credentials as they came: in form, not yet in truth.

use super::accepted::Owned;
use super::challenger::Challenger;
use super::nonce::NonceId;
use super::username::Claimant;
use super::verdict::Refusal;
use crate::auth::algorithm::{Algorithm, Qop};
use crate::auth::digest::{self, Covered, Hex};
use crate::auth::kind::Kind;
use sip_types::Headers;
use sip_types::header::auth::{Authorization, Credentials};
use std::fmt;
use std::net::IpAddr;

/// What a request brought for our realm.
#[derive(Debug)]
pub enum Reading {
    /// Nothing: challenge.
    Absent,
    /// Nothing that needs a secret to be refused.
    Refused(Refusal),
    /// Whole and of a kind that we offer: a secret will tell.
    Presented(Box<Presented>),
}

/// Well-formed credentials that wait for the secret of [`Presented::user`]. Owns what it needs, so that the secret may
/// be fetched meanwhile.
pub struct Presented {
    pub(super) user: Claimant,
    pub(super) algorithm: Algorithm,
    pub(super) nonce: Box<str>,
    /// `None`: not one of ours.
    pub(super) id: Option<NonceId>,
    pub(super) uri: Box<str>,
    pub(super) response: Hex,
    pub(super) protection: Option<Owned>,
    pub(super) ha2: Hex,
}

impl Presented {
    /// Whose secret is needed.
    pub fn user(&self) -> &Claimant {
        &self.user
    }

    /// For which algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The credentials of a request, for a user agent or a proxy. A field that is none hides no other.
pub fn credentials(headers: &Headers, kind: Kind) -> Vec<Credentials> {
    let field = kind.credentials();
    headers.all(field).filter_map(|field| field.parse::<Authorization>().ok()).map(|one| one.0).collect()
}

impl Challenger {
    /// Reads what `credentials`, the Authorization or Proxy-Authorization fields of a request from `source`, hold for this realm.
    pub fn read(&self, source: IpAddr, covered: &Covered<'_>, credentials: &[Credentials]) -> Reading {
        let Some(ours) = self.find(source, credentials) else { return Reading::Absent };
        match self.present(source, covered, ours) {
            Ok(presented) => Reading::Presented(Box::new(presented)),
            Err(refusal) => Reading::Refused(refusal),
        }
    }

    /// Those of our realm; with several (RFC 3261 §22.3), those for a nonce of ours.
    fn find<'c>(&self, source: IpAddr, credentials: &'c [Credentials]) -> Option<&'c Credentials> {
        let mut found = credentials.iter().filter(|one| {
            let ours = one.is_digest() && one.realm().as_deref() == Some(self.realm());
            // Who was not challenged yet may send an empty response (RFC 8760 §2.7), as IMS terminals do.
            ours && one.response().as_deref() != Some("")
        });
        let first = found.next()?;
        let ours = |one: &&Credentials| one.nonce().is_some_and(|nonce| self.open(&nonce, source).is_some());
        let Some(second) = found.next() else { return Some(first) };
        Some([first, second].into_iter().chain(found).find(ours).unwrap_or(first))
    }

    fn present(
        &self,
        source: IpAddr,
        covered: &Covered<'_>,
        given: &Credentials,
    ) -> Result<Presented, Refusal> {
        let nonce = required("nonce", given.nonce())?;
        let uri = required("uri", given.uri())?;
        let response = required("response", given.response())?;
        let algorithm = match given.algorithm() {
            Some(text) => Algorithm::from_token(&text).ok_or(Refusal::Algorithm)?,
            None => Algorithm::MD5,
        };
        if !self.offers(algorithm) {
            return Err(Refusal::Algorithm);
        }
        let user = Claimant::read(given, algorithm.hash, self.offers_userhash())?;
        let protection = self.protection(given)?;
        if protection.is_none() && algorithm.session {
            return Err(Refusal::WithoutQop);
        }
        let response = Hex::parse(algorithm.hash, &response).ok_or(Refusal::BadResponse)?;
        if !self.uri_check().passes(&uri, covered.uri) {
            return Err(Refusal::UriMismatch);
        }
        let qop = protection.as_ref().map(|with| with.qop);
        let ha2 = digest::ha2(algorithm.hash, qop, &Covered { uri: &uri, ..*covered });
        let id = self.open(&nonce, source);
        Ok(Presented { user, algorithm, nonce, id, uri, response, protection, ha2 })
    }

    fn protection(&self, given: &Credentials) -> Result<Option<Owned>, Refusal> {
        let Some(qop) = given.qop() else {
            return if self.allows_without_qop() { Ok(None) } else { Err(Refusal::WithoutQop) };
        };
        let qop = Qop::from_token(&qop).filter(|qop| self.offers_qop(*qop)).ok_or(Refusal::Qop)?;
        let cnonce = required("cnonce", given.cnonce())?;
        let nc = required("nc", given.param("nc"))?;
        let digits = nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit());
        let count = u32::from_str_radix(&nc, 16).ok().filter(|count| digits && *count > 0);
        Ok(Some(Owned { qop, count: count.ok_or(Refusal::BadCount)?, nc, cnonce }))
    }
}

/// The value of a parameter that must be there and not be empty.
fn required(name: &'static str, value: Option<impl Into<Box<str>>>) -> Result<Box<str>, Refusal> {
    let value: Option<Box<str>> = value.map(Into::into);
    value.filter(|value| !value.is_empty()).ok_or(Refusal::Missing(name))
}
