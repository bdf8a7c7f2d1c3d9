//! Reading URIs (RFC 3261 §25.1, RFC 3966 §3).

use super::{HostKind, Parts, Scheme, UriError, UriErrorKind as Kind, host_at};
use crate::{
    chars::{self, HEADER_VALUE, PARAM_NAME, PARAM_VALUE, PASSWORD, PHONE, SCHEME, URIC, USER},
    search,
    span::{MAX_TEXT, Span},
    text::escape_at,
};

/// Parameters or headers in one URI, so that comparing stays cheap.
const MAX_PARTS: usize = 128;

impl Parts {
    /// Reads the URI at `start..end` of `text`. Offsets in errors count from `start`.
    pub(crate) fn parse(text: &str, start: usize, end: usize) -> Result<Self, UriError> {
        if end > MAX_TEXT {
            return Err(UriError { kind: Kind::TooLong, at: MAX_TEXT.saturating_sub(start) });
        }
        Reader { bytes: text.as_bytes().get(..end).unwrap_or_default(), start, at: start }.read()
    }
}

/// `start` and `at` count from the start of the text, offsets in errors from `start`.
struct Reader<'a> {
    bytes: &'a [u8],
    start: usize,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fail<T>(&self, kind: Kind) -> Result<T, UriError> {
        self.fail_at(kind, self.at)
    }

    fn fail_at<T>(&self, kind: Kind, at: usize) -> Result<T, UriError> {
        Err(UriError { kind, at: at - self.start })
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Characters of `class` and valid escapes.
    #[inline(always)]
    fn take_while(&mut self, class: u16) -> Span {
        let start = self.at;
        self.at += chars::run(self.bytes.get(self.at..).unwrap_or_default(), class);
        if self.peek() == Some(b'%') {
            self.escapes(class);
        }
        Span::new(start, self.at)
    }

    /// As [`Reader::take_while`], from an escape on.
    #[cold]
    fn escapes(&mut self, class: u16) {
        while escape_at(self.bytes, self.at).is_some() {
            self.at += 3;
            self.at += chars::run(self.bytes.get(self.at..).unwrap_or_default(), class);
        }
    }

    #[inline]
    fn read(mut self) -> Result<Parts, UriError> {
        match self.scheme()? {
            scheme @ (Scheme::Sip | Scheme::Sips) => self.sip(scheme),
            Scheme::Tel => self.tel(),
            Scheme::Other => self.opaque(),
        }
    }

    /// What has only a scheme.
    fn parts(&self, scheme: Scheme) -> Parts {
        Parts {
            whole: Span::new(self.start, self.bytes.len()),
            scheme,
            user: None,
            password: None,
            host: None,
            host_kind: HostKind::Name,
            port: None,
            params: Span::default(),
            headers: Span::default(),
        }
    }

    #[inline]
    fn scheme(&mut self) -> Result<Scheme, UriError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let [b's' | b'S', b'i' | b'I', b'p' | b'P', b':', ..] = rest {
            self.at += 4;
            return Ok(Scheme::Sip);
        }
        let len = chars::run(rest, SCHEME);
        let name = rest.get(..len).unwrap_or_default();
        if !name.first().is_some_and(u8::is_ascii_alphabetic) {
            return self.fail(Kind::Scheme);
        }
        self.at += len;
        if !self.eat(b':') {
            return self.fail(Kind::Scheme);
        }
        Ok(match name {
            [_, _, _] if name.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
            [_, _, _, _] if name.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
            _ => Scheme::Other,
        })
    }

    /// The parts are put together at the end: what is written in pieces and then moved as a whole has to wait.
    #[inline]
    fn sip(mut self, scheme: Scheme) -> Result<Parts, UriError> {
        let (user, password) = self.userinfo()?;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some((kind, len)) = host_at(rest) else { return self.fail(Kind::Host) };
        let host = Some(Span::new(self.at, self.at + len));
        self.at += len;
        let port = if self.eat(b':') { Some(self.port()?) } else { None };
        match self.peek() {
            None | Some(b';' | b'?') => {}
            Some(_) => return self.fail(if port.is_some() { Kind::Port } else { Kind::Host }),
        }
        let params = self.params()?;
        let headers = if self.eat(b'?') { self.headers()? } else { Span::default() };
        if self.peek().is_some() {
            return self.fail(if headers.is_empty() { Kind::Param } else { Kind::Header });
        }
        Ok(Parts { user, password, host, host_kind: kind, port, params, headers, ..self.parts(scheme) })
    }

    /// A user part ends with `@`, which stands nowhere else in a SIP URI; without one this reads nothing.
    #[inline]
    fn userinfo(&mut self) -> Result<(Option<Span>, Option<Span>), UriError> {
        let start = self.at;
        let user = self.take_while(USER);
        let mut stop = self.at;
        let mut password = None;
        if self.eat(b':') {
            password = Some(self.take_while(PASSWORD));
        }
        if self.eat(b'@') {
            if user.is_empty() {
                self.at = start;
                return self.fail(Kind::User);
            }
            return Ok((Some(user), password));
        }
        stop = stop.max(self.at);
        if search::find(self.bytes.get(stop..).unwrap_or_default(), b'@').is_some() {
            self.at = stop;
            return self.fail(Kind::User);
        }
        self.at = start;
        Ok((None, None))
    }

    #[inline]
    fn port(&mut self) -> Result<u16, UriError> {
        let start = self.at;
        let mut value: u32 = 0;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            value = value.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
            self.at += 1;
        }
        match u16::try_from(value) {
            Ok(port) if self.at > start => Ok(port),
            _ => self.fail_at(Kind::Port, start),
        }
    }

    #[inline]
    fn params(&mut self) -> Result<Span, UriError> {
        let start = self.at;
        let mut count = 0;
        while self.eat(b';') {
            let name = self.take_while(PARAM_NAME);
            if name.is_empty() {
                return self.fail(Kind::Param);
            }
            if self.eat(b'=') {
                self.take_while(PARAM_VALUE);
            }
            count += 1;
            if count > MAX_PARTS {
                return self.fail(Kind::TooMany);
            }
        }
        Ok(Span::new(start, self.at))
    }

    fn headers(&mut self) -> Result<Span, UriError> {
        let start = self.at;
        for count in 0.. {
            let name = self.take_while(HEADER_VALUE);
            if name.is_empty() || !self.eat(b'=') {
                return self.fail(Kind::Header);
            }
            self.take_while(HEADER_VALUE);
            if count >= MAX_PARTS {
                return self.fail(Kind::TooMany);
            }
            if !self.eat(b'&') {
                break;
            }
        }
        Ok(Span::new(start, self.at))
    }

    /// A local number without `phone-context` is let through: emergency numbers come like that.
    fn tel(mut self) -> Result<Parts, UriError> {
        let start = self.at;
        let global = self.eat(b'+');
        let digits = self.at;
        while self.peek().is_some_and(|b| chars::is(b, PHONE)) {
            self.at += 1;
        }
        let number = self.bytes.get(digits..self.at).unwrap_or_default();
        let wrong = |b: &u8| global && !b.is_ascii_digit() && !b"-.()".contains(b);
        if let Some(at) = number.iter().position(wrong) {
            return self.fail_at(Kind::Number, digits + at);
        }
        if number.iter().all(|b| b"-.()".contains(b)) {
            return self.fail(Kind::Number);
        }
        let user = Some(Span::new(start, self.at));
        if !matches!(self.peek(), None | Some(b';')) {
            return self.fail(Kind::Number);
        }
        let params = self.params()?;
        if self.peek().is_some() {
            return self.fail(Kind::Param);
        }
        Ok(Parts { user, params, ..self.parts(Scheme::Tel) })
    }

    fn opaque(mut self) -> Result<Parts, UriError> {
        let rest = self.take_while(URIC);
        if rest.is_empty() || self.peek().is_some() {
            return self.fail(Kind::Opaque);
        }
        Ok(self.parts(Scheme::Other))
    }
}
