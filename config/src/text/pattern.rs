use std::fmt;

use bytestring::ByteString;
use sip_types::Uri;

use crate::declare::Text;

/// What a route asks of a called or calling party.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// `*`: anything.
    Any,
    /// `@example.com`: any user at this host (ignoring case).
    Domain(ByteString),
    /// `+49*`: numbers or users that begin so; the empty prefix is [`Pattern::Any`].
    Prefix(ByteString),
    /// `112`, `alice`: exactly this number or user, at any host.
    User(ByteString),
    /// `alice@example.com`: this user (exactly) at this host (ignoring case), whatever scheme, port and parameters.
    UserAtHost {
        /// The user.
        user: ByteString,
        /// The host, lower case.
        host: ByteString,
    },
    /// `sip:alice@example.com;user=phone`: this URI (RFC 3261 §19.1.4).
    Uri(Uri),
}

impl Text for Pattern {
    const EXPECTED: &'static str =
        "a number or user, a prefix of one ending in *, user@host, @host, or a URI";

    fn parse(text: &str) -> Option<Self> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "*@<>\",;?".contains(c))
        };
        if text == "*" {
            return Some(Self::Any);
        }
        if ["sip:", "sips:", "tel:"].iter().any(|scheme| has_prefix_ignoring_case(text, scheme)) {
            return Uri::parse(&text.into()).ok().map(Self::Uri);
        }
        if let Some((user, host)) = text.rsplit_once('@') {
            let host = plain(host).then(|| ByteString::from(host.to_ascii_lowercase()))?;
            return match user {
                "" => Some(Self::Domain(host)),
                user => plain(user).then(|| Self::UserAtHost { user: number(user), host }),
            };
        }
        match text.strip_suffix('*') {
            Some(prefix) => plain(prefix).then(|| Self::Prefix(number(prefix))),
            None => plain(text).then(|| Self::User(number(text))),
        }
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Domain(host) => write!(f, "@{host}"),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::User(user) => f.write_str(user),
            Self::UserAtHost { user, host } => write!(f, "{user}@{host}"),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}

fn has_prefix_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Numbers compare without visual separators (RFC 3966 §5.1.1), in the way of [`Uri::number`]; other users stay as
/// written.
fn number(text: &str) -> ByteString {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digit = |c: char| c.is_ascii_hexdigit() || "*#".contains(c);
    let separator = |c: char| "-.()".contains(c);
    if digits.contains(digit) && digits.chars().all(|c| digit(c) || separator(c)) {
        text.chars().filter(|c| !separator(*c)).collect::<String>().into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_told_apart_by_their_form() {
        let parse = |text: &str| Pattern::parse(text);
        assert_eq!(parse("*"), Some(Pattern::Any));
        assert_eq!(parse("+49 30"), None);
        assert_eq!(parse("+49-(30)*"), Some(Pattern::Prefix("+4930".into())));
        assert_eq!(parse("112"), Some(Pattern::User("112".into())));
        assert_eq!(parse("o'hara"), Some(Pattern::User("o'hara".into())));
        assert_eq!(parse("@Example.COM"), Some(Pattern::Domain("example.com".into())));
        let user = Pattern::UserAtHost { user: "Bob".into(), host: "example.com".into() };
        assert_eq!(parse("Bob@EXAMPLE.com"), Some(user));
        assert!(matches!(parse("SIP:bob@example.com;user=phone"), Some(Pattern::Uri(_))));
        for text in ["", "a*b", "**", "@", "a@", "sip:", "<sip:a@b>", "a;b"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
