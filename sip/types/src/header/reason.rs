//! Reason (RFC 3326).

use std::{borrow::Cow, fmt};

use super::TypedHeader;
use crate::{
    ByteString, HeaderName, Params, SyntaxError,
    cursor::Cursor,
    span::Span,
    text::{quote, trim},
};

/// One reason: a protocol and what it says.
#[derive(Clone, Debug)]
pub struct Reason {
    text: ByteString,
    protocol: Span,
    params: Span,
}

impl Reason {
    /// `<protocol>;cause=<cause>;text="<text>"`.
    ///
    /// # Errors
    /// `protocol` is no token.
    pub fn new(protocol: &str, cause: u32, text: Option<&str>) -> Result<Self, SyntaxError> {
        let text = text.map(|t| format!(";text={}", quote(t))).unwrap_or_default();
        Self::parse(&format!("{protocol};cause={cause}{text}").into())
    }

    /// `SIP`, `Q.850`, …; compare without case.
    #[must_use]
    pub fn protocol(&self) -> &str {
        self.protocol.of(&self.text)
    }

    /// Whether it is that protocol, in any case.
    #[must_use]
    pub fn is_protocol(&self, protocol: &str) -> bool {
        self.protocol().eq_ignore_ascii_case(protocol)
    }

    /// The cause, if it is there and a number.
    #[must_use]
    pub fn cause(&self) -> Option<u32> {
        self.params().get_unquoted("cause").and_then(|v| v.parse().ok())
    }

    /// The text, its quotes read.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.params().get_unquoted("text")
    }

    /// All parameters.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.params.of(&self.text))
    }
}

impl TypedHeader for Reason {
    const NAME: HeaderName = HeaderName::Reason;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let protocol = c.token("a protocol")?;
        let params = c.params()?;
        Ok(Self { text: text.clone(), protocol, params })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(trim(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Reason, TypedHeader};

    #[test]
    fn rfc3326_2_protocol_cause_and_text() {
        let reason = Reason::parse(&"Q.850 ;cause=16 ;text=\"Terminated, \\\"quietly\\\"\"".into()).unwrap();
        assert!(reason.is_protocol("q.850"));
        assert_eq!(reason.cause(), Some(16));
        assert_eq!(reason.text().unwrap(), "Terminated, \"quietly\"");
        assert_eq!(Reason::parse(&"SIP".into()).unwrap().cause(), None);
    }

    #[test]
    fn a_reason_is_composed_with_its_text_quoted() {
        insta::assert_snapshot!(Reason::new("SIP", 200, Some("a \"b\"")).unwrap(), @r#"SIP;cause=200;text="a \"b\"""#);
        assert!(Reason::new("S P", 1, None).is_err());
    }
}
