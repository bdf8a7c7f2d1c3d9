//! Proof that a user was authenticated.

use crate::auth::algorithm::{Algorithm, Qop};
use crate::auth::digest::{self, Covered, Ha1, Protection};
use crate::auth::params::Params;
use std::fmt;

/// A user who proved to know the secret. Only [`super::Challenger`] makes one.
pub struct Accepted {
    pub(super) username: Box<str>,
    pub(super) algorithm: Algorithm,
    pub(super) nonce: Box<str>,
    pub(super) uri: Box<str>,
    pub(super) protection: Option<Owned>,
    /// H(A1), with the session if there is one.
    pub(super) ha1: Ha1,
}

/// The parameters that come with a qop, as received.
pub(super) struct Owned {
    pub(super) qop: Qop,
    pub(super) nc: Box<str>,
    pub(super) count: u32,
    pub(super) cnonce: Box<str>,
}

impl Owned {
    pub(super) fn borrow(&self) -> Protection<'_> {
        Protection { qop: self.qop, nc: &self.nc, cnonce: &self.cnonce }
    }
}

impl Accepted {
    /// The username, unescaped.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The algorithm that was used.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The qop that was used; `None` for a client of RFC 2069.
    pub fn qop(&self) -> Option<Qop> {
        self.protection.as_ref().map(|with| with.qop)
    }

    /// The value of an Authentication-Info for the 2xx with `body` (RFC 7616 §3.5; RFC 3261 §20.6): it proves to the client
    /// that we know the secret too, and has it use `next_nonce` from now on (see [`super::Challenger::next_nonce`]). `None` without qop.
    pub fn authentication_info(&self, body: &[u8], next_nonce: Option<&str>) -> Option<String> {
        let with = self.protection.as_ref()?;
        let hash = self.algorithm.hash;
        let covered = Covered { method: "", uri: &self.uri, body };
        let ha2 = digest::ha2(hash, Some(with.qop), &covered);
        let rspauth = digest::response(hash, &self.ha1, &self.nonce, Some(with.borrow()), &ha2);
        let params = match next_nonce {
            Some(nonce) => Params::bare().quoted("nextnonce", nonce),
            None => Params::bare(),
        };
        let params = params.token("qop", with.qop).quoted("rspauth", rspauth.as_str());
        Some(params.quoted("cnonce", &with.cnonce).token("nc", &with.nc).finish())
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
