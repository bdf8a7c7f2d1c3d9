//! Telephones with SRTP, whose keys end with us (RFC 4568): baresip, whose SRTP is its own.

use crate::lab::check;

/// What baresip takes; it offers the first one only.
const SUITES: [&str; 4] =
    ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"];

#[test]
fn a_telephone_with_srtp_calls_one_with_plain_rtp_and_they_hear_each_other() {
    check("srtp.py", &["calls", SUITES[0]], 60);
}

// conforms: RFC7714-11-1,2 RFC7714-12-1
#[test]
fn a_telephone_with_plain_rtp_calls_one_with_srtp_and_they_hear_each_other_in_every_suite() {
    for suite in SUITES {
        check("srtp.py", &["called", suite], 60);
    }
}

#[test]
fn rfc8643_keys_go_with_plain_rtp_to_who_may_know_what_to_do_with_them() {
    check("srtp.py", &["opportunistic", "knows"], 60);
    check("srtp.py", &["opportunistic", "knows_not"], 60);
}

#[test]
fn keys_stay_over_a_hold_of_either_side() {
    check("srtp.py", &["holds"], 90);
}

#[test]
fn beside_a_leg_that_ends_its_keys_one_that_leaves_it_open_does_so_too() {
    check("srtp.py", &["beside", "sdes"], 90);
    check("srtp.py", &["beside", "dtls"], 90);
}

#[test]
fn packets_of_somebody_else_never_cross() {
    check("srtp.py", &["attacked"], 60);
}

#[test]
fn whatever_somebody_at_a_third_address_sends_never_crosses_and_never_disturbs_and_is_counted() {
    for kind in ["plain", "sdes", "dtls", "ice", "both"] {
        check("attackers.py", &["elsewhere", kind], 60);
    }
    check("attackers.py", &["browser"], 90);
}

#[test]
fn somebody_at_a_third_address_who_sends_before_the_peer_does_gains_nothing() {
    for kind in ["plain", "sdes", "dtls", "both"] {
        check("attackers.py", &["first", kind], 60);
    }
    check("attackers.py", &["first", "plain", "signalling"], 60);
}

#[test]
fn what_is_sent_in_the_name_of_a_peer_that_has_keys_never_crosses_and_never_disturbs() {
    for kind in ["sdes", "dtls", "both"] {
        check("attackers.py", &["forged", kind], 60);
    }
}

#[test]
fn who_must_have_srtp_and_has_not_is_refused() {
    check("srtp.py", &["refused"], 60);
}

#[test]
fn over_tls_keys_may_be_told_and_over_udp_not() {
    check("srtp.py", &["tls"], 60);
}
