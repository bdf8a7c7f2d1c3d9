//! Telephones that are called because somebody has asked the admin API to.

use crate::lab::check;

#[test]
fn two_phones_that_are_rung_in_turn_hear_each_other() {
    check("placed.py", &["talk"], 90);
}

#[test]
fn two_phones_that_are_rung_in_turn_hear_each_other_around_us() {
    check("placed.py", &["talk", "around"], 90);
}

#[test]
fn a_phone_that_is_not_answered_ends_it_for_the_other() {
    check("placed.py", &["busy"], 90);
}
