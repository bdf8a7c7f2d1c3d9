//! Every message that Liaison sends in the flows of RFC 5589, as a person reads it. Identifiers come from the seed.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, World, by_hand, ms, s};
use super::transfer::{CAROL, TARGET, accepted, carol_answers, notified, three};
use liaison_tests::message::Msg;

/// What was sent to a phone since the call was established, one after another.
fn seen(world: &World, at: &str, before: usize) -> String {
    let texts: Vec<_> =
        world.sent_to(at).iter().skip(before).map(|text| text.replace("\r\n", "\n")).collect();
    texts.join("--------\n")
}

#[test]
fn rfc5589_6_1_a_basic_transfer_as_each_of_the_three_sees_it() {
    let mut world = by_hand(&three(), 1);
    let call = Call::establish(&mut world);
    let before = [ALICE, BOB].map(|at| world.sent_to(at).len());
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &format!("<{TARGET}>")));
    accepted(&mut world, BOB, INSIDE);
    let invited = world.expect(CAROL, "INVITE");
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 180, "carol").contact(CAROL).phrase("Ringing"));
    notified(&mut world, BOB, INSIDE);
    carol_answers(&mut world, &invited);
    notified(&mut world, BOB, INSIDE);
    world.post(BOB, INSIDE, &call.bob("BYE", 2));
    world.expect(BOB, "200");
    world.run_for(s(3));
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    world.expect(ALICE, "200");
    let bye = world.expect(CAROL, "BYE");
    world.ok(CAROL, OUTSIDE, &bye);
    world.run_for(ms(50));
    insta::assert_snapshot!("transferor", seen(&world, BOB, before[1]));
    insta::assert_snapshot!("transferee", seen(&world, ALICE, before[0]));
    insta::assert_snapshot!("target", seen(&world, CAROL, 0));
}

#[test]
fn rfc5589_6_2_a_transfer_that_fails_as_the_transferor_sees_it() {
    let mut world = by_hand(&three(), 2);
    let call = Call::establish(&mut world);
    let before = world.sent_to(BOB).len();
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &format!("<{TARGET}>")));
    accepted(&mut world, BOB, INSIDE);
    let invited = world.expect(CAROL, "INVITE");
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 486, "carol").phrase("Busy Here"));
    notified(&mut world, BOB, INSIDE);
    insta::assert_snapshot!("failure", seen(&world, BOB, before));
}
