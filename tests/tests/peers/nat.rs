//! User agents behind a NAT.

use crate::lab::check;

#[test]
fn a_phone_behind_a_nat_is_called_after_ten_idle_minutes_at_ten_times_the_speed_and_is_heard() {
    check("nat.py", &["idle"], 150);
}

// conforms: RFC5626-7-5
#[test]
fn a_binding_behind_a_nat_ends_with_its_connection() {
    check("nat.py", &["lost"], 60);
}

#[test]
fn rfc5626_a_bye_comes_on_the_connection_that_a_phone_with_outbound_has_opened() {
    check("nat.py", &["outbound"], 60);
}

#[test]
fn a_stun_client_behind_a_nat_learns_on_the_port_of_sip_where_it_is_seen() {
    check("nat.py", &["stun"], 60);
}

#[test]
fn two_phones_behind_a_nat_that_keeps_ports_call_each_other_also_after_a_restart() {
    check("nat.py", &["two", "kept"], 60);
}

#[test]
fn two_phones_behind_a_nat_with_a_mapping_for_each_far_side_call_each_other_also_after_a_restart() {
    check("nat.py", &["two", "random"], 60);
}

#[test]
fn two_phones_behind_a_nat_that_is_open_call_each_other_also_after_a_restart() {
    check("nat.py", &["two", "open"], 60);
}

#[test]
fn a_phone_whose_nat_starts_again_is_called_where_it_registers_anew() {
    check("nat.py", &["rebinds"], 60);
}

#[test]
fn a_subscriber_behind_a_nat_is_notified_on_its_connection() {
    check("nat.py", &["watches", "tcp"], 60);
}

#[test]
fn a_subscriber_behind_a_nat_is_notified_where_its_subscribe_came_from() {
    check("nat.py", &["watches", "udp"], 60);
}

#[test]
fn rfc3581_a_phone_behind_a_nat_that_asks_for_no_rport_is_answered_where_it_is_seen() {
    check("nat.py", &["source"], 60);
}

#[test]
fn rfc7362_a_trunk_that_is_called_by_its_name_is_heard_from_where_it_has_answered() {
    check("nat.py", &["named"], 60);
}
