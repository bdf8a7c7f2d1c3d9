//! Challenges and credentials (RFC 3261 §20.7, §20.27, §20.28, §20.44; RFC 8760; RFC 7616).

use std::{borrow::Cow, fmt, ops::Deref};

mod builder;
mod scheme;

pub use builder::AuthBuilder;

use scheme::SchemeParams;

use super::TypedHeader;
use crate::{ByteString, HeaderName, SyntaxError};

/// 128 bits in hexadecimal.
fn key(text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes))?
}

/// What a server asks for. Unknown schemes are kept; ask [`Challenge::is_digest`] first. `Debug` shows neither `ik` nor `ck`.
#[derive(Clone)]
pub struct Challenge(SchemeParams);

impl Challenge {
    /// Reads one challenge.
    ///
    /// # Errors
    /// The text is no challenge.
    pub fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        SchemeParams::parse(text).map(Self)
    }

    /// The scheme as received.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.scheme()
    }

    /// Whether the scheme is Digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.scheme().eq_ignore_ascii_case("Digest")
    }

    /// Where the credentials apply.
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'_, str>> {
        self.0.get("realm")
    }

    /// The server's nonce.
    #[must_use]
    pub fn nonce(&self) -> Option<Cow<'_, str>> {
        self.0.get("nonce")
    }

    /// To be returned unchanged.
    #[must_use]
    pub fn opaque(&self) -> Option<Cow<'_, str>> {
        self.0.get("opaque")
    }

    /// The URIs that the credentials are good for.
    #[must_use]
    pub fn domain(&self) -> Option<Cow<'_, str>> {
        self.0.get("domain")
    }

    /// `stale=true`: only the nonce was wrong.
    #[must_use]
    pub fn stale(&self) -> bool {
        self.0.get("stale").is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }

    /// The algorithm; MD5 if it is not stated (RFC 3261 §22.4).
    #[must_use]
    pub fn algorithm(&self) -> Option<Cow<'_, str>> {
        self.0.get("algorithm")
    }

    /// The qualities of protection on offer, in order; none from an RFC 2069 server.
    pub fn qop(&self) -> impl Iterator<Item = &str> {
        let list = self.0.raw("qop").unwrap_or_default().trim_matches('"');
        list.split(',').map(|q| q.trim_matches([' ', '\t'])).filter(|q| !q.is_empty())
    }

    /// Whether `qop` offers that quality, in any case.
    #[must_use]
    pub fn offers_qop(&self, qop: &str) -> bool {
        self.qop().any(|q| q.eq_ignore_ascii_case(qop))
    }

    /// The integrity key that an S-CSCF hands to the P-CSCF (TS 24.229 §7.2A.1): 32 hexadecimal digits. It must not reach the
    /// terminal, which makes its own: see [`Challenge::without`].
    #[must_use]
    pub fn ik(&self) -> Option<[u8; 16]> {
        key(&self.0.get("ik")?)
    }

    /// The cipher key, likewise.
    #[must_use]
    pub fn ck(&self) -> Option<[u8; 16]> {
        key(&self.0.get("ck")?)
    }

    /// The first parameter of that name, a quoted string read.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name)
    }

    /// Names and values in order, as received (quoted strings with their quotes).
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.params()
    }

    /// The same without the parameters of these names, all else as received.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        Self(self.0.without(names))
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.text())
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({:?})", self.without(&["ik", "ck"]).0.text())
    }
}

/// What a client answers. `Debug` shows neither response nor cnonce.
#[derive(Clone)]
pub struct Credentials(SchemeParams);

impl Credentials {
    /// Reads credentials.
    ///
    /// # Errors
    /// The text is no credentials.
    pub fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        SchemeParams::parse(text).map(Self)
    }

    /// The scheme as received.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.scheme()
    }

    /// Whether the scheme is Digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.scheme().eq_ignore_ascii_case("Digest")
    }

    /// The user.
    #[must_use]
    pub fn username(&self) -> Option<Cow<'_, str>> {
        self.0.get("username")
    }

    /// The realm of the challenge.
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'_, str>> {
        self.0.get("realm")
    }

    /// The nonce of the challenge.
    #[must_use]
    pub fn nonce(&self) -> Option<Cow<'_, str>> {
        self.0.get("nonce")
    }

    /// The URI that went into the digest.
    #[must_use]
    pub fn uri(&self) -> Option<Cow<'_, str>> {
        self.0.get("uri")
    }

    /// The digest, in hexadecimal.
    #[must_use]
    pub fn response(&self) -> Option<Cow<'_, str>> {
        self.0.get("response")
    }

    /// The algorithm; MD5 if it is not stated.
    #[must_use]
    pub fn algorithm(&self) -> Option<Cow<'_, str>> {
        self.0.get("algorithm")
    }

    /// The client's nonce.
    #[must_use]
    pub fn cnonce(&self) -> Option<Cow<'_, str>> {
        self.0.get("cnonce")
    }

    /// `opaque` of the challenge.
    #[must_use]
    pub fn opaque(&self) -> Option<Cow<'_, str>> {
        self.0.get("opaque")
    }

    /// The quality of protection chosen.
    #[must_use]
    pub fn qop(&self) -> Option<Cow<'_, str>> {
        self.0.get("qop")
    }

    /// How often the nonce was used: exactly eight hexadecimal digits.
    #[must_use]
    pub fn nc(&self) -> Option<u32> {
        let text = self.0.get("nc").filter(|t| t.len() == 8 && t.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(&text, 16).ok()
    }

    /// The one token in place of parameters, such as that of Bearer (RFC 6750 §2.1, RFC 7235 §2.1).
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.0.token68()
    }

    /// The AKA answer of a client whose sequence number is ahead (RFC 3310 §3.4).
    #[must_use]
    pub fn auts(&self) -> Option<Cow<'_, str>> {
        self.0.get("auts")
    }

    /// Whether the request came protected to the P-CSCF, by its word to the home network (TS 24.229 §7.2A.2).
    #[must_use]
    pub fn integrity_protected(&self) -> Option<Cow<'_, str>> {
        self.0.get("integrity-protected")
    }

    /// The first parameter of that name, a quoted string read.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name)
    }

    /// Names and values in order, as received (quoted strings with their quotes).
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.params()
    }

    /// The same without the parameters of these names, all else as received.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        Self(self.0.without(names))
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.text())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("scheme", &self.scheme())
            .field("realm", &self.realm())
            .finish_non_exhaustive()
    }
}

/// One newtype per header field: name, documentation, what it carries.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident, $inner:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name(pub $inner);

            impl TypedHeader for $name {
                const NAME: HeaderName = HeaderName::$name;

                fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
                    $inner::parse(text).map(Self)
                }
            }

            impl Deref for $name {
                type Target = $inner;

                fn deref(&self) -> &$inner {
                    &self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

fields! {
    /// One challenge of a user agent server or registrar (RFC 3261 §20.44).
    WwwAuthenticate, Challenge;
    /// One challenge of a proxy (RFC 3261 §20.27).
    ProxyAuthenticate, Challenge;
    /// Credentials for a user agent server or registrar (RFC 3261 §20.7).
    Authorization, Credentials;
    /// Credentials for a proxy (RFC 3261 §20.28).
    ProxyAuthorization, Credentials;
}

#[cfg(test)]
mod tests;
