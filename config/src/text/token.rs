use std::fmt;

use bytestring::ByteString;

use crate::declare::Text;

/// Whether `text` is a token (RFC 3261 §25.1).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

/// A token (RFC 3261 §25.1): a method, a header field name or an option tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(ByteString);

impl Token {
    /// The token as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for Token {
    const EXPECTED: &'static str = "a token (letters, digits and -.!%*_+`'~)";
    const PATTERN: Option<&'static str> = Some("^[A-Za-z0-9.!%*_+`'~-]+$");

    fn parse(text: &str) -> Option<Self> {
        is_token(text).then(|| Self(text.into()))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

/// A media type without parameters, or a whole family: `application/isup`, `image/*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(ByteString);

impl MediaType {
    /// The media type as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names `kind/subtype` (case-insensitive, RFC 2045 §5.1).
    #[must_use]
    pub fn covers(&self, kind: &str, subtype: &str) -> bool {
        let (own_kind, own_subtype) = self.0.split_once('/').unwrap_or((&self.0, "*"));
        own_kind.eq_ignore_ascii_case(kind)
            && (own_subtype == "*" || own_subtype.eq_ignore_ascii_case(subtype))
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for MediaType {
    const EXPECTED: &'static str = "a media type without parameters (type/subtype or type/*)";
    const PATTERN: Option<&'static str> = Some("^[^/ ;]+/[^/ ;]+$");

    fn parse(text: &str) -> Option<Self> {
        let (kind, subtype) = text.split_once('/')?;
        (is_token(kind) && is_token(subtype) && kind != "*").then(|| Self(text.into()))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc2045_5_1_media_types_ignore_case() {
        let family = MediaType::parse("image/*").unwrap();
        assert!(family.covers("IMAGE", "png"));
        assert!(!family.covers("audio", "png"));
        let one = MediaType::parse("Application/ISUP").unwrap();
        assert!(one.covers("application", "isup"));
        assert!(!one.covers("application", "qsig"));
        for text in ["isup", "a/b/c", "*/*", "a/", "a /b", "a/b;c"] {
            assert_eq!(MediaType::parse(text), None, "{text}");
        }
    }
}
