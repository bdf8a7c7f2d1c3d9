//! Requests within a call of two SIPp that come from elsewhere.

use crate::lab::check;

#[test]
fn a_forged_bye_ends_no_call_of_two_sipp() {
    check("strays.py", &["forged"], 60);
}

#[test]
fn a_bye_of_another_address_of_the_trunk_does() {
    check("strays.py", &["moved"], 60);
}
