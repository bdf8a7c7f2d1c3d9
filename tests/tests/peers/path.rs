//! Phones register to Liaison by an edge proxy (RFC 3327).

use crate::lab::check;

#[test]
fn a_phone_behind_an_edge_is_called_by_its_path_after_a_restart_too() {
    check("path.py", &["kept"], 90);
}

#[test]
fn phones_behind_an_edge_call_each_other() {
    check("path.py", &["phones"], 60);
}

#[test]
fn a_phone_without_path_hears_of_the_edge_that_has_added_itself() {
    check("path.py", &["unasked"], 60);
}

#[test]
fn a_path_of_anybody_is_kept_where_the_configuration_says_so() {
    check("path.py", &["anybody"], 60);
}
