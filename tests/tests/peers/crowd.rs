//! Connections that bring nothing, and those that take nothing.

use crate::lab::check;

#[test]
fn thousands_of_idle_slow_and_deaf_connections_disturb_no_call_on_their_listener_and_cost_little() {
    check("crowd.py", &["calls"], 150);
}
