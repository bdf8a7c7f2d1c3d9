//! Contacts that lead back to us: calls that go round in circles end, whatever they fork into.

use super::common::{World, s};
use super::users::{ALICE, BOB, DESK, DOCUMENT, REGISTRAR, answered_as, bind, call, register, world};
use liaison_tests::message::{Msg, audio, start};

const EVE: &str = "10.0.0.66:5060";

/// Users whose domain is at our own address, and callers from anywhere.
fn around() -> World {
    let document = DOCUMENT
        .replace("media =", "strangers = \"route\"\nmedia =")
        .replace("20000-20999", "20000-39999")
        .replace("domains", "contacts = 20\ndomains");
    let mut world = world(&document);
    world.names.insert("example.com".to_owned(), vec!["10.0.0.1".parse().unwrap()]);
    world
}

/// Binds these URIs to a user.
fn leads_to(world: &mut World, user: &str, from: &str, uris: &[&str]) {
    let contacts: Vec<_> = uris.iter().map(|uri| format!("<{uri}>")).collect();
    let request = register(user, from, 1).set("Contact", &contacts.join(", "));
    let ok = answered_as(world, from, &request, user);
    assert!(start(&ok).starts_with("200"), "{ok}");
}

fn eve_calls(world: &mut World, hops: &str) -> Msg {
    let invite = Msg::request("INVITE", BOB, EVE, 1).set("Max-Forwards", hops).sdp(&audio(EVE, 4000));
    world.post(EVE, REGISTRAR, &invite);
    invite
}

/// INVITEs that Liaison has sent to itself.
fn rounds(world: &World) -> usize {
    let all = world.sent_to(REGISTRAR);
    let via = format!("Via: SIP/2.0/UDP {REGISTRAR};");
    all.iter().filter(|text| text.starts_with("INVITE") && text.contains(&via)).count()
}

// conforms: RFC5627-5.1-1
#[test]
fn a_contact_that_is_its_own_address_but_for_header_fields_is_bound_and_not_called() {
    let mut world = around();
    leads_to(&mut world, "bob", DESK, &["sip:bob@example.com?Route=%3Csip:x%3E"]);
    assert_eq!(world.gauges().bindings, 1, "RFC 4475 §3.3.14");
    eve_calls(&mut world, "70");
    world.expect(EVE, "480");
    assert_eq!(rounds(&world), 0);
    bind(&mut world, "bob", ALICE, "");
    call(&mut world, BOB);
    world.expect(ALICE, "INVITE");
    assert_eq!(rounds(&world), 0);
}

// conforms: RFC7332-5-1
#[test]
fn a_circle_of_users_ends_with_the_hops() {
    let mut world = around();
    leads_to(&mut world, "bob", DESK, &["sip:alice@example.com"]);
    leads_to(&mut world, "alice", ALICE, &["sip:bob@example.com"]);
    let invite = eve_calls(&mut world, "20");
    let ended = world.expect_within(EVE, "483", s(5));
    world.post(
        EVE,
        REGISTRAR,
        &Msg::of_invite("ACK", &invite).set("To", &liaison_tests::message::field(&ended, "To")),
    );
    assert_eq!(rounds(&world), 20);
    world.must_forget("a circle");
}

#[test]
fn a_circle_that_forks_on_every_round_ends_with_the_breadth() {
    let mut world = around();
    leads_to(&mut world, "bob", DESK, &["sip:alice@example.com", "sip:alice@example.com;user=phone"]);
    leads_to(&mut world, "alice", ALICE, &["sip:bob@example.com", "sip:bob@example.com;user=phone"]);
    let invite = eve_calls(&mut world, "20");
    let ended = world.expect_within(EVE, "483", s(20));
    world.post(
        EVE,
        REGISTRAR,
        &Msg::of_invite("ACK", &invite).set("To", &liaison_tests::message::field(&ended, "To")),
    );
    // 60 at a time at most, 20 deep, and nothing is tried after the first that comes back.
    let rounds = rounds(&world);
    assert!((20..=60 * 20).contains(&rounds), "{rounds}");
    assert!(world.core.gauges().calls < 60 * 20);
    world.must_forget("a circle that forks");
}
