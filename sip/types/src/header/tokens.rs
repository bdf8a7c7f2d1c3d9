//! The header fields that are lists of tokens.

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, Method, SharedText, SyntaxError, cursor::Cursor, text::trim};

/// One newtype per row: name and documentation. A value is one element of the list; tokens compare without case.
macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident, $expected:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name(ByteString);

            impl $name {
                /// The token.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }

                /// Whether it is `tag` in any case.
                #[must_use]
                pub fn is(&self, tag: &str) -> bool {
                    self.0.eq_ignore_ascii_case(tag)
                }
            }

            impl TypedHeader for $name {
                const NAME: HeaderName = HeaderName::$name;

                fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
                    Self::parse_part(text.into())
                }

                fn parse_part(text: SharedText<'_>) -> Result<Self, SyntaxError> {
                    token(text, $expected).map(Self)
                }
            }

            impl PartialEq for $name {
                fn eq(&self, other: &Self) -> bool {
                    self.is(&other.0)
                }
            }

            impl Eq for $name {}

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }
        )*
    };
}

tokens! {
    /// One option tag of Supported (RFC 3261 §20.37).
    Supported, "an option tag";
    /// One option tag of Require (RFC 3261 §20.32).
    Require, "an option tag";
    /// One option tag of Proxy-Require (RFC 3261 §20.29).
    ProxyRequire, "an option tag";
    /// One option tag of Unsupported (RFC 3261 §20.40).
    Unsupported, "an option tag";
    /// One event type of Allow-Events (RFC 6665 §8.2.2).
    AllowEvents, "an event type";
    /// One Info Package of Recv-Info (RFC 6086 §4.2.1), without its parameters.
    RecvInfo, "an Info Package";
    /// One parameter of P-Early-Media (RFC 5009 §9).
    PEarlyMedia, "a parameter of early media";
    /// One directive of Request-Disposition (RFC 3841 §9.1).
    RequestDisposition, "a directive";
}

fn token(text: SharedText<'_>, expected: &'static str) -> Result<ByteString, SyntaxError> {
    let mut c = Cursor::new(text.as_str())?;
    c.skip_space();
    let span = c.token(expected)?;
    c.params()?;
    Ok(text.within(span.of(text.as_str())).share())
}

/// One method of Allow (RFC 3261 §20.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allow(pub Method);

impl TypedHeader for Allow {
    const NAME: HeaderName = HeaderName::Allow;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        Method::parse(&text.slice_ref(trim(text))).map(Self)
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Allow, Require, TypedHeader};
    use crate::Method;

    #[test]
    fn rfc3261_7_3_1_option_tags_compare_without_case() {
        let tag = Require::parse(&" 100Rel ".into()).unwrap();
        assert_eq!(tag.as_str(), "100Rel");
        assert!(tag.is("100rel"));
        assert!(Require::parse(&"".into()).is_err());
        assert!(Require::parse(&"a b".into()).is_err());
    }

    #[test]
    fn rfc3261_20_5_allow_is_one_method_per_element() {
        assert_eq!(Allow::parse(&" PRACK".into()).unwrap().0, Method::Prack);
        assert!(Allow::parse(&"A B".into()).is_err());
    }
}
