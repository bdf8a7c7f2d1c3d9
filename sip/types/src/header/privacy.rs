//! Privacy (RFC 3323 §4.2): what of who sent a message is to stay unknown.

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, Headers, SyntaxError, cursor::Cursor};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivacyKind {
    /// Header fields that show who somebody is (RFC 3323 §4.2).
    Header,
    /// Where its media comes from (RFC 3323 §4.2).
    Session,
    /// All that a user agent could have left out itself (RFC 3323 §4.2).
    User,
    /// Nothing is to be hidden, whatever is agreed otherwise (RFC 3323 §4.2).
    None,
    /// What cannot be hidden is not to be sent (RFC 3323 §4.2).
    Critical,
    /// The asserted identity, outside of the trust domain (RFC 3325 §9.3).
    Id,
    /// Where the call has been (RFC 7044 §10.1).
    History,
}

impl PrivacyKind {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Session => "session",
            Self::User => "user",
            Self::None => "none",
            Self::Critical => "critical",
            Self::Id => "id",
            Self::History => "history",
        }
    }
}

/// The values of a Privacy, known or not. Empty ones, and commas instead of semicolons, which some write, are let through.
#[derive(Clone, Debug)]
pub struct Privacy {
    text: ByteString,
}

impl Privacy {
    /// What the fields of a message ask for together. `None`: there is no such field.
    ///
    /// What in it cannot be read asks for nothing that anybody could do; all else counts, so that nobody is shown for a slip.
    #[must_use]
    pub fn of(headers: &Headers) -> Option<Self> {
        let mut fields = headers.all(Self::NAME).filter_map(|field| field.text().ok()).peekable();
        fields.peek()?;
        Some(Self { text: fields.collect::<Vec<_>>().join(";").into() })
    }

    /// Its values, in their order.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.text.split([';', ',']).map(str::trim_ascii).filter(|value| !value.is_empty())
    }

    /// Whether it asks for that.
    #[must_use]
    pub fn asks_for(&self, kind: PrivacyKind) -> bool {
        self.values().any(|value| value.eq_ignore_ascii_case(kind.as_str()))
    }

    /// What is left of it once that has been done; `None` where nothing is (RFC 3323 §5). One that says `none` is left alone.
    #[must_use]
    pub fn without(&self, done: PrivacyKind) -> Option<Self> {
        if self.asks_for(PrivacyKind::None) {
            return Some(self.clone());
        }
        let left: Vec<&str> =
            self.values().filter(|value| !value.eq_ignore_ascii_case(done.as_str())).collect();
        (!left.is_empty()).then(|| Self { text: left.join(";").into() })
    }
}

impl TypedHeader for Privacy {
    const NAME: HeaderName = HeaderName::Privacy;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let privacy = Self { text: text.clone() };
        for value in privacy.values() {
            let mut c = Cursor::new(value)?;
            c.token("a kind of privacy")?;
            c.finish("the end")?;
        }
        Ok(privacy)
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::text::trim(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PrivacyKind::*;

    fn parse(text: &str) -> Result<Privacy, SyntaxError> {
        Privacy::parse(&text.into())
    }

    #[test]
    fn rfc3323_4_2_it_asks_for_what_it_names_in_any_case_and_keeps_what_nobody_knows() {
        let privacy = parse("ID; user ;x-odd;critical").unwrap();
        for (kind, asked) in
            [(Id, true), (User, true), (Critical, true), (Header, false), (History, false), (None, false)]
        {
            assert_eq!(privacy.asks_for(kind), asked, "{kind:?}");
        }
        assert_eq!(privacy.values().collect::<Vec<_>>(), ["ID", "user", "x-odd", "critical"]);
        assert_eq!(privacy.to_string(), "ID; user ;x-odd;critical");
        assert!(parse("id, session").unwrap().asks_for(Session));
        assert!(parse("i d").is_err() && parse("\"id\"").is_err());
    }

    #[test]
    fn several_fields_ask_together_and_a_slip_takes_nothing_away() {
        let of = |fields: &str| {
            let text = format!("INVITE sip:b@example.com SIP/2.0\r\n{fields}Content-Length: 0\r\n\r\n");
            let message = crate::Message::parse(text.into(), &crate::Limits::default()).unwrap();
            Privacy::of(message.headers()).map(|privacy| (privacy.asks_for(Id), privacy.asks_for(User)))
        };
        assert_eq!(of("Privacy: id\r\nPrivacy: user;critical\r\n"), Some((true, true)));
        assert_eq!(of("Privacy: \"x;id\r\n"), Some((true, false)));
        assert_eq!(of(""), Option::None);
    }

    #[test]
    fn rfc3323_5_what_has_been_done_is_not_asked_for_again() {
        let left = |text: &str| parse(text).unwrap().without(History).map(|left| left.to_string());
        assert_eq!(left("id;history;critical").as_deref(), Some("id;critical"));
        assert_eq!(left("HISTORY"), Option::None);
        assert_eq!(left("none").as_deref(), Some("none"));
    }
}
