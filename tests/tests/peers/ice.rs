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

#[test]
fn rfc8445_behind_a_nat_ourselves_a_telephone_with_ice_is_reached_by_what_a_stun_server_sees() {
    check("inside.py", &["talk", "stun", "open", "ice"], 90);
}

#[test]
fn rfc8445_behind_a_nat_ourselves_that_filters_a_telephone_with_ice_is_reached_all_the_same() {
    check("inside.py", &["talk", "stun", "kept", "ice"], 90);
}

#[test]
fn behind_a_nat_ourselves_a_plain_telephone_is_told_what_a_stun_server_sees() {
    check("inside.py", &["talk", "stun", "open", "plain"], 90);
}

#[test]
fn rfc8656_behind_a_wall_ourselves_a_telephone_with_ice_is_reached_by_turn() {
    check("inside.py", &["talk", "udp", "walled", "ice"], 90);
}

#[test]
fn rfc8656_behind_a_symmetric_nat_ourselves_a_plain_telephone_is_told_a_relayed_address() {
    check("inside.py", &["talk", "udp", "random", "plain"], 90);
}

#[test]
fn rfc8656_2_1_the_same_over_tcp() {
    check("inside.py", &["talk", "tcp", "walled", "ice"], 90);
    check("inside.py", &["talk", "tcp", "walled", "plain"], 90);
}

#[test]
fn rfc8656_2_1_the_same_over_tls() {
    check("inside.py", &["talk", "tls", "walled", "ice"], 90);
}

#[test]
fn behind_a_nat_ourselves_credentials_are_made_with_a_secret_of_the_turn_servers() {
    check("inside.py", &["talk", "secret", "walled", "plain"], 90);
}

#[test]
fn rfc8445_9_behind_a_nat_ourselves_a_browser_holds_resumes_and_restarts_ice() {
    check("inside.py", &["browser", "stun", "open"], 120);
    check("inside.py", &["browser", "udp", "walled"], 120);
}

#[test]
fn behind_a_nat_ourselves_linphonec_talks_to_a_relayed_address() {
    check("inside.py", &["linphone"], 90);
}

#[test]
fn behind_a_nat_ourselves_a_turn_server_that_dies_ends_its_calls_and_no_others() {
    check("inside.py", &["dies"], 120);
}
