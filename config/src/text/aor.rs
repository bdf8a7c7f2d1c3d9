use std::fmt;

use bytestring::ByteString;
use sip_types::Uri;

use crate::declare::Text;

/// `user@host[:port]`: an address-of-record without its scheme (RFC 3261 §6). The user is written as in a URI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressOfRecord(ByteString);

impl AddressOfRecord {
    /// The address as a `sip:` URI.
    #[must_use]
    pub fn uri_text(&self) -> String {
        format!("sip:{}", self.0)
    }

    /// Host and port.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for AddressOfRecord {
    const EXPECTED: &'static str = "user@host, as in a SIP URI without its scheme";

    fn parse(text: &str) -> Option<Self> {
        let (user, domain) = text.rsplit_once('@')?;
        let written = format!("sip:{user}@{}", domain.to_ascii_lowercase());
        let uri: Uri = written.parse().ok()?;
        let bare = uri.user() == Some(user) && !text.contains([';', '?']);
        bare.then(|| Self(written.get(4..).unwrap_or_default().into()))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_record_is_a_user_at_a_host() {
        for text in ["alice@example.com", "+4930123@example.com:5070", "a%20b@[2001:db8::1]", "100@192.0.2.1"]
        {
            assert_eq!(AddressOfRecord::parse(text).map(|a| a.to_string()).as_deref(), Some(text));
        }
        assert_eq!(AddressOfRecord::parse("Al@EXAMPLE.com").unwrap().to_string(), "Al@example.com");
        for text in ["", "alice", "@example.com", "alice@", "a b@example.com", "a@b;x=1", "a:pw@b", "a@b?x=y"]
        {
            assert_eq!(AddressOfRecord::parse(text), None, "{text}");
        }
    }
}
