//! The temporary GRUUs of a trunk's registrations: those of earlier REGISTERs stay good until nothing is registered any more
//! (RFC 5627 §3.1.2, §4.2).

use sip_types::Uri;
use std::sync::Arc;

/// So many are known again when they are called, the newest: a REGISTER an hour makes that two days.
const MOST: usize = 48;

/// Those of one period in which something was registered without a break.
#[derive(Clone, Debug, Default)]
pub(super) struct Aliases {
    /// Counts the periods.
    period: u64,
    /// The oldest first.
    known: Arc<[Uri]>,
}

impl Aliases {
    /// Goes on with the last one given; `stands` says whether anything was still registered when that came.
    pub(super) fn follow(&self, stands: bool, newest: Option<&Uri>) -> Self {
        let mut next = match stands {
            true => self.clone(),
            false => Self { period: self.period + 1, known: Arc::default() },
        };
        if let Some(newest) = newest.filter(|newest| !next.has(newest)) {
            let over = next.known.len().saturating_sub(MOST - 1);
            next.known = next.known.iter().skip(over).chain([newest]).cloned().collect();
        }
        next
    }

    /// Which period it is.
    pub(super) fn period(&self) -> u64 {
        self.period
    }

    /// Whether a URI is one of them.
    pub(super) fn has(&self, uri: &Uri) -> bool {
        self.known.iter().any(|known| is_same_gruu(known, uri))
    }
}

/// Whether a URI is that GRUU: without `gr` it is at most its address-of-record (RFC 5627 §5.4).
pub(super) fn is_same_gruu(gruu: &Uri, uri: &Uri) -> bool {
    // One of SIP is there as one of SIPS too (RFC 5630 §5.1.1.4).
    uri.has_param("gr") && (gruu == uri || gruu.secured() == uri.secured())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn rfc5627_3_1_2_temporary_gruus_are_known_until_nothing_stands_and_only_so_many() {
        let name = |n: usize| uri(&format!("sip:tgruu.{n}@example.com;gr"));
        let mut aliases = Aliases::default();
        for n in 0..60 {
            aliases = aliases.follow(n > 0, Some(&name(n)));
        }
        let again = aliases.follow(true, Some(&name(59))).follow(true, None);
        assert_eq!((again.known.len(), again.period()), (MOST, 1));
        assert!(again.has(&name(59)) && again.has(&name(12)) && !again.has(&name(11)));
        let anew = again.follow(false, Some(&name(60)));
        assert!(anew.has(&name(60)) && !anew.has(&name(59)));
        assert_eq!(anew.period(), 2);
    }

    #[test]
    fn rfc5627_5_4_a_gruu_is_not_its_address_and_not_one_of_another_instance() {
        let gruu = uri("sip:a@example.com;gr=urn:uuid:1");
        assert!(is_same_gruu(&gruu, &uri("sips:a@EXAMPLE.com;gr=urn:uuid:1")));
        for other in ["sip:a@example.com", "sip:a@example.com;gr=urn:uuid:2", "sip:a@example.com;gr"] {
            assert!(!is_same_gruu(&gruu, &uri(other)), "{other}");
        }
    }
}
