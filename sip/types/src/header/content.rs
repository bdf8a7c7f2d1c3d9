//! Content-Disposition and Content-Encoding (RFC 3261 §20.11, §20.12).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor, span::Span};

/// One row per field: a token with parameters.
macro_rules! token_with_params {
    ($($(#[$doc:meta])* $name:ident, $expected:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name {
                text: ByteString,
                kind: Span,
                params: Span,
            }

            impl $name {
                /// The token before the parameters; compare without case.
                #[must_use]
                pub fn kind(&self) -> &str {
                    self.kind.of(&self.text)
                }

                /// Whether the token is that one, in any case.
                #[must_use]
                pub fn is(&self, kind: &str) -> bool {
                    self.kind().eq_ignore_ascii_case(kind)
                }

                /// All parameters.
                #[must_use]
                pub fn params(&self) -> Params<'_> {
                    Params::new(self.params.of(&self.text))
                }
            }

            impl TypedHeader for $name {
                const NAME: HeaderName = HeaderName::$name;

                fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
                    let mut c = Cursor::new(text)?;
                    c.skip_space();
                    let kind = c.token($expected)?;
                    let params = c.params()?;
                    Ok(Self { text: text.clone(), kind, params })
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str($crate::text::trim(&self.text))
                }
            }
        )*
    };
}
pub(super) use token_with_params;

token_with_params! {
    /// Content-Disposition: what a body is for (RFC 3261 §20.11).
    ContentDisposition, "a disposition";
    /// One content coding (RFC 3261 §20.12).
    ContentEncoding, "a content coding";
}

impl ContentDisposition {
    /// Whether a reader that does not understand the body must refuse the message: unless `handling=optional`
    /// (RFC 3261 §20.11).
    #[must_use]
    pub fn handling_required(&self) -> bool {
        let handling = self.params().get_unquoted("handling");
        !handling.is_some_and(|h| h.eq_ignore_ascii_case("optional"))
    }
}

#[cfg(test)]
mod tests {
    use super::{ContentDisposition, TypedHeader};

    #[test]
    fn rfc3261_20_11_handling_is_required_unless_optional() {
        let required = |text: &str| ContentDisposition::parse(&text.into()).unwrap().handling_required();
        assert!(required("session"));
        assert!(required("session;handling=required"));
        assert!(required("session;handling=other"));
        assert!(!required("Session ; Handling = Optional"));
        assert!(ContentDisposition::parse(&"".into()).is_err());
    }
}
