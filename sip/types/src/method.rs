//! Request methods.

use std::{fmt, str::FromStr};

use crate::{ByteString, SyntaxError, chars};

/// A request method (RFC 3261 §7.1): a token, compared with case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `INVITE`, RFC 3261 §13
    Invite,
    /// `ACK`, RFC 3261 §13
    Ack,
    /// `BYE`, RFC 3261 §15
    Bye,
    /// `CANCEL`, RFC 3261 §9
    Cancel,
    /// `OPTIONS`, RFC 3261 §11
    Options,
    /// `REGISTER`, RFC 3261 §10
    Register,
    /// `PRACK`, RFC 3262
    Prack,
    /// `UPDATE`, RFC 3311
    Update,
    /// `INFO`, RFC 6086
    Info,
    /// `SUBSCRIBE`, RFC 6665
    Subscribe,
    /// `NOTIFY`, RFC 6665
    Notify,
    /// `PUBLISH`, RFC 3903
    Publish,
    /// `MESSAGE`, RFC 3428
    Message,
    /// `REFER`, RFC 3515
    Refer,
    /// Any other token; made by [`Method::parse`], which never puts a known name here.
    Extension(ByteString),
}

impl Method {
    /// The methods that have a variant of their own.
    pub const KNOWN: [Method; 14] = [
        Self::Invite,
        Self::Ack,
        Self::Bye,
        Self::Cancel,
        Self::Options,
        Self::Register,
        Self::Prack,
        Self::Update,
        Self::Info,
        Self::Subscribe,
        Self::Notify,
        Self::Publish,
        Self::Message,
        Self::Refer,
    ];

    /// The method named `text`, which must be a token; an extension shares `text`'s memory.
    ///
    /// # Errors
    /// `text` is not a token.
    pub fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        match Self::known(text.as_bytes()) {
            Some(method) => Ok(method),
            None if chars::is_token(text.as_bytes()) => Ok(Self::Extension(text.clone())),
            None => Err(SyntaxError::new(0, "a method")),
        }
    }

    pub(crate) fn known(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"OPTIONS" => Self::Options,
            b"REGISTER" => Self::Register,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            b"INFO" => Self::Info,
            b"SUBSCRIBE" => Self::Subscribe,
            b"NOTIFY" => Self::Notify,
            b"PUBLISH" => Self::Publish,
            b"MESSAGE" => Self::Message,
            b"REFER" => Self::Refer,
            _ => return None,
        })
    }

    /// The name as it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Options => "OPTIONS",
            Self::Register => "REGISTER",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Info => "INFO",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Publish => "PUBLISH",
            Self::Message => "MESSAGE",
            Self::Refer => "REFER",
            Self::Extension(text) => text,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        match Self::known(text.as_bytes()) {
            Some(method) => Ok(method),
            None => Self::parse(&ByteString::from(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn known_methods_read_back() {
        for method in Method::KNOWN {
            assert_eq!(method.as_str().parse::<Method>(), Ok(method));
        }
    }

    #[test]
    fn rfc3261_7_1_methods_are_compared_with_case() {
        let method: Method = "invite".parse().unwrap();
        assert_eq!(method, Method::Extension("invite".into()));
        assert_ne!(method, Method::Invite);
    }

    #[test]
    fn a_method_is_a_token() {
        assert!("RE%47IST%45R".parse::<Method>().is_ok());
        assert!("".parse::<Method>().is_err());
        assert!("A B".parse::<Method>().is_err());
        assert!("A\u{e9}".parse::<Method>().is_err());
    }
}
