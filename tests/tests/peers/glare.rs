//! Offers that cross (RFC 3261 §14, RFC 3311 §5, RFC 6337 §4), with SIPp on both sides.

use crate::lab::check;

#[test]
fn rfc3311_5_2_updates_that_cross() {
    check("glare.py", &["update_update", "udp"], 60);
}

#[test]
fn rfc3261_14_2_reinvites_that_cross() {
    for transport in ["udp", "tcp"] {
        check("glare.py", &["reinvite_reinvite", transport], 60);
    }
}

#[test]
fn rfc6337_4_3_a_reinvite_and_an_update_that_cross() {
    check("glare.py", &["reinvite_update", "udp"], 60);
    check("glare.py", &["update_reinvite", "udp"], 60);
}

#[test]
fn rfc6337_4_3_updates_while_the_offer_of_a_prack_is_under_way() {
    check("glare.py", &["prack_update", "udp"], 60);
}

#[test]
fn rfc6337_4_3_a_second_offer_before_the_answer_to_the_first() {
    for first in ["INVITE", "UPDATE"] {
        for second in ["INVITE", "UPDATE"] {
            check("glare.py", &["twice", first, second], 60);
        }
    }
}
