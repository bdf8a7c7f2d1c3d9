//! RSeq and RAck (RFC 3262 §7).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, Method, SyntaxError, cursor::Cursor};

/// RSeq: number of a reliable provisional response, 1 to 2³²−1; the first of a request is below 2³¹ (RFC 3262 §3, §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RSeq(pub u32);

impl TypedHeader for RSeq {
    const NAME: HeaderName = HeaderName::RSeq;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let value = c.number32(u32::MAX, "a number up to 2^32-1")?;
        c.finish("the end")?;
        Ok(Self(value))
    }
}

impl fmt::Display for RSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// RAck: which reliable provisional response is acknowledged (RFC 3262 §7.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RAck {
    /// RSeq of the response.
    pub rseq: u32,
    /// Number in the CSeq of the response.
    pub cseq: u32,
    /// Method in the CSeq of the response.
    pub method: Method,
}

impl TypedHeader for RAck {
    const NAME: HeaderName = HeaderName::RAck;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let rseq = c.number32(u32::MAX, "a number up to 2^32-1")?;
        if !c.skip_space() {
            return c.fail("a space");
        }
        let cseq = c.number32(u32::MAX, "a number up to 2^32-1")?;
        if !c.skip_space() {
            return c.fail("a space");
        }
        let method = c.token("a method")?;
        c.finish("the end")?;
        Ok(Self { rseq, cseq, method: Method::parse(&text.slice_ref(method.of(text)))? })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rseq, self.cseq, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::{RAck, RSeq, TypedHeader};
    use crate::Method;

    #[test]
    fn rfc3262_7_2_rack_names_a_response() {
        let rack = RAck::parse(&"776656 1  INVITE".into()).unwrap();
        assert_eq!(rack, RAck { rseq: 776_656, cseq: 1, method: Method::Invite });
        assert_eq!(rack.to_string(), "776656 1 INVITE");
        for text in ["", "1", "1 1", "1 INVITE", "1 1 INVITE x", "4294967296 1 INVITE"] {
            assert!(RAck::parse(&text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn rfc3262_7_1_rseq_is_a_number() {
        assert_eq!(RSeq::parse(&"988789".into()), Ok(RSeq(988_789)));
        assert!(RSeq::parse(&"4294967296".into()).is_err());
    }
}
