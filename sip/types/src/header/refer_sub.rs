//! Refer-Sub: whether a REFER makes a subscription (RFC 4488 §4).

use std::fmt;

use super::{TypedHeader, content::token_with_params};
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor, span::Span};

token_with_params! {
    /// Refer-Sub: `true` or `false` (RFC 4488 §4).
    ReferSub, "true or false";
}

impl ReferSub {
    /// Whether no subscription is asked for, or was made.
    #[must_use]
    pub fn is_false(&self) -> bool {
        self.is("false")
    }
}

#[cfg(test)]
mod tests {
    use super::{ReferSub, TypedHeader};

    #[test]
    fn rfc4488_4_false_asks_for_no_subscription() {
        for (text, expected) in [("false", true), (" False;x=1", true), ("true", false), ("no", false)] {
            assert_eq!(ReferSub::parse(&text.into()).unwrap().is_false(), expected, "{text}");
        }
        assert!(ReferSub::parse(&"".into()).is_err());
    }
}
