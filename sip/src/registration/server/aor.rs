//! Addresses-of-record.

use sip_types::{Host, Uri};
use std::fmt::{self, Write};
use std::sync::Arc;

/// An address-of-record in the canonical form of RFC 3261 §10.3 step 5, the index of bindings: user with escapes
/// read, host in lower case, port if there is one; no parameters. `sip:` and `sips:` mean the same user
/// (RFC 5630 §3.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aor(Arc<str>);

impl Aor {
    /// The address-of-record that a URI means; `None` for one that is neither `sip:` nor `sips:`, or whose user is
    /// no text.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        let mut text = String::with_capacity(64);
        if uri.user().is_some() {
            text.push_str(&uri.user_decoded()?);
            text.push('@');
        }
        let user = text.len();
        match uri.host()? {
            Host::Name(name) => text.push_str(name),
            address @ (Host::V4(_) | Host::V6(_)) => write!(text, "{address}").ok()?,
        }
        if let Some(host) = text.get_mut(user..) {
            host.make_ascii_lowercase();
        }
        if let Some(port) = uri.port() {
            write!(text, ":{port}").ok()?;
        }
        Some(Self(text.into()))
    }

    /// `user@host` or `host`, as it is shown and kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address-of-record that [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn from_kept(text: &str) -> Self {
        Self(text.into())
    }

    /// As a `sip:` URI.
    #[must_use]
    pub fn uri(&self) -> Option<Uri> {
        super::gruu::aor_uri("sip", self)
    }

    /// The user, escapes read. Only the last `@` ends it, since a user may hold one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.0.rsplit_once('@').map(|(user, _)| user)
    }

    /// The host, and the port if there is one.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(_, domain)| domain)
    }
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
