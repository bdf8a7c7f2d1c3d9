//! The TURN server: coturn's client, a telephone (baresip) behind a NAT, a browser that relays everything, and a client that abuses it.

use crate::lab::check;

// conforms: RFC8656-5-6
#[test]
fn rfc8656_coturn_s_client_gets_back_what_it_sends_over_udp() {
    check("turn.py", &["foreign", "udp"], 120);
}

// conforms: RFC8656-5-6
#[test]
fn rfc8656_coturn_s_client_gets_back_what_it_sends_over_tcp() {
    check("turn.py", &["foreign", "tcp"], 120);
}

// conforms: RFC8656-5-6
#[test]
fn rfc8656_coturn_s_client_gets_back_what_it_sends_over_tls() {
    check("turn.py", &["foreign", "tls"], 120);
}

#[test]
fn it_is_no_open_relay() {
    check("turn.py", &["relay"], 60);
}

#[test]
fn who_is_not_known_or_has_enough_is_refused_and_hurts_nobody() {
    check("turn.py", &["strangers"], 90);
}

#[test]
fn the_admin_api_makes_credentials_that_are_good() {
    check("turn.py", &["handed_out"], 60);
}

#[test]
fn a_reload_exchanges_secret_reach_and_certificate_and_allocations_stay() {
    check("turn.py", &["reloaded"], 60);
}

#[test]
fn connections_end_with_their_allocations() {
    check("turn.py", &["streams"], 90);
}

#[test]
fn a_telephone_behind_a_nat_is_heard_by_its_relayed_address_alone() {
    check("turn.py", &["behind", "kept"], 90);
}

#[test]
fn a_telephone_behind_a_nat_with_a_mapping_for_each_far_side_is_heard_by_its_relayed_address_alone() {
    check("turn.py", &["behind", "random"], 90);
}

#[test]
fn rfc8656_a_browser_that_relays_everything_over_udp_calls_a_plain_telephone_and_is_called_by_it() {
    check("relayed.py", &["call", "udp"], 90);
}

#[test]
fn rfc8656_a_browser_that_relays_everything_over_tcp_calls_a_plain_telephone_and_is_called_by_it() {
    check("relayed.py", &["call", "tcp"], 90);
}

#[test]
fn rfc8656_a_browser_that_relays_everything_over_tls_calls_a_plain_telephone_and_is_called_by_it() {
    check("relayed.py", &["call", "tls"], 90);
}

#[test]
fn a_browser_relays_everything_by_the_credentials_that_its_registration_brings() {
    check("relayed.py", &["registered"], 180);
}
