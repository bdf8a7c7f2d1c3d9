//! Telephones register to Liaison.

use crate::lab::check;

#[test]
fn phones_register_call_each_other_and_are_found_after_a_restart_over_udp() {
    check("registrar.py", &["phones", "udp"], 90);
}

#[test]
fn phones_register_call_each_other_and_are_found_after_a_restart_over_tcp() {
    check("registrar.py", &["phones", "tcp"], 90);
}

#[test]
fn phones_in_a_network_with_nat_are_found_after_a_restart() {
    check("registrar.py", &["phones", "udp", "on"], 90);
}

#[test]
fn a_subscriber_hears_what_another_registers_over_udp() {
    check("registrar.py", &["watched", "udp"], 90);
}

#[test]
fn a_subscriber_hears_what_another_registers_over_tcp_and_on_another_shard() {
    check("registrar.py", &["watched", "tcp", "2"], 90);
}

#[test]
fn a_full_disk_ends_registering_for_as_long_as_it_is_full() {
    check("registrar.py", &["full"], 90);
}

#[test]
fn a_damaged_store_is_put_aside() {
    check("registrar.py", &["damaged"], 90);
}

#[test]
fn icmp_of_a_third_party_ends_no_binding_of_a_phone_that_is_there() {
    check("registrar.py", &["forged"], 90);
}

#[test]
fn connections_that_prove_nothing_keep_neither_trunks_nor_phones_out() {
    check("registrar.py", &["crowded"], 120);
}

#[test]
fn a_thousand_users_register_and_none_is_lost_when_the_node_is_killed() {
    check("registrar.py", &["load"], 90);
}

#[test]
fn a_thousand_users_of_several_shards_are_not_lost_either() {
    check("registrar.py", &["load", "2"], 90);
}

#[test]
fn rfc8898_tokens_open_the_registrar_and_its_keys_are_exchanged_under_way() {
    check("registrar.py", &["bearer"], 90);
}

#[test]
fn what_is_refused_is_counted_by_its_status() {
    check("registrar.py", &["refusals"], 60);
}
