//! Authentication-Info (RFC 7616 §3.5; RFC 3261 §20.6).

use std::borrow::Cow;

/// The value of `nextnonce`; `None` where it is absent or empty.
pub(super) fn next_nonce(info: &str) -> Option<Cow<'_, str>> {
    let mut rest = info;
    while !rest.is_empty() {
        let (param, after) = split(rest);
        rest = after;
        let Some((name, value)) = param.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("nextnonce") {
            return Some(sip_types::unquote(value.trim())).filter(|nonce| !nonce.is_empty());
        }
    }
    None
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
        assert_eq!(next_nonce(text).as_deref(), Some("n\"2"));
        assert_eq!(next_nonce("nextnonce=n2,nc=00000001").as_deref(), Some("n2"));
        assert_eq!(next_nonce(r#"nextnonce="", qop=auth"#), None);
        assert_eq!(next_nonce("qop, =,,"), None);
        assert_eq!(next_nonce(""), None);
    }
}
