use std::borrow::Cow;

use config::Pattern;
use sip_types::Uri;

/// A called or calling party, as patterns see it.
pub(crate) struct Party<'u> {
    pub(crate) uri: &'u Uri,
    /// The number without visual separators, or else the user with escapes read; empty without one.
    pub(crate) user: Cow<'u, str>,
    /// The host in lower case; empty without one.
    pub(crate) host: String,
}

impl<'u> Party<'u> {
    pub(crate) fn new(uri: &'u Uri) -> Self {
        let user = uri.number().or_else(|| uri.user_decoded()).unwrap_or_default();
        let host = uri.host().map(|host| host.to_string().to_ascii_lowercase()).unwrap_or_default();
        Self { uri, user, host }
    }

    /// Whether one pattern matches: what [`super::pattern::PatternTable`] answers for many at once.
    pub(crate) fn matches(&self, pattern: &Pattern) -> bool {
        match pattern {
            Pattern::Any => true,
            Pattern::Domain(host) => !self.host.is_empty() && **host == self.host,
            Pattern::Prefix(prefix) => self.user.starts_with(&**prefix),
            Pattern::User(user) => **user == self.user,
            Pattern::UserAtHost { user, host } => **user == self.user && **host == self.host,
            Pattern::Uri(uri) => uri == self.uri,
        }
    }
}
