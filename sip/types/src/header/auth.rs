//! Challenges and credentials (RFC 3261 §20.7, §20.27, §20.28, §20.44; RFC 8760; RFC 7616).

use std::{borrow::Cow, fmt, ops::Deref};

mod builder;

pub use builder::AuthBuilder;

use super::TypedHeader;
use crate::{
    ByteString, HeaderName, SyntaxError,
    chars::{GEN_VALUE, TOKEN},
    cursor::Cursor,
    span::Span,
    text::{trim, unquote},
};

/// Parameters of one challenge or of credentials.
const MAX_PARAMS: usize = 64;

/// A scheme with comma-separated parameters, or with one opaque token (RFC 7235 §2.1).
#[derive(Clone)]
struct SchemeParams {
    text: ByteString,
    scheme: Span,
    rest: Span,
}

impl SchemeParams {
    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let scheme = c.token("an authentication scheme")?;
        let spaced = c.skip_space();
        let rest = Span::new(c.at(), text.len());
        if c.rest().is_empty() {
            return Ok(Self { text: text.clone(), scheme, rest });
        }
        if !spaced {
            return c.fail("a space");
        }
        check(&mut c)?;
        Ok(Self { text: text.clone(), scheme, rest })
    }

    fn scheme(&self) -> &str {
        self.scheme.of(&self.text)
    }

    fn params(&self) -> AuthParams<'_> {
        AuthParams { rest: self.rest.of(&self.text) }
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.params().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw(name).map(unquote)
    }
}

/// `auth-param *(COMMA auth-param)`, empty elements let through; or a `token68`.
fn check(c: &mut Cursor<'_>) -> Result<(), SyntaxError> {
    let start = c.at();
    for _ in 0..MAX_PARAMS {
        while c.eat_spaced(b',') {}
        if c.rest().is_empty() && c.at() > start {
            return Ok(());
        }
        c.token("a parameter name")?;
        if !c.eat_spaced(b'=') {
            return token68(c, start);
        }
        if c.peek() == Some(b'"') {
            c.quoted()?;
        } else {
            let value = c.take_while(GEN_VALUE);
            if value.is_empty() {
                return token68(c, start);
            }
        }
        c.skip_space();
        if c.rest().is_empty() {
            return Ok(());
        }
        if c.peek() != Some(b',') {
            return c.fail("a comma or the end");
        }
    }
    c.fail("fewer parameters")
}

/// One token of letters, digits and `-._~+/=`, such as those of Basic or Bearer.
fn token68(c: &mut Cursor<'_>, start: usize) -> Result<(), SyntaxError> {
    let at = c.at();
    c.seek(start);
    let len = c.rest().iter().position(|&b| !crate::chars::is(b, TOKEN) && !b"/=".contains(&b));
    c.seek(start + len.unwrap_or(c.rest().len()));
    c.finish("the end").map_err(|_| SyntaxError::new(at, "an equals sign and a value"))
}

/// Names and values as received.
struct AuthParams<'a> {
    rest: &'a str,
}

impl<'a> Iterator for AuthParams<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
        let (name, after) = self.rest.split_once('=')?;
        let after = after.trim_start_matches([' ', '\t']);
        let (mut quoted, mut escaped) = (false, false);
        let end = after.bytes().position(|b| {
            match b {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted => return true,
                _ => {}
            }
            false
        });
        let (value, rest) = after.split_at_checked(end.unwrap_or(after.len()))?;
        self.rest = rest;
        Some((name.trim_matches([' ', '\t']), value.trim_matches([' ', '\t'])))
    }
}

/// What a server asks for. Unknown schemes are kept; ask [`Challenge::is_digest`] first.
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

    /// The first parameter of that name, a quoted string read.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name)
    }

    /// Names and values in order, as received (quoted strings with their quotes).
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.params()
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(trim(&self.0.text))
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({:?})", &*self.0.text)
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

    /// The first parameter of that name, a quoted string read.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name)
    }

    /// Names and values in order, as received (quoted strings with their quotes).
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.params()
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(trim(&self.0.text))
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
