//! Bearer tokens as server (RFC 8898; RFC 6750): challenges that name the authorization server, and the check of the signed
//! tokens (RFC 7519) that it gave out, by its public keys.
//!
//! Encrypted tokens are not read. RFC 8898 §2.1.2 asks for them unless something else keeps a token from others: here that
//! is a connection from the client straight to us.

mod claims;
mod keys;

pub use keys::{KeySet, KeysError};

use super::params::Params;
use crate::time::Now;
use claims::Claims;
use sip_types::header::auth::Credentials;
use std::fmt;
use std::time::Duration;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8_192;

/// What a [`Warden`] asks of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The realm that challenges name (RFC 3261 §22.1).
    pub realm: Box<str>,
    /// The https URI of the authorization server that clients get their tokens from (RFC 8898 §4).
    pub authz_server: Box<str>,
    /// The `iss` that a token must have.
    pub issuer: Box<str>,
    /// A token must have one of these in `aud`; at least one.
    pub audiences: Vec<Box<str>>,
    /// A token must have all of these in `scope`, and challenges ask for them.
    pub scopes: Vec<Box<str>>,
    /// The claim that names the user. Default: `sub`.
    pub user_claim: Box<str>,
    /// How far the clocks may disagree about `exp` and `nbf`. Default: 30 s.
    pub leeway: Duration,
}

/// The outcome for one request.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// No token: challenge.
    Absent,
    /// The user is who it says.
    Accepted(Bearer),
    /// Not accepted: challenge, with the error. The reason is for the log.
    Rejected(Fault),
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not three parts of base64url and JSON, or too long. Encrypted tokens have five.
    #[error("not a signed token")]
    Malformed,
    /// Extensions that must be understood (RFC 7515 §4.1.11).
    #[error("a critical header parameter")]
    Critical,
    /// No key of ours fits its `kid` and `alg`.
    #[error("signed with a key that is not ours")]
    NoKey,
    /// The signature is not of that key.
    #[error("a wrong signature")]
    Signature,
    /// A claim that is needed is missing, or of the wrong type.
    #[error("no usable claim {0}")]
    Claim(&'static str),
    /// `exp` has passed.
    #[error("expired")]
    Expired,
    /// `nbf` has not come.
    #[error("not valid yet")]
    TooEarly,
    /// `iss` is another one.
    #[error("of another issuer")]
    Issuer,
    /// We are not in `aud`.
    #[error("for another audience")]
    Audience,
    /// A scope is missing.
    #[error("without the scope that is needed")]
    Scope,
}

impl Fault {
    /// The value of `error` in the next challenge (RFC 8898 §4).
    pub const fn code(self) -> &'static str {
        match self {
            Fault::Scope => "invalid_scope",
            Fault::Malformed
            | Fault::Critical
            | Fault::NoKey
            | Fault::Signature
            | Fault::Claim(_)
            | Fault::Expired
            | Fault::TooEarly
            | Fault::Issuer
            | Fault::Audience => "invalid_token",
        }
    }
}

/// A user whose token was accepted. Only [`Warden`] makes one.
pub struct Bearer {
    user: Box<str>,
    expires: u64,
}

impl Bearer {
    /// The value of [`Settings::user_claim`].
    pub fn user(&self) -> &str {
        &self.user
    }

    /// When the token ends, in seconds since 1970: what it allowed should end then too.
    pub fn expires(&self) -> u64 {
        self.expires
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Challenges for tokens of one authorization server and checks them. Without state that changes.
pub struct Warden {
    settings: Settings,
    keys: KeySet,
}

impl Warden {
    /// For these settings and keys.
    pub fn new(settings: Settings, keys: KeySet) -> Self {
        Self { settings, keys }
    }

    /// The value of the WWW-Authenticate or Proxy-Authenticate field of a challenge (RFC 8898 §4), with the reason why the
    /// token of the request was not accepted.
    pub fn challenge(&self, fault: Option<Fault>) -> String {
        let Settings { realm, authz_server, scopes, .. } = &self.settings;
        let mut params = Params::bearer().quoted("realm", realm);
        if !scopes.is_empty() {
            params = params.quoted("scope", &scopes.join(" "));
        }
        params = params.quoted("authz_server", authz_server);
        match fault {
            Some(fault) => params.quoted("error", fault.code()).finish(),
            None => params.finish(),
        }
    }

    /// Checks the first token among the Authorization or Proxy-Authorization fields of a request. A token names no realm.
    pub fn verify(&self, now: Now, credentials: &[Credentials]) -> Verdict {
        let bearer = credentials.iter().find(|one| one.scheme().eq_ignore_ascii_case("Bearer"));
        let Some(bearer) = bearer else { return Verdict::Absent };
        match self.check(now, bearer) {
            Ok(bearer) => Verdict::Accepted(bearer),
            Err(fault) => Verdict::Rejected(fault),
        }
    }

    fn check(&self, now: Now, bearer: &Credentials) -> Result<Bearer, Fault> {
        let token = bearer.token68().filter(|token| token.len() <= MAX_TOKEN).ok_or(Fault::Malformed)?;
        let claims = Claims::new(self.keys.open(token)?);
        let expires = claims.check(now, &self.settings)?;
        Ok(Bearer { user: claims.user(&self.settings.user_claim)?, expires })
    }
}

impl fmt::Debug for Warden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warden").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
