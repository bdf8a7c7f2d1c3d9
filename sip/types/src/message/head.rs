//! The head of a message line by line, for who needs a few fields of it and not a message.

use super::scan::{self, Lines, Step};
use crate::HeaderName;

/// The start line and, as an iterator, the header fields of a message: names, and values with their folds as they came.
/// It ends where the head ends, and leaves out what is no header field, as [`crate::Message::parse`] does. Nothing is
/// checked, no limit is looked at, and nothing is allocated.
pub struct Head<'a> {
    start_line: &'a [u8],
    lines: Lines<'a>,
}

impl<'a> Head<'a> {
    /// The head of these bytes; `None` without a whole start line. Line ends before it are passed over (RFC 3261 §7.5).
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let lead = bytes.iter().position(|&b| b != b'\r' && b != b'\n')?;
        let mut lines = Lines::new(bytes, lead);
        let (start, end) = lines.start_line()?;
        Some(Self { start_line: bytes.get(start..end)?, lines })
    }

    /// The start line without its line end.
    #[must_use]
    pub fn start_line(&self) -> &'a [u8] {
        self.start_line
    }
}

impl<'a> Iterator for Head<'a> {
    type Item = (HeaderName, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Step::Line { start, end, .. } = self.lines.next() else { return None };
            let buf = self.lines.buf();
            if let Some(parts) = scan::cut(buf, start, end) {
                return Some((parts.header, buf.get(parts.value.0..parts.value.1)?));
            }
        }
    }
}

/// A parameter behind a URI or a sent-by, in the first element of a field's value: what stands in quotes and angle
/// brackets is passed over. `None` where it is missing or has no value.
#[must_use]
pub fn param_of<'a>(value: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = value;
    loop {
        rest = behind(rest, b';')?;
        let end =
            rest.iter().position(|b| matches!(b, b';' | b',' | b'=' | b'"' | b'<')).unwrap_or(rest.len());
        let (found, after) = rest.split_at(end);
        if let [b'=', text @ ..] = after
            && found.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
        {
            let end = text.iter().position(|b| matches!(b, b';' | b',')).unwrap_or(text.len());
            return text.get(..end).map(<[u8]>::trim_ascii);
        }
    }
}

/// What follows the next `mark` outside quotes and angle brackets, in this element.
fn behind(value: &[u8], mark: u8) -> Option<&[u8]> {
    let (mut at, mut quoted, mut bracketed) = (0, false, false);
    while let Some(&byte) = value.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' if !bracketed => quoted = !quoted,
            _ if quoted => {}
            b'<' => bracketed = true,
            b'>' => bracketed = false,
            _ if bracketed => {}
            b',' => return None,
            _ if byte == mark => return value.get(at + 1..),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ByteString;
    use crate::header::NameAddr;

    fn text(found: Option<&[u8]>) -> Option<&str> {
        found.map(|bytes| std::str::from_utf8(bytes).unwrap())
    }

    #[test]
    fn fields_come_in_order_and_end_with_the_head() {
        let bytes = b"\r\nBYE sip:a SIP/2.0\r\nt: <sip:b>\r\n ;tag=1\r\nnonsense\r\nX-Y : z\r\n\r\nTo: <sip:body>\r\n";
        let head = Head::of(bytes).unwrap();
        assert_eq!(head.start_line(), b"BYE sip:a SIP/2.0");
        let fields: Vec<_> = head.map(|(name, value)| (name, text(Some(value)).unwrap())).collect();
        assert_eq!(fields, [(HeaderName::To, "<sip:b>\r\n ;tag=1"), (HeaderName::Unknown, "z")]);
        assert!(Head::of(b"\r\n\r\n").is_none() && Head::of(b"INVITE").is_none());
    }

    #[test]
    fn a_parameter_is_that_of_the_field() {
        for (value, tag) in [
            ("<sip:a;tag=no>;tag=yes", Some("yes")),
            ("\"x;tag=no\\\";tag=no\" <sip:a>;Tag = yes ;x", Some("yes")),
            ("sip:a;tag=yes", Some("yes")),
            ("<sip:a>;tags=no;tag=yes", Some("yes")),
            ("<sip:a>;x=\"tag=no;tag=no\";tag=yes", Some("yes")),
            ("<sip:a>\r\n ;\ttag=yes", Some("yes")),
            ("<sip:a>, <sip:b>;tag=no", None),
            ("<sip:a>;tag", None),
            ("<sip:a;tag=no", None),
            ("\"x <sip:a>;tag=no", None),
            ("", None),
        ] {
            assert_eq!(text(param_of(value.as_bytes(), "tag")), tag, "{value}");
            if let Ok(address) = NameAddr::parse(&ByteString::from(value)) {
                assert_eq!(address.tag(), tag, "{value}");
            }
        }
        let via = "SIP/2.0/UDP [::1]:5060;rport;branch=z9hG4bK1, SIP/2.0/UDP b;branch=no";
        assert_eq!(text(param_of(via.as_bytes(), "branch")), Some("z9hG4bK1"));
    }
}
