//! Session-Expires and Min-SE (RFC 4028 §4, §5).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, Params, SyntaxError, cursor::Cursor, span::Span};

/// Who refreshes the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The client of the request.
    Uac,
    /// The server of the request.
    Uas,
}

/// Session-Expires: the session interval (RFC 4028 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// Seconds.
    pub interval: u32,
    /// Who refreshes, if it is said; other values than `uac` and `uas` count as not said.
    pub refresher: Option<Refresher>,
}

/// Min-SE: the shortest session interval, in seconds (RFC 4028 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinSE(pub u32);

/// Seconds with parameters.
fn interval(text: &str) -> Result<(u32, Params<'_>), SyntaxError> {
    let mut c = Cursor::new(text)?;
    c.skip_space();
    let seconds = c.number32(u32::MAX, "a number up to 2^32-1")?;
    let params: Span = c.params()?;
    Ok((seconds, Params::new(params.of(text))))
}

impl TypedHeader for SessionExpires {
    const NAME: HeaderName = HeaderName::SessionExpires;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let (interval, params) = interval(text)?;
        let refresher = params.get("refresher").flatten().and_then(|value| match value {
            v if v.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            v if v.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        });
        Ok(Self { interval, refresher })
    }
}

impl TypedHeader for MinSE {
    const NAME: HeaderName = HeaderName::MinSE;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        interval(text).map(|(seconds, _)| Self(seconds))
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refresher {
            None => write!(f, "{}", self.interval),
            Some(Refresher::Uac) => write!(f, "{};refresher=uac", self.interval),
            Some(Refresher::Uas) => write!(f, "{};refresher=uas", self.interval),
        }
    }
}

impl fmt::Display for MinSE {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{MinSE, Refresher, SessionExpires, TypedHeader};

    #[test]
    fn rfc4028_4_interval_and_refresher() {
        let se = SessionExpires::parse(&"4000 ; Refresher = UAC ; x".into()).unwrap();
        assert_eq!(se, SessionExpires { interval: 4000, refresher: Some(Refresher::Uac) });
        assert_eq!(se.to_string(), "4000;refresher=uac");
        assert_eq!(SessionExpires::parse(&"90;refresher=x".into()).unwrap().to_string(), "90");
        assert!(SessionExpires::parse(&"".into()).is_err());
    }

    #[test]
    fn rfc4028_5_min_se_may_have_parameters() {
        assert_eq!(MinSE::parse(&"90;x=y".into()), Ok(MinSE(90)));
        assert!(MinSE::parse(&"90 x".into()).is_err());
    }
}
