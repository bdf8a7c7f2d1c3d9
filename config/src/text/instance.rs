use std::fmt;

use bytestring::ByteString;

use crate::declare::Text;

/// The name of a user agent instance: a UUID as a URN (RFC 5626 §4.1, RFC 9562 §4). No other URNs are taken, as each kind
/// would need an RFC of its own that says how it is made for this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(ByteString);

impl InstanceId {
    /// Reads one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    /// The URN, in small letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for InstanceId {
    const EXPECTED: &'static str = "a UUID as a URN";
    const PATTERN: Option<&'static str> =
        Some("^urn:uuid:[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$");

    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let parts = text.strip_prefix("urn:uuid:")?.split('-');
        let is_part = |(part, length): (&str, usize)| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        (parts.clone().count() == 5 && parts.zip([8, 4, 4, 4, 12]).all(is_part)).then(|| Self(text.into()))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // conforms: RFC5626-4.1-4
    #[test]
    fn rfc5626_4_1_an_instance_is_named_by_a_uuid_only() {
        let urn = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        for text in [urn, &urn.to_uppercase()] {
            assert_eq!(InstanceId::parse(text).map(|id| id.to_string()).as_deref(), Some(urn));
        }
        let strange = [
            "",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "urn:uuid:",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6-",
            "urn:gsma:imei:90420156-025763-0",
            "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>",
        ];
        for text in strange {
            assert_eq!(InstanceId::parse(text), None, "{text}");
        }
    }
}
