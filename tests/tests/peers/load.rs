//! Calls by the thousand, and nothing of them left afterwards.

use crate::lab::check;

#[test]
fn calls_over_udp_all_succeed_and_leave_nothing() {
    check("load.py", &["calls", "udp"], 170);
}

#[test]
fn calls_over_tcp_all_succeed_and_leave_nothing() {
    check("load.py", &["calls", "tcp"], 170);
}
