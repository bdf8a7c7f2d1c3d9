//! Telephones hear each other.

use crate::lab::check;

#[test]
fn phones_hear_each_other_through_the_relay_and_after_a_hold_over_udp() {
    check("phones.py", &["hear", "udp"], 90);
}

#[test]
fn phones_hear_each_other_through_the_relay_and_after_a_hold_over_tcp() {
    check("phones.py", &["hear", "tcp"], 90);
}

#[test]
fn a_dead_phone_ends_the_call_and_a_hold_does_not() {
    check("phones.py", &["held_call_stays"], 90);
}

#[test]
fn a_call_that_goes_through_us_twice_is_heard_with_keys_between_our_legs_or_without() {
    for keying in ["none", "sdes", "dtls"] {
        check("phones.py", &["twice", keying], 90);
    }
}

#[test]
fn silence_ends_the_call_with_a_reason_on_both_legs() {
    check("operation.py", &["silent"], 60);
}
