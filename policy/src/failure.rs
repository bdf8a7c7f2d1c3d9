//! What a leg's failure becomes on the other side.

use std::fmt;

use config::Profile;
use sip_types::{Method, StatusCode};

/// The rule that gave a failure its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The profile's table says so.
    Profile,
    /// The challenge is ours to answer, and we could not: the other side has no part in it (RFC 3261 §22.1).
    Challenge,
    /// Somebody else is overloaded, we are not (RFC 3261 §16.7, step 6).
    Overload,
    /// 408 never answers anything but an INVITE (RFC 4320 §4.2); we waited as a gateway (RFC 3261 §21.5.5).
    Timeout,
    /// 430 is for those who know another flow; endpoints never receive it (RFC 5626 §11.5).
    Flow,
    /// 422 is about the session timer of that leg, and each leg has its own (RFC 4028 §7.3).
    Timer,
    /// 494 is about how our request reached the next hop, which a user agent beyond us has no part in (RFC 3329 §2.1).
    Agreement,
    /// It stays.
    Same,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Profile => "the profile's table of failures",
            Self::Challenge => "the challenge was ours to answer, and was not answered (RFC 3261 §22.1)",
            Self::Overload => "the overload is not ours (RFC 3261 §16.7)",
            Self::Timeout => "408 answers an INVITE only (RFC 4320 §4.2)",
            Self::Flow => "430 tells of a flow that the other side has no part in (RFC 5626 §11.5)",
            Self::Timer => "the session interval is that leg's own (RFC 4028 §7.3)",
            Self::Agreement => "the security agreement is asked of us, and we make none (RFC 3329 §2.3)",
            Self::Same => "no rule changes it",
        })
    }
}

/// A failure's status on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// As it came.
    pub from: StatusCode,
    /// As it goes on.
    pub to: StatusCode,
    /// Why.
    pub rule: Rule,
}

/// The status that the other side gets for a leg's failure, with the rule. `challenged` says that it failed for a
/// challenge that was not answered. Failures of our own (limits, draining) don't come here: our 503 is ours.
#[must_use]
pub fn map_failure(status: StatusCode, method: &Method, challenged: bool, profile: &Profile) -> Mapped {
    let mapped = |to, rule| Mapped { from: status, to, rule };
    if let Some(to) = profile.failures.get(&status) {
        return mapped(*to, Rule::Profile);
    }
    if challenged || status.is_challenge() {
        return mapped(StatusCode::FORBIDDEN, Rule::Challenge);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return mapped(StatusCode::SERVER_INTERNAL_ERROR, Rule::Overload);
    }
    if status == StatusCode::REQUEST_TIMEOUT && *method != Method::Invite {
        return mapped(StatusCode::SERVER_TIMEOUT, Rule::Timeout);
    }
    if status == StatusCode::FLOW_FAILED {
        return mapped(StatusCode::TEMPORARILY_UNAVAILABLE, Rule::Flow);
    }
    if status == StatusCode::SESSION_INTERVAL_TOO_SMALL {
        return mapped(StatusCode::SERVER_INTERNAL_ERROR, Rule::Timer);
    }
    if status == StatusCode::SECURITY_AGREEMENT_REQUIRED {
        return mapped(StatusCode::FORBIDDEN, Rule::Agreement);
    }
    mapped(status, Rule::Same)
}

/// As [`map_failure`], the status alone.
#[must_use]
pub fn failure(status: StatusCode, method: &Method, challenged: bool, profile: &Profile) -> StatusCode {
    map_failure(status, method, challenged, profile).to
}

/// Whether the next target is tried after this failure. A global failure always ends the search (RFC 3261 §16.7), and so does
/// one of a loop. 422 says nothing about the way (RFC 4028 §6).
#[must_use]
pub fn fails_over(status: StatusCode, profile: &Profile) -> bool {
    let ends = status.is_global_failure()
        || is_of_a_loop(status)
        || status == StatusCode::SESSION_INTERVAL_TOO_SMALL;
    !ends && profile.failover.contains(&status)
}

/// Whether a failure says that a request has gone round in circles. Each round would try again whatever is left here, twice as
/// many with each: so nothing is (RFC 5393 §3).
#[must_use]
pub fn is_of_a_loop(status: StatusCode) -> bool {
    matches!(status, StatusCode::LOOP_DETECTED | StatusCode::TOO_MANY_HOPS | StatusCode::MAX_BREADTH_EXCEEDED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::profile;

    fn status(code: u16) -> StatusCode {
        StatusCode::new(code).unwrap()
    }

    // conforms: RFC3261-21.5.4-1 RFC4320-4.2-1
    #[test]
    fn rfc3261_16_7_failures_are_mapped_by_rule() {
        let rows = [
            (Method::Invite, 401, false, 403, Rule::Challenge),
            (Method::Invite, 407, true, 403, Rule::Challenge),
            (Method::Invite, 503, false, 500, Rule::Overload),
            (Method::Invite, 408, false, 408, Rule::Same),
            (Method::Info, 408, false, 504, Rule::Timeout),
            (Method::Invite, 430, false, 480, Rule::Flow),
            (Method::Invite, 422, false, 500, Rule::Timer),
            (Method::Publish, 494, false, 403, Rule::Agreement),
            (Method::Invite, 486, false, 486, Rule::Same),
            (Method::Invite, 302, false, 302, Rule::Same),
            (Method::Invite, 603, false, 603, Rule::Same),
        ];
        let profile = profile("");
        for (method, from, challenged, to, rule) in rows {
            let expected = Mapped { from: status(from), to: status(to), rule };
            assert_eq!(map_failure(status(from), &method, challenged, &profile), expected);
        }
    }

    #[test]
    fn the_profiles_table_comes_before_the_rules() {
        let profile = profile("failures = { \"503\" = 480, \"486\" = 600 }");
        assert_eq!(failure(status(503), &Method::Invite, false, &profile), status(480));
        assert_eq!(failure(status(486), &Method::Invite, false, &profile), status(600));
    }

    #[test]
    fn only_failures_of_the_way_try_the_next_target() {
        let default = profile("");
        for code in [408, 430, 500, 502, 503, 504] {
            assert!(fails_over(status(code), &default), "{code}");
        }
        for code in [302, 404, 480, 486, 487, 488, 600, 603] {
            assert!(!fails_over(status(code), &default), "{code}");
        }
        let wide = profile("failover = [422, 440, 482, 483, 486, 603]");
        assert!(fails_over(status(486), &wide));
        assert!(!fails_over(status(603), &wide), "RFC 3261 §16.7: a global failure ends the search");
        assert!(!fails_over(status(422), &wide), "it says nothing about the way");
        for code in [440, 482, 483] {
            assert!(
                !fails_over(status(code), &wide),
                "{code}: another round would find what is left here again"
            );
        }
    }
}
