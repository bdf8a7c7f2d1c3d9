//! Equality of URIs.

use super::{Scheme, Uri};
use crate::text::{eq_unescaped, is_name, unescape};

/// Parameters that are never ignored: when one URI has them, the other must (RFC 3261 §19.1.4).
const DECISIVE: [&str; 5] = ["transport", "user", "ttl", "method", "maddr"];

impl PartialEq for Uri {
    fn eq(&self, other: &Self) -> bool {
        // Also where names come twice or are no text, which the rules below are not made for.
        if self.as_str() == other.as_str() {
            return true;
        }
        if self.scheme() != other.scheme() {
            return false;
        }
        match self.scheme() {
            Scheme::Sip | Scheme::Sips => sip(self, other),
            Scheme::Tel => tel(self, other),
            Scheme::Other => self.as_str() == other.as_str(),
        }
    }
}

/// RFC 3261 §19.1.4.
fn sip(a: &Uri, b: &Uri) -> bool {
    same(a.user(), b.user(), false)
        && same(a.password(), b.password(), false)
        && a.host() == b.host()
        && a.port() == b.port()
        && params_agree(a, b)
        && params_agree(b, a)
        && headers_agree(a, b)
}

fn same(a: Option<&str>, b: Option<&str>, ignore_case: bool) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => eq_unescaped(a, b, ignore_case),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Methods compare with case (§7.1), all other values without.
fn params_agree(a: &Uri, b: &Uri) -> bool {
    a.params().all(|(name, value)| {
        let plain = unescape(name).unwrap_or_default();
        match b.param(&plain) {
            Some(other) => same(value, other, !is_name(name, "method")),
            None => !DECISIVE.iter().any(|d| is_name(name, d)),
        }
    })
}

/// Every header must be in both, as often.
fn headers_agree(a: &Uri, b: &Uri) -> bool {
    let count = |uri: &Uri, header: (&str, &str)| {
        uri.headers()
            .filter(|(n, v)| eq_unescaped(n, header.0, true) && eq_unescaped(v, header.1, false))
            .count()
    };
    a.headers().count() == b.headers().count()
        && a.headers().all(|header| count(a, header) == count(b, header))
}

/// RFC 3966 §4: digits without separators, all parameters on both sides, no case.
fn tel(a: &Uri, b: &Uri) -> bool {
    let number = |uri: &Uri| uri.number().map(|n| n.to_ascii_lowercase());
    number(a) == number(b)
        && a.params().count() == b.params().count()
        && a.params().all(|(name, value)| match (value, b.param(name)) {
            (None, Some(None)) => true,
            (Some(value), Some(Some(other))) if is_number_param(name, value) => {
                digits(value).eq(digits(other))
            }
            (Some(value), Some(Some(other))) => eq_unescaped(value, other, true),
            (_, _) => false,
        })
}

fn is_number_param(name: &str, value: &str) -> bool {
    name.eq_ignore_ascii_case("ext") || (name.eq_ignore_ascii_case("phone-context") && value.starts_with('+'))
}

fn digits(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(|b| !b"-.()".contains(b)).map(|b| b.to_ascii_lowercase())
}
