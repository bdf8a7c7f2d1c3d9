//! Session timers (RFC 4028) with SIPp, and with telephones.

use crate::lab::check;

#[test]
fn rfc4028_each_side_has_its_own_timer_and_422_and_refreshes_stay_on_their_leg() {
    check("session_timer.py", &["refresh", "udp"], 100);
}

#[test]
fn rfc4028_a_telephone_with_a_timer_and_one_without_each_have_their_own_session() {
    check("makers_timer.py", &["timers"], 100);
}
