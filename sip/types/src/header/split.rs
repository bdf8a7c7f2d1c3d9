//! Splitting the value of a list.

use crate::{HeaderName, chars, search};

/// Elements of one field value, not trimmed.
pub(crate) struct Elements<'a> {
    rest: Option<&'a str>,
    rule: Rule,
}

#[derive(Clone, Copy)]
enum Rule {
    /// The whole value is one element.
    Whole,
    /// At commas outside quotes and angle brackets (RFC 3261 §7.3.1).
    Commas,
    /// As `Commas`, and empty elements, which such grammars allow to appear alone, are passed over.
    MaybeEmpty,
    /// At commas that a new authentication scheme follows (RFC 7235 §4.1).
    Challenges,
}

impl<'a> Elements<'a> {
    pub(crate) fn new(name: HeaderName, value: &'a str) -> Self {
        use HeaderName as N;
        let rule = match name {
            N::WwwAuthenticate | N::ProxyAuthenticate | N::Authorization | N::ProxyAuthorization => {
                Rule::Challenges
            }
            N::Accept
            | N::AcceptEncoding
            | N::AcceptLanguage
            | N::Allow
            | N::AllowEvents
            | N::Supported
            | N::Unsupported
            | N::RecvInfo => Rule::MaybeEmpty,
            name if name.is_list() => Rule::Commas,
            _ => Rule::Whole,
        };
        Self { rest: Some(value), rule }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.rest?;
            let end = match self.rule {
                Rule::Whole => None,
                Rule::Commas | Rule::MaybeEmpty => comma(rest, |_| true),
                Rule::Challenges => comma(rest, starts_challenge),
            };
            let element = match end.and_then(|end| rest.split_at_checked(end)) {
                Some((element, after)) => {
                    self.rest = after.get(1..);
                    element
                }
                None => {
                    self.rest = None;
                    rest
                }
            };
            let skip = matches!(self.rule, Rule::MaybeEmpty) && element.bytes().all(chars::is_wsp);
            if !skip {
                return Some(element);
            }
        }
    }
}

/// The first comma outside quotes and angle brackets with `follows` true of the text after it.
fn comma(text: &str, follows: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let first = search::find(bytes, b',')?;
    let (before, after) = bytes.split_at_checked(first)?;
    if search::find_either(before, b'"', b'<').is_none() && follows(after.get(1..).unwrap_or_default()) {
        return Some(first);
    }
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !angle => quoted = !quoted,
            b'<' if !quoted => angle = true,
            b'>' if !quoted => angle = false,
            b',' if !quoted && !angle && follows(bytes.get(at + 1..).unwrap_or_default()) => return Some(at),
            _ => {}
        }
    }
    None
}

/// `token 1*SP token` and no `=` next to the first: a scheme and its first parameter, not one more parameter.
fn starts_challenge(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    let scheme = bytes.iter().position(|&b| !chars::is(b, chars::TOKEN)).unwrap_or(bytes.len());
    let rest = bytes.get(scheme..).unwrap_or_default();
    let after = rest.trim_ascii_start();
    scheme > 0 && after.len() < rest.len() && after.first().is_some_and(|&b| chars::is(b, chars::TOKEN))
}

#[cfg(test)]
mod tests {
    use super::Elements;
    use crate::HeaderName;

    fn split(name: HeaderName, value: &str) -> Vec<&str> {
        Elements::new(name, value).map(str::trim).collect()
    }

    #[test]
    fn rfc3261_7_3_1_commas_separate_outside_quotes_and_brackets() {
        let value = "\"A, \\\", B\" <sip:a@b,c>;x=\"1,2\", <sip:d@e>,f:g";
        assert_eq!(
            split(HeaderName::Contact, value),
            ["\"A, \\\", B\" <sip:a@b,c>;x=\"1,2\"", "<sip:d@e>", "f:g"]
        );
    }

    #[test]
    fn a_single_valued_field_is_not_split() {
        assert_eq!(split(HeaderName::Date, "Sat, 13 Nov 2010"), ["Sat, 13 Nov 2010"]);
    }

    #[test]
    fn empty_elements_stay_unless_the_grammar_has_empty_lists() {
        assert_eq!(split(HeaderName::Via, "a,,"), ["a", "", ""]);
        assert_eq!(split(HeaderName::Supported, ""), [""; 0]);
        assert_eq!(split(HeaderName::Supported, "a, ,b,"), ["a", "b"]);
    }

    #[test]
    fn rfc7235_4_1_challenges_are_told_from_parameters() {
        let value = "Digest realm=\"a, b\", nonce=\"c\",qop=\"auth,auth-int\", Basic realm=\"d\"";
        assert_eq!(
            split(HeaderName::WwwAuthenticate, value),
            ["Digest realm=\"a, b\", nonce=\"c\",qop=\"auth,auth-int\"", "Basic realm=\"d\""]
        );
        assert_eq!(split(HeaderName::WwwAuthenticate, "Digest a = b , c = d"), ["Digest a = b , c = d"]);
    }
}
