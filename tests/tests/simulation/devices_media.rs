//! Early media of several devices, and answers that cannot be used.

use super::common::{World, s};
use super::users::{ALICE, DESK, DOCUMENT, MOBILE, REGISTRAR, bind, call, says, world};
use liaison_tests::message::{Msg, audio, body, field, tag};

const BOB: &str = "sip:bob@example.com";

fn both(world: &mut World) -> [String; 2] {
    [DESK, MOBILE].iter().for_each(|device| drop(bind(world, "bob", device, "")));
    call(world, BOB);
    [DESK, MOBILE].map(|device| world.expect(device, "INVITE"))
}

fn describes(world: &mut World, device: &str, invite: &str, status: u16) {
    let tag = format!("dev-{}", device.len());
    let response = Msg::response(invite, status, &tag).contact(device).sdp(&audio(device, 6000));
    world.post(device, REGISTRAR, &response);
}

#[test]
fn rfc3960_3_1_the_caller_hears_one_source_of_early_media() {
    let mut world = world(DOCUMENT);
    let [desk, mobile] = both(&mut world);
    describes(&mut world, DESK, &desk, 183);
    let first = world.expect(ALICE, "183");
    assert!(body(&first).contains("m=audio"));
    describes(&mut world, MOBILE, &mobile, 183);
    let second = world.expect(ALICE, "183");
    assert_eq!(body(&second), "", "the first source goes on");
    assert_ne!(tag(&first, "To"), tag(&second, "To"));
    assert_eq!(world.lent(), 3, "and no ports are taken for the other");
    // The first source fails: the other one may be heard.
    says(&mut world, DESK, &desk, 486);
    world.expect(DESK, "ACK");
    describes(&mut world, MOBILE, &mobile, 183);
    let heard = world.expect(ALICE, "183");
    assert!(body(&heard).contains("m=audio"));
    assert_eq!(tag(&heard, "To"), tag(&second, "To"));
    assert_eq!(world.lent(), 2, "the ports of the device that failed are given back");
    describes(&mut world, MOBILE, &mobile, 200);
    let ok = world.expect(ALICE, "200");
    assert_eq!(body(&ok), body(&heard));
    world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
    world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &ok));
    let bye = world.expect(MOBILE, "BYE");
    world.ok(MOBILE, REGISTRAR, &bye);
    world.must_forget("early media of two devices");
}

#[test]
fn a_device_that_answers_beside_another_ones_early_media_is_heard_from_then_on() {
    let mut world = world(DOCUMENT);
    let [desk, mobile] = both(&mut world);
    describes(&mut world, DESK, &desk, 183);
    let early = world.expect(ALICE, "183");
    describes(&mut world, MOBILE, &mobile, 200);
    let ok = world.expect(ALICE, "200");
    assert_ne!(tag(&early, "To"), tag(&ok, "To"));
    assert_ne!(body(&early), body(&ok), "ports of its own");
    let cancel = world.expect(DESK, "CANCEL");
    says(&mut world, DESK, &cancel, 200);
    says(&mut world, DESK, &desk, 487);
    world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
    world.run_for(s(1));
    assert_eq!(world.lent(), 2);
    world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &ok));
    let bye = world.expect(MOBILE, "BYE");
    world.ok(MOBILE, REGISTRAR, &bye);
    world.must_forget("an answer beside early media");
}

#[test]
fn an_answer_that_cannot_be_used_fails_its_device_only() {
    let mut world = world(DOCUMENT);
    let [desk, mobile] = both(&mut world);
    let broken = Msg::response(&desk, 200, "d").contact(DESK).sdp("v=0\r\nnonsense");
    world.post(DESK, REGISTRAR, &broken);
    world.expect(DESK, "ACK");
    let bye = world.expect(DESK, "BYE");
    assert!(field(&bye, "Reason").contains("Session description refused"), "{bye}");
    world.ok(DESK, REGISTRAR, &bye);
    world.expect_no(ALICE, "502");
    describes(&mut world, MOBILE, &mobile, 200);
    let ok = world.expect(ALICE, "200");
    world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
    world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &ok));
    let bye = world.expect(MOBILE, "BYE");
    world.ok(MOBILE, REGISTRAR, &bye);
    world.must_forget("an answer that cannot be used");
}

#[test]
fn a_device_that_answers_takes_the_place_of_another_ones_early_dialog() {
    let mut world = world(&format!("{DOCUMENT}\n[limits]\nearly_dialogs = 1\n"));
    let [desk, mobile] = both(&mut world);
    says(&mut world, DESK, &desk, 180);
    let ringing = world.expect(ALICE, "180");
    says(&mut world, MOBILE, &mobile, 180);
    world.expect_no(ALICE, "180");
    describes(&mut world, MOBILE, &mobile, 200);
    let ok = world.expect(ALICE, "200");
    assert_ne!(tag(&ok, "To"), tag(&ringing, "To"), "a dialog of its own");
    let cancel = world.expect(DESK, "CANCEL");
    says(&mut world, DESK, &cancel, 200);
    says(&mut world, DESK, &desk, 487);
    world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
    world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &ok));
    let bye = world.expect(MOBILE, "BYE");
    world.ok(MOBILE, REGISTRAR, &bye);
    world.must_forget("as many early dialogs as may be");
}

#[test]
fn a_call_without_an_offer_gets_the_offer_of_the_device_that_answers() {
    let mut world = world(&DOCUMENT.replace("media =", "strangers = \"route\"\nmedia ="));
    [DESK, MOBILE].iter().for_each(|device| drop(bind(&mut world, "bob", device, "")));
    world.post(ALICE, REGISTRAR, &Msg::request("INVITE", BOB, ALICE, 1));
    let [desk, mobile] = [DESK, MOBILE].map(|device| world.expect(device, "INVITE"));
    says(&mut world, DESK, &desk, 180);
    describes(&mut world, MOBILE, &mobile, 200);
    let ok = world.expect(ALICE, "200");
    assert!(body(&ok).contains("m=audio"));
    world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 1, &ok).sdp(&audio(ALICE, 4000)));
    assert!(body(&world.expect(MOBILE, "ACK")).contains("m=audio"));
    let cancel = world.expect(DESK, "CANCEL");
    says(&mut world, DESK, &cancel, 200);
    says(&mut world, DESK, &desk, 487);
    world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 2, &ok));
    let bye = world.expect(MOBILE, "BYE");
    world.ok(MOBILE, REGISTRAR, &bye);
    world.must_forget("a delayed offer");
}
