//! Session-ID (RFC 7989).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor};

/// The UUID of one end of a session, or nil for one that is not known (RFC 7989 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionUuid(u128);

impl SessionUuid {
    /// Not known.
    pub const NIL: Self = Self(0);

    /// A random UUID (RFC 9562 §5.4) of these bits, six of which say what it is.
    #[must_use]
    pub const fn random(bits: u128) -> Self {
        let variant = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        Self(variant)
    }

    /// Reads 32 hexadecimal digits; capitals are let through, though RFC 7989 §5 has none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(text, 16).ok().filter(|_| digits).map(Self)
    }

    /// Whether it is not known.
    #[must_use]
    pub const fn is_nil(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for SessionUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Whose session a message is of: who sends it, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionIdentifier {
    /// Of the end that the message comes from.
    pub local: SessionUuid,
    /// Of the end that it goes to; none where one UUID stands for the dialog, as before RFC 7989 (RFC 7329).
    pub remote: Option<SessionUuid>,
}

impl TypedHeader for SessionIdentifier {
    const NAME: HeaderName = HeaderName::SessionId;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let at = c.at();
        let expected = "32 hexadecimal digits";
        let local = SessionUuid::parse(c.token(expected)?.of(text)).ok_or(SyntaxError::new(at, expected))?;
        let at = c.at();
        let params = c.params()?;
        c.finish("the end")?;
        let mut remotes =
            Params::new(params.of(text)).filter(|(name, _)| name.eq_ignore_ascii_case("remote"));
        let remote = match remotes.next() {
            Some((_, value)) => {
                let value = value.and_then(SessionUuid::parse);
                Some(value.ok_or(SyntaxError::new(at, expected))?)
            }
            None => None,
        };
        if remotes.next().is_some() {
            return Err(SyntaxError::new(at, "one remote parameter"));
        }
        Ok(Self { local, remote })
    }
}

impl fmt::Display for SessionIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.remote {
            Some(remote) => write!(f, "{};remote={remote}", self.local),
            None => self.local.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ab30317f1a784dc48ff824d0d3715d86";
    const B: &str = "47755a9de7794ba387653f2099600ef2";

    fn parse(text: &str) -> Option<String> {
        SessionIdentifier::parse(&text.into()).ok().map(|id| id.to_string())
    }

    #[test]
    fn rfc7989_5_two_uuids_or_one_of_before() {
        assert_eq!(parse(&format!("{A};remote={B}")), Some(format!("{A};remote={B}")));
        assert_eq!(parse(&format!(" {A} ; x=y ;Remote={B}")), Some(format!("{A};remote={B}")));
        assert_eq!(parse(A), Some(A.to_owned()));
        assert_eq!(parse(&A.to_uppercase()), Some(A.to_owned()));
        let nil = "0".repeat(32);
        assert_eq!(parse(&format!("{A};remote={nil}")), Some(format!("{A};remote={nil}")));
        assert!(SessionUuid::parse(&nil).unwrap().is_nil());
    }

    // conforms: RFC7989-5-1 RFC7989-7-16
    #[test]
    fn rfc7989_5_what_breaks_the_grammar_is_no_identifier() {
        for text in [
            "",
            "ab30",
            &format!("{A}0"),
            "+b30317f1a784dc48ff824d0d3715d86",
            &format!("{A};remote"),
            &format!("{A};remote=ab"),
            &format!("{A};remote={B};remote={B}"),
            &format!("{A}, {B}"),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn rfc9562_5_4_a_uuid_of_ours_says_that_it_is_random() {
        for bits in [0, u128::MAX] {
            let text = SessionUuid::random(bits).to_string();
            assert_eq!(text.get(12..13), Some("4"), "{text}");
            assert!(text.get(16..17).is_some_and(|digit| "89ab".contains(digit)), "{text}");
        }
    }
}
