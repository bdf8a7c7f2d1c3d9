use std::fmt;

use crate::declare::Text;

/// A SHA-256, written `sha256:` and 64 hexadecimal digits, which colons may part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The digest.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Text for Fingerprint {
    const EXPECTED: &'static str = "sha256: and 64 hexadecimal digits";
    const PATTERN: Option<&'static str> = Some("^sha256:[0-9A-Fa-f:]+$");

    fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.strip_prefix("sha256:")?.bytes().filter(|byte| *byte != b':').collect();
        let mut digest = [0; 32];
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != digest.len() || !rest.is_empty() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(pairs) {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            *byte = u8::try_from(high? << 4 | low?).ok()?;
        }
        Some(Self(digest))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

/// The origin of a web page (RFC 6454 §6.2), or `*` for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The origin; `None` for any.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        (self.0 != "*").then_some(&*self.0)
    }
}

impl Text for Origin {
    const EXPECTED: &'static str = "an origin: scheme, host and perhaps port, without a path, or \"*\"";

    fn parse(text: &str) -> Option<Self> {
        let is_origin = |text: &str| {
            let (scheme, host) = text.split_once("://")?;
            let named = !host.is_empty() && !host.contains(['/', '?', '#', '@', ',', ' ']);
            (matches!(scheme, "http" | "https") && named).then_some(())
        };
        (text == "*" || is_origin(text).is_some()).then(|| Self(text.to_owned()))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

/// A path of HTTP, without query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlPath(String);

impl UrlPath {
    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for UrlPath {
    const EXPECTED: &'static str = "a path that begins with / and has no query";

    fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
        (text.starts_with('/') && plain).then(|| Self(text.to_owned()))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_openssl_and_as_we_write_them() {
        let plain = format!("sha256:{}", "0aF1".repeat(16));
        let parted = format!("sha256:{}", vec!["0A:F1"; 16].join(":"));
        let read = Fingerprint::parse(&plain).unwrap();
        assert_eq!(Fingerprint::parse(&parted), Some(read));
        assert_eq!(Fingerprint::parse(&read.to_string()), Some(read));
        for text in [
            "",
            "sha256:",
            "sha1:00",
            plain.strip_suffix(|_: char| true).unwrap(),
            &format!("{plain}00"),
            &"sha256:zz".repeat(32),
        ] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        assert_eq!(Origin::parse("*").unwrap().origin(), None);
        assert_eq!(Origin::parse("https://a.example:8443").unwrap().origin(), Some("https://a.example:8443"));
        for text in ["", "a.example", "https://", "https://a.example/", "ftp://a.example", "https://a, b"] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
