//! Overload control with SIPp as server and as client.

use crate::lab::check;

// conforms: RFC7339-4.1-4 RFC7339-5.5-2
#[test]
fn a_server_that_asks_for_fewer_calls_gets_fewer() {
    check("overload.py", &["server", "udp"], 120);
}

#[test]
fn a_server_over_tcp_does_too() {
    check("overload.py", &["server", "tcp"], 120);
}

#[test]
fn clients_that_take_part_hear_of_our_load() {
    check("overload.py", &["client"], 60);
}
