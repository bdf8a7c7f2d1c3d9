//! Offers in other places than INVITEs and their answers (RFC 6337 §2.2), with SIPp on both sides.

use crate::lab::check;

#[test]
fn rfc3262_an_answer_to_a_reinvite_in_a_reliable_response() {
    for transport in ["udp", "tcp"] {
        check("offers.py", &["reinvite", transport], 60);
    }
}

#[test]
fn rfc3261_13_2_1_a_side_that_must_have_an_offer_has_ours() {
    check("offers.py", &["make", "udp"], 60);
}

#[test]
fn rfc3261_13_2_1_a_side_that_must_make_the_offer_is_asked_for_it() {
    check("offers.py", &["ask", "udp"], 60);
}
