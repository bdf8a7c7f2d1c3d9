//! Private addresses that peers outside are told.

use super::common::{ALICE, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, invite, ms};
use liaison_tests::message::{Msg, field};

/// Bob, at a public address.
const FAR: &str = "198.51.100.2:5060";

/// Alice calls Bob, who is busy.
fn call(document: &str) -> (World, String) {
    let mut world = by_hand(document, 1);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(FAR, "INVITE");
    world.post(FAR, INSIDE, &Msg::response(&invited, 486, "bob"));
    let busy = world.expect(ALICE, "486");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&busy, "To")));
    world.run_for(ms(100));
    (world, invited)
}

fn told(document: &str) -> (u64, u64) {
    let counters = call(document).0.core.counters();
    (counters.contacts_private, counters.descriptions_private)
}

fn outside() -> String {
    TWO_SIDES.replace("10.1.0.2", "198.51.100.2")
}

#[test]
fn rfc1918_a_public_peer_that_is_told_private_addresses_is_noticed_by_place() {
    let (world, invited) = call(&outside());
    assert!(
        field(&invited, "Contact").contains("10.1.0.1") && invited.contains("c=IN IP4 10.1.0.1\r\n"),
        "{invited}"
    );
    let counters = world.core.counters();
    assert_eq!(
        (counters.contacts_private, counters.descriptions_private),
        (1, 1),
        "in the INVITE, and not to Alice"
    );
    let media = "media = { address = \"10.1.0.1\"";
    let advertised = outside().replace(media, &format!("{media}, advertised = \"203.0.113.1\""));
    assert_eq!(told(&advertised), (1, 0));
    let named = advertised.replace("trusted = true", "trusted = true\ndomain = \"sbc.example.com\"");
    assert_eq!(told(&named), (0, 0), "a name leads anywhere");
}

#[test]
fn among_private_addresses_nothing_is_noticed() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call = super::common::Call::establish(&mut world);
    call.hang_up(&mut world, 2);
    let counters = world.core.counters();
    assert_eq!((counters.contacts_private, counters.descriptions_private), (0, 0));
}

#[test]
fn media_that_flows_past_us_is_noticed_too() {
    let past = format!("{}\n[profiles.default]\nmedia = \"bypass\"\n", outside());
    let (world, invited) = call(&past);
    assert!(invited.contains("c=IN IP4 10.0.0.2\r\n"), "{invited}");
    assert_eq!(world.core.counters().descriptions_private, 1);
}
