//! Who asks: a user agent or a proxy.

use sip_types::{HeaderName, StatusCode};

/// The two header families of RFC 3261 §22.2 and §22.3. A realm challenged through both needs an answer for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A user agent server, registrar or redirect server: 401.
    User,
    /// A proxy: 407.
    Proxy,
}

impl Kind {
    /// The status of a response that challenges: 401 or 407.
    pub const fn status(self) -> StatusCode {
        match self {
            Kind::User => StatusCode::UNAUTHORIZED,
            Kind::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    /// The field of a challenge: WWW-Authenticate or Proxy-Authenticate.
    pub const fn challenge(self) -> HeaderName {
        match self {
            Kind::User => HeaderName::WwwAuthenticate,
            Kind::Proxy => HeaderName::ProxyAuthenticate,
        }
    }

    /// The field of an answer: Authorization or Proxy-Authorization.
    pub const fn credentials(self) -> HeaderName {
        match self {
            Kind::User => HeaderName::Authorization,
            Kind::Proxy => HeaderName::ProxyAuthorization,
        }
    }

    /// The field of a proof by the server: Authentication-Info (RFC 3261 §20.6) or Proxy-Authentication-Info (RFC 7615 §4).
    pub const fn info(self) -> &'static str {
        match self {
            Kind::User => HeaderName::AuthenticationInfo.as_str(),
            Kind::Proxy => "Proxy-Authentication-Info",
        }
    }
}
