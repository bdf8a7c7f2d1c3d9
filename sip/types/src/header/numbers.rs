//! The header fields that are one number.

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, SyntaxError, cursor::Cursor};

/// One newtype per row: name, documentation, type, what is expected; a number above the type's range is an error.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident, $type:ident, $expected:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub $type);

            impl TypedHeader for $name {
                const NAME: HeaderName = HeaderName::$name;

                fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
                    let mut c = Cursor::new(text)?;
                    c.skip_space();
                    let at = c.at();
                    let value = c.number(u64::from($type::MAX), $expected)?;
                    c.finish("the end")?;
                    $type::try_from(value).map(Self).map_err(|_| SyntaxError::new(at, $expected))
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

numbers! {
    /// Max-Forwards: hops, 0 to 255 (RFC 3261 §20.22).
    MaxForwards, u8, "a number up to 255";
    /// Max-Breadth: parallel branches (RFC 5393 §5.3.3).
    MaxBreadth, u32, "a number up to 2^32-1";
    /// Content-Length: bytes of the body (RFC 3261 §20.14).
    ContentLength, u32, "a number up to 2^32-1";
    /// Expires: seconds (RFC 3261 §20.19). A reader may take a malformed value as 3600.
    Expires, u32, "a number up to 2^32-1";
    /// Min-Expires: seconds (RFC 3261 §20.23).
    MinExpires, u32, "a number up to 2^32-1";
    /// Flow-Timer: seconds (RFC 5626 §10).
    FlowTimer, u32, "a number up to 2^32-1";
}

#[cfg(test)]
mod tests {
    use super::{Expires, MaxForwards, TypedHeader};

    #[test]
    fn rfc3261_20_22_max_forwards_is_0_to_255() {
        let parse = |text: &str| MaxForwards::parse(&text.into()).map(|m| m.0).ok();
        assert_eq!((parse("0068"), parse(" 0 "), parse("255")), (Some(68), Some(0), Some(255)));
        assert_eq!(
            (parse("256"), parse("300"), parse(""), parse("-1"), parse("1, 2")),
            (None, None, None, None, None)
        );
    }

    #[test]
    fn rfc3261_20_19_expires_is_below_2_to_the_32() {
        assert_eq!(Expires::parse(&"4294967295".into()), Ok(Expires(u32::MAX)));
        let error = Expires::parse(&"4294967296".into()).unwrap_err();
        assert_eq!(error.to_string(), "expected a number up to 2^32-1 at byte 0");
        assert!(Expires::parse(&"9".repeat(100).into()).is_err());
    }
}
