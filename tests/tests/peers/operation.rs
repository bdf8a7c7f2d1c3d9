//! What an operator does while calls are up.

use crate::lab::check;

#[test]
fn killed_in_the_middle_of_calls_it_is_up_again_at_once() {
    check("operation.py", &["killed"], 90);
}

#[test]
fn a_reload_touches_no_call_and_a_faulty_file_changes_nothing() {
    check("operation.py", &["reloaded"], 90);
}

#[test]
fn a_drain_refuses_new_calls_and_ends_with_the_last_one() {
    check("operation.py", &["drained"], 90);
}

#[test]
fn the_admin_api_shows_and_ends_a_call() {
    check("operation.py", &["administered"], 60);
}

#[test]
fn three_shards_take_a_reload() {
    check("operation.py", &["reloaded", "3"], 90);
}

#[test]
fn three_shards_drain_together() {
    check("operation.py", &["drained", "3"], 90);
}

#[test]
fn the_admin_api_lists_shows_and_ends_the_calls_of_every_shard() {
    check("operation.py", &["listed", "3"], 60);
}

#[test]
fn the_log_tells_of_calls_and_messages_and_no_secret() {
    check("operation.py", &["logged"], 60);
}

#[test]
fn a_second_process_does_not_share_the_state_of_the_first() {
    check("operation.py", &["alone"], 60);
}

#[test]
fn a_reload_with_a_password_that_is_easily_guessed_is_refused_with_its_place() {
    check("operation.py", &["weak"], 60);
}
