//! Targets that a name server names: the order, failover, black holes, and a name server that dies.

use crate::lab::check;

#[test]
fn rfc3263_4_3_the_third_target_answers_within_the_limit_of_the_second_which_wakes_up_late() {
    check("location.py", &["failover", "tcp"], 60);
    check("location.py", &["failover", "udp"], 60);
}

// conforms: RFC3261-8.1.2-1
#[test]
fn rfc3263_4_1_a_naptr_that_prefers_a_transport_is_obeyed() {
    check("location.py", &["preference", "tcp"], 60);
    check("location.py", &["preference", "udp"], 60);
}

#[test]
fn rfc8305_a_black_holed_family_rings_in_time_over_tcp() {
    check("location.py", &["black_hole", "tcp"], 60);
}

#[test]
fn rfc8305_a_black_hole_or_a_mute_host_before_the_tls_server_that_answers_costs_no_more_than_the_head_start()
{
    check("location.py", &["secure_race", "black_hole"], 60);
    check("location.py", &["secure_race", "mute"], 60);
}

#[test]
fn rfc3263_4_1_a_naptr_that_prefers_tls_is_obeyed() {
    check("location.py", &["secure_preference"], 60);
}

#[test]
fn rfc7984_a_black_holed_family_rings_in_time_over_udp_from_the_second_call_on() {
    check("location.py", &["black_hole", "udp"], 60);
}

#[test]
fn a_name_server_dies_and_comes_back() {
    check("location.py", &["name_server"], 90);
}

#[test]
fn a_probe_finds_out_before_a_call_does() {
    check("location.py", &["probed"], 60);
}
