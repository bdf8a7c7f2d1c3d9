//! Connections that bring nothing.

use crate::lab::check;

#[test]
fn thousands_of_idle_and_slow_connections_disturb_no_call_and_cost_little() {
    check("crowd.py", &["calls"], 150);
}
