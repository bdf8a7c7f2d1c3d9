//! History-Info (RFC 7044) and Diversion (RFC 5806), as what they say.

use super::{Diversion, HistoryInfo, Privacy, PrivacyKind, TypedHeader};
use crate::Uri;

/// How the target of a History-Info entry was found (RFC 7044 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetParam {
    /// Another URI of the same user.
    Rc,
    /// Another user.
    Mp,
    /// The same URI.
    Np,
}

impl TargetParam {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rc => "rc",
            Self::Mp => "mp",
            Self::Np => "np",
        }
    }
}

impl HistoryInfo {
    /// Its place in the tree: numbers with dots between them.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        self.param("index").flatten().filter(|index| is_index(index))
    }

    /// How its target was found, and the index of the entry that it was found from.
    #[must_use]
    pub fn target_param(&self) -> Option<(TargetParam, &str)> {
        let of = |kind: TargetParam| Some((kind, self.param(kind.name()).flatten().filter(|v| is_index(v))?));
        of(TargetParam::Mp).or_else(|| of(TargetParam::Rc)).or_else(|| of(TargetParam::Np))
    }

    /// Whether it asks for its URI to stay unknown (RFC 7044 §10.1). Other values of its Privacy mean nothing (§10.1.2).
    #[must_use]
    pub fn is_private(&self) -> bool {
        let mut headers = self.uri().headers();
        headers.any(|(name, value)| name.eq_ignore_ascii_case("Privacy") && asks_for_history(value))
    }

    /// Why the call was diverted to it (RFC 4458 §2.1): only of one that it was diverted to.
    #[must_use]
    pub fn cause(&self) -> Option<u16> {
        let cause = self.uri().param("cause").flatten()?.parse().ok()?;
        [302, 404, 408, 480, 486, 487, 503].contains(&cause).then_some(cause)
    }
}

/// Whether a Privacy, as it is escaped in a URI, asks for the history to stay unknown.
fn asks_for_history(escaped: &str) -> bool {
    let value = escaped.replace("%3B", ";").replace("%3b", ";").replace("%2C", ",").replace("%2c", ",");
    let value = value.replace("%20", " ");
    Privacy::parse(&value.into()).is_ok_and(|privacy| privacy.asks_for(PrivacyKind::History))
}

/// Whether a text is an index: numbers without leading zeros, with dots between them.
fn is_index(text: &str) -> bool {
    let is_number = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    !text.is_empty() && text.split('.').all(|part| !part.is_empty() && is_number(part))
}

impl Diversion {
    /// Why it was diverted, in small letters and without quotes.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.params().get_unquoted("reason").map(|reason| reason.to_ascii_lowercase())
    }

    /// How many diversions it stands for: 1 to 99.
    #[must_use]
    pub fn counter(&self) -> u8 {
        let counter = self.param("counter").flatten().and_then(|counter| counter.parse().ok());
        counter.filter(|counter| (1..=99).contains(counter)).unwrap_or(1)
    }

    /// Whether who diverted asks to stay unknown, in part at least.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.params().get_unquoted("privacy").is_some_and(|privacy| !privacy.eq_ignore_ascii_case("off"))
    }
}

/// A URI without its header fields, which in History-Info are no part of where it leads.
#[must_use]
pub fn without_headers(uri: &Uri) -> Uri {
    match uri.as_str().split_once('?') {
        Some((before, _)) => before.parse().unwrap_or_else(|_| uri.clone()),
        None => uri.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> HistoryInfo {
        HistoryInfo::parse(&text.into()).unwrap()
    }

    #[test]
    fn rfc7044_5_an_entry_has_its_place_its_origin_and_what_came_of_it() {
        let entry = entry("<sip:b@x;cause=486?Privacy=history&Reason=SIP%3Bcause%3D486>;index=1.2;mp=1.1");
        assert_eq!(entry.index(), Some("1.2"));
        assert_eq!(entry.target_param(), Some((TargetParam::Mp, "1.1")));
        assert!(entry.is_private());
        assert_eq!(entry.cause(), Some(486));
        assert_eq!(without_headers(entry.uri()).as_str(), "sip:b@x;cause=486");
    }

    #[test]
    fn rfc7044_5_what_breaks_the_grammar_is_not_there() {
        for (text, index) in [
            ("<sip:b@x>;index=1.0.2", Some("1.0.2")),
            ("<sip:b@x>;index=01", None),
            ("<sip:b@x>;index=1..2", None),
            ("<sip:b@x>;index=1.", None),
            ("<sip:b@x>;index", None),
            ("<sip:b@x>", None),
        ] {
            assert_eq!(entry(text).index(), index, "{text}");
        }
        assert_eq!(entry("<sip:b@x>;index=1;mp=x").target_param(), None);
        assert!(!entry("<sip:b@x?Privacy=none>;index=1").is_private());
        assert!(entry("<sip:b@x?Privacy=id%3bHistory>;index=1").is_private());
        assert!(!entry("<sip:b@x?Privacy=id%3Bsession>;index=1").is_private());
        assert_eq!(entry("<sip:b@x;cause=200>;index=1").cause(), None);
    }

    #[test]
    fn rfc5806_4_a_diversion_has_its_reason_counter_and_privacy() {
        let parse = |text: &str| Diversion::parse(&text.into()).unwrap();
        let full = parse("\"B\" <sip:b@x>;reason=\"User-Busy\";counter=12;privacy=full");
        assert_eq!(
            (full.reason().as_deref(), full.counter(), full.is_private()),
            (Some("user-busy"), 12, true)
        );
        let bare = parse("<tel:+49>;privacy=off;counter=0");
        assert_eq!((bare.reason(), bare.counter(), bare.is_private()), (None, 1, false));
    }
}
