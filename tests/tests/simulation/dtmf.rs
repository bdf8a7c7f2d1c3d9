//! Keys that come by INFO: taken where the other leg has another form, else carried.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, World, by_hand, document};
use liaison_tests::message::{Msg, body, field};

/// Alice has INFO, Bob what is said.
fn world(bob: &str, seed: u64) -> World {
    let profiles = format!("\n[profiles.a]\ndtmf = \"info\"\n[profiles.b]\ndtmf = \"{bob}\"\n");
    by_hand(&document("profile = \"a\"", "profile = \"b\"", &profiles), seed)
}

fn key(request: Msg, signal: &str) -> Msg {
    request.body("application/dtmf-relay", &format!("Signal={signal}\r\nDuration=160\r\n"))
}

#[test]
fn a_key_goes_on_as_an_event_and_its_info_not() {
    let mut world = world("rfc4733", 1);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &key(call.alice("INFO", 2), "5"));
    let answer = world.expect(ALICE, "200");
    assert_eq!(field(&answer, "CSeq"), "2 INFO");
    world.expect_no(BOB, "INFO");
    // What is no key, or of an Info Package, is none of ours.
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 3).body("application/dtmf-relay", "Signal=?"));
    let crossed = world.expect(BOB, "INFO");
    assert_eq!(body(&crossed), "Signal=?");
    world.ok(BOB, INSIDE, &crossed);
    world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 4).body("text/plain", "5"));
    let crossed = world.expect(BOB, "INFO");
    world.ok(BOB, INSIDE, &crossed);
    world.expect(ALICE, "200");
    call.hang_up(&mut world, 5);
    world.must_forget("a key");
}

#[test]
fn a_key_crosses_where_the_other_leg_has_info_too() {
    let mut world = world("info", 2);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &key(call.alice("INFO", 2), "#"));
    let crossed = world.expect(BOB, "INFO");
    assert_eq!(body(&crossed), "Signal=#\r\nDuration=160\r\n");
    assert_eq!(field(&crossed, "Content-Type"), "application/dtmf-relay");
    world.ok(BOB, INSIDE, &crossed);
    world.expect(ALICE, "200");
    call.hang_up(&mut world, 3);
    world.must_forget("a key");
}

#[test]
fn each_leg_is_offered_and_answered_events_as_it_has_them() {
    let mut world = world("rfc4733", 3);
    world.post(ALICE, OUTSIDE, &super::common::invite());
    let invited = world.expect(BOB, "INVITE");
    assert!(body(&invited).contains("telephone-event/8000"), "{invited}");
    let answer = Msg::response(&invited, 200, "bob").contact(BOB);
    world.post(BOB, INSIDE, &answer.sdp(&liaison_tests::message::audio(BOB, 6000)));
    let answered = world.expect(ALICE, "200");
    assert!(!body(&answered).contains("telephone-event"), "{answered}");
}
