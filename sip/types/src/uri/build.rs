//! Making URIs from parts and from other URIs.

use std::fmt::Write;

use super::{Host, HostKind, Parts, Scheme, Uri};
use crate::{
    ByteString,
    chars::{PARAM_NAME, USER},
    span::Span,
    text::{escape_into, is_name, push_escape},
};

/// `text` as a user part: whatever stands there for itself, also `%`, escaped where a user part needs it.
/// [`Uri::sip`] takes the result.
#[must_use]
pub fn escape_user(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii() && byte != b'#' && crate::chars::is(byte, USER) {
            out.push(char::from(byte));
        } else {
            push_escape(&mut out, byte);
        }
    }
    out
}

impl Uri {
    /// `sip:user@host:port`. `user` is a user part as [`Uri::user`] gives it: escapes stay escapes, and what cannot
    /// stand there is escaped; an empty one is left out. For a plain text see [`escape_user`].
    pub fn sip<'h>(user: Option<&str>, host: impl Into<Host<'h>>, port: Option<u16>) -> Self {
        Self::compose("sip", user, host.into(), port)
    }

    /// As [`Uri::sip`], with scheme `sips`.
    pub fn sips<'h>(user: Option<&str>, host: impl Into<Host<'h>>, port: Option<u16>) -> Self {
        Self::compose("sips", user, host.into(), port)
    }

    fn compose(scheme: &str, user: Option<&str>, host: Host<'_>, port: Option<u16>) -> Self {
        let mut text = format!("{scheme}:");
        if let Some(user) = user.filter(|u| !u.is_empty()) {
            escape_into(&mut text, user, USER);
            text.push('@');
        }
        let _ = write!(text, "{host}");
        if let Some(port) = port {
            let _ = write!(text, ":{port}");
        }
        Self::rebuilt(text).unwrap_or_else(|| Self::invalid(scheme))
    }

    /// Stands for what cannot be written, such as a [`Host::Name`] that is none (RFC 2606 §2).
    fn invalid(scheme: &str) -> Self {
        let scheme_end = scheme.len();
        let text = format!("{scheme}:anonymous.invalid");
        let end = text.len();
        let parts = Parts {
            whole: Span::new(0, end),
            scheme: if scheme_end == 4 { Scheme::Sips } else { Scheme::Sip },
            user: None,
            password: None,
            host: Some(Span::new(scheme_end + 1, end)),
            host_kind: HostKind::Name,
            port: None,
            params: Span::new(end, end),
            headers: Span::new(end, end),
        };
        Self::from_parts(text.into(), parts)
    }

    fn rebuilt(text: String) -> Option<Self> {
        Self::parse(&ByteString::from(text)).ok()
    }

    /// The form for a Request-URI (RFC 3261 §19.1.5): without the `method` parameter and the headers.
    #[must_use]
    pub fn for_request_line(&self) -> Self {
        if !self.is_sip() || (!self.has_param("method") && !self.has_headers()) {
            return self.clone();
        }
        let mut text = self.before_params().to_owned();
        push_params(&mut text, self, "method");
        Self::rebuilt(text).unwrap_or_else(|| self.clone())
    }

    /// The URI with that parameter in place of any of the same name. What a parameter cannot hold is escaped.
    /// Schemes other than SIP, SIPS and tel have no parameters: such a URI comes back unchanged, and so does one
    /// that would grow past what [`Uri::parse`] takes.
    #[must_use]
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Self {
        if self.scheme() == Scheme::Other || name.is_empty() {
            return self.clone();
        }
        let mut text = self.before_params().to_owned();
        push_params(&mut text, self, name);
        text.push(';');
        escape_into(&mut text, name, PARAM_NAME);
        if let Some(value) = value {
            text.push('=');
            escape_into(&mut text, value, PARAM_NAME);
        }
        self.push_headers(&mut text);
        Self::rebuilt(text).unwrap_or_else(|| self.clone())
    }

    /// The URI without the parameters of that name.
    #[must_use]
    pub fn without_param(&self, name: &str) -> Self {
        if !self.has_param(name) {
            return self.clone();
        }
        let mut text = self.before_params().to_owned();
        push_params(&mut text, self, name);
        self.push_headers(&mut text);
        Self::rebuilt(text).unwrap_or_else(|| self.clone())
    }

    /// A SIP URI with the scheme `sips`; any other comes back unchanged.
    #[must_use]
    pub fn secured(&self) -> Self {
        let Some((_, rest)) = self.as_str().split_once(':').filter(|_| self.scheme() == Scheme::Sip) else {
            return self.clone();
        };
        Self::rebuilt(format!("sips:{rest}")).unwrap_or_else(|| self.clone())
    }

    fn before_params(&self) -> &str {
        Span::new(self.parts.whole.start(), self.parts.params.start()).of(&self.text)
    }

    fn push_headers(&self, text: &mut String) {
        if self.has_headers() {
            text.push('?');
            text.push_str(self.parts.headers.of(&self.text));
        }
    }
}

/// The parameters except those named `but`, as received.
fn push_params(text: &mut String, uri: &Uri, but: &str) {
    for (name, value) in uri.params().filter(|(name, _)| !is_name(name, but)) {
        text.push(';');
        text.push_str(name);
        if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
    }
}
