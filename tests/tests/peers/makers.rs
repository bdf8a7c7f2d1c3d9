//! Telephones of two makers, and a browser.

use crate::lab::check;

#[test]
fn linphonec_and_baresip_call_each_other_over_udp_and_after_a_restart() {
    check("makers.py", &["phones", "udp"], 120);
}

#[test]
fn linphonec_and_baresip_call_each_other_over_tcp_and_after_a_restart() {
    check("makers.py", &["phones", "tcp"], 120);
}

#[test]
fn linphonec_and_baresip_call_each_other_over_tls_and_after_a_restart() {
    check("makers.py", &["phones", "tls"], 120);
}

#[test]
fn a_browser_calls_and_is_called_over_a_secure_websocket_and_after_a_restart() {
    check("makers.py", &["browser"], 120);
}

#[test]
fn a_browser_that_lacks_outbound_is_refused_or_called_on_its_connection_as_the_registrar_wants() {
    check("makers.py", &["numberless"], 120);
}
