//! Several targets of a call, tried in order; redirections; a caller that gives up.

use super::common::{
    ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, answer, by_hand, document, invite, ms, s,
};
use liaison_tests::message::{Msg, field, find, start, tag};

/// The second target.
const CAROL: &str = "10.1.0.3:5060";
/// Where a redirection points to.
const DAVE: &str = "10.1.0.4:5060";

/// Two targets on Bob's side.
fn two_targets(more: &str, seed: u64) -> World {
    let text = document("", "", more);
    let text = text.replace("[\"sip:10.1.0.2:5060\"]", "[\"sip:10.1.0.2:5060\", \"sip:10.1.0.3:5060\"]");
    by_hand(&text, seed)
}

fn refuse_alice(world: &mut World, status: &str) -> String {
    let refused = world.expect(ALICE, status);
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    refused
}

fn refuse(world: &mut World, at: &str, status: u16) -> String {
    let invited = world.expect(at, "INVITE");
    world.post(at, INSIDE, &Msg::response(&invited, status, "no"));
    world.expect(at, "ACK");
    invited
}

#[test]
fn the_next_target_is_tried_after_a_failure_of_the_way() {
    for status in [408, 430, 500, 502, 503, 504] {
        let mut world = two_targets("", 1);
        world.post(ALICE, OUTSIDE, &invite());
        let first = refuse(&mut world, BOB, status);
        let second = world.expect(CAROL, "INVITE");
        assert_ne!(
            field(&first, "Call-ID"),
            field(&second, "Call-ID"),
            "each leg is a user agent of its own"
        );
        assert_ne!(tag(&first, "From"), tag(&second, "From"));
        world.post(CAROL, INSIDE, &answer(&second).contact(CAROL));
        let ok = world.expect(ALICE, "200");
        world.expect(CAROL, "ACK");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
        world.run_for(ms(20));
        assert_eq!(world.lent(), 2, "{status}");
        world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
        world.expect(ALICE, "200");
        let bye = world.expect(CAROL, "BYE");
        world.ok(CAROL, INSIDE, &bye);
        world.must_forget(&format!("a second target after {status}"));
    }
}

#[test]
fn a_refusal_of_the_called_party_is_final() {
    for status in [404, 480, 486, 600, 603] {
        let mut world = two_targets("", 2);
        world.post(ALICE, OUTSIDE, &invite());
        refuse(&mut world, BOB, status);
        refuse_alice(&mut world, &status.to_string());
        world.expect_no(CAROL, "INVITE");
        world.must_forget(&format!("a refusal with {status}"));
    }
}

#[test]
fn a_target_that_does_not_answer_is_given_up_for_the_next() {
    let mut world = two_targets("", 3);
    world.post(ALICE, OUTSIDE, &invite());
    world.expect(BOB, "INVITE");
    let second = world.expect_within(CAROL, "INVITE", s(33));
    world.post(CAROL, INSIDE, &Msg::response(&second, 503, "no"));
    world.expect(CAROL, "ACK");
    // 503 is the overload of somebody else (RFC 3261 §16.7).
    refuse_alice(&mut world, "500");
    world.must_forget("a silent target");
}

/// Bob redirects to Dave.
fn redirect(world: &mut World) -> String {
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    let moved = Msg::response(&invited, 302, "moved")
        .set("Contact", &format!("<sip:second@{DAVE};x=1>;q=0.2, <sip:dave@{DAVE}>;q=0.9"));
    world.post(BOB, INSIDE, &moved);
    world.expect(BOB, "ACK");
    invited
}

// conforms: RFC3261-8.1.3.4-2,3
#[test]
fn rfc3261_8_1_3_4_a_redirection_is_followed_where_the_profile_says_so() {
    let mut world = by_hand(&document("", "", "\n[profiles.default]\nredirects = \"follow\"\n"), 4);
    redirect(&mut world);
    let first = world.expect(DAVE, "INVITE");
    assert!(start(&first).starts_with(&format!("INVITE sip:dave@{DAVE} ")), "the best q first: {first}");
    world.post(DAVE, INSIDE, &Msg::response(&first, 503, "no"));
    world.expect(DAVE, "ACK");
    let second = world.expect(DAVE, "INVITE");
    assert!(start(&second).starts_with(&format!("INVITE sip:second@{DAVE};x=1 ")), "{second}");
    assert_ne!(field(&first, "Via"), field(&second, "Via"));
    world.post(DAVE, INSIDE, &Msg::response(&second, 486, "no"));
    world.expect(DAVE, "ACK");
    refuse_alice(&mut world, "486");
    world.must_forget("a followed redirection");
}

// conforms: RFC3261-21.3.3-1
#[test]
fn rfc3261_21_3_3_a_redirection_is_not_remembered() {
    let mut world = by_hand(&document("", "", "\n[profiles.default]\nredirects = \"follow\"\n"), 12);
    for seq in [1, 50] {
        let invite = Msg::request("INVITE", NUMBER, ALICE, seq);
        world.post(ALICE, OUTSIDE, &invite);
        let invited = world.expect(BOB, "INVITE");
        let moved = Msg::response(&invited, 302, "moved").set("Contact", &format!("<sip:dave@{DAVE}>"));
        world.post(BOB, INSIDE, &moved);
        world.expect(BOB, "ACK");
        let invited = world.expect(DAVE, "INVITE");
        world.post(DAVE, INSIDE, &Msg::response(&invited, 486, "no"));
        world.expect(DAVE, "ACK");
        let refused = world.expect(ALICE, "486");
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
    }
    world.must_forget("a redirection of each of two calls");
}

// conforms: RFC3261-21.3.4-1
#[test]
fn rfc3261_21_3_4_a_proxy_is_used_for_whom_was_called() {
    let mut world = by_hand(&document("", "", "\n[profiles.default]\nredirects = \"follow\"\n"), 13);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    let proxy = Msg::response(&invited, 305, "proxy").set("Contact", &format!("<sip:{DAVE};lr>"));
    world.post(BOB, INSIDE, &proxy);
    world.expect(BOB, "ACK");
    let again = world.expect(DAVE, "INVITE");
    assert_eq!(start(&again), start(&invited), "the Request-URI stays");
    world.post(DAVE, INSIDE, &Msg::response(&again, 486, "no"));
    world.expect(DAVE, "ACK");
    refuse_alice(&mut world, "486");
    world.must_forget("a call by way of a proxy");
}

// conforms: RFC3261-19.1.5-2,5,6
#[test]
fn rfc3261_19_1_5_a_uri_that_makes_no_invite_of_ours_is_not_called() {
    let mut world = by_hand(&document("", "", "\n[profiles.default]\nredirects = \"follow\"\n"), 14);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    let bad = format!(
        "<sip:a@{DAVE};method=MESSAGE>, <sip:b@{DAVE}?Require=foo>, <sip:c@{DAVE};method=INVITE?Subject=x>"
    );
    world.post(BOB, INSIDE, &Msg::response(&invited, 302, "m").set("Contact", &bad));
    world.expect(BOB, "ACK");
    let only = world.expect(DAVE, "INVITE");
    assert!(start(&only).starts_with(&format!("INVITE sip:c@{DAVE} ")), "{only}");
    assert_eq!(find(&only, "Subject"), None);
    world.post(DAVE, INSIDE, &Msg::response(&only, 486, "no"));
    world.expect(DAVE, "ACK");
    world.expect_no(DAVE, "");
    refuse_alice(&mut world, "486");
    world.must_forget("URIs that no INVITE is made from");
}

#[test]
fn a_redirection_crosses_where_the_profile_says_so() {
    let mut world = by_hand(TWO_SIDES, 5);
    redirect(&mut world);
    let refused = refuse_alice(&mut world, "302");
    let contact = find(&refused, "Contact").unwrap_or_default();
    assert!(
        contact.contains(&format!("<sip:dave@{DAVE}>")),
        "the caller is to go there by itself: {refused}"
    );
    world.expect_no(DAVE, "INVITE");
    world.must_forget("a carried redirection");
}

#[test]
fn redirections_without_end_stop_at_the_limit() {
    let more = "\n[profiles.default]\nredirects = \"follow\"\n[limits]\ntargets = 4\n";
    let mut world = by_hand(&document("", "", more), 6);
    world.post(ALICE, OUTSIDE, &invite());
    for n in 0..4 {
        let invited = world.expect(BOB, "INVITE");
        let next = format!("<sip:next-{n}@{BOB}>");
        world.post(BOB, INSIDE, &Msg::response(&invited, 302, "again").set("Contact", &next));
        world.expect(BOB, "ACK");
    }
    world.expect_no(BOB, "INVITE");
    refuse_alice(&mut world, "302");
    world.must_forget("redirections without end");
}

// conforms: RFC3261-8.1.3.4-1
#[test]
fn rfc3261_8_1_3_4_no_uri_is_tried_twice() {
    let mut world = by_hand(&document("", "", "\n[profiles.default]\nredirects = \"follow\"\n"), 11);
    world.post(ALICE, OUTSIDE, &invite());
    let first = world.expect(BOB, "INVITE");
    let asked = start(&first).split(' ').nth(1).unwrap().to_owned();
    let twice = format!("<{asked}>, <sip:a@{BOB}>, <sip:%61@{BOB};x=1>");
    world.post(BOB, INSIDE, &Msg::response(&first, 302, "m").set("Contact", &twice));
    world.expect(BOB, "ACK");
    let second = world.expect(BOB, "INVITE");
    assert!(start(&second).starts_with(&format!("INVITE sip:a@{BOB} ")), "{second}");
    world.post(BOB, INSIDE, &Msg::response(&second, 302, "m").set("Contact", &twice));
    world.expect(BOB, "ACK");
    world.expect_no(BOB, "INVITE");
    refuse_alice(&mut world, "302");
    world.must_forget("a circle of redirections");
}

#[test]
fn a_caller_that_gives_up_cancels_the_called_side_with_its_reason() {
    let mut world = by_hand(TWO_SIDES, 7);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.expect(ALICE, "180");
    let reason = "Q.850;cause=16;text=\"Terminated\"";
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &invite()).with("Reason", reason));
    world.expect(ALICE, "200");
    refuse_alice(&mut world, "487");
    let cancel = world.expect(BOB, "CANCEL");
    assert_eq!(field(&cancel, "Reason"), reason);
    assert_eq!(field(&cancel, "Via"), field(&invited, "Via"));
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&invited, 487, "bob"));
    world.expect(BOB, "ACK");
    world.must_forget("a cancelled call");
}

#[test]
fn rfc3261_9_1_no_cancel_goes_before_the_called_side_is_heard() {
    let mut world = by_hand(TWO_SIDES, 8);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &invite()));
    refuse_alice(&mut world, "487");
    world.expect_no(BOB, "CANCEL");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&invited, 487, "bob"));
    world.expect(BOB, "ACK");
    world.must_forget("an early CANCEL");
}

#[test]
fn an_answer_that_crosses_a_cancel_is_released() {
    let mut world = by_hand(TWO_SIDES, 9);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.expect(ALICE, "180");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &invite()));
    world.post(BOB, INSIDE, &answer(&invited));
    refuse_alice(&mut world, "487");
    world.expect(BOB, "ACK");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("an answer that crosses the CANCEL");
    assert_eq!(
        world.records.lock().unwrap()[0].legs[1].release,
        Some("released"),
        "by a BYE that was answered"
    );
}

#[test]
fn the_reason_of_a_bye_crosses_both_ways() {
    let reasons = [
        "Q.850;cause=31;text=\"Normal, \\\"unspecified\\\"\"",
        // A location stays with its cause (RFC 8606), and two protocols in one field stay together.
        "Q.850;cause=16;location=LN, SIP;cause=580;text=\"Precondition Failure\"",
        // RFC 4411 §4.1.
        "preemption ;cause=1 ;text=\"UA Preemption\"",
    ];
    for (reason, caller) in reasons.into_iter().flat_map(|reason| [(reason, true), (reason, false)]) {
        let mut world = by_hand(TWO_SIDES, 10);
        let call = super::common::Call::establish(&mut world);
        let (at, to, far) = if caller { (ALICE, OUTSIDE, BOB) } else { (BOB, INSIDE, ALICE) };
        let bye = if caller { call.alice("BYE", 2) } else { call.bob("BYE", 1) };
        world.post(at, to, &bye.with("Reason", reason));
        world.expect(at, "200");
        let crossed = world.expect(far, "BYE");
        assert_eq!(field(&crossed, "Reason"), reason);
        world.ok(far, if caller { INSIDE } else { OUTSIDE }, &crossed);
        world.run_for(ms(20));
        let records = world.records.lock().unwrap().clone();
        assert_eq!(records[0].legs[usize::from(!caller)].reason.as_deref(), Some(reason));
        world.must_forget("a BYE with a Reason");
    }
}
