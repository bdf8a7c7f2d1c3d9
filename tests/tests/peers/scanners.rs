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
fn scanners_hear_nothing_after_the_threshold_and_users_beside_them_go_on() {
    check("scanners.py", &["silent"], 120);
}

#[test]
fn a_password_that_scanners_try_first_is_refused_by_a_reload_and_a_check() {
    check("scanners.py", &["weak"], 60);
}

#[test]
fn svcrack_is_slowed_then_refused_and_another_user_of_its_source_calls() {
    check("scanners.py", &["passwords"], 120);
}
