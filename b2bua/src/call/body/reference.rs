//! References from one part of a message to another by Content-ID (RFC 2392, RFC 5621 §9).

use policy::{Crossing, On, Verdict, verdict};
use sip_types::{Field, Fields, HeaderName, Headers};
use std::collections::HashMap;

/// Whether there is a reference to a part, and whether it crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// There is one on both sides.
    Crosses,
    /// There is one, but in something that stays behind.
    StaysBehind,
    /// There is none.
    None,
}

/// The parts that are referred to by what has been looked through: each text once, however many parts ask.
#[derive(Default)]
pub(super) struct References {
    /// By Content-ID, and whether one of the references crosses.
    to: HashMap<Vec<u8>, bool>,
}

impl References {
    /// Those in the header fields of the message.
    pub(super) fn of_headers(headers: &Headers, crossing: &Crossing<'_>) -> Self {
        let mut found = Self::default();
        for field in headers.iter().filter(|field| has_urls(field.value())) {
            found.note(field.value(), !is_kept_back(&field, crossing));
        }
        found
    }

    /// Notes those in a text, which crosses or does not.
    pub(super) fn note(&mut self, text: &[u8], crosses: bool) {
        for url in urls(text) {
            // A mark that may stand in a Content-ID may as well end the sentence that the URL stands in.
            for is_of_id in [is_of_url, is_of_id] {
                let length = url.iter().take_while(|byte| is_of_id(**byte)).count();
                let id = url.get(..length).and_then(unescaped).filter(|id| !id.is_empty());
                id.into_iter().for_each(|id| *self.to.entry(id).or_default() |= crosses);
            }
        }
    }

    /// Whether the part with that Content-ID is referred to.
    pub(super) fn to(&self, id: &str) -> Reference {
        match self.to.get(id.as_bytes()) {
            Some(true) => Reference::Crosses,
            Some(false) => Reference::StaysBehind,
            None => Reference::None,
        }
    }
}

fn is_kept_back(field: &Field<'_>, crossing: &Crossing<'_>) -> bool {
    matches!(
        verdict(field, On::Response, crossing),
        Verdict::FromUntrusted(_) | Verdict::ToUntrusted(_) | Verdict::Forbidden | Verdict::Unknown
    )
}

/// The Content-ID of a part, without its brackets (RFC 2045 §7).
pub(super) fn content_id(fields: &Fields) -> Option<&str> {
    let id = fields.first(HeaderName::ContentId)?.text().ok()?.trim_ascii();
    id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).filter(|id| !id.is_empty())
}

const SCHEME: &[u8] = b"cid:";

/// What follows each `cid:` in a text (RFC 2392 §2).
fn urls(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let schemes = text.windows(SCHEME.len()).enumerate().filter(|(_, at)| at.eq_ignore_ascii_case(SCHEME));
    schemes.filter_map(|(at, _)| text.get(at + SCHEME.len()..))
}

fn has_urls(text: &[u8]) -> bool {
    urls(text).next().is_some()
}

/// Whether a byte is of a URL wherever that stands.
fn is_of_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%@.-_~+$".contains(&byte)
}

/// Whether it may be of one, as it may be of a Content-ID.
fn is_of_id(byte: u8) -> bool {
    is_of_url(byte) || b"!#&'*/=?^`{|}".contains(&byte)
}

/// A URL with its escapes read.
fn unescaped(url: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (mut rest, mut out) = (url, Vec::with_capacity(url.len()));
    loop {
        rest = match rest {
            [b'%', high, low, rest @ ..] => {
                out.push(digit(high)? << 4 | digit(low)?);
                rest
            }
            [b'%', ..] => return None,
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
            [] => return Some(out),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc2392_2_a_reference_is_the_content_id_as_a_url_with_its_escapes() {
        for (text, id, expected) in [
            ("<cid:photo@a.example>", "photo@a.example", true),
            ("a=file-icon:CID:photo@a.example\r\n", "photo@a.example", true),
            ("cid:foo4%25foo1@bar.net", "foo4%foo1@bar.net", true),
            ("cid:photo%40a.example", "photo@a.example", true),
            ("cid:photo@a.example.org", "photo@a.example", false),
            ("cid:photo@a.exampl", "photo@a.example", false),
            ("cid:other@a, cid:photo@a", "photo@a", true),
            ("<img src='cid:photo@a'/>", "photo@a", true),
            ("See cid:photo@a!", "photo@a", true),
            ("<cid:a!b=c@a>", "a!b=c@a", true),
            ("cid:cid:photo@a", "photo@a", true),
            ("mid:photo@a.example", "photo@a.example", false),
            ("cid:photo%4", "photo@a", false),
            ("cid:", "a", false),
            ("", "a", false),
        ] {
            let mut found = References::default();
            found.note(text.as_bytes(), true);
            let expected = if expected { Reference::Crosses } else { Reference::None };
            assert_eq!(found.to(id), expected, "{text} {id}");
        }
    }

    #[test]
    fn one_reference_that_crosses_is_enough() {
        let mut found = References::default();
        found.note(b"cid:a@b", false);
        assert_eq!(found.to("a@b"), Reference::StaysBehind);
        found.note(b"cid:a@b", true);
        found.note(b"cid:a@b", false);
        assert_eq!(found.to("a@b"), Reference::Crosses);
    }
}
