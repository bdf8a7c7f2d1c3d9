//! Accept (RFC 3261 §20.1).

use std::fmt;

use super::{TypedHeader, contact::qvalue, content_type::media_range};
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor, span::Span, text::trim};

/// One media range, with its parameters.
#[derive(Clone, Debug)]
pub struct Accept {
    text: ByteString,
    kind: Span,
    subtype: Span,
    params: Span,
}

impl Accept {
    /// The type, or `*`.
    #[must_use]
    pub fn type_(&self) -> &str {
        self.kind.of(&self.text)
    }

    /// The subtype, or `*`.
    #[must_use]
    pub fn subtype(&self) -> &str {
        self.subtype.of(&self.text)
    }

    /// Whether a body of that type lies in the range and is not excluded by `q=0`.
    #[must_use]
    pub fn admits(&self, type_: &str, subtype: &str) -> bool {
        let fits = |range: &str, value: &str| range == "*" || range.eq_ignore_ascii_case(value);
        fits(self.type_(), type_) && fits(self.subtype(), subtype) && self.q() > 0
    }

    /// The preference in thousandths; 1000 if absent or malformed.
    #[must_use]
    pub fn q(&self) -> u16 {
        self.params().get("q").flatten().and_then(qvalue).unwrap_or(1000)
    }

    /// All parameters.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.params.of(&self.text))
    }
}

impl TypedHeader for Accept {
    const NAME: HeaderName = HeaderName::Accept;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        let (kind, subtype) = media_range(&mut c)?;
        if c.slice(kind) == b"*" && c.slice(subtype) != b"*" {
            return Err(SyntaxError::new(subtype.start(), "an asterisk"));
        }
        let params = c.params()?;
        Ok(Self { text: text.clone(), kind, subtype, params })
    }
}

impl fmt::Display for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(trim(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Accept, TypedHeader};

    #[test]
    fn rfc3261_20_1_ranges_admit_types() {
        let accept = |text: &str| Accept::parse(&text.into()).unwrap();
        assert!(accept("*/*").admits("application", "sdp"));
        assert!(accept("application/*;q=0.5").admits("Application", "sdp"));
        assert!(!accept("application/sdp;q=0").admits("application", "sdp"));
        assert!(!accept("text/*").admits("application", "sdp"));
        assert!(Accept::parse(&"*/sdp".into()).is_err());
    }
}
