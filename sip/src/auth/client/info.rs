//! Authentication-Info (RFC 7616 §3.5; RFC 3261 §20.6) and Proxy-Authentication-Info (RFC 7615 §4).

use std::borrow::Cow;

/// The parameters that we look at; `None` where one is absent or empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Info<'a> {
    pub(super) nextnonce: Option<Cow<'a, str>>,
    pub(super) qop: Option<Cow<'a, str>>,
    pub(super) rspauth: Option<Cow<'a, str>>,
    pub(super) cnonce: Option<Cow<'a, str>>,
    pub(super) nc: Option<Cow<'a, str>>,
}

impl<'a> Info<'a> {
    /// Reads a field; of a parameter that comes twice the first counts.
    pub(super) fn read(text: &'a str) -> Self {
        let mut info = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (param, after) = split(rest);
            rest = after;
            let Some((name, value)) = param.split_once('=') else { continue };
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "nextnonce" => &mut info.nextnonce,
                "qop" => &mut info.qop,
                "rspauth" => &mut info.rspauth,
                "cnonce" => &mut info.cnonce,
                "nc" => &mut info.nc,
                _ => continue,
            };
            if place.is_none() {
                *place = Some(sip_types::unquote(value.trim())).filter(|value| !value.is_empty());
            }
        }
        info
    }
}

/// The text up to the first comma outside a quoted string, and what follows that comma.
fn split(text: &str) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    let end = text.find(|c| {
        let literal = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted && !literal => escaped = true,
            '"' if !literal => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    });
    end.and_then(|at| text.split_at_checked(at))
        .map_or((text, ""), |(param, rest)| (param, rest.strip_prefix(',').unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7616_3_5_nextnonce_is_found_beside_quoted_commas() {
        let text = r#"qop=auth, cnonce="a,\",nextnonce=b", NextNonce = "n\"2""#;
        let next = |text| Info::read(text).nextnonce;
        assert_eq!(next(text).as_deref(), Some("n\"2"));
        assert_eq!(next("nextnonce=n2,nc=00000001").as_deref(), Some("n2"));
        assert_eq!(next(r#"nextnonce="", qop=auth"#), None);
        assert_eq!(Info::read("qop, =,,"), Info::default());
        assert_eq!(Info::read(""), Info::default());
        let Info { qop, rspauth, cnonce, nc, .. } =
            Info::read(r#"qop=auth-int, RSPAUTH="6629", cnonce="0a,", nc=00000001, nc=2"#);
        let all = [qop.as_deref(), rspauth.as_deref(), cnonce.as_deref(), nc.as_deref()];
        assert_eq!(all, [Some("auth-int"), Some("6629"), Some("0a,"), Some("00000001")]);
    }
}
