//! What the appendices of RFC 5407 show, with Liaison between the two that race.

use super::parts::{
    ALICE, BOB, Flow, NUMBER, Played, Side, Stage, answer, bye, call, described, failed, flows, invite,
    is_left, leaves, printed, two,
};
use super::rfc5407::{asks_as_she_leaves, ends_as_it_is_answered, ringing};
use liaison_tests::message::{Msg, field};

flows! {
    // conforms: RFC5407-2-1 RFC5407-A-1
    rfc5407_a_bye_of_an_early_dialog_and_another_answers in two,
    rfc5407_b_bye_overtakes_the_reinvite in two,
    // conforms: RFC5407-2-1 RFC5407-A-1
    rfc5407_c_cancel_before_the_answer in two,
    rfc5407_d_another_request_meets_bye in two,
}

/// Beyond Bob's address is a proxy. Alice has heard of Bob, and leaves him; then it calls somebody else, who answers.
fn rfc5407_a_bye_of_an_early_dialog_and_another_answers(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    stage.send(BOB, &Msg::response(&invited, 180, "bob").phrase("Ringing").contact(BOB));
    if let Some(heard) = stage.perhaps(ALICE, "180")? {
        let mut early = Side::calling(ALICE, &heard).beside();
        leaves(stage, &mut early)?;
        is_left(stage, &Side::called(BOB, &invited, "bob"))?;
    }
    let text = described(BOB, 6100, 1, "");
    stage.send(BOB, &Msg::response(&invited, 200, "carol").phrase("OK").contact(BOB).sdp(&text));
    let Some(mut alice) = ends_as_it_is_answered(stage, &invite)? else {
        stage.get(BOB, "ACK")?;
        return is_left(stage, &Side::called(BOB, &invited, "carol"));
    };
    stage.get(BOB, "ACK")?;
    bye(stage, &mut alice, &Side::called(BOB, &invited, "carol"))
}

/// The re-INVITE has been lost until then: it is too late, or out of order.
fn rfc5407_b_bye_overtakes_the_reinvite(stage: &mut Stage) -> Played {
    let (mut alice, bob) = call(stage, ALICE, NUMBER, BOB)?;
    let sdp = alice.sdp("a=sendonly\r\n");
    let reinvite = alice.request("INVITE").sdp(&sdp);
    leaves(stage, &mut alice)?;
    stage.send(ALICE, &reinvite);
    let (_, refusal) = stage.get_any(&[(ALICE, "481 INVITE"), (ALICE, "500 INVITE")])?;
    stage.send(ALICE, &Msg::of_invite("ACK", &reinvite).set("To", &field(&refusal, "To")));
    is_left(stage, &bob)
}

/// Bob's 200 crosses our CANCEL.
fn rfc5407_c_cancel_before_the_answer(stage: &mut Stage) -> Played {
    let (invite, invited) = ringing(stage)?;
    stage.send(ALICE, &Msg::of_invite("CANCEL", &invite));
    stage.get(ALICE, "200 CANCEL")?;
    failed(stage, &invite, "487")?;
    stage.send(BOB, &answer(BOB, &invited));
    let cancel = stage.get(BOB, "CANCEL")?;
    stage.ok(BOB, &cancel);
    stage.get(BOB, "ACK")?;
    is_left(stage, &Side::called(BOB, &invited, "bob"))
}

fn rfc5407_d_another_request_meets_bye(stage: &mut Stage) -> Played {
    asks_as_she_leaves(stage, |bob| bob.request("INFO").body("application/dtmf-relay", "Signal=5\r\n"))
}
