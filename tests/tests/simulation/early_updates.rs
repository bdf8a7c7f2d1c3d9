//! Changes of an early session that are answered too late.

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, by_hand, s};
use super::update::{early, finish, held};
use liaison_tests::message::{Msg, audio, body};

/// Alice has heard that nothing comes of it, and Bob has taken it after all: he is offered what stood before.
#[test]
fn rfc3311_5_2_an_early_change_that_is_answered_after_it_was_given_up_is_taken_back() {
    let mut world = by_hand(TWO_SIDES, 21);
    let (early, invited) = early(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&held(ALICE, 4000)));
    let asked = world.expect(BOB, "UPDATE");
    assert!(body(&asked).contains("a=sendonly"), "{asked}");
    world.expect_within(ALICE, "504", s(21));
    world.mail.clear();
    let taken = format!("{}a=recvonly\r\n", audio(BOB, 6000));
    world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&taken));
    let back = world.expect(BOB, "UPDATE");
    assert!(!body(&back).contains("a=sendonly"), "{back}");
    world.post(BOB, INSIDE, &Msg::response(&back, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    finish(&mut world, &invited);
}
