//! Calls to GRUUs (RFC 5627).

use super::common::{ms, s};
use super::users::{
    ALICE, BOB, DESK, DOCUMENT, MOBILE, REGISTRAR, answered_as, bind, call, contact, on_shards, register,
    says, secrets, world,
};
use liaison_tests::message::{Msg, audio, field};

// conforms: RFC5627-6.1-1
#[test]
fn rfc5627_5_4_a_gruu_leads_to_one_device() {
    let mut world = world(DOCUMENT);
    let instance = |n: u8| format!(";q=0.{n};+sip.instance=\"<urn:uuid:{n}>\"");
    bind(&mut world, "bob", DESK, &instance(9));
    bind(&mut world, "bob", MOBILE, &instance(3));
    call(&mut world, "sip:bob@example.com;gr=urn:uuid:3");
    world.expect(MOBILE, "INVITE");
    world.expect_no(DESK, "INVITE");
    let mut world = self::world(DOCUMENT);
    bind(&mut world, "bob", DESK, &instance(9));
    call(&mut world, "sip:bob@example.com;gr=urn:uuid:3");
    world.expect(ALICE, "480");
    world.expect_no(DESK, "INVITE");
}

#[test]
fn rfc5627_4_4_a_device_that_is_called_by_a_gruu_of_ours_hears_the_rest_of_the_dialog() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, ";+sip.instance=\"<urn:uuid:1>\"");
    call(&mut world, BOB);
    let invited = world.expect(DESK, "INVITE");
    let gruu = "<sip:bob@example.com;gr=urn:uuid:1>";
    let ok = Msg::response(&invited, 200, "gruu").sdp(&audio(DESK, 6000)).with("Contact", gruu);
    world.post(DESK, REGISTRAR, &ok);
    let ack = world.expect(DESK, "ACK");
    assert!(ack.starts_with("ACK sip:bob@example.com;gr=urn:uuid:1 SIP/2.0"), "{ack}");
}

/// A GRUU of the only contact in a 200.
fn gruu(ok: &str, name: &str) -> String {
    let contact = field(ok, "Contact");
    let (_, rest) = contact.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {ok}"));
    rest.split('"').next().unwrap().to_owned()
}

// conforms: RFC5627-5.4-6
#[test]
fn rfc5627_5_4_the_gruus_of_an_address_that_nobody_has_any_more_are_void() {
    for (shards, name) in [(1, "pub-gruu"), (1, "temp-gruu"), (4, "pub-gruu"), (4, "temp-gruu")] {
        let mut world = on_shards(shards, DOCUMENT);
        let phone = contact(DESK, ";+sip.instance=\"<urn:uuid:1>\"");
        let request = register("bob", DESK, 1).set("Contact", &phone).with("Supported", "gruu");
        let ok = answered_as(&mut world, DESK, &request, "bob");
        bind(&mut world, "alice", MOBILE, "");
        let without = DOCUMENT.replace(", { address = \"bob@example.com\", users = [\"bob\"] }", "");
        world.reload(&without, secrets(&without));
        assert_eq!((world.gauges().registered, world.gauges().bindings), (1, 1), "Alice's are left alone");
        call(&mut world, &gruu(&ok, name));
        world.expect(ALICE, "404");
        world.expect_no(DESK, "INVITE");
    }
}

// conforms: RFC5627-6.1-2,3
#[test]
fn rfc5627_6_1_another_contact_of_the_instance_is_not_tried_after_its_refusal() {
    let mut world = world(DOCUMENT);
    let instance = ";q=0.9;+sip.instance=\"<urn:uuid:1>\"";
    bind(&mut world, "bob", DESK, instance);
    world.run_for(ms(20));
    bind(&mut world, "bob", MOBILE, &instance.replace("0.9", "0.1"));
    call(&mut world, "sip:bob@example.com;gr=urn:uuid:1");
    let invited = world.expect(MOBILE, "INVITE");
    says(&mut world, MOBILE, &invited, 486);
    world.expect(ALICE, "486");
    world.expect_no(DESK, "INVITE");
}

#[test]
fn rfc5627_6_1_in_a_dialog_a_device_is_found_where_it_has_registered_last() {
    for (shards, name) in [(1, "pub-gruu"), (1, "temp-gruu"), (4, "pub-gruu"), (4, "temp-gruu")] {
        let mut world = on_shards(shards, DOCUMENT);
        let at = |device: &str, seq: u32| {
            let phone = contact(device, ";+sip.instance=\"<urn:uuid:1>\"");
            let request = register("bob", device, seq).set("Contact", &phone).with("Supported", "gruu");
            request.set("Call-ID", "registration-of-the-device")
        };
        let ok = answered_as(&mut world, DESK, &at(DESK, 1), "bob");
        let gruu = gruu(&ok, name);
        call(&mut world, BOB);
        let invited = world.expect(DESK, "INVITE");
        let ok = Msg::response(&invited, 200, "moves").sdp(&audio(DESK, 6000));
        world.post(DESK, REGISTRAR, &ok.with("Contact", &format!("<{gruu}>")));
        world.expect(DESK, "ACK");
        let answered = world.expect(ALICE, "200");
        world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &answered));
        // It comes by another network, and has not been able to say farewell to the one before.
        world.run_for(s(60));
        let ok = answered_as(&mut world, MOBILE, &at(MOBILE, 10), "bob");
        assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
        world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &answered));
        let bye = world.expect(MOBILE, "BYE");
        assert!(bye.starts_with(&format!("BYE {gruu} SIP/2.0\r\n")), "{bye}");
        world.expect_no(DESK, "BYE");
    }
}
