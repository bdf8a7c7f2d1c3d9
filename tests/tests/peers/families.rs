//! Calls over IPv6, between IPv6 and IPv4, and from one of several addresses.

use crate::lab::check;

#[test]
fn rfc6157_an_ipv6_caller_calls_an_ipv4_peer_and_each_sees_its_own_family_and_hears_the_other() {
    check("families.py", &["call", "6", "4", "udp", "tcp"], 60);
}

#[test]
fn rfc6157_an_ipv4_caller_calls_an_ipv6_peer_and_each_sees_its_own_family_and_hears_the_other() {
    check("families.py", &["call", "4", "6", "tcp", "udp"], 60);
}

#[test]
fn rfc5118_a_call_is_of_ipv6_on_both_sides() {
    check("families.py", &["call", "6", "6", "udp", "udp"], 60);
    check("families.py", &["call", "6", "6", "tcp", "tcp"], 60);
}

#[test]
fn rfc2827_a_call_leaves_from_the_prefix_that_leads_to_who_is_called() {
    check("families.py", &["prefixes", "udp"], 60);
    check("families.py", &["prefixes", "tcp"], 60);
}

#[test]
fn rfc1918_a_peer_outside_that_is_told_private_addresses_is_named_in_the_log() {
    check("families.py", &["leaks"], 60);
}

#[test]
fn rfc2474_3_sip_is_sent_with_the_dscp_of_its_network_over_each_transport_and_family() {
    for (transport, family) in [("udp", "4"), ("udp", "6"), ("tcp", "4"), ("tcp", "6")] {
        check("families.py", &["marks", transport, family], 60);
    }
    check("families.py", &["marks_of_handshakes"], 60);
}
