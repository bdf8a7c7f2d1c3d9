//! Whom the parties of a placed call are shown, by the order.

use super::super::common::{ALICE, BOB, INSIDE, OUTSIDE, World, by_hand, ms};
use super::super::common::{TWO_SIDES, document};
use super::{inside, order, place, voice};
use admin_api::control::{CallOrder, ShownCaller};
use liaison_tests::message::{Msg, audio, field, tag};

const SHOWN: &str = "sip:desk@example.com";

/// Both are shown the desk.
fn hiding() -> CallOrder {
    let mut order = order();
    let from = || Some(ShownCaller { uri: Some(SHOWN.to_owned()), display_name: None });
    (order.first.from, order.then.from) = (from(), from());
    order
}

/// Both take another URI in From (RFC 4916), and talk.
fn talking(world: &mut World, order: CallOrder) -> (String, String) {
    place(world, order);
    let first = world.expect(ALICE, "INVITE");
    let ok = Msg::response(&first, 200, "alice").contact(ALICE).sdp(&audio(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &ok.with("Supported", "from-change"));
    world.expect(ALICE, "ACK");
    let then = world.expect(BOB, "INVITE");
    let ok = Msg::response(&then, 200, "bob").contact(BOB).sdp(&voice(BOB, 6000));
    world.post(BOB, INSIDE, &ok.with("Supported", "from-change"));
    world.expect(BOB, "ACK");
    let told = world.expect(ALICE, "INVITE");
    let who = field(&told, "From");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&voice(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    assert_eq!(who, field(&first, "From"));
    world.run_for(ms(50));
    (first, then)
}

#[test]
fn rfc4916_nobody_learns_who_stands_behind_the_name_that_an_order_shows() {
    let mut world = by_hand(TWO_SIDES, 1);
    let (first, then) = talking(&mut world, hiding());
    assert!(field(&first, "From").contains(SHOWN) && field(&then, "From").contains(SHOWN));
    // Neither by a request that names another.
    let named = inside("INVITE", (ALICE, "alice"), 5, &first).contact(ALICE).sdp(&voice(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &named.set("From", "<sip:alice@home.example>;tag=alice"));
    let crossed = world.expect(BOB, "INVITE");
    assert_eq!(field(&crossed, "From"), field(&then, "From"));
    world.post(BOB, INSIDE, &Msg::response(&crossed, 200, "").contact(BOB).sdp(&voice(BOB, 6000)));
    world.expect(BOB, "ACK");
    world.expect(ALICE, "200");
    for (at, of) in [(ALICE, &first), (BOB, &then)] {
        world.expect_no(at, "UPDATE");
        assert!(!field(of, "From").contains("+49"), "{of}");
    }
}

/// Who takes the place of one of them is another matter.
#[test]
fn rfc4916_a_later_partner_is_named() {
    const BILL: &str = "10.1.0.3:5060";
    let text =
        document("", "", "").replacen("from = [\"10.1.0.2\"]", "from = [\"10.1.0.2\", \"10.1.0.3\"]", 1);
    let mut world = by_hand(&text, 2);
    let (first, then) = talking(&mut world, hiding());
    let value = format!("{};to-tag={};from-tag=bob", field(&then, "Call-ID"), tag(&then, "From"));
    let replacing = |seq| {
        let invite = Msg::request("INVITE", "sip:10.1.0.1:5060", BILL, seq).sdp(&voice(BILL, 8000));
        invite
            .set("From", "<sip:bill@b.example>;tag=bill")
            .with("Replaces", &value)
            .with("Require", "replaces")
    };
    world.post(BILL, INSIDE, &replacing(1));
    let told = world.expect(ALICE, "INVITE");
    assert!(field(&told, "From").contains("bill@b.example"), "{told}");
    // It comes to nothing: she talks with whom she was shown.
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 488, ""));
    world.expect(BILL, "488");
    world.post(BOB, INSIDE, &inside("BYE", (BOB, "bob"), 9, &then));
    let bye = world.expect(ALICE, "BYE");
    assert_eq!(field(&bye, "From"), field(&first, "From"));
}
