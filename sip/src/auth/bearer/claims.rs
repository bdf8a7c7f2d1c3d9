//! What a token claims (RFC 7519 §4.1; RFC 8693 §4.2 `scope`).

use super::{Fault, Settings};
use crate::time::Now;
use serde_json::{Map, Value};

/// The claims of a token whose signature is right.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Checks issuer, audience, times and scope; the end of the token, in seconds since 1970.
    pub(super) fn check(&self, now: Now, settings: &Settings) -> Result<u64, Fault> {
        let text = |name| self.0.get(name).and_then(Value::as_str);
        if text("iss").ok_or(Fault::Claim("iss"))? != &*settings.issuer {
            return Err(Fault::Issuer);
        }
        if !self.audience(settings)? {
            return Err(Fault::Audience);
        }
        let seconds = now.wall.0 / 1000;
        let leeway = settings.leeway.as_secs();
        let expires = self.time("exp")?.ok_or(Fault::Claim("exp"))?;
        // On or after `exp` it is not accepted (RFC 7519 §4.1.4).
        if seconds >= expires.saturating_add(leeway) {
            return Err(Fault::Expired);
        }
        if self.time("nbf")?.is_some_and(|start| seconds.saturating_add(leeway) < start) {
            return Err(Fault::TooEarly);
        }
        let scopes = text("scope").unwrap_or_default();
        let has = |wanted: &str| scopes.split(' ').any(|scope| scope == wanted);
        if !settings.scopes.iter().all(|wanted| has(wanted)) {
            return Err(Fault::Scope);
        }
        Ok(expires)
    }

    /// Whether one of our audiences is in `aud`, a text or a list of texts (RFC 7519 §4.1.3).
    fn audience(&self, settings: &Settings) -> Result<bool, Fault> {
        let ours = |value: &Value| {
            value.as_str().is_some_and(|text| settings.audiences.iter().any(|ours| **ours == *text))
        };
        match self.0.get("aud") {
            Some(Value::Array(list)) => Ok(list.iter().any(ours)),
            Some(one @ Value::String(_)) => Ok(ours(one)),
            Some(_) | None => Err(Fault::Claim("aud")),
        }
    }

    /// A NumericDate, whose fraction of a second does not count (RFC 7519 §2).
    fn time(&self, name: &'static str) -> Result<Option<u64>, Fault> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let whole = match value.to_string().split_once('.') {
            Some((whole, _)) => whole.parse().ok(),
            None => value.as_u64(),
        };
        whole.map(Some).ok_or(Fault::Claim(name))
    }

    /// Who it is.
    pub(super) fn user(&self, claim: &str) -> Result<Box<str>, Fault> {
        let user = self.0.get(claim).and_then(Value::as_str).filter(|user| !user.is_empty());
        user.map(Into::into).ok_or(Fault::Claim("of the user"))
    }
}
