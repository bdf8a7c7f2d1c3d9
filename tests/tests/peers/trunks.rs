//! Trunks that register, with Kamailio as registrar and edge of the carrier.

use crate::lab::check;

#[test]
fn a_trunk_registers_and_is_called_over_udp() {
    check("trunks.py", &["registers", "udp"], 120);
}

#[test]
fn a_trunk_registers_and_is_called_over_tcp() {
    check("trunks.py", &["registers", "tcp"], 120);
}

// conforms: RFC3261-26.3.2.1-1,2
#[test]
fn rfc3261_26_3_2_1_a_registrar_that_does_not_prove_to_be_whom_it_is_called_gets_no_register() {
    for how in ["name", "issuer"] {
        check("trunks.py", &["unproven", how], 60);
    }
}

#[test]
fn a_trunk_registers_and_is_called_over_tls() {
    check("trunks.py", &["registers", "tls"], 120);
}
