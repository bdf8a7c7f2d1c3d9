//! Calls to SIPS URIs: over TLS on both sides, or not at all (RFC 5630).

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, invite, ms};
use liaison_tests::message::{Msg, field, start};

/// Two sides of which Alice's, or both, are on TLS. Nothing of TLS is simulated: a flow counts as what its listener is.
fn sides(bob_too: bool, target: &str) -> World {
    let tls = "transport = \"tls\", tls = { certificates = [{ chain = \"/none\", key = \"/none\" }] }";
    let count = if bob_too { 2 } else { 1 };
    let text = TWO_SIDES.replacen("transport = \"udp\"", tls, count).replace("sip:10.1.0.2:5060", target);
    let text = text.replacen("sip:10.0.0.2:5060", "sip:10.0.0.2:5060;transport=tls", 1);
    by_hand(&format!("{text}[profiles.default]\nredirects = \"follow\"\n"), 1)
}

fn to_sips() -> Msg {
    let uri = "sips:+4930@10.0.0.1";
    invite()
        .uri(uri)
        .set("Contact", "<sips:alice@10.0.0.2:5060>")
        .set("Via", "SIP/2.0/TLS 10.0.0.2:5060;branch=z9hG4bKsips")
}

// conforms: RFC3261-12.1.2-2 RFC5630-5.1.1-1 RFC5630-5.1.2-1
#[test]
fn rfc5630_5_3_a_sips_call_is_sips_on_the_other_leg_too() {
    for target in ["sips:10.1.0.2:5060", "sip:10.1.0.2:5060;transport=tls"] {
        let mut world = sides(true, target);
        world.post(ALICE, OUTSIDE, &to_sips());
        let invited = world.expect(BOB, "INVITE");
        assert!(start(&invited).starts_with("INVITE sips:+4930@10.1.0.2:5060"), "{invited}");
        assert_eq!(field(&invited, "Contact"), "<sips:10.1.0.1:5060>");
        world.post(
            BOB,
            INSIDE,
            &Msg::response(&invited, 180, "bob").set("Contact", "<sips:bob@10.1.0.2:5060>"),
        );
        assert_eq!(field(&world.expect(ALICE, "180"), "Contact"), "<sips:10.0.0.1:5060>");
        world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
        world.expect(BOB, "ACK");
        let busy = world.expect(ALICE, "486");
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &to_sips()).set("To", &field(&busy, "To")));
        world.must_forget(target);
    }
}

#[test]
fn rfc5630_5_3_a_sips_call_is_not_carried_on_in_the_clear() {
    let mut world = sides(false, "sip:10.1.0.2:5060");
    world.post(ALICE, OUTSIDE, &to_sips());
    let refused = world.expect(ALICE, "480");
    assert_eq!(field(&refused, "Warning"), "380 liaison \"SIPS Not Allowed\"");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &to_sips()).set("To", &field(&refused, "To")));
    world.run_for(ms(100));
    let bob: std::net::SocketAddr = BOB.parse().unwrap();
    assert!(world.mail.iter().all(|datagram| datagram.to != bob), "nothing goes to Bob: {:?}", world.mail);
    world.must_forget("a SIPS call without TLS behind");
}

#[test]
fn rfc5630_5_3_a_redirection_does_not_take_a_sips_call_off_sips() {
    let mut world = sides(true, "sips:10.1.0.2:5060");
    world.post(ALICE, OUTSIDE, &to_sips());
    let invited = world.expect(BOB, "INVITE");
    let moved = Msg::response(&invited, 302, "bob").set("Contact", "<sip:dave@10.1.0.4:5060;transport=tls>");
    world.post(BOB, INSIDE, &moved);
    world.expect(BOB, "ACK");
    let answer = world.expect(ALICE, "302");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &to_sips()).set("To", &field(&answer, "To")));
    world.must_forget("a redirection from SIPS to SIP");
}

// conforms: RFC5630-5.1.1-3 RFC5630-A-1
#[test]
fn rfc5630_5_1_1_a_refusal_of_sips_is_not_tried_again_as_sip() {
    for (status, warning) in [(416, None), (480, Some("380 bob \"SIPS Not Allowed\""))] {
        let mut world = sides(true, "sips:10.1.0.2:5060");
        world.post(ALICE, OUTSIDE, &to_sips());
        let invited = world.expect(BOB, "INVITE");
        let refused = Msg::response(&invited, status, "bob");
        let refused = warning.iter().fold(refused, |refused, text| refused.with("Warning", text));
        world.post(BOB, INSIDE, &refused);
        world.expect(BOB, "ACK");
        let answer = world.expect(ALICE, &status.to_string());
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &to_sips()).set("To", &field(&answer, "To")));
        world.expect_no(BOB, "INVITE");
        world.must_forget("a refusal of SIPS");
    }
}

#[test]
fn a_sips_target_makes_a_sip_call_secure_from_here_on() {
    let mut world = sides(true, "sips:10.1.0.2:5060");
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    assert!(start(&invited).starts_with("INVITE sips:"), "{invited}");
    world.post(BOB, INSIDE, &Msg::response(&invited, 603, "bob"));
    world.expect(BOB, "ACK");
    let declined = world.expect(ALICE, "603");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&declined, "To")));
    world.must_forget("a SIP call to a SIPS target");
}
