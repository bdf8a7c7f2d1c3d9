//! Trunks that go by the GRUUs of Kamailio's registrar (RFC 5627 §4).

use crate::lab::check;

#[test]
fn rfc5627_4_4_calls_with_a_trunk_go_by_the_gruus_of_its_registrar() {
    check("gruus.py", &["kamailio", "names"], 120);
}

#[test]
fn rfc5627_4_4_who_hangs_up_finds_us_after_we_have_registered_from_elsewhere() {
    check("gruus.py", &["kamailio", "moves"], 120);
}
