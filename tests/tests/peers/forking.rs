//! A proxy of the called side's that forks.

use crate::lab::check;

#[test]
fn of_three_branches_each_has_a_dialog_with_the_caller_and_a_late_answer_is_acknowledged_and_ended() {
    check("forking.py", &["branches"], 90);
}
