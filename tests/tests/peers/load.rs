//! Calls by the thousand, and nothing of them left afterwards.

use crate::lab::check;

// conforms: RFC3261-18-1 RFC7118-5.4-1
#[test]
fn calls_over_udp_all_succeed_and_leave_nothing() {
    check("load.py", &["calls", "udp"], 170);
}

// conforms: RFC3261-18-1 RFC7118-5.4-1
#[test]
fn calls_over_tcp_all_succeed_and_leave_nothing() {
    check("load.py", &["calls", "tcp"], 170);
}
