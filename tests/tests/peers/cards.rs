//! A mobile network asks for the answer of a smart card.

use crate::lab::check;

#[test]
fn rfc3310_3_4_the_sequence_number_of_a_card_outlives_the_process() {
    check("cards.py", &["restarted"], 90);
}

#[test]
fn rfc4169_2_1_the_password_of_the_second_version() {
    check("cards.py", &["versions"], 60);
}

#[test]
fn rfc3310_3_3_a_challenge_of_another_network_gets_nothing() {
    check("cards.py", &["foreign"], 60);
}

#[test]
fn rfc3310_3_a_challenge_of_the_home_network_and_its_answer_cross_as_they_are() {
    check("cards.py", &["carried"], 60);
}

#[test]
fn the_home_network_of_the_lab_is_right_by_sipp() {
    check("cards.py", &["sipp"], 60);
}
