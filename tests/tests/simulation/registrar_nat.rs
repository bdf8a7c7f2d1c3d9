//! Devices behind a NAT are reached on their flows.

use super::common::{World, s};
use super::gate::answer_to;
use super::users::{
    ALICE, BOB, DESK, DOCUMENT, REGISTRAR, answered_as, bind, call, challenges, contact, register, says,
    world,
};
use liaison_tests::message::{Msg, audio, field, start};

/// Behind this one is Bob's, at an address of its own.
const NAT: &str = "10.0.0.9:40000";

/// Where the one behind the NAT believes to be.
const INNER: &str = "192.168.1.5:5060";

/// A message as it leaves a NAT: what it says of its sender is of the inside.
fn inside_out(message: Msg) -> Msg {
    let via = message.get("Via").replace(NAT, INNER).replace(";branch=", ";rport;branch=");
    message.without("Via").with("Via", &via).set("Contact", &contact(INNER, ""))
}

#[test]
fn behind_a_nat_bindings_are_brief_and_calls_and_what_follows_take_the_flow() {
    for mode in ["auto", "on"] {
        let mut world = world(&DOCUMENT.replace("media =", &format!("nat = \"{mode}\"\nmedia =")));
        let ok = answered_as(&mut world, NAT, &inside_out(register("bob", NAT, 1)), "bob");
        assert!(field(&ok, "Contact").contains(";expires=60"), "{ok}");
        call(&mut world, BOB);
        let invited = world.expect(NAT, "INVITE");
        assert!(invited.starts_with(&format!("INVITE sip:line@{INNER} SIP/2.0")), "{invited}");
        let answer = Msg::response(&invited, 200, "nat").contact(INNER).sdp(&audio(INNER, 6000));
        world.post(NAT, REGISTRAR, &answer);
        let ok = world.expect(ALICE, "200");
        world.expect(NAT, "ACK");
        world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
        world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &ok));
        world.expect(NAT, "BYE");
        assert!(world.sent_to(INNER).is_empty());
    }
}

#[test]
fn without_nat_every_contact_is_obeyed() {
    let mut world = world(&DOCUMENT.replace("media =", "nat = \"off\"\nmedia ="));
    let ok = answered_as(&mut world, NAT, &inside_out(register("bob", NAT, 1)), "bob");
    assert!(field(&ok, "Contact").contains(";expires=3600"), "{ok}");
    call(&mut world, BOB);
    world.run_for(s(1));
    assert!(!world.sent_to(INNER).is_empty());
}

#[test]
fn a_phone_behind_a_nat_that_is_not_registered_hears_of_its_call_on_the_flow_of_it() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    let uri = BOB;
    let invite = inside_out(Msg::request("INVITE", uri, NAT, 1))
        .set("From", "<sip:alice@example.com>;tag=a")
        .sdp(&audio(INNER, 4000));
    world.post(NAT, REGISTRAR, &invite);
    let asked = world.expect(NAT, "401");
    world.post(NAT, REGISTRAR, &Msg::of_invite("ACK", &invite).set("To", &field(&asked, "To")));
    let credentials = answer_to(&challenges(&asked), true, "alice", "wonderland", "INVITE", uri);
    let again = invite.set("CSeq", "2 INVITE").branch("call-2").with("Authorization", &credentials);
    world.post(NAT, REGISTRAR, &again);
    let invited = world.expect(DESK, "INVITE");
    says(&mut world, DESK, &invited, 200);
    let ok = world.expect(NAT, "200");
    world.post(NAT, REGISTRAR, &Msg::inside("ACK", NAT, 2, &ok));
    world.run_for(s(1));
    world.post(DESK, REGISTRAR, &Msg::inside("BYE", DESK, 3, &invited).set("From", &tagged(&invited, DESK)));
    world.expect(NAT, "BYE");
    assert!(world.sent_to(INNER).is_empty());
}

/// Our To with the tag that a device gave it.
fn tagged(invited: &str, device: &str) -> String {
    format!("{};tag=dev-{}", field(invited, "To"), device.len())
}

#[test]
fn a_binding_behind_a_nat_is_kept_open_by_options_that_its_user_agent_answers() {
    let document =
        DOCUMENT.replace("accounts =", "nat_expires = \"10m\"\nnat_keepalive = \"30s\"\naccounts =");
    let mut world = world(&document);
    answered_as(&mut world, NAT, &inside_out(register("bob", NAT, 1)), "bob");
    bind(&mut world, "alice", ALICE, "");
    for _ in 0..3 {
        let asked = world.expect_within(NAT, "OPTIONS", s(31));
        assert!(asked.starts_with(&format!("OPTIONS sip:line@{INNER} SIP/2.0")), "{asked}");
        world.post(NAT, REGISTRAR, &Msg::response(&asked, 200, "alive"));
    }
    world.run_for(s(2));
    let counted = |world: &World| {
        let counters = world.cores().next().unwrap().counters();
        (counters.keepalives, counters.keepalives_unanswered)
    };
    let (sent, unanswered) = counted(&world);
    assert_eq!((sent, unanswered), (3, 0));
    world.run_for(s(120));
    assert!(counted(&world).1 > 0, "nobody answers any more");
    assert!(
        !world.sent_to(ALICE).iter().any(|text| start(text).starts_with("OPTIONS")),
        "there is no NAT before her"
    );
    world.run_for(s(600));
    let (at_the_end, _) = counted(&world);
    world.run_for(s(120));
    assert_eq!(counted(&world).0, at_the_end, "the binding is over");
}

#[test]
fn keepalives_rest_in_a_drain_which_would_wait_for_their_answers() {
    let document =
        DOCUMENT.replace("accounts =", "nat_expires = \"10m\"\nnat_keepalive = \"30s\"\naccounts =");
    let mut world = world(&document);
    answered_as(&mut world, NAT, &inside_out(register("bob", NAT, 1)), "bob");
    world.command(b2bua::shard::Command::Drain(s(600)));
    world.run_for(s(120));
    assert!(!world.sent_to(NAT).iter().any(|text| start(text).starts_with("OPTIONS")));
}

// conforms: RFC5626-6-10 RFC5626-7-3 RFC6223-5-2
#[test]
fn rfc5626_5_3_the_flow_of_a_device_with_outbound_is_its_only_way() {
    let mut world = world(DOCUMENT);
    let numbered = ";reg-id=1;+sip.instance=\"<urn:uuid:1>\"";
    let elsewhere = "10.0.0.77:5060";
    let request = register("bob", NAT, 1)
        .set("Contact", &contact(elsewhere, numbered))
        .with("Supported", "path, outbound");
    let ok = answered_as(&mut world, NAT, &request, "bob");
    assert_eq!(field(&ok, "Require"), "outbound");
    // Once more, with an offer of keepalives.
    let again = request.set("CSeq", "7 REGISTER").branch("again");
    world.post(NAT, REGISTRAR, &again);
    let asked = world.expect(NAT, "401");
    let uri = "sip:example.com";
    let credentials = answer_to(&challenges(&asked), true, "bob", "wonderland", "REGISTER", uri);
    let again = again.set("CSeq", "8 REGISTER").branch("keeps").with("Authorization", &credentials);
    let via = format!("{};keep", again.get("Via"));
    world.post(NAT, REGISTRAR, &again.set("Via", &via));
    let ok = world.expect(NAT, "200");
    let timer = field(&ok, "Flow-Timer");
    assert!(field(&ok, "Via").contains(&format!(";keep={timer}")), "{ok}");
    assert!(field(&ok, "Contact").contains(";expires=3600"), "{ok}");
    call(&mut world, BOB);
    world.expect(NAT, "INVITE");
    assert!(world.sent_to(elsewhere).is_empty());
}

#[test]
fn a_registrar_that_requires_outbound_says_so_to_who_proves_to_be_a_user() {
    let document = DOCUMENT.replace("accounts =", "require_outbound = \"all\"\naccounts =");
    let mut world = world(&document);
    let refused = answered_as(&mut world, DESK, &register("bob", DESK, 1), "bob");
    assert!(start(&refused).starts_with("421"), "{refused}");
    assert_eq!(field(&refused, "Require"), "outbound, gruu");
    assert_eq!((world.gauges().bindings, world.core.counters().registers_refused), (0, 1));
    let numbered = contact(DESK, ";reg-id=1;+sip.instance=\"<urn:uuid:1>\"");
    let request = register("bob", DESK, 3).set("Contact", &numbered).with("Supported", "gruu, outbound");
    let ok = answered_as(&mut world, DESK, &request, "bob");
    assert_eq!((start(&ok), field(&ok, "Require")), ("200 OK", "outbound".to_owned()), "{ok}");
}
