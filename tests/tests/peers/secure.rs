//! TLS, with Kamailio as client and as server of both sides.

use crate::lab::check;

// conforms: RFC3261-26.3.1-1
#[test]
fn calls_over_mutual_tls_use_the_connections_that_are_there() {
    check("secure.py", &["calls"], 120);
}

#[test]
fn who_proves_to_be_nobody_known_is_refused() {
    check("secure.py", &["strangers"], 90);
}

// conforms: RFC3261-26.3.1-2
#[test]
fn a_server_that_is_not_whom_it_is_called_gets_nothing() {
    check("secure.py", &["impostors"], 60);
}

#[test]
fn a_certificate_is_exchanged_under_a_call() {
    check("secure.py", &["renewed"], 90);
}

#[test]
fn a_check_names_the_files_that_cannot_be_used() {
    check("secure.py", &["checked"], 60);
}

#[test]
fn certificates_of_every_kind_are_shown_by_clients() {
    check("zoo.py", &["clients"], 60);
}

#[test]
fn certificates_of_every_kind_are_shown_by_servers() {
    check("zoo.py", &["servers"], 60);
}

#[test]
fn lists_and_roots_are_exchanged_under_connections_that_go_on() {
    check("zoo.py", &["reloaded"], 60);
}

#[test]
fn rfc6157_a_call_over_tls_and_ipv6_names_us_in_brackets() {
    check("secure.py", &["ipv6"], 60);
}

#[test]
fn a_carrier_that_compares_contact_and_certificate_takes_our_calls() {
    check("secure.py", &["named"], 60);
}

#[test]
fn a_carrier_is_known_by_the_fingerprint_of_its_certificate_in_either_role() {
    check("secure.py", &["pinned"], 90);
}
