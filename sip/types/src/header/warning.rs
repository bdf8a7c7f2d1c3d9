//! Warning (RFC 3261 §20.43).

use std::{borrow::Cow, fmt};

use super::TypedHeader;
use crate::{
    ByteString, HeaderName, SyntaxError,
    chars::GEN_VALUE,
    cursor::Cursor,
    span::Span,
    text::{quote, trim, unquote},
};

/// One warning.
#[derive(Clone, Debug)]
pub struct Warning {
    /// The code, 100 to 999; 3xx in SIP.
    pub code: u16,
    raw: ByteString,
    agent: Span,
    text: Span,
}

impl Warning {
    /// `<code> <agent> "<text>"`.
    ///
    /// # Errors
    /// `code` has not three digits or `agent` is neither host nor token.
    pub fn new(code: u16, agent: &str, text: &str) -> Result<Self, SyntaxError> {
        Self::parse(&format!("{code} {agent} {}", quote(text)).into())
    }

    /// Who warns: `host[:port]` or a pseudonym.
    #[must_use]
    pub fn agent(&self) -> &str {
        self.agent.of(&self.raw)
    }

    /// The text, its quotes read.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        unquote(self.text.of(&self.raw))
    }
}

impl TypedHeader for Warning {
    const NAME: HeaderName = HeaderName::Warning;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let start = c.at();
        let code = c.number(999, "a code of three digits")?;
        let code = match u16::try_from(code) {
            Ok(code) if c.at() - start == 3 => code,
            _ => return Err(SyntaxError::new(start, "a code of three digits")),
        };
        if !c.skip_space() {
            return c.fail("a space");
        }
        let agent = c.take_while(GEN_VALUE);
        if agent.is_empty() {
            return c.fail("a warning agent");
        }
        if !c.skip_space() {
            return c.fail("a space");
        }
        let words = c.quoted()?;
        c.finish("the end")?;
        Ok(Self { code, raw: text.clone(), agent, text: words })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(trim(&self.raw))
    }
}

#[cfg(test)]
mod tests {
    use super::{TypedHeader, Warning};

    #[test]
    fn rfc3261_20_43_code_agent_and_text() {
        let w =
            Warning::parse(&"307 isi.edu:5060 \"Session parameter 'foo' not understood\"".into()).unwrap();
        assert_eq!((w.code, w.agent()), (307, "isi.edu:5060"));
        assert_eq!(w.text(), "Session parameter 'foo' not understood");
        insta::assert_snapshot!(Warning::new(399, "sbc", "no \"codec\"").unwrap(), @r#"399 sbc "no \"codec\"""#);
    }

    #[test]
    fn rfc4475_3_1_2_5_a_code_has_three_digits() {
        for text in [
            "1812 overture \"In Progress\"",
            "37 a \"b\"",
            "037a \"b\"",
            "399 a b",
            "399 \"b\"",
            "399 a",
            "399 a \"b\" c",
        ] {
            assert!(Warning::parse(&text.into()).is_err(), "{text}");
        }
    }
}
