//! Timestamp (RFC 3261 §20.38).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, SyntaxError, cursor::Cursor, text::trim};

/// When a request was sent, kept as text because the answer returns it unchanged (RFC 3261 §8.2.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    text: ByteString,
    /// Length of the time in `text`; the delay follows.
    time: usize,
}

impl Timestamp {
    /// The sender's time as received, in seconds with an optional fraction.
    #[must_use]
    pub fn time(&self) -> &str {
        self.text.get(..self.time).unwrap_or_default()
    }

    /// Seconds between receiving and answering, as received.
    #[must_use]
    pub fn delay(&self) -> Option<&str> {
        let delay = self.text.get(self.time..)?.trim_start_matches([' ', '\t']);
        (!delay.is_empty()).then_some(delay)
    }
}

impl TypedHeader for Timestamp {
    const NAME: HeaderName = HeaderName::Timestamp;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let text = text.slice_ref(trim(text));
        let mut c = Cursor::new(&text)?;
        let time = decimal(text.as_bytes());
        if !text.starts_with(|d: char| d.is_ascii_digit()) {
            return c.fail("a number");
        }
        c.seek(time);
        if c.skip_space() {
            c.seek(c.at() + decimal(c.rest()));
        }
        c.finish("a number")?;
        Ok(Self { text, time })
    }
}

/// Length of `*DIGIT [ "." *DIGIT ]`.
fn decimal(bytes: &[u8]) -> usize {
    let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    if bytes.get(whole) == Some(&b'.') { whole + 1 + digits(whole + 1) } else { whole }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, TypedHeader};

    #[test]
    fn rfc3261_20_38_time_and_delay() {
        let t = Timestamp::parse(&"54.21  .25".into()).unwrap();
        assert_eq!((t.time(), t.delay()), ("54.21", Some(".25")));
        assert_eq!(Timestamp::parse(&" 54. ".into()).unwrap().delay(), None);
        for text in ["", ".5", "a", "5 a", "5.5.5", "5 1 2"] {
            assert!(Timestamp::parse(&text.into()).is_err(), "{text}");
        }
    }
}
