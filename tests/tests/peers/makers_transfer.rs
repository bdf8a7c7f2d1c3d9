//! Telephones of two makers transfer one another.

use crate::lab::check;

#[test]
fn linphonec_and_baresip_transfer_one_another_blindly_and_it_is_done_here() {
    for by in ["linphonec", "baresip"] {
        check("makers_transfer.py", &["blind", by, "handle"], 90);
    }
}

#[test]
fn linphonec_and_baresip_transfer_one_another_blindly_and_it_is_done_by_the_transferee() {
    for by in ["linphonec", "baresip"] {
        check("makers_transfer.py", &["blind", by, "carry"], 90);
    }
}

#[test]
fn linphonec_joins_two_calls_here_and_the_two_hear_each_other() {
    check("makers_transfer.py", &["attended", "linphonec", "handle"], 90);
}

#[test]
fn linphonec_joins_two_calls_and_the_transferee_takes_its_place() {
    check("makers_transfer.py", &["attended", "linphonec", "carry"], 90);
}
