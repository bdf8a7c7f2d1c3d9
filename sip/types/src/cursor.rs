//! A reading position in the text of a header field.

use crate::{
    SyntaxError,
    chars::{self, GEN_VALUE, QUOTED, TOKEN, is_wsp},
    span::{MAX_TEXT, Span},
};

/// Reads an unfolded text from left to right.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// One `generic-param`.
pub(crate) struct Param<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
    /// Where the value starts.
    value_at: usize,
}

impl Param<'_> {
    /// Where the value is, if there is one.
    pub(crate) fn span(&self) -> Option<Span> {
        self.value.map(|value| Span::new(self.value_at, self.value_at + value.len()))
    }
}

impl<'a> Cursor<'a> {
    /// # Errors
    /// The text is longer than spans can hold.
    pub(crate) fn new(text: &'a str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_TEXT {
            return Err(SyntaxError::new(MAX_TEXT, "at most 65534 bytes"));
        }
        Ok(Self { bytes: text.as_bytes(), at: 0 })
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn fail<T>(&self, expected: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError::new(self.at, expected))
    }

    /// `SWS`; returns whether there was any.
    #[inline]
    pub(crate) fn skip_space(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(is_wsp) {
            self.at += 1;
        }
        self.at != start
    }

    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// `byte` with `SWS` around it, as in `SLASH`, `EQUAL`, `SEMI`.
    #[inline]
    pub(crate) fn eat_spaced(&mut self, byte: u8) -> bool {
        match self.peek() {
            Some(b) if b == byte => {
                self.at += 1;
                self.skip_space();
                true
            }
            Some(b' ' | b'\t') => self.eat_after_space(byte),
            _ => false,
        }
    }

    #[cold]
    fn eat_after_space(&mut self, byte: u8) -> bool {
        let start = self.at;
        self.skip_space();
        if self.eat(byte) {
            self.skip_space();
            return true;
        }
        self.at = start;
        false
    }

    #[inline]
    pub(crate) fn take_while(&mut self, class: u16) -> Span {
        let start = self.at;
        self.at += chars::run(self.rest(), class);
        Span::new(start, self.at)
    }

    pub(crate) fn token(&mut self, expected: &'static str) -> Result<Span, SyntaxError> {
        let span = self.take_while(TOKEN);
        if span.is_empty() { self.fail(expected) } else { Ok(span) }
    }

    pub(crate) fn slice(&self, span: Span) -> &'a [u8] {
        self.bytes.get(span.start()..span.end()).unwrap_or_default()
    }

    /// A quoted string from its opening quote on; the span includes both quotes.
    pub(crate) fn quoted(&mut self) -> Result<Span, SyntaxError> {
        let start = self.at;
        if !self.eat(b'"') {
            return self.fail("a quoted string");
        }
        loop {
            self.at += chars::run(self.rest(), QUOTED);
            match self.rest() {
                [] => break,
                [b'"', ..] => {
                    self.at += 1;
                    return Ok(Span::new(start, self.at));
                }
                [b'\\', b, ..] if b.is_ascii() && *b != b'\r' && *b != b'\n' => self.at += 2,
                _ => return self.fail("text of a quoted string"),
            }
        }
        self.fail("a closing quote")
    }

    /// Decimal digits, at most `max`.
    pub(crate) fn number(&mut self, max: u64, expected: &'static str) -> Result<u64, SyntaxError> {
        let start = self.at;
        let mut value: u64 = 0;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        if self.at == start || value > max {
            return Err(SyntaxError::new(start, expected));
        }
        Ok(value)
    }

    /// As [`Cursor::number`], within `u32`.
    pub(crate) fn number32(&mut self, max: u32, expected: &'static str) -> Result<u32, SyntaxError> {
        let at = self.at;
        let value = self.number(u64::from(max), expected)?;
        u32::try_from(value).map_err(|_| SyntaxError::new(at, expected))
    }

    /// The next `SEMI generic-param`; `None` at the end of the text. A value may be empty (`;rport=`), a name not.
    #[inline]
    pub(crate) fn param(&mut self) -> Result<Option<Param<'a>>, SyntaxError> {
        self.skip_space();
        match self.peek() {
            Some(b';') => self.at += 1,
            Some(_) => return self.fail("a semicolon or the end"),
            None => return Ok(None),
        }
        self.skip_space();
        let rest = self.rest();
        let (name, _) = rest.split_at_checked(chars::run(rest, TOKEN)).unwrap_or_default();
        if name.is_empty() {
            return self.fail("a parameter name");
        }
        self.at += name.len();
        if !self.eat_spaced(b'=') {
            return Ok(Some(Param { name, value: None, value_at: self.at }));
        }
        let value_at = self.at;
        if self.peek() == Some(b'"') {
            self.quoted()?;
        } else {
            self.at += chars::long_run(self.rest(), GEN_VALUE);
        }
        Ok(Some(Param { name, value: self.bytes.get(value_at..self.at), value_at }))
    }

    /// All `SEMI generic-param` to the end of the text: their span, from the first `;`.
    pub(crate) fn params(&mut self) -> Result<Span, SyntaxError> {
        let start = self.at;
        while self.param()?.is_some() {}
        Ok(Span::new(start, self.bytes.len()))
    }

    /// Only white space may follow.
    pub(crate) fn finish(&mut self, expected: &'static str) -> Result<(), SyntaxError> {
        self.skip_space();
        if self.at < self.bytes.len() { self.fail(expected) } else { Ok(()) }
    }
}
