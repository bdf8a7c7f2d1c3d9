//! RTCP of baresip and linphonec through Liaison, as it is and with hidden sources; tshark reads what arrives.

use crate::lab::check;

#[test]
fn rtcp_crosses_octet_by_octet_and_tells_how_good_a_call_is() {
    check("rtcp.py", &["untouched"], 90);
}

#[test]
fn a_side_that_sources_are_hidden_from_sees_names_of_ours_that_say_the_same() {
    check("rtcp.py", &["hidden"], 90);
    check("rtcp.py", &["hidden_secret"], 90);
}

#[test]
fn a_stream_that_is_poor_by_a_profile_is_told_of() {
    check("rtcp.py", &["poor"], 60);
}

#[test]
fn extended_reports_cross_and_are_true() {
    check("rtcp.py", &["extended"], 90);
    check("rtcp.py", &["extended_hidden"], 90);
}
