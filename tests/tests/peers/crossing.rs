//! What crosses from one leg to the other.

use crate::lab::check;

#[test]
fn unknown_header_fields_body_parts_and_media_lines_cross() {
    check("crossing.py", &["keeps"], 60);
}

#[test]
fn rfc5621_a_description_in_parts_within_parts_is_answered_and_alternatives_are_one() {
    check("crossing.py", &["parts"], 60);
}

#[test]
fn nothing_of_one_leg_is_seen_on_the_other() {
    check("crossing.py", &["canaries"], 60);
}

#[test]
fn options_are_answered_and_cross_to_whom_they_are_for() {
    check("crossing.py", &["asks"], 60);
}
