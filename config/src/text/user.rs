use std::fmt;

use bytestring::ByteString;
use sip_types::Uri;

use crate::declare::Text;

/// The user part of a SIP URI (RFC 3261 §25.1), as it is written there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserPart(ByteString);

impl UserPart {
    /// The user as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for UserPart {
    const EXPECTED: &'static str = "the user of a SIP URI, as it is written there";

    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = format!("sip:{text}@h").parse().ok()?;
        (uri.user() == Some(text) && !text.contains([';', '?', ':', '@'])).then(|| Self(text.into()))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_what_may_stand_before_the_at_sign_of_a_uri() {
        for text in ["provider", "+4930123", "a%20b", "x-y_z.1"] {
            assert_eq!(UserPart::parse(text).map(|user| user.to_string()).as_deref(), Some(text));
        }
        for text in ["", "a b", "a@b", "a:pw", "a;b", "a?b", "<a>", "a%2"] {
            assert_eq!(UserPart::parse(text), None, "{text}");
        }
    }
}
