//! SIPp, baresip, linphonec and a browser, with their media protected in each way or not at all, and a plain telephone on a trunk: what each heard all
//! through a call, its tone, its length, its gaps.

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
fn linphonec_that_is_protected_transfers_a_plain_telephone_to_another_and_the_two_hear_each_other() {
    for kind in ["sdes", "dtls", "ice"] {
        check("pairs.py", &["transferred", kind, "alice"], 60);
    }
}

#[test]
fn baresip_is_transferred_and_is_heard_by_another_plain_telephone() {
    for kind in ["sdes", "dtls", "ice"] {
        check("pairs.py", &["baresip_transferred", kind], 60);
    }
}

#[test]
fn sipp_with_plain_rtp_and_a_plain_telephone_hear_all_that_the_other_says_and_after_a_hold() {
    for caller in ["sipp", "baresip"] {
        check("sounds.py", &["talks", caller], 60);
    }
}

#[test]
fn sipp_with_plain_rtp_is_transferred_and_hears_another_plain_telephone() {
    check("sounds.py", &["transferred"], 60);
}

#[test]
fn baresip_with_sdes_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["alice", "bob"] {
        check("pairs.py", &["baresip_talks", "sdes", caller], 60);
    }
}

#[test]
fn baresip_with_dtls_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["alice", "bob"] {
        check("pairs.py", &["baresip_talks", "dtls", caller], 60);
    }
}

#[test]
fn baresip_with_ice_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["alice", "bob"] {
        check("pairs.py", &["baresip_talks", "ice", caller], 60);
    }
}

#[test]
fn baresip_that_is_protected_transfers_a_plain_telephone_to_another_and_the_two_hear_each_other() {
    for kind in ["sdes", "dtls", "ice"] {
        check("pairs.py", &["baresip_transfers", kind], 60);
    }
}

#[test]
fn linphonec_joins_two_calls_one_of_them_protected_and_the_two_hear_each_other() {
    for kind in ["sdes", "dtls", "ice"] {
        check("pairs.py", &["joined", kind, kind], 60);
    }
    check("pairs.py", &["joined", "dtls", "sdes"], 60);
}

#[test]
fn a_browser_and_a_plain_telephone_hear_each_other_after_a_hold_of_either_and_with_its_ice_made_anew() {
    for caller in ["web", "bob"] {
        check("home.py", &["web", caller], 90);
    }
}

#[test]
fn a_browser_transfers_a_plain_telephone_to_another_and_the_two_hear_each_other() {
    for how in ["blind", "attended"] {
        check("home.py", &["web_transfers", how], 90);
    }
}

#[test]
fn linphonec_with_sdes_over_tls_and_a_plain_telephone_hear_each_other_and_after_a_hold_of_either() {
    for caller in ["dave", "bob"] {
        check("home.py", &["tls", caller], 60);
    }
}
