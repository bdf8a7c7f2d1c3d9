//! Reliable provisional responses (RFC 3262), on each leg whatever the other one has of them.

use super::common::{ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, by_hand, ms, s};
use liaison_tests::message::{Msg, audio, body, field, find, line, start, tag};

/// Alice's INVITE, with that field for `100rel`.
fn invite(field: &str) -> Msg {
    let invite = Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000));
    if field.is_empty() { invite } else { invite.with(field, "100rel") }
}

/// The same without an offer.
fn delayed(field: &str) -> Msg {
    let invite = Msg::request("INVITE", NUMBER, ALICE, 1);
    if field.is_empty() { invite } else { invite.with(field, "100rel") }
}

/// Alice calls: what Bob is asked.
fn calls(world: &mut World, invite: &Msg) -> String {
    world.post(ALICE, OUTSIDE, invite);
    world.expect(BOB, "INVITE")
}

/// A reliable response of Bob's, in that early dialog and with that number.
fn reliable(invited: &str, status: u16, tag: &str, number: u32) -> Msg {
    let response = Msg::response(invited, status, tag).contact(BOB);
    response.with("Require", "100rel").with("RSeq", &number.to_string())
}

/// Alice acknowledges a reliable response of ours.
fn prack(of: &str, seq: u32) -> Msg {
    Msg::inside("PRACK", ALICE, seq, of).with("RAck", &format!("{} 1 INVITE", field(of, "RSeq")))
}

/// Bob is acknowledged, and says that he has heard it.
fn pracked(world: &mut World, number: u32) -> String {
    let prack = world.expect(BOB, "PRACK");
    assert_eq!(field(&prack, "RAck"), format!("{number} 1 INVITE"));
    world.ok(BOB, INSIDE, &prack);
    prack
}

/// Whether a response is reliable.
fn is_reliable(response: &str) -> bool {
    find(response, "Require").as_deref() == Some("100rel") && find(response, "RSeq").is_some()
}

/// Bob answers and Alice acknowledges: what each got. Then she hangs up.
fn answered(world: &mut World, answer: &Msg) -> (String, String) {
    world.post(BOB, INSIDE, answer);
    let ok = world.expect(ALICE, "200");
    assert!(field(&ok, "CSeq").ends_with("INVITE"), "{ok}");
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 1);
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, &ok));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call with reliable responses");
    (ok, acked)
}

// conforms: RFC3262-4-2,5 RFC3262-5-5 RFC3261-13.2.1-5
#[test]
fn rfc3262_both_sides_have_it_and_the_answer_is_given_once() {
    let mut world = by_hand(TWO_SIDES, 1);
    let invited = calls(&mut world, &invite("Supported"));
    assert!(
        field(&invited, "Supported").contains("100rel") && field(&invited, "Allow").contains("PRACK"),
        "{invited}"
    );
    world.post(BOB, INSIDE, &reliable(&invited, 183, "bob", 7).sdp(&audio(BOB, 6000)));
    let progress = world.expect(ALICE, "183");
    assert!(is_reliable(&progress), "{progress}");
    let port = line(body(&progress), 'm');
    pracked(&mut world, 7);
    world.post(ALICE, OUTSIDE, &prack(&progress, 2));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "2 PRACK");
    // Another description of Bob's is no answer any more.
    world.post(BOB, INSIDE, &reliable(&invited, 180, "bob", 8));
    let ringing = world.expect(ALICE, "180");
    assert!(is_reliable(&ringing) && body(&ringing).is_empty(), "{ringing}");
    pracked(&mut world, 8);
    world.post(ALICE, OUTSIDE, &prack(&ringing, 3));
    world.expect(ALICE, "200");
    let (ok, acked) = answered(&mut world, &Msg::response(&invited, 200, "bob").contact(BOB));
    assert!(body(&ok).is_empty() && body(&acked).is_empty() && port.starts_with("audio"), "{ok}");
}

#[test]
fn rfc3262_only_the_called_side_has_it() {
    let mut world = by_hand(TWO_SIDES, 2);
    let invited = calls(&mut world, &invite(""));
    world.post(BOB, INSIDE, &reliable(&invited, 183, "bob", 7).sdp(&audio(BOB, 6000)));
    let progress = world.expect(ALICE, "183");
    assert!(!is_reliable(&progress) && !body(&progress).is_empty(), "{progress}");
    pracked(&mut world, 7);
    let (ok, _) = answered(&mut world, &Msg::response(&invited, 200, "bob").contact(BOB));
    assert_eq!(body(&ok), body(&progress), "who had no reliable answer has it in the 2xx (RFC 3261 §13.2.1)");
}

#[test]
fn rfc3262_only_the_caller_has_it_and_wants_it() {
    let mut world = by_hand(TWO_SIDES, 3);
    let invited = calls(&mut world, &invite("Require"));
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let ringing = world.expect(ALICE, "180");
    assert!(is_reliable(&ringing), "{ringing}");
    world.post(ALICE, OUTSIDE, &prack(&ringing, 2));
    world.expect(ALICE, "200");
    world.expect_no(BOB, "PRACK");
    // One that supports it gets what was not reliable as it came.
    let (ok, _) =
        answered(&mut world, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    assert!(!body(&ok).is_empty(), "{ok}");
    let mut world = by_hand(TWO_SIDES, 4);
    let invited = calls(&mut world, &invite("Supported"));
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    assert!(!is_reliable(&world.expect(ALICE, "180")));
}

// conforms: RFC3262-5-1,2
#[test]
fn rfc3262_5_an_offer_in_a_reliable_response_is_answered_in_the_prack_which_waits_for_the_caller() {
    let mut world = by_hand(TWO_SIDES, 5);
    let invited = calls(&mut world, &delayed("Supported"));
    assert!(body(&invited).is_empty() && field(&invited, "Supported").contains("100rel"), "{invited}");
    // Without an offer it is not reliable for Alice, whatever it is for us.
    world.post(BOB, INSIDE, &reliable(&invited, 180, "early", 1).without("Require").without("RSeq"));
    assert!(!is_reliable(&world.expect(ALICE, "180")));
    world.post(BOB, INSIDE, &reliable(&invited, 183, "bob", 7).sdp(&audio(BOB, 6000)));
    let offered = world.expect(ALICE, "183");
    assert!(is_reliable(&offered) && line(body(&offered), 'm').starts_with("audio"), "{offered}");
    world.expect_no(BOB, "PRACK");
    world.post(ALICE, OUTSIDE, &prack(&offered, 2).sdp(&audio(ALICE, 4000)));
    let prack = pracked(&mut world, 7);
    assert!(line(body(&prack), 'm').starts_with("audio"), "{prack}");
    let ok = world.expect(ALICE, "200");
    assert!(field(&ok, "CSeq") == "2 PRACK" && body(&ok).is_empty(), "{ok}");
    // What Bob says again is no offer any more (RFC 6337 §3.1.1).
    let again = Msg::response(&invited, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000));
    let (ok, acked) = answered(&mut world, &again);
    assert!(body(&ok).is_empty() && body(&acked).is_empty(), "{ok}{acked}");
}

/// Only the response with the offer waits for the caller: who goes on meanwhile is acknowledged.
#[test]
fn rfc3262_4_what_comes_after_an_offer_that_waits_is_acknowledged_at_once() {
    let mut world = by_hand(TWO_SIDES, 31);
    let invited = calls(&mut world, &delayed("Supported"));
    world.post(BOB, INSIDE, &reliable(&invited, 183, "bob", 7).sdp(&audio(BOB, 6000)));
    world.expect(ALICE, "183");
    world.post(BOB, INSIDE, &reliable(&invited, 180, "bob", 8));
    pracked(&mut world, 8);
    world.expect_no(BOB, "PRACK");
}

#[test]
fn rfc3262_5_a_caller_that_could_not_answer_is_spared_the_offer() {
    let mut world = by_hand(TWO_SIDES, 6);
    let invited = calls(&mut world, &delayed(""));
    assert!(!find(&invited, "Supported").unwrap_or_default().contains("100rel"), "{invited}");
    let (ok, acked) = {
        world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
        let ok = world.expect(ALICE, "200");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok).sdp(&audio(ALICE, 4000)));
        (ok, world.expect(BOB, "ACK"))
    };
    assert!(!body(&ok).is_empty() && !body(&acked).is_empty());
}

#[test]
fn rfc3262_5_a_prack_that_owes_an_answer_and_has_none_ends_the_call() {
    let mut world = by_hand(TWO_SIDES, 7);
    let invited = calls(&mut world, &delayed("Require"));
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.expect_no(ALICE, "180");
    world.post(BOB, INSIDE, &reliable(&invited, 183, "bob", 7).sdp(&audio(BOB, 6000)));
    let offered = world.expect(ALICE, "183");
    world.post(ALICE, OUTSIDE, &prack(&offered, 2));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "2 PRACK");
    let refused = pracked(&mut world, 7);
    assert!(
        line(body(&refused), 'm').starts_with("audio 0 "),
        "it has a valid answer all the same: {refused}"
    );
    let failed = fails(&mut world);
    assert!(start(&failed).starts_with("488"), "{failed}");
    world.expect(BOB, "CANCEL");
}

// conforms: RFC3262-3-15
#[test]
fn rfc3262_3_the_2xx_waits_until_the_caller_has_the_answer() {
    let mut world = by_hand(TWO_SIDES, 8);
    let invited = calls(&mut world, &invite("Supported"));
    world.post(BOB, INSIDE, &reliable(&invited, 183, "bob", 7).sdp(&audio(BOB, 6000)));
    let progress = world.expect(ALICE, "183");
    pracked(&mut world, 7);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    world.expect(BOB, "ACK");
    world.expect_no(ALICE, "200");
    world.post(ALICE, OUTSIDE, &prack(&progress, 2));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "2 PRACK");
    let ok = world.expect(ALICE, "200");
    assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("1 INVITE", ""));
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(s(40));
    assert_eq!(world.gauges().calls, 1);
}

#[test]
fn rfc3262_3_a_caller_that_acknowledges_nothing_loses_its_call() {
    for answers in [false, true] {
        let mut world = by_hand(TWO_SIDES, 9);
        let invited = calls(&mut world, &invite("Supported"));
        world.post(BOB, INSIDE, &reliable(&invited, 183, "bob", 7).sdp(&audio(BOB, 6000)));
        world.expect(ALICE, "183");
        pracked(&mut world, 7);
        if answers {
            world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
            world.expect(BOB, "ACK");
        }
        let failed = fails(&mut world);
        assert!(start(&failed).starts_with("504"), "{failed}");
        let end = world.expect(BOB, if answers { "BYE" } else { "CANCEL" });
        assert_eq!(field(&end, "Reason"), "SIP;cause=504;text=\"No PRACK\"");
    }
}

// conforms: RFC3262-5-3
#[test]
fn rfc3262_5_an_offer_in_a_prack_is_answered_in_its_2xx() {
    let mut world = by_hand(TWO_SIDES, 10);
    let invited = calls(&mut world, &invite("Supported"));
    world.post(BOB, INSIDE, &reliable(&invited, 183, "bob", 7).sdp(&audio(BOB, 6000)));
    let progress = world.expect(ALICE, "183");
    pracked(&mut world, 7);
    world.post(ALICE, OUTSIDE, &prack(&progress, 2).sdp(&audio(ALICE, 4444)));
    let answer = world.expect(ALICE, "200");
    assert_eq!(field(&answer, "CSeq"), "2 PRACK");
    assert!(line(body(&answer), 'm').starts_with("audio"), "{answer}");
    let (ok, _) = answered(&mut world, &Msg::response(&invited, 200, "bob").contact(BOB));
    assert!(body(&ok).is_empty(), "{ok}");
}

#[test]
fn where_it_is_switched_off_it_is_refused_and_not_offered() {
    let off = format!("{TWO_SIDES}\n[profiles.default]\nreliable_responses = false\n");
    let mut world = by_hand(&off, 11);
    world.post(ALICE, OUTSIDE, &invite("Require"));
    let refused = world.expect(ALICE, "420");
    assert_eq!(field(&refused, "Unsupported"), "100rel");
    let mut world = by_hand(&off, 12);
    let invited = calls(&mut world, &invite("Supported"));
    assert!(!find(&invited, "Supported").unwrap_or_default().contains("100rel"), "{invited}");
}

#[test]
fn rfc3262_each_branch_of_a_fork_is_acknowledged_apart_and_a_late_answer_is_ended() {
    let mut world = by_hand(TWO_SIDES, 13);
    let invited = calls(&mut world, &invite("Supported"));
    let mut early = Vec::new();
    for (tag, number, port) in [("one", 7, 6000), ("two", 900, 6010), ("three", 1, 6020)] {
        world.post(BOB, INSIDE, &reliable(&invited, 183, tag, number).sdp(&audio(BOB, port)));
        let progress = world.expect(ALICE, "183");
        assert!(is_reliable(&progress), "{progress}");
        let acknowledged = pracked(&mut world, number);
        assert_eq!(to_tag(&acknowledged), tag);
        early.push(progress);
    }
    let mut tags: Vec<String> = early.iter().map(|progress| tag(progress, "To")).collect();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "three early dialogs, each apart");
    for progress in &early {
        world.post(ALICE, OUTSIDE, &prack(progress, 2).branch(&tag(progress, "To")));
        world.expect(ALICE, "200");
    }
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "two").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert_eq!(tag(&ok, "To"), tag(&early[1], "To"));
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "three").contact(BOB));
    assert_eq!(to_tag(&world.expect(BOB, "ACK")), "three");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(to_tag(&bye), "three");
    world.ok(BOB, INSIDE, &bye);
    world.expect_no(ALICE, "BYE");
    assert_eq!(world.gauges().calls, 1);
}

/// The final response to Alice's INVITE.
fn fails(world: &mut World) -> String {
    loop {
        let next = world.expect_within(ALICE, "", s(40));
        if !start(&next).starts_with('1') && field(&next, "CSeq") == "1 INVITE" {
            return next;
        }
    }
}

/// The tag of whom a request of ours is for.
fn to_tag(request: &str) -> String {
    tag(request, "To")
}

#[test]
fn a_prack_without_a_body_is_no_answer_to_an_offer_in_an_update() {
    let takes = "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE";
    let mut world = by_hand(TWO_SIDES, 30);
    let invited = calls(&mut world, &invite("Supported").with("Allow", takes));
    let answer = reliable(&invited, 183, "bob", 7).with("Allow", takes).sdp(&audio(BOB, 6000));
    world.post(BOB, INSIDE, &answer);
    let progress = world.expect(ALICE, "183");
    pracked(&mut world, 7);
    world.post(ALICE, OUTSIDE, &prack(&progress, 2));
    world.expect(ALICE, "200");
    // Bob rings, and offers something else at once.
    world.post(BOB, INSIDE, &reliable(&invited, 180, "bob", 8));
    let ringing = world.expect(ALICE, "180");
    pracked(&mut world, 8);
    let as_bob = format!("{};tag=bob", field(&invited, "To"));
    let update = Msg::inside("UPDATE", BOB, 1, &invited).set("From", &as_bob);
    world.post(BOB, INSIDE, &update.sdp(&audio(BOB, 6600)));
    let update = world.expect(ALICE, "UPDATE");
    world.post(ALICE, OUTSIDE, &prack(&ringing, 3));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "3 PRACK");
    world.post(ALICE, OUTSIDE, &Msg::response(&update, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    assert_eq!(field(&world.expect(BOB, "200"), "CSeq"), "1 UPDATE");
    answered(&mut world, &Msg::response(&invited, 200, "bob").contact(BOB));
}
