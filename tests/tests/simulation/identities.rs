//! Who the parties of a call are, and what else they say that we only carry.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, answer, by_hand, invite};
use liaison_tests::message::{Msg, audio, field, fields, find};

const FROM_CHANGE: &str = "from-change";

/// Trusted on both sides.
fn trusted() -> String {
    TWO_SIDES.replace("[networks.carrier]\n", "[networks.carrier]\ntrusted = true\n")
}

/// A call between two that take another URI in From, or not.
fn between(alice: bool, bob: bool) -> (super::common::World, Call) {
    let mut world = by_hand(TWO_SIDES, 1);
    let says = |msg: Msg, takes: bool| if takes { msg.with("Supported", FROM_CHANGE) } else { msg };
    let call = Call::establish_with(&mut world, says(invite(), alice), |of| says(answer(of), bob));
    (world, call)
}

fn claims(text: &str) -> bool {
    let supported = fields(text).into_iter().filter(|(name, _)| name == "Supported");
    supported.into_iter().any(|(_, value)| value.contains(FROM_CHANGE))
}

// conforms: RFC4916-4.4.1-2,3,4 RFC4916-4.4.2-1
#[test]
fn rfc4916_4_3_another_from_crosses_to_who_takes_it() {
    for (alice, bob) in [(true, true), (true, false)] {
        let (mut world, call) = between(alice, bob);
        assert_eq!((claims(&call.invited), claims(&call.ok)), (alice, bob), "what the far side takes");
        let carol = "\"Carol\" <sip:carol@c.example>";
        let tagged = format!("{carol};tag=phone-1");
        let changed = call.alice("INVITE", 2).set("From", &tagged).sdp(&audio(ALICE, 4002));
        world.post(ALICE, OUTSIDE, &changed);
        let at_bob = world.expect(BOB, "INVITE");
        assert_eq!(field(&at_bob, "From").starts_with(carol), bob, "{at_bob}");
        world.post(BOB, INSIDE, &Msg::response(&at_bob, 200, "").contact(BOB).sdp(&audio(BOB, 6002)));
        world.expect(BOB, "ACK");
        let ok = world.expect(ALICE, "200");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 2, &ok));
        // The dialog goes by its tags: who she was before is in it, too.
        world.post(ALICE, OUTSIDE, &call.alice("INFO", 3));
        let info = world.expect(BOB, "INFO");
        assert_eq!(field(&info, "From"), field(&at_bob, "From"));
        world.ok(BOB, INSIDE, &info);
        world.expect(ALICE, "200");
        world.post(ALICE, OUTSIDE, &call.alice("INFO", 4).set("From", &tagged));
        let info = world.expect(BOB, "INFO");
        world.ok(BOB, INSIDE, &info);
        world.expect(ALICE, "200");
        // What we send to her is to whom she is now.
        world.post(BOB, INSIDE, &call.bob("BYE", 1));
        let bye = world.expect(ALICE, "BYE");
        assert!(field(&bye, "To").starts_with(carol), "{bye}");
    }
}

// conforms: RFC4916-4.4.2-2
#[test]
fn rfc4916_4_4_2_a_request_that_fails_changes_nobodys_name() {
    let (mut world, call) = between(true, true);
    let changed =
        call.alice("INVITE", 2).set("From", "<sip:carol@c.example>;tag=phone-1").sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &changed);
    let at_bob = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&at_bob, 488, ""));
    world.expect(ALICE, "488");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &changed));
    world.post(BOB, INSIDE, &call.bob("BYE", 1));
    let bye = world.expect(ALICE, "BYE");
    assert!(!field(&bye, "To").contains("carol"), "{bye}");
}

/// Header fields that we have no part in, in the messages that they may stand in.
const CARRIED: &[(&str, &str)] = &[
    ("P-Asserted-Identity", "\"Alice\" <sip:alice@a.example>, <tel:+4930>"),
    ("Privacy", "id;critical"),
    ("Alert-Info", "<http://a.example/ring.wav>;x=y"),
    ("Call-Info", "<http://a.example/face.jpg>;purpose=icon"),
    ("Resource-Priority", "ets.0, dsn.flash"),
    ("Answer-Mode", "Auto;require"),
    ("Geolocation", "<cid:target123@a.example>"),
    ("Feature-Caps", "*;+g.3gpp.srvcc=\"<tel:+1>\""),
    ("User-to-User", "56a390f3d2b7310023a2;encoding=hex"),
    ("Organization", "A & Sons"),
    ("Diversion", "<sip:one@x>;reason=user-busy;counter=1"),
    ("History-Info", "<sip:one@x?Reason=SIP%3Bcause%3D302>;index=1;foo=bar"),
    ("X-Whatever", "  odd ;; =\"value"),
];
/// Those of requests only.
const OF_REQUESTS: &[(&str, &str)] = &[
    ("Accept-Contact", "*;audio;require"),
    ("Reject-Contact", "*;automata"),
    ("Subject", "Re: \u{3c0}"),
    ("Priority", "urgent"),
    ("In-Reply-To", "70710@a.example"),
];

fn dressed(msg: Msg, fields: &[(&str, &str)]) -> Msg {
    fields.iter().fold(msg, |msg, (name, value)| msg.with(name, value))
}

fn has_all(text: &str, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        assert_eq!(find(text, name).as_deref(), Some(value.trim()), "{name} in\n{text}");
    }
}

// conforms: RFC5806-3.1-3
#[test]
fn what_the_parties_say_of_themselves_and_of_the_call_crosses_as_it_is() {
    let mut world = by_hand(&trusted(), 2);
    let all = [CARRIED, OF_REQUESTS].concat();
    world.post(ALICE, OUTSIDE, &dressed(invite(), &all));
    let invited = world.expect(BOB, "INVITE");
    has_all(&invited, &all);
    world.post(BOB, INSIDE, &dressed(Msg::response(&invited, 180, "bob").contact(BOB), CARRIED));
    has_all(&world.expect(ALICE, "180"), CARRIED);
    world.post(BOB, INSIDE, &dressed(answer(&invited), CARRIED));
    let ok = world.expect(ALICE, "200");
    has_all(&ok, CARRIED);
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    let call = Call { ok, invited, acked };
    world.post(ALICE, OUTSIDE, &dressed(call.alice("INVITE", 2).sdp(&audio(ALICE, 4002)), &all));
    let again = world.expect(BOB, "INVITE");
    has_all(&again, &all);
    world.post(
        BOB,
        INSIDE,
        &dressed(Msg::response(&again, 200, "").contact(BOB).sdp(&audio(BOB, 6002)), CARRIED),
    );
    let ok = world.expect(ALICE, "200");
    has_all(&ok, CARRIED);
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 2, &ok));
    world.post(ALICE, OUTSIDE, &dressed(call.alice("BYE", 3), CARRIED));
    has_all(&world.expect(BOB, "BYE"), CARRIED);
}

// conforms: RFC5876-4.4-1
/// Of a side that we do not trust, nobody's identity is asserted.
#[test]
fn rfc3325_5_an_asserted_identity_of_an_untrusted_side_crosses_in_no_message() {
    let mut world = by_hand(TWO_SIDES, 3);
    let asserted = [("P-Asserted-Identity", "<sip:alice@a.example>")];
    let call =
        Call::establish_with(&mut world, dressed(invite(), &asserted), |of| dressed(answer(of), &asserted));
    world.post(ALICE, OUTSIDE, &dressed(call.alice("INFO", 2), &asserted));
    let info = world.expect(BOB, "INFO");
    for text in [&call.invited, &call.ok, &info] {
        assert_eq!(find(text, "P-Asserted-Identity"), None, "{text}");
    }
}
