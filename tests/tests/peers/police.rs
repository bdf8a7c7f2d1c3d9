//! What telephones have not negotiated, and how their media is marked.

use crate::lab::check;

#[test]
fn rfc3264_6_1_payload_types_that_nobody_has_described_go_no_further_and_media_has_the_marks_of_its_network()
{
    check("police.py", &["payload_types"], 60);
}

#[test]
fn rfc3550_8_2_of_many_sources_at_once_a_few_go_further_where_a_profile_says_so() {
    check("police.py", &["sources"], 60);
}

#[test]
fn more_than_was_negotiated_goes_no_further_and_ends_the_call_where_a_profile_says_so() {
    check("police.py", &["rate"], 60);
    check("police.py", &["ended"], 60);
}

#[test]
fn rfc3168_5_marks_cross_where_they_are_copied() {
    check("police.py", &["copied"], 60);
}

#[test]
fn what_telephones_do_themselves_is_not_dropped() {
    check("police.py", &["innocent"], 60);
}
