//! Several devices of one user.

use crate::lab::check;

#[test]
fn devices_ring_at_once_and_the_losers_are_cancelled_with_the_reason() {
    check("devices.py", &["parallel"], 60);
}

#[test]
fn devices_ring_one_after_the_other() {
    check("devices.py", &["sequence"], 60);
}

#[test]
fn a_device_that_declines_ends_it_for_all() {
    check("devices.py", &["declined"], 60);
}
