//! Scanners find nothing.

use crate::lab::check;

#[test]
fn svwar_tells_no_users_apart_by_register() {
    check("scanners.py", &["users", "REGISTER"], 120);
}

#[test]
fn svwar_tells_no_users_apart_by_options() {
    check("scanners.py", &["users", "OPTIONS"], 120);
}

#[test]
fn svwar_tells_no_users_apart_by_invite() {
    check("scanners.py", &["users", "INVITE"], 120);
}

#[test]
fn svcrack_is_slowed_then_refused_and_another_user_of_its_source_calls() {
    check("scanners.py", &["passwords"], 120);
}
