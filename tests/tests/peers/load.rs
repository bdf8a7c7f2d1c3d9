//! Calls by the thousand, and nothing of them left afterwards.

use crate::lab::check;

#[test]
fn calls_over_udp_all_succeed_and_leave_nothing() {
    check("load.py", &["calls", "udp"], 170);
}

#[test]
fn three_shards_share_calls_over_udp_from_many_ports() {
    check("load.py", &["calls", "udp", "3"], 170);
}

#[test]
fn three_shards_share_calls_over_tcp_on_many_connections() {
    check("load.py", &["calls", "tcp", "3"], 170);
}

#[test]
fn calls_over_tcp_all_succeed_and_leave_nothing() {
    check("load.py", &["calls", "tcp"], 170);
}
