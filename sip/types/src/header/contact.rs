//! Contact (RFC 3261 §20.10).

use std::fmt;

use super::{NameAddr, TypedHeader, name_addr::Form};
use crate::{ByteString, HeaderName, SharedText, SyntaxError, text::trim};

/// One Contact.
#[derive(Clone, Debug)]
pub enum Contact {
    /// `*`: all bindings, in a REGISTER that removes them (RFC 3261 §10.2.2).
    Star,
    /// An address.
    Addr(NameAddr),
}

impl Contact {
    /// The address, unless it is `*`.
    #[must_use]
    pub fn address(&self) -> Option<&NameAddr> {
        match self {
            Self::Star => None,
            Self::Addr(address) => Some(address),
        }
    }

    /// The `q` parameter in thousandths, 0 to 1000; `None` if absent or malformed.
    #[must_use]
    pub fn q(&self) -> Option<u16> {
        self.address()?.param("q").flatten().and_then(qvalue)
    }

    /// The `expires` parameter in seconds; `Some(3600)` if it is malformed or above 2³²−1, as RFC 3261 §20.10 asks.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        let value = self.address()?.param("expires")?;
        Some(value.and_then(|v| v.parse().ok()).unwrap_or(3600))
    }
}

/// `qvalue` in thousandths (RFC 3261 §25.1).
pub(crate) fn qvalue(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: u16 = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = [1000u16, 100, 10, 1].get(fraction.len()).copied()?;
    let fraction: u16 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    Some(whole + fraction * scale).filter(|&q| q <= 1000)
}

impl TypedHeader for Contact {
    const NAME: HeaderName = HeaderName::Contact;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        Self::parse_part(text.into())
    }

    fn parse_part(text: SharedText<'_>) -> Result<Self, SyntaxError> {
        if trim(&text) == "*" {
            return Ok(Self::Star);
        }
        NameAddr::parse_form(text, Form::Any).map(Self::Addr)
    }
}

impl From<NameAddr> for Contact {
    fn from(address: NameAddr) -> Self {
        Self::Addr(address)
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Star => f.write_str("*"),
            Self::Addr(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Contact, TypedHeader, qvalue};

    fn contact(text: &str) -> Contact {
        Contact::parse(&text.into()).unwrap()
    }

    #[test]
    fn rfc3261_20_10_q_and_expires_are_read() {
        let c = contact("\"Mr. Watson\" <sip:w@w.example>;q=0.7; expires=3600");
        assert_eq!((c.q(), c.expires()), (Some(700), Some(3600)));
        assert_eq!(contact("<sip:w@w>;expires=280297596632815").expires(), Some(3600));
        assert_eq!(contact("<sip:w@w>;expires").expires(), Some(3600));
        assert_eq!(contact("<sip:w@w>").expires(), None);
        assert!(matches!(contact(" * "), Contact::Star));
    }

    #[test]
    fn rfc3261_25_1_qvalues() {
        for (text, q) in
            [("0", 0), ("1", 1000), ("0.3", 300), ("0.333", 333), ("1.000", 1000), ("0.", 0), ("0.05", 50)]
        {
            assert_eq!(qvalue(text), Some(q), "{text}");
        }
        for text in ["", "2", "0.3333", "1.001", "-1", ".5", "0.+1"] {
            assert_eq!(qvalue(text), None, "{text}");
        }
    }
}
