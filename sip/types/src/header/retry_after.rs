//! Retry-After (RFC 3261 §20.33).

use std::{borrow::Cow, fmt};

use super::TypedHeader;
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor, span::Span, text::trim};

/// When to try again.
#[derive(Clone, Debug)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub seconds: u32,
    text: ByteString,
    comment: Option<Span>,
    params: Span,
}

impl RetryAfter {
    /// Seconds, without comment or parameters.
    #[must_use]
    pub fn new(seconds: u32) -> Self {
        let text = ByteString::from(seconds.to_string());
        let params = Span::new(text.len(), text.len());
        Self { seconds, text, comment: None, params }
    }

    /// For how many seconds the called party will then be reachable; `None` if absent or malformed.
    #[must_use]
    pub fn duration(&self) -> Option<u32> {
        self.params().get("duration").flatten().and_then(|v| v.parse().ok())
    }

    /// The comment without its outer parentheses, escapes read.
    #[must_use]
    pub fn comment(&self) -> Option<Cow<'_, str>> {
        let inner = self.comment?.of(&self.text).strip_prefix('(')?.strip_suffix(')')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        let mut out = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            if c == '\\' { out.extend(chars.next()) } else { out.push(c) }
        }
        Some(Cow::Owned(out))
    }

    /// All parameters.
    #[must_use]
    pub fn params(&self) -> Params<'_> {
        Params::new(self.params.of(&self.text))
    }
}

impl TypedHeader for RetryAfter {
    const NAME: HeaderName = HeaderName::RetryAfter;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let mut c = Cursor::new(text)?;
        c.skip_space();
        let seconds = c.number32(u32::MAX, "a number up to 2^32-1")?;
        c.skip_space();
        let comment = if c.peek() == Some(b'(') { Some(comment(&mut c)?) } else { None };
        let params = c.params()?;
        Ok(Self { seconds, text: text.clone(), comment, params })
    }
}

/// `comment`, which nests.
fn comment(c: &mut Cursor<'_>) -> Result<Span, SyntaxError> {
    let start = c.at();
    let mut depth = 0usize;
    while let Some(byte) = c.peek() {
        c.seek(c.at() + 1);
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'\\' if c.peek().is_some_and(|b| b.is_ascii() && b != b'\r' && b != b'\n') => c.seek(c.at() + 1),
            b'\\' | b'\r' | b'\n' => break,
            _ => {}
        }
        if depth == 0 {
            return Ok(Span::new(start, c.at()));
        }
    }
    c.fail("a closing parenthesis")
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(trim(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::{RetryAfter, TypedHeader};

    #[test]
    fn rfc3261_20_33_seconds_comment_and_duration() {
        let r = RetryAfter::parse(&"18000 (in a (long) \\) meeting) ;duration=3600".into()).unwrap();
        assert_eq!((r.seconds, r.duration()), (18000, Some(3600)));
        assert_eq!(r.comment().unwrap(), "in a (long) ) meeting");
        assert_eq!(RetryAfter::new(5).to_string(), "5");
    }

    #[test]
    fn what_is_no_retry_after_is_refused() {
        for text in ["", "949302838503028349304023988", "5 (a", "5 a", "-1", "5 (a\\", "5 (("] {
            assert!(RetryAfter::parse(&text.into()).is_err(), "{text}");
        }
    }
}
