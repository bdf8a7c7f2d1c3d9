//! Telephones transfer one another.

use crate::lab::check;

#[test]
fn the_called_phone_transfers_its_caller_and_the_two_hear_each_other() {
    check("transfer.py", &["blind", "called"], 90);
}

#[test]
fn the_calling_phone_transfers_whom_it_called_and_the_two_hear_each_other() {
    check("transfer.py", &["blind", "caller"], 90);
}

#[test]
fn where_the_target_does_not_take_it_the_two_go_on() {
    check("transfer.py", &["refused"], 90);
}

#[test]
fn an_attended_transfer_joins_two_calls_whose_phones_hear_each_other() {
    check("transfer.py", &["attended"], 90);
}

#[test]
fn a_refer_that_crosses_has_the_other_phone_call_the_target() {
    check("transfer.py", &["carried"], 90);
}

#[test]
fn an_attended_transfer_between_two_shards_calls_the_target_in_place_of_its_dialog() {
    check("transfer.py", &["apart"], 120);
}

#[test]
fn a_phone_that_rings_is_cancelled_when_another_one_of_its_side_picks_up() {
    check("transfer.py", &["picked_up"], 90);
}
