//! linphonec, with its media protected in each way or not at all, and a plain telephone on a trunk: what each heard all through a call, its tone, its
//! length, its gaps.

use crate::lab::check;

#[test]
fn linphonec_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["alice", "bob"] {
        check("pairs.py", &["talks", "plain", caller], 60);
    }
}

#[test]
fn linphonec_with_sdes_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["alice", "bob"] {
        check("pairs.py", &["talks", "sdes", caller], 60);
    }
}

#[test]
fn linphonec_that_renews_its_keys_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["alice", "bob"] {
        check("pairs.py", &["talks", "renewed", caller], 60);
    }
}

#[test]
fn linphonec_with_dtls_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["alice", "bob"] {
        check("pairs.py", &["talks", "dtls", caller], 60);
    }
}

#[test]
fn linphonec_with_ice_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["alice", "bob"] {
        check("pairs.py", &["talks", "ice", caller], 60);
    }
}

#[test]
fn linphonec_is_transferred_and_hears_another_plain_telephone() {
    for kind in ["plain", "sdes", "renewed", "dtls", "ice"] {
        check("pairs.py", &["transferred", kind, "bob"], 60);
    }
}

#[test]
fn linphonec_with_sdes_transfers_a_plain_telephone_to_another_and_the_two_hear_each_other() {
    check("pairs.py", &["transferred", "sdes", "alice"], 60);
}

#[test]
fn baresip_is_transferred_and_is_heard_by_another_plain_telephone() {
    for kind in ["sdes", "dtls", "ice"] {
        check("pairs.py", &["baresip_transferred", kind], 60);
    }
}
