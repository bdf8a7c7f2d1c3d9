//! Quoted strings and percent escapes.

use std::borrow::Cow;

use crate::chars::{self, is_wsp};

/// `text` without white space at its start.
#[inline]
pub(crate) fn trim_start(text: &str) -> &str {
    if text.bytes().next().is_some_and(is_wsp) { text.trim_start_matches([' ', '\t']) } else { text }
}

/// `text` without white space around it.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    let text = trim_start(text);
    if text.bytes().next_back().is_some_and(is_wsp) { text.trim_end_matches([' ', '\t']) } else { text }
}

/// `text` as a quoted string (RFC 3261 §25.1): `"` and `\` are escaped; CR, LF, NUL and other controls, which a
/// quoted string cannot carry unharmed, become spaces.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\t' => out.push(c),
            c if c.is_ascii_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What a quoted string stands for: without its quotes and with `\x` read as `x`. Text that is not quoted comes back as it is.
#[must_use]
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\' { out.extend(chars.next()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// `text` if it is a token, else quoted.
pub(crate) fn token_or_quoted(text: &str) -> Cow<'_, str> {
    if chars::is_token(text.as_bytes()) { Cow::Borrowed(text) } else { Cow::Owned(quote(text)) }
}

/// The byte that `%` and the two digits at `at` stand for.
pub(crate) fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
    if bytes.get(at) != Some(&b'%') {
        return None;
    }
    u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()
}

/// `text` with its percent escapes read; `None` if the result is not UTF-8.
#[must_use]
pub fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    String::from_utf8(Unescaped::new(text).map(|(byte, _)| byte).collect()).ok().map(Cow::Owned)
}

/// `text` with every byte outside `allowed` percent-escaped; valid escapes stay.
pub(crate) fn escape_into(out: &mut String, text: &str, allowed: u16) {
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let keep = if byte == b'%' { escape_at(bytes, at).is_some() } else { chars::is(byte, allowed) };
        if keep && byte.is_ascii() {
            out.push(char::from(byte));
        } else {
            push_escape(out, byte);
        }
    }
}

/// Appends `%XX`.
pub(crate) fn push_escape(out: &mut String, byte: u8) {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).map_or('0', |c| c.to_ascii_uppercase());
    out.push('%');
    out.push(digit(byte >> 4));
    out.push(digit(byte & 15));
}

/// Bytes of a text with the escapes read. Each comes with whether it was an escape of a reserved character, which
/// is not equal to the character itself (RFC 3261 §19.1.4).
pub(crate) struct Unescaped<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Unescaped<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0 }
    }
}

impl Iterator for Unescaped<'_> {
    type Item = (u8, bool);

    fn next(&mut self) -> Option<(u8, bool)> {
        if let Some(byte) = escape_at(self.bytes, self.at) {
            self.at += 3;
            return Some((byte, b";/?:@&=+$,".contains(&byte)));
        }
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some((byte, false))
    }
}

/// Equality under RFC 3261 §19.1.4: escapes of characters that are not reserved count as the characters.
pub(crate) fn eq_unescaped(a: &str, b: &str, ignore_case: bool) -> bool {
    if ignore_case {
        let fold = |(byte, reserved): (u8, bool)| (byte.to_ascii_lowercase(), reserved);
        a.eq_ignore_ascii_case(b) || Unescaped::new(a).map(fold).eq(Unescaped::new(b).map(fold))
    } else {
        a == b || Unescaped::new(a).eq(Unescaped::new(b))
    }
}

/// Whether the parameter name `name`, which may be escaped, is `wanted`.
#[inline]
pub(crate) fn is_name(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted) || (name.contains('%') && eq_unescaped(name, wanted, true))
}

#[cfg(test)]
mod tests {
    use super::{eq_unescaped, quote, unescape, unquote};

    #[test]
    fn quoting_reads_back() {
        for text in ["", "a", "a\"b\\c", "\u{2603} snow", "tab\there"] {
            assert_eq!(unquote(&quote(text)), text);
        }
    }

    #[test]
    fn quoting_lets_no_line_end_through() {
        assert_eq!(quote("a\r\nVia: x\0"), "\"a  Via: x \"");
    }

    #[test]
    fn what_is_not_quoted_stays() {
        for text in ["", "a", "\"", "a\"b", "\"a"] {
            assert_eq!(unquote(text), text);
        }
        assert_eq!(unquote("\"a\\"), "\"a\\");
    }

    #[test]
    fn unescaping_needs_two_digits_and_utf8() {
        assert_eq!(unescape("%75se%72").unwrap(), "user");
        assert_eq!(unescape("%7").unwrap(), "%7");
        assert_eq!(unescape("%Z0").unwrap(), "%Z0");
        assert_eq!(unescape("%00").unwrap(), "\0");
        assert_eq!(unescape("%ff"), None);
    }

    #[test]
    fn rfc3261_19_1_4_an_escaped_reserved_character_is_another_one() {
        assert!(eq_unescaped("%61lice", "alice", false));
        assert!(eq_unescaped("%3b", "%3B", false));
        assert!(!eq_unescaped("%3B", ";", false));
        assert!(!eq_unescaped("Alice", "alice", false));
        assert!(eq_unescaped("%41lice", "alice", true));
    }
}
