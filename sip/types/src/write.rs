//! Composing messages.

use std::fmt;

use bytes::Bytes;

use crate::{Field, Fields, HeaderName, Method, OwnedField, StatusCode, chars, search, text::push_escape};

/// Writes one message. Nothing that is put in can start a header field or a message of its own: a CR or LF that is
/// not part of a fold becomes a space. Content-Length is written by [`MessageWriter::finish`] alone; given as a
/// header field it is ignored.
#[derive(Clone, Debug)]
pub struct MessageWriter {
    buf: Vec<u8>,
}

const EXPECTED_LENGTH: usize = 1024;

impl MessageWriter {
    /// A request. Bytes that a Request-URI cannot have (space, controls, not ASCII) are percent-escaped; an empty one becomes
    /// `sip:anonymous.invalid`.
    #[must_use]
    pub fn request(method: &Method, uri: &str) -> Self {
        let mut buf = Vec::with_capacity(EXPECTED_LENGTH);
        let method = method.as_str();
        push_token(&mut buf, if method.is_empty() { "-" } else { method });
        buf.push(b' ');
        if uri.is_empty() {
            buf.extend_from_slice(b"sip:anonymous.invalid");
        } else if uri.bytes().all(|b| b.is_ascii_graphic()) {
            buf.extend_from_slice(uri.as_bytes());
        } else {
            let mut escaped = String::with_capacity(uri.len() + 8);
            for byte in uri.bytes() {
                if byte.is_ascii_graphic() {
                    escaped.push(char::from(byte));
                } else {
                    push_escape(&mut escaped, byte);
                }
            }
            buf.extend_from_slice(escaped.as_bytes());
        }
        buf.extend_from_slice(b" SIP/2.0\r\n");
        Self { buf }
    }

    /// A response; with an empty `reason` the registered phrase is written.
    #[must_use]
    pub fn response(status: StatusCode, reason: &str) -> Self {
        let mut buf = Vec::with_capacity(EXPECTED_LENGTH);
        let code = status.as_u16();
        buf.extend_from_slice(b"SIP/2.0 ");
        buf.extend([code / 100, code / 10 % 10, code % 10].map(|d| b'0' + u8::try_from(d).unwrap_or(0)));
        buf.push(b' ');
        let reason = if reason.is_empty() { status.reason_phrase() } else { reason };
        buf.extend(reason.bytes().map(|b| if b == b'\r' || b == b'\n' || b == 0 { b' ' } else { b }));
        buf.extend_from_slice(b"\r\n");
        Self { buf }
    }

    /// A header field with its registered name. [`HeaderName::Unknown`] and Content-Length write nothing.
    pub fn header(&mut self, name: HeaderName, value: impl fmt::Display) -> &mut Self {
        self.value(name, |out| {
            // Writing to a Value cannot fail.
            let _ = fmt::Write::write_fmt(out, format_args!("{value}"));
        })
    }

    /// As [`MessageWriter::header`], of a value that `write` puts together: for the fields that every message has, which
    /// this is cheaper for than a format.
    pub fn value(&mut self, name: HeaderName, write: impl FnOnce(&mut Value<'_>)) -> &mut Self {
        if !matches!(name, HeaderName::Unknown | HeaderName::ContentLength) {
            let start = self.start_known(name.as_str());
            write(&mut Value(&mut self.buf));
            self.end(start);
        }
        self
    }

    /// An owned field, its name and value as they are.
    pub fn field(&mut self, field: &OwnedField) -> &mut Self {
        match field.name() {
            HeaderName::Unknown => self.unknown(field.name_text(), field.value()),
            name => self.known(name, field.name_text(), field.value()),
        }
    }

    /// Owned fields in order.
    pub fn fields(&mut self, fields: &Fields) -> &mut Self {
        for field in fields {
            self.field(field);
        }
        self
    }

    /// A field of another message, byte for byte (but see [`MessageWriter`]).
    pub fn copy(&mut self, field: Field<'_>) -> &mut Self {
        self.known(field.name(), field.name_text(), field.value())
    }

    /// A field whose name has been read, so that its text is a token.
    fn known(&mut self, name: HeaderName, text: &str, value: &[u8]) -> &mut Self {
        if name != HeaderName::ContentLength {
            let start = self.start_known(text);
            self.buf.extend_from_slice(value);
            self.end(start);
        }
        self
    }

    /// A field whose name is that text. Characters that a name cannot have become `-`; an empty name writes nothing.
    pub fn unknown(&mut self, name: &str, value: &[u8]) -> &mut Self {
        if !name.is_empty() && HeaderName::from_bytes(name.as_bytes()) != HeaderName::ContentLength {
            let start = self.start(name);
            self.buf.extend_from_slice(value);
            self.end(start);
        }
        self
    }

    /// As [`Self::start`], of a name that is known to be a token.
    fn start_known(&mut self, name: &str) -> usize {
        self.buf.extend_from_slice(name.as_bytes());
        self.buf.extend_from_slice(b": ");
        self.buf.len()
    }

    fn start(&mut self, name: &str) -> usize {
        push_token(&mut self.buf, name);
        self.buf.extend_from_slice(b": ");
        self.buf.len()
    }

    /// Makes the value from `start` on harmless and ends the line.
    fn end(&mut self, start: usize) {
        let value = self.buf.get(start..).unwrap_or_default();
        let trimmed = matches!(value, [first, .., last] if !is_space(first) && !is_space(last));
        if !trimmed || search::has_either(value, b'\r', b'\n') {
            self.mend(start);
        }
        self.buf.extend_from_slice(b"\r\n");
    }

    /// Takes space from both ends of the value from `start` on, and what would end its line.
    #[inline(never)]
    fn mend(&mut self, start: usize) {
        let value = self.buf.get_mut(start..).unwrap_or_default();
        defuse(value);
        let kept = value.iter().rposition(|b| !is_space(b)).map_or(0, |last| last + 1);
        let blank = value.iter().take_while(|b| is_space(b)).count().min(kept);
        self.buf.truncate(start + kept);
        if blank > 0 {
            self.buf.drain(start..start + blank);
        }
    }

    /// Ends the message: Content-Length, the empty line and the body.
    #[must_use]
    pub fn finish(mut self, body: &[u8]) -> Bytes {
        Value(&mut self.buf).text("Content-Length: ").number(body.len() as u64).text("\r\n\r\n");
        self.buf.extend_from_slice(body);
        // Messages are kept for as long as they may be sent again: in memory of their own size.
        Bytes::copy_from_slice(&self.buf)
    }
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Turns each CR and LF that is not part of a fold into a space.
fn defuse(value: &mut [u8]) {
    let mut from = 0;
    while let Some(at) = search::find_either(value.get(from..).unwrap_or_default(), b'\r', b'\n') {
        let at = from + at;
        let fold = matches!(value.get(at..), Some([b'\r', b'\n', b' ' | b'\t', ..]));
        if !fold && let Some(byte) = value.get_mut(at) {
            *byte = b' ';
        }
        from = at + if fold { 2 } else { 1 };
    }
}

/// A value that is being written; see [`MessageWriter::value`].
#[derive(Debug)]
pub struct Value<'a>(&'a mut Vec<u8>);

impl Value<'_> {
    /// Appends a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends a number's decimal digits.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.text(itoa::Buffer::new().format(number))
    }
}

impl fmt::Write for Value<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn push_token(buf: &mut Vec<u8>, text: &str) {
    buf.extend(text.bytes().map(|b| if chars::is(b, chars::TOKEN) { b } else { b'-' }));
}

#[cfg(test)]
mod tests;
