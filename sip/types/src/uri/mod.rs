//! URIs: SIP and SIPS (RFC 3261 §19.1), tel (RFC 3966), and any other kept as text.

mod build;
mod compare;
mod host;
mod parse;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt, str::FromStr};

pub use build::escape_user;
pub(crate) use host::{Dotted, HostKind, host_at, ipv4, ipv6};
pub use host::{Host, HostBuf, InvalidHost};

use crate::{ByteString, Params, SharedText, span::Span, text};

/// What kind of URI it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip`
    Sip,
    /// `sips`
    Sips,
    /// `tel`
    Tel,
    /// Any other; see [`Uri::scheme_text`].
    Other,
}

/// A checked URI: its text as received and where the parts lie. Cloning shares the text.
///
/// `==` compares as RFC 3261 §19.1.4 says for SIP and SIPS and RFC 3966 §4 for tel, byte for byte otherwise. The
/// former ignores parameters that only one side has, so it is not transitive: there is no `Eq` and no `Hash`.
#[derive(Clone)]
pub struct Uri {
    /// May be longer than the URI: a name-addr and its URI share one text.
    text: ByteString,
    parts: Parts,
}

/// Where the parts of a URI lie in its text.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    whole: Span,
    scheme: Scheme,
    /// The number, if it is a tel URI.
    user: Option<Span>,
    password: Option<Span>,
    host: Option<Span>,
    host_kind: HostKind,
    port: Option<u16>,
    /// From the first `;`.
    params: Span,
    /// After the `?`; empty without one.
    headers: Span,
}

impl Parts {
    /// Of the same URI, so many bytes nearer to the start of its text.
    fn moved_back(self, by: usize) -> Self {
        let back = |span: Span| Span::new(span.start().saturating_sub(by), span.end().saturating_sub(by));
        let Self { whole, scheme, user, password, host, host_kind, port, params, headers } = self;
        Self {
            whole: back(whole),
            scheme,
            user: user.map(back),
            password: password.map(back),
            host: host.map(back),
            host_kind,
            port,
            params: back(params),
            headers: back(headers),
        }
    }
}

/// Why a text is not a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {at}")]
pub struct UriError {
    /// What is wrong.
    pub kind: UriErrorKind,
    /// Byte offset in the URI.
    pub at: usize,
}

/// The faults of URIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriErrorKind {
    /// Longer than 65 534 bytes.
    #[error("the URI is too long")]
    TooLong,
    /// Not UTF-8.
    #[error("the URI is not UTF-8")]
    NotUtf8,
    /// No `scheme ":"` at the start.
    #[error("no scheme")]
    Scheme,
    /// Empty user, or a character or escape that the user part cannot have.
    #[error("malformed user")]
    User,
    /// No host name, IPv4 address or bracketed IPv6 address.
    #[error("malformed host")]
    Host,
    /// Not a number of 0 to 65535.
    #[error("malformed port")]
    Port,
    /// A parameter without name, or with a character that it cannot have.
    #[error("malformed parameter")]
    Param,
    /// A header without name or `=`, or with a character that it cannot have.
    #[error("malformed header")]
    Header,
    /// A tel URI without digits, or with a character that a number cannot have.
    #[error("malformed telephone number")]
    Number,
    /// A character that a URI of another scheme cannot have, or nothing after the scheme.
    #[error("malformed URI")]
    Opaque,
    /// More than 128 parameters or headers.
    #[error("too many parameters or headers")]
    TooMany,
}

impl Uri {
    /// Reads a URI; it shares the memory of `text`.
    ///
    /// # Errors
    /// The text is not a URI: see [`UriErrorKind`].
    pub fn parse(text: &ByteString) -> Result<Self, UriError> {
        Self::parse_part(text.into())
    }

    /// As [`Uri::parse`] of a part of a text.
    pub(crate) fn parse_part(text: SharedText<'_>) -> Result<Self, UriError> {
        let parts = Parts::parse(&text, 0, text.len())?;
        Ok(Self::from_parts(text.share(), parts))
    }

    /// The text as received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.parts.whole.of(&self.text)
    }

    /// The text as received, sharing its memory.
    #[must_use]
    pub fn to_bytestring(&self) -> ByteString {
        self.text.slice_ref(self.as_str())
    }

    /// The same URI in memory of its own, which shares none with the message that it came in.
    #[must_use]
    pub fn detached(&self) -> Self {
        let parts = self.parts.moved_back(self.parts.whole.start());
        Self { text: ByteString::from(self.as_str()), parts }
    }

    pub(crate) fn from_parts(text: ByteString, parts: Parts) -> Self {
        Self { text, parts }
    }

    /// The text that the URI was found in, and the URI's place there.
    pub(crate) fn around(&self) -> (&ByteString, Span) {
        (&self.text, self.parts.whole)
    }

    /// The kind of URI.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.parts.scheme
    }

    /// The scheme as received.
    #[must_use]
    pub fn scheme_text(&self) -> &str {
        let text = self.as_str();
        text.split_once(':').map_or(text, |(scheme, _)| scheme)
    }

    /// Whether it is a SIP or SIPS URI.
    #[must_use]
    pub fn is_sip(&self) -> bool {
        matches!(self.parts.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The user part of a SIP or SIPS URI, escapes unread.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        if self.is_sip() { self.parts.user.map(|s| s.of(&self.text)) } else { None }
    }

    /// The user part with escapes read; `None` without a user, or if the result is not UTF-8.
    #[must_use]
    pub fn user_decoded(&self) -> Option<Cow<'_, str>> {
        self.user().and_then(text::unescape)
    }

    /// The password, which should not be there (RFC 3261 §19.1.1), escapes unread.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.parts.password.map(|s| s.of(&self.text))
    }

    /// The host of a SIP or SIPS URI.
    #[must_use]
    pub fn host(&self) -> Option<Host<'_>> {
        self.parts.host.map(|span| self.parts.host_kind.host(span.of(&self.text)))
    }

    /// The port, if it is stated.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.parts.port
    }

    /// The parameters of a SIP, SIPS or tel URI, escapes unread.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.parts.params.of(&self.text))
    }

    /// The first parameter of that name: absent, without value, or its value.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.params().get(name)
    }

    /// Whether there is a parameter of that name.
    #[must_use]
    pub fn has_param(&self, name: &str) -> bool {
        self.param(name).is_some()
    }

    /// Names and values of the headers after the `?` (RFC 3261 §19.1.1), escapes unread.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.headers.of(&self.text).split('&').filter_map(|header| header.split_once('='))
    }

    /// The values of the headers of that name after the `?`, in any case, with escapes read; one that is not UTF-8 then is as
    /// if it were empty.
    pub fn header<'u>(&'u self, name: &'u str) -> impl Iterator<Item = Cow<'u, str>> {
        let named = self.headers().filter(move |(known, _)| {
            text::unescape(known).is_some_and(|known| known.eq_ignore_ascii_case(name))
        });
        named.map(|(_, value)| text::unescape(value).unwrap_or_default())
    }

    /// Whether there are headers after a `?`.
    #[must_use]
    pub fn has_headers(&self) -> bool {
        self.headers().next().is_some()
    }

    /// `lr`: the element routes loosely (RFC 3261 §19.1.1).
    #[must_use]
    pub fn is_loose(&self) -> bool {
        self.has_param("lr")
    }

    /// The `transport` parameter as received.
    #[must_use]
    pub fn transport(&self) -> Option<&str> {
        self.param("transport").flatten()
    }

    /// The `maddr` parameter, if it is a host.
    #[must_use]
    pub fn maddr(&self) -> Option<Host<'_>> {
        self.param("maddr").flatten().and_then(|text| Host::parse(text).ok())
    }

    /// `user=phone`: the user part is a telephone number (RFC 3261 §19.1.1).
    #[must_use]
    pub fn user_is_phone(&self) -> bool {
        self.param("user").flatten().is_some_and(|v| v.eq_ignore_ascii_case("phone"))
    }

    /// The telephone number without visual separators, a leading `+` kept (RFC 3966 §5.1.1): of a tel URI, or of
    /// the user part of a SIP or SIPS URI if that has the form of one (its own parameters left out).
    #[must_use]
    pub fn number(&self) -> Option<Cow<'_, str>> {
        let raw = if self.parts.scheme == Scheme::Tel {
            Cow::Borrowed(self.parts.user?.of(&self.text))
        } else {
            self.user_decoded()?
        };
        let number = match raw {
            Cow::Borrowed(text) => Cow::Borrowed(text.split_once(';').map_or(text, |(number, _)| number)),
            Cow::Owned(mut text) => {
                text.truncate(text.find(';').unwrap_or(text.len()));
                Cow::Owned(text)
            }
        };
        let digits = number.strip_prefix('+').unwrap_or(&number);
        if !digits.contains(|c: char| c.is_ascii_hexdigit() || c == '*' || c == '#')
            || !digits.bytes().all(|b| crate::chars::is(b, crate::chars::PHONE))
        {
            return None;
        }
        if digits.contains(['-', '.', '(', ')']) {
            return Some(Cow::Owned(number.replace(['-', '.', '(', ')'], "")));
        }
        Some(number)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({:?})", self.as_str())
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(&ByteString::from(text))
    }
}
