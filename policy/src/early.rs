//! Which media may flow before the answer (RFC 5009).

use config::{EarlyMedia, Profile};
use sdp::Direction;
use sip_types::Headers;
use sip_types::header::PEarlyMedia;

/// What a message of the called side authorizes (RFC 5009 §8): of each stream, as the called side sees it, and the last one for all further
/// streams. `None`: nothing is said that counts here, and what was said before stays.
#[must_use]
pub fn early_media(headers: &Headers, trusted: bool, profile: &Profile) -> Option<Vec<Direction>> {
    if !trusted || profile.early_media == EarlyMedia::Open {
        return None;
    }
    let params = headers.list::<PEarlyMedia>().unwrap_or_default();
    // What is no direction is passed over, wherever it stands.
    let direction = |param: &PEarlyMedia| Direction::parse(param.as_str().to_ascii_lowercase().as_bytes());
    let directions: Vec<_> = params.iter().filter_map(direction).take(MOST_STREAMS).collect();
    Some(directions).filter(|directions| !directions.is_empty())
}

/// More directions than a description has streams are discarded (RFC 5009 §8).
const MOST_STREAMS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{invite, profile};
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

    // conforms: RFC5009-8-1,4
    #[test]
    fn rfc5009_8_directions_count_in_their_order_and_all_else_is_passed_over() {
        let heeds = profile("early_media = \"heed\"");
        let said = |values: &[&str]| {
            let fields: Vec<String> = values.iter().map(|value| format!("P-Early-Media: {value}")).collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            early_media(invite(&fields).headers(), true, &heeds)
        };
        assert_eq!(said(&["sendonly"]), Some(vec![SendOnly]));
        assert_eq!(
            said(&["sendrecv, x-new, RecvOnly", "inactive,gated"]),
            Some(vec![SendRecv, RecvOnly, Inactive])
        );
        for nothing in ["supported", "gated", "x-new, supported", ""] {
            assert_eq!(said(&[nothing]), None, "{nothing}");
        }
        assert_eq!(said(&[]), None);
        let many = vec!["inactive"; 1000].join(",");
        assert_eq!(said(&[&many]).map(|all| all.len()), Some(MOST_STREAMS));
    }

    #[test]
    fn rfc5009_2_it_counts_from_networks_that_are_trusted_and_where_the_profile_says_so() {
        let message = invite(&["P-Early-Media: inactive"]);
        let said = |trusted, text: &str| early_media(message.headers(), trusted, &profile(text));
        assert_eq!(said(true, "early_media = \"require\""), Some(vec![Inactive]));
        assert_eq!(said(false, "early_media = \"require\""), None);
        assert_eq!(said(true, ""), None);
    }
}
