//! baresip, a full ICE agent, on one side, and a plain telephone on the other.

use crate::lab::check;

#[test]
fn rfc8445_a_telephone_with_ice_calls_a_plain_one_and_each_hears_the_other() {
    check("ice.py", &["hear", "ice"], 90);
}

#[test]
fn rfc8445_a_telephone_with_ice_is_called_by_a_plain_one_and_each_hears_the_other() {
    check("ice.py", &["hear", "plain"], 90);
}

#[test]
fn an_attacker_who_knows_all_but_the_password_changes_nothing() {
    check("ice.py", &["attack"], 90);
}

#[test]
fn rfc8445_a_telephone_behind_a_nat_is_heard_by_ice_alone() {
    check("ice.py", &["behind", "kept"], 90);
}

#[test]
fn rfc8445_a_telephone_behind_a_nat_with_a_mapping_for_each_far_side_is_heard_by_ice_alone() {
    check("ice.py", &["behind", "random"], 90);
}
