//! A proxy of the called side's that forks.

use crate::lab::check;

#[test]
fn of_three_branches_each_has_a_dialog_with_the_caller_and_a_late_answer_is_acknowledged_and_ended() {
    check("forking.py", &["branches"], 90);
}

#[test]
fn rfc3711_3_3_1_a_telephone_that_answers_after_our_key_has_rolled_over_for_another_branch_hears() {
    check("late.py", &["rolled_over"], 90);
}
