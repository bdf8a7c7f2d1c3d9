//! Session timers (RFC 4028) with SIPp.

use crate::lab::check;

#[test]
fn rfc4028_each_side_has_its_own_timer_and_422_and_refreshes_stay_on_their_leg() {
    check("session_timer.py", &["refresh", "udp"], 100);
}
