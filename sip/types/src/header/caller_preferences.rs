//! Accept-Contact and Reject-Contact (RFC 3841 §9.2).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor, span::Span, text::trim};

/// One newtype per row: name and documentation. A value is an asterisk with parameters.
macro_rules! preferences {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $name {
                text: ByteString,
                params: Span,
            }

            impl $name {
                /// All parameters: those that name features, and others.
                #[must_use]
                pub fn params(&self) -> Params<'_> {
                    Params::new(self.params.of(&self.text))
                }
            }

            impl TypedHeader for $name {
                const NAME: HeaderName = HeaderName::$name;

                fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
                    starred(text).map(|params| Self { text: text.clone(), params })
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(trim(&self.text))
                }
            }
        )*
    };
}

preferences! {
    /// One set of features that the caller would like the called user agent to have (RFC 3841 §9.2).
    AcceptContact;
    /// One set of features that the called user agent must not have (RFC 3841 §9.2).
    RejectContact;
}

fn starred(text: &ByteString) -> Result<Span, SyntaxError> {
    let mut c = Cursor::new(text)?;
    c.skip_space();
    if !c.eat(b'*') {
        return c.fail("an asterisk");
    }
    c.params()
}

#[cfg(test)]
mod tests {
    use super::{AcceptContact, RejectContact, TypedHeader};

    #[test]
    fn rfc3841_10_a_value_is_an_asterisk_with_parameters() {
        let value = AcceptContact::parse(&" * ; audio;require;methods=\"INVITE,BYE\" ".into()).unwrap();
        assert!(value.params().contains("require"));
        assert_eq!(value.params().get_unquoted("methods").unwrap(), "INVITE,BYE");
        assert_eq!(value.to_string(), "* ; audio;require;methods=\"INVITE,BYE\"");
        assert_eq!(RejectContact::parse(&"*".into()).unwrap().params().count(), 0);
        for text in ["", "audio", "*audio", "sip:a@b;audio"] {
            assert!(RejectContact::parse(&text.into()).is_err(), "{text}");
        }
    }
}
