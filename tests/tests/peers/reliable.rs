//! Reliable provisional responses (RFC 3262) with SIPp.

use crate::lab::check;

#[test]
fn rfc3262_both_sides_acknowledge_and_the_answer_is_given_once() {
    for transport in ["udp", "tcp"] {
        check("reliable.py", &["both", transport], 60);
    }
}

#[test]
fn rfc3262_only_the_called_side_has_it() {
    check("reliable.py", &["called", "udp"], 60);
}

#[test]
fn rfc3262_only_the_caller_has_it_and_requires_it() {
    check("reliable.py", &["caller", "udp"], 60);
}
