//! A trunk by several flows (RFC 5626), with Kamailio as two edge proxies and a registrar.

use crate::lab::check;

#[test]
fn a_trunk_keeps_two_flows_over_udp_and_one_edge_may_die() {
    check("outbound.py", &["outbound", "udp"], 240);
}

#[test]
fn a_trunk_keeps_two_flows_over_tcp_and_one_edge_may_die() {
    check("outbound.py", &["outbound", "tcp"], 240);
}

#[test]
fn a_trunk_keeps_two_flows_over_tls_and_one_edge_may_die() {
    check("outbound.py", &["outbound", "tls"], 240);
}

#[test]
fn without_outbound_one_flow_stands_and_the_other_takes_over() {
    check("outbound.py", &["alone", "tcp"], 240);
}

#[test]
fn outbound_is_switched_by_reloads_with_a_registrar_that_knows_it() {
    check("outbound.py", &["switched", "yes"], 90);
}

#[test]
fn outbound_is_switched_by_reloads_with_a_registrar_that_does_not() {
    check("outbound.py", &["switched", "no"], 90);
}

#[test]
fn a_430_leads_to_the_other_flow_and_no_further() {
    check("outbound.py", &["flow_failed"], 120);
}

#[test]
fn a_439_leads_to_a_registration_without_outbound() {
    check("outbound.py", &["lacks_outbound"], 120);
}
