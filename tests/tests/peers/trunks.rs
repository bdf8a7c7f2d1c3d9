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

#[test]
fn a_trunk_registers_and_is_called_over_tls() {
    check("trunks.py", &["registers", "tls"], 120);
}
