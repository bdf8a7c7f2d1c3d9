//! Transfers in which something is waited for: a NOTIFY that is not answered, another shard, who owes an answer and goes.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, World, by_hand, ms, s};
use super::transfer::{CAROL, TARGET, carol_answers, is_quiet, three, told};
use super::transfer_shards::{apart, of_carol, refer_to};
use liaison_tests::message::{Msg, audio, body, field, line, tag, uri_in};

/// Bob transfers Alice to Carol, who rings; Bob has not answered the first NOTIFY: Carol's INVITE, and that NOTIFY.
fn unanswered(world: &mut World, call: &Call) -> (String, String) {
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &format!("<{TARGET}>")));
    world.expect(BOB, "200");
    let notify = world.expect(BOB, "NOTIFY");
    let invited = world.expect(CAROL, "INVITE");
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 180, "carol").contact(CAROL));
    world.run_for(ms(20));
    assert!(is_quiet(world, BOB), "one NOTIFY at a time");
    (invited, notify)
}

fn heard_at_last(world: &mut World) -> (String, String) {
    loop {
        // What was sent before is heard again and again.
        let notify = world.expect_within(BOB, "NOTIFY", s(1));
        let said = told(&notify);
        if said.0.starts_with("terminated") {
            world.ok(BOB, INSIDE, &notify);
            return said;
        }
    }
}

#[test]
fn rfc5057_4_1_the_transferor_hears_of_the_end_though_it_has_answered_no_notify_before() {
    let mut world = by_hand(&three(), 1);
    let call = Call::establish(&mut world);
    let (invited, notify) = unanswered(&mut world, &call);
    // The transferee goes, and with it the call.
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    world.expect(ALICE, "200");
    let cancel = world.expect(CAROL, "CANCEL");
    world.ok(CAROL, OUTSIDE, &cancel);
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 487, "carol"));
    world.expect(CAROL, "ACK");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.run_for(ms(100));
    assert!(is_quiet(&world, BOB));
    world.ok(BOB, INSIDE, &notify);
    let (state, status) = heard_at_last(&mut world);
    assert_eq!((&*state, &*status), ("terminated;reason=noresource", "SIP/2.0 487 Transferee Gone"));
    world.must_forget("a transfer whose end is heard of late");
}

#[test]
fn the_transferor_hears_of_the_end_after_a_notify_that_it_has_never_answered() {
    let mut world = by_hand(&three(), 2);
    let call = Call::establish(&mut world);
    let (invited, _) = unanswered(&mut world, &call);
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 503, "carol"));
    world.expect(CAROL, "ACK");
    world.run_for(s(33));
    let (state, status) = heard_at_last(&mut world);
    assert_eq!((&*state, &*status), ("terminated;reason=noresource", "SIP/2.0 500 Server Internal Error"));
    world.run_for(ms(50));
    assert_eq!(world.gauges().calls, 1, "the call stands");
}

/// A REFER of Alice's outside the dialog of her call with Bob, which it is about, to whom she talks with in her call of another shard.
fn refer_outside(call: &Call, ok: &str) -> Msg {
    let contact = uri_in(&field(&call.ok, "Contact"));
    let about = format!(
        "{};local-tag={};remote-tag={}",
        field(&call.ok, "Call-ID"),
        tag(&call.ok, "To"),
        tag(&call.ok, "From")
    );
    let refer = Msg::request("REFER", &contact, ALICE, 90).with("Refer-To", &refer_to(ok));
    refer.with("Target-Dialog", &about).with("Require", "tdialog")
}

#[test]
fn rfc7647_4_a_refer_outside_a_dialog_waits_for_what_another_shard_says() {
    let (mut world, call, acked, ok) = apart(&three());
    let refer = refer_outside(&call, &ok);
    world.post(ALICE, OUTSIDE, &refer);
    let accepted = world.expect(ALICE, "200");
    assert!(field(&accepted, "CSeq").ends_with("REFER"), "{accepted}");
    let notify = world.expect(ALICE, "NOTIFY");
    assert_eq!(field(&notify, "Call-ID"), field(&refer.text(), "Call-ID"), "in a dialog of its own");
    world.ok(ALICE, OUTSIDE, &notify);
    let invited = world.expect(CAROL, "INVITE");
    assert_eq!(field(&invited, "Replaces"), of_carol(&acked));
    carol_answers(&mut world, &invited);
    let last = world.expect(ALICE, "NOTIFY");
    world.ok(ALICE, OUTSIDE, &last);
    assert_eq!(told(&last), ("terminated;reason=noresource".into(), "SIP/2.0 200 OK".into()));
}

#[test]
fn a_refer_outside_a_dialog_does_not_wait_longer_than_two_seconds_for_another_shard() {
    let (mut world, call, _, ok) = apart(&three());
    world.letters_are_lost = true;
    world.post(ALICE, OUTSIDE, &refer_outside(&call, &ok));
    world.run_for(ms(1900));
    assert!(is_quiet(&world, ALICE));
    let refused = world.expect_within(ALICE, "503", ms(200));
    assert!(field(&refused, "CSeq").ends_with("REFER"), "{refused}");
    assert!(is_quiet(&world, CAROL));
    world.run_for(ms(50));
    assert_eq!(world.gauges().sip.asked, 0);
    // One within the dialog is not kept longer either.
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &refer_to(&ok)));
    let refused = world.expect_within(ALICE, "503", ms(2100));
    assert_eq!(field(&refused, "CSeq"), "2 REFER");
}

#[test]
fn a_refer_outside_a_dialog_that_waits_for_another_shard_is_refused_when_its_call_ends() {
    let (mut world, call, _, ok) = apart(&three());
    world.letters_are_lost = true;
    world.post(ALICE, OUTSIDE, &refer_outside(&call, &ok));
    world.run_for(ms(100));
    world.post(BOB, INSIDE, &call.bob("BYE", 1));
    world.expect(BOB, "200");
    let refused = world.expect(ALICE, "481");
    assert!(field(&refused, "CSeq").ends_with("REFER"), "{refused}");
    world.expect(ALICE, "BYE");
    world.run_for(ms(50));
    assert_eq!(world.gauges().sip.asked, 0);
}

/// Bob transfers Alice to Carol, who rings, and asks Alice for an offer meanwhile: what he got for that.
fn asks_for_an_offer(world: &mut World, call: &Call, from_bob: bool) -> (String, String) {
    let (invited, notify) = unanswered(world, call);
    world.ok(BOB, INSIDE, &notify);
    let ringing = world.expect(BOB, "NOTIFY");
    world.ok(BOB, INSIDE, &ringing);
    let (at, to, far, back, port) =
        if from_bob { (BOB, INSIDE, ALICE, OUTSIDE, 4000) } else { (ALICE, OUTSIDE, BOB, INSIDE, 6000) };
    let again = if from_bob { call.bob("INVITE", 5) } else { call.alice("INVITE", 5) };
    world.post(at, to, &again);
    let asked = world.expect(far, "INVITE");
    assert_eq!(body(&asked), "");
    world.post(far, back, &Msg::response(&asked, 200, "").contact(far).sdp(&audio(far, port)));
    let ok = world.expect(at, "200");
    assert!(!body(&ok).is_empty(), "an offer: {ok}");
    (invited, ok)
}

#[test]
fn rfc3261_13_2_2_4_what_a_transferor_that_goes_owes_an_answer_to_is_refused_in_our_ack() {
    let mut world = by_hand(&three(), 5);
    let call = Call::establish(&mut world);
    let (invited, _) = asks_for_an_offer(&mut world, &call, true);
    assert!(is_quiet(&world, ALICE), "her 200 waits for Bob's answer");
    world.post(BOB, INSIDE, &call.bob("BYE", 6));
    world.expect(BOB, "200");
    let ack = world.expect(ALICE, "ACK");
    assert!(line(body(&ack), 'm').starts_with("audio 0 "), "an answer all the same: {ack}");
    // Then she has whom she was transferred to.
    carol_answers(&mut world, &invited);
    let again = world.expect_within(ALICE, "INVITE", s(1));
    assert!(line(body(&again), 'm').starts_with("audio 2000"), "{again}");
    world.post(ALICE, OUTSIDE, &Msg::response(&again, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    world.run_for(s(3));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
}

#[test]
fn an_ack_that_answers_an_offer_of_a_transferor_that_has_gone_ends_nothing() {
    let mut world = by_hand(&three(), 6);
    let call = Call::establish(&mut world);
    let (invited, ok) = asks_for_an_offer(&mut world, &call, false);
    world.post(BOB, INSIDE, &call.bob("BYE", 6));
    world.expect(BOB, "200");
    world.run_for(ms(20));
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 5, &ok).sdp(&audio(ALICE, 4000)));
    world.run_for(ms(20));
    assert!(is_quiet(&world, ALICE));
    carol_answers(&mut world, &invited);
    world.run_for(s(3));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    assert!(world.unread(ALICE).iter().all(|text| !text.starts_with("BYE")));
}
