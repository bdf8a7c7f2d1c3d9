//! CSeq (RFC 3261 §20.16).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, Method, SharedText, SyntaxError, cursor::Cursor};

/// Sequence number, below 2³¹ (RFC 3261 §8.1.1.5), and method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The number.
    pub seq: u32,
    /// The method.
    pub method: Method,
}

impl CSeq {
    /// The largest number that a request may have.
    pub const MAX: u32 = (1 << 31) - 1;

    /// A number and a method.
    #[must_use]
    pub fn new(seq: u32, method: Method) -> Self {
        Self { seq, method }
    }
}

impl TypedHeader for CSeq {
    const NAME: HeaderName = HeaderName::CSeq;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        Self::parse_part(text.into())
    }

    fn parse_part(text: SharedText<'_>) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(&text)?;
        c.skip_space();
        let seq = c.number32(Self::MAX, "a number below 2^31")?;
        if !c.skip_space() {
            return c.fail("a space");
        }
        let name = c.token("a method")?;
        c.finish("the end")?;
        let method = match Method::known(c.slice(name)) {
            Some(method) => method,
            None => Method::Extension(text.within(name.of(text.as_str())).share()),
        };
        Ok(Self { seq, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::{CSeq, TypedHeader};
    use crate::Method;

    #[test]
    fn rfc3261_20_16_leading_zeros_and_space_are_taken() {
        let cseq = CSeq::parse(&"0009   INVITE".into()).unwrap();
        assert_eq!(cseq, CSeq::new(9, Method::Invite));
        assert_eq!(cseq.to_string(), "9 INVITE");
        assert_eq!(CSeq::parse(&"1 X".into()).unwrap().method, Method::Extension("X".into()));
    }

    #[test]
    fn rfc3261_8_1_1_5_the_number_is_below_2_to_the_31() {
        assert_eq!(CSeq::parse(&"2147483647 BYE".into()).unwrap().seq, CSeq::MAX);
        for text in [
            "2147483648 BYE",
            "36893488147419103232 BYE",
            "",
            "1",
            "1 ",
            "1BYE",
            "-1 BYE",
            "x BYE",
            "1 BYE x",
            "1 B(E",
        ] {
            assert!(CSeq::parse(&text.into()).is_err(), "{text}");
        }
    }
}
