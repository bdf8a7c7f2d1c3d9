//! The far side of a leg challenges our BYE.

use crate::lab::check;

/// The kinds of challenge: a status, one after the other, and both in one response.
const KINDS: [&str; 4] = ["401", "407", "twice", "both_at_once"];

#[test]
fn rfc3261_22_2_the_called_side_challenges_the_bye_and_gets_our_credentials() {
    KINDS.iter().for_each(|kind| check("challenges.py", &["called_side", kind], 60));
}

#[test]
fn rfc3261_22_2_the_calling_side_challenges_the_bye_and_gets_our_credentials() {
    KINDS.iter().for_each(|kind| check("challenges.py", &["calling_side", kind], 60));
}

#[test]
fn rfc3261_22_2_over_tcp_either_side_challenges_the_bye_and_gets_our_credentials() {
    for side in ["called_side", "calling_side"] {
        KINDS.iter().for_each(|kind| check("challenges.py", &[side, kind, "tcp"], 60));
    }
}

#[test]
fn a_foreign_realm_gets_nothing() {
    check("challenges.py", &["foreign_realm"], 60);
}

#[test]
fn a_redirect_target_with_our_realm_gets_nothing() {
    check("challenges.py", &["redirect_target"], 60);
}

#[test]
fn a_remote_target_elsewhere_with_our_realm_gets_nothing() {
    check("challenges.py", &["remote_target"], 60);
}

#[test]
fn another_trunk_with_our_realm_gets_nothing() {
    check("challenges.py", &["another_trunk"], 60);
}
