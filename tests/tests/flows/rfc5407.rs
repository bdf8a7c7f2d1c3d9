//! The races of RFC 5407, with Liaison between the two that race: it is in one role of the race on each leg. What each of the two
//! does does not wait for the other one, so that the messages cross; in foul weather they meet elsewhere, and both have to end well.

use super::parts::{
    ALICE, BOB, CAROL, Flow, NUMBER, Played, Side, Stage, Stuck, TARGET, accepts, answer, bye, call,
    described, flows, invite, is_left, leaves, printed, rings, s, three, two,
};
use liaison_tests::message::{Msg, body, field, seq};
use std::time::Duration;

flows! {
    // conforms: RFC5407-3.1.1-1,2
    rfc5407_3_1_1_the_invite_comes_again_after_its_answer in two,
    rfc5407_3_1_2_cancel_meets_the_answer in two,
    rfc5407_3_1_3_bye_of_the_early_dialog_meets_the_answer in two,
    rfc5407_3_1_4_reinvite_before_the_ack in two,
    rfc5407_3_1_5_reinvite_before_the_ack_that_answers in two,
    rfc5407_3_1_6_bye_before_the_ack in two,
    rfc5407_3_2_1_byes_cross in two,
    // conforms: RFC5407-2-2
    rfc5407_3_2_2_reinvite_meets_bye in two,
    rfc5407_3_2_3_answer_to_a_reinvite_meets_bye in two,
    rfc5407_3_2_4_ack_meets_bye in two,
    rfc5407_3_3_1_reinvites_cross in two,
    rfc5407_3_3_2_update_and_reinvite_cross in two,
    rfc5407_3_3_2_updates_cross in two,
    rfc5407_3_3_3_refer_meets_bye in three,
    rfc3261_15_bye_waits_for_an_ack_that_never_comes in two,
}

/// A little more than a message is on its way.
const CROSSING: Duration = Duration::from_millis(6);

/// Alice calls, and Bob rings: her INVITE, and his.
pub(super) fn ringing(stage: &mut Stage) -> Result<(Msg, String), Stuck> {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    rings(stage, BOB, ALICE, &invited)?;
    Ok((invite, invited))
}

/// Bob has answered, and Alice has not acknowledged yet: her INVITE, and both sides.
fn answered(stage: &mut Stage) -> Result<(Msg, Side, Side), Stuck> {
    let (invite, invited) = ringing(stage)?;
    stage.send(BOB, &answer(BOB, &invited));
    let ok = stage.get(ALICE, "200 INVITE")?;
    stage.get(BOB, "ACK")?;
    Ok((invite, Side::calling(ALICE, &ok), Side::called(BOB, &invited, "bob")))
}

/// The ACK of that INVITE of Alice's, if it was accepted.
fn ack_of(alice: &Side, invite: &Msg) -> Msg {
    alice.ack(seq(&invite.text()))
}

fn rfc5407_3_1_1_the_invite_comes_again_after_its_answer(stage: &mut Stage) -> Played {
    let (invite, mut alice, bob) = answered(stage)?;
    stage.again(ALICE, &invite);
    stage.no(BOB, "INVITE")?;
    stage.send(ALICE, &ack_of(&alice, &invite));
    bye(stage, &mut alice, &bob)
}

/// What becomes of Alice's INVITE where she ends it as it is answered.
pub(super) fn ends_as_it_is_answered(stage: &mut Stage, invite: &Msg) -> Result<Option<Side>, Stuck> {
    match stage.get_any(&[(ALICE, "200 INVITE"), (ALICE, "487 INVITE")])? {
        (0, ok) => {
            let alice = Side::calling(ALICE, &ok);
            stage.send(ALICE, &ack_of(&alice, invite));
            Ok(Some(alice))
        }
        (_, refusal) => {
            stage.send(ALICE, &Msg::of_invite("ACK", invite).set("To", &field(&refusal, "To")));
            Ok(None)
        }
    }
}

fn rfc5407_3_1_2_cancel_meets_the_answer(stage: &mut Stage) -> Played {
    let (invite, invited) = ringing(stage)?;
    stage.send(BOB, &answer(BOB, &invited));
    stage.pass(CROSSING);
    stage.send(ALICE, &Msg::of_invite("CANCEL", &invite));
    let alice = ends_as_it_is_answered(stage, &invite)?;
    stage.get(ALICE, "200 CANCEL")?;
    stage.get(BOB, "ACK")?;
    let bob = Side::called(BOB, &invited, "bob");
    match alice {
        // It has changed nothing: she hangs up.
        Some(mut alice) => bye(stage, &mut alice, &bob),
        None => is_left(stage, &bob),
    }
}

fn rfc5407_3_1_3_bye_of_the_early_dialog_meets_the_answer(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    stage.send(BOB, &Msg::response(&invited, 180, "bob").phrase("Ringing").contact(BOB));
    let heard = stage.perhaps(ALICE, "180")?;
    stage.send(BOB, &answer(BOB, &invited));
    stage.pass(CROSSING);
    let bob = Side::called(BOB, &invited, "bob");
    // Without a response there is no early dialog.
    let Some(heard) = heard else {
        let alice = ends_as_it_is_answered(stage, &invite)?;
        return alice.map_or(Ok(()), |mut alice| bye(stage, &mut alice, &bob));
    };
    let bye = Side::calling(ALICE, &heard).request("BYE");
    stage.send(ALICE, &bye);
    stage.get(ALICE, "200 BYE")?;
    // What comes after it she acknowledges all the same; if it is lost, it does not come again.
    match ends_as_it_is_answered(stage, &invite) {
        Err(stuck) if stage.is_fair() => return Err(stuck),
        _ => {}
    }
    stage.get(BOB, "ACK")?;
    is_left(stage, &bob)
}

/// Alice's re-INVITE, which comes before the ACK of her first; then that. Whether it is taken: in fair weather it is where that ACK
/// answers nothing, as RFC 5407 §3.1.4 recommends of a callee, which we are on her leg.
fn too_early(stage: &mut Stage, alice: &mut Side, bob: &mut Side, ack: &Msg) -> Result<bool, Stuck> {
    let sdp = alice.sdp("a=sendonly\r\n");
    let reinvite = alice.request("INVITE").sdp(&sdp);
    stage.send(ALICE, &reinvite);
    stage.send(ALICE, ack);
    loop {
        match stage.get_any(&[(ALICE, "491 INVITE"), (ALICE, "200 INVITE"), (BOB, "INVITE")])? {
            (0, refusal) => {
                stage.send(ALICE, &Msg::of_invite("ACK", &reinvite).set("To", &field(&refusal, "To")));
                return Ok(false);
            }
            (1, ok) => {
                stage.send(ALICE, &alice.ack(seq(&ok)));
                return Ok(true);
            }
            (_, asked) => accepts(stage, bob, &asked),
        }
    }
}

fn rfc5407_3_1_4_reinvite_before_the_ack(stage: &mut Stage) -> Played {
    let (invite, mut alice, mut bob) = answered(stage)?;
    let ack = ack_of(&alice, &invite);
    let taken = too_early(stage, &mut alice, &mut bob, &ack)?;
    assert!(taken || !stage.is_fair());
    bye(stage, &mut alice, &bob)
}

fn rfc5407_3_1_5_reinvite_before_the_ack_that_answers(stage: &mut Stage) -> Played {
    let number = stage.number();
    stage.send(ALICE, &Msg::request("INVITE", NUMBER, ALICE, number));
    let invited = stage.get(BOB, "INVITE")?;
    rings(stage, BOB, ALICE, &invited)?;
    stage.send(BOB, &answer(BOB, &invited));
    let ok = stage.get(ALICE, "200 INVITE")?;
    let (mut alice, mut bob) = (Side::calling(ALICE, &ok), Side::called(BOB, &invited, "bob"));
    let ack = alice.ack(number).sdp(&described(ALICE, 4000 + u16::try_from(number).unwrap(), 1, ""));
    let taken = too_early(stage, &mut alice, &mut bob, &ack)?;
    assert!(!taken || !stage.is_fair());
    let ack = stage.get(BOB, "ACK")?;
    // In foul weather there is that of the re-INVITE too.
    assert!(!stage.is_fair() || body(&ack).contains("m=audio"), "{ack}");
    bye(stage, &mut alice, &bob)
}

fn rfc5407_3_1_6_bye_before_the_ack(stage: &mut Stage) -> Played {
    let (invite, mut alice, bob) = answered(stage)?;
    let bye = alice.request("BYE");
    stage.send(ALICE, &bye);
    stage.send(ALICE, &ack_of(&alice, &invite));
    stage.get(ALICE, "200 BYE")?;
    is_left(stage, &bob)
}

fn rfc5407_3_2_1_byes_cross(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    let (of_alice, of_bob) = (alice.request("BYE"), bob.request("BYE"));
    stage.send(ALICE, &of_alice);
    stage.send(BOB, &of_bob);
    stage.get(ALICE, "200 BYE")?;
    stage.get(BOB, "200 BYE").map(drop)
}

/// Alice has said BYE: whatever comes to her meanwhile she knows nothing of (§3.2.1).
fn is_mortal(stage: &mut Stage) -> Played {
    let wanted = ["200 BYE", "481 BYE", "BYE", "INVITE", "REFER", "INFO", "UPDATE"];
    loop {
        match stage.get_any(&wanted.map(|what| (ALICE, what)))? {
            (0 | 1, _) => return Ok(()),
            (2, asked) => stage.ok(ALICE, &asked),
            (_, asked) => {
                let unknown = Msg::response(&asked, 481, "").phrase("Call/Transaction Does Not Exist");
                stage.send(ALICE, &unknown);
            }
        }
    }
}

fn rfc5407_3_2_2_reinvite_meets_bye(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    let bye = alice.request("BYE");
    let sdp = bob.sdp("a=sendonly\r\n");
    let reinvite = bob.request("INVITE").sdp(&sdp);
    stage.send(ALICE, &bye);
    stage.send(BOB, &reinvite);
    is_mortal(stage)?;
    let (_, refusal) = stage.get_any(&[(BOB, "481 INVITE"), (BOB, "487 INVITE")])?;
    stage.send(BOB, &Msg::of_invite("ACK", &reinvite).set("To", &field(&refusal, "To")));
    is_left(stage, &bob)
}

fn rfc5407_3_2_3_answer_to_a_reinvite_meets_bye(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    let sdp = alice.sdp("a=sendonly\r\n");
    let mut reinvite = Msg::request("INVITE", NUMBER, ALICE, 0);
    let ask = || {
        reinvite = alice.request("INVITE").sdp(&sdp);
        reinvite.clone()
    };
    let asked = stage.insist(ALICE, ask, (BOB, "INVITE"))?;
    let bye = alice.request("BYE");
    stage.send(ALICE, &bye);
    accepts(stage, &mut bob, &asked);
    // RFC 3261 §15.1.2: what she waits for is answered.
    match stage.get_any(&[(ALICE, "487 INVITE"), (ALICE, "200 INVITE")])? {
        (0, refusal) => {
            stage.send(ALICE, &Msg::of_invite("ACK", &reinvite).set("To", &field(&refusal, "To")));
        }
        (_, ok) => stage.send(ALICE, &alice.ack(seq(&ok))),
    }
    stage.get(ALICE, "200 BYE")?;
    stage.get(BOB, "ACK")?;
    is_left(stage, &bob)
}

/// Bob hangs up before Alice's ACK is there, for which our BYE waits (RFC 3261 §15).
fn rfc5407_3_2_4_ack_meets_bye(stage: &mut Stage) -> Played {
    let (invite, alice, mut bob) = answered(stage)?;
    leaves(stage, &mut bob)?;
    stage.no(ALICE, "BYE")?;
    stage.send(ALICE, &ack_of(&alice, &invite));
    is_left(stage, &alice)
}

/// The same where there is no ACK at all (§13.3.1.4).
fn rfc3261_15_bye_waits_for_an_ack_that_never_comes(stage: &mut Stage) -> Played {
    let (_, alice, mut bob) = answered(stage)?;
    let answered = stage.world.now.mono;
    leaves(stage, &mut bob)?;
    let bye = stage.get_within(ALICE, "BYE", s(33))?;
    let waited = stage.world.now.mono.since(answered);
    if stage.is_fair() {
        assert!(waited.abs_diff(s(32)) < Duration::from_millis(100), "{waited:?}");
    }
    assert_eq!(field(&bye, "Call-ID"), field(&alice.ack(1).text(), "Call-ID"));
    stage.ok(ALICE, &bye);
    Ok(())
}

/// A request of one side's that changes the session, until its final response.
struct Change {
    request: Msg,
    open: bool,
    refused: bool,
}

impl Change {
    fn of(side: &mut Side, method: &str, direction: &str) -> Self {
        let sdp = side.sdp(direction);
        Self { request: side.request(method).sdp(&sdp), open: true, refused: false }
    }

    fn method(&self) -> String {
        liaison_tests::stage::method(&self.request.text())
    }
}

/// Both change the session at once: who waits for an answer of its own says 491 (RFC 3261 §14.2, RFC 3311 §5.2). Who was told 491 asks
/// again once the other one is through.
fn cross(stage: &mut Stage, sides: [(&mut Side, &str, &str); 2]) -> Played {
    let [(alice, of_alice, directed), (bob, of_bob, other)] = sides;
    let mut changes = [Change::of(alice, of_alice, directed), Change::of(bob, of_bob, other)];
    stage.send(ALICE, &changes[0].request);
    stage.send(BOB, &changes[1].request);
    while changes.iter().any(|change| change.open) {
        let mut wanted = Vec::new();
        for (n, side) in [&*alice, &*bob].into_iter().enumerate() {
            let method = changes[n].method();
            // Requests first: what comes while it waits is in the middle.
            let mut said = vec!["INVITE".to_owned(), "UPDATE".to_owned()];
            if changes[n].open {
                said.extend([format!("200 {method}"), format!("491 {method}")]);
            }
            wanted.extend(said.into_iter().map(|what| (n, side.at, what)));
        }
        let asked: Vec<_> = wanted.iter().map(|(_, at, what)| (*at, what.as_str())).collect();
        // We ask again after 4 s at most.
        let (which, text) = stage.get_any_within(&asked, s(5))?;
        let (n, at, what) = &wanted[which];
        let side = if *n == 0 { &mut *alice } else { &mut *bob };
        match what.as_str() {
            "INVITE" | "UPDATE" if changes[*n].open => {
                stage.send(at, &Msg::response(&text, 491, "").phrase("Request Pending"));
            }
            "INVITE" | "UPDATE" => accepts(stage, side, &text),
            said => {
                let change = &mut changes[*n];
                change.open = false;
                change.refused = said.starts_with("491");
                match (change.refused, said.ends_with("INVITE")) {
                    (true, true) => {
                        let ack = Msg::of_invite("ACK", &change.request);
                        stage.send(at, &ack.set("To", &field(&text, "To")));
                    }
                    (false, true) => stage.send(at, &side.ack(seq(&text))),
                    (_, false) => {}
                }
            }
        }
    }
    // As the owner of the Call-ID, at most.
    stage.pass(s(4));
    if changes[1].refused {
        again(stage, bob, alice, of_bob)?;
    }
    if changes[0].refused {
        again(stage, alice, bob, of_alice)?;
    }
    Ok(())
}

/// One asks again, now alone.
fn again(stage: &mut Stage, by: &mut Side, other: &mut Side, method: &str) -> Played {
    let sdp = by.sdp("");
    let asked = stage.insist(by.at, || by.request(method).sdp(&sdp), (other.at, method))?;
    accepts(stage, other, &asked);
    let ok = stage.get(by.at, &format!("200 {method}"))?;
    if method == "INVITE" {
        stage.send(by.at, &by.ack(seq(&ok)));
        stage.get(other.at, "ACK")?;
    }
    Ok(())
}

/// Each is told to wait, and we, who made the Call-ID of Bob's leg, wait longer than he does.
fn rfc5407_3_3_1_reinvites_cross(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    cross(stage, [(&mut alice, "INVITE", "a=sendonly\r\n"), (&mut bob, "INVITE", "")])?;
    bye(stage, &mut alice, &bob)
}

/// A call of two that know UPDATE.
fn updating(stage: &mut Stage) -> Result<(Side, Side), Stuck> {
    let allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE";
    let invite = invite(stage, ALICE, NUMBER).with("Allow", allow);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    rings(stage, BOB, ALICE, &invited)?;
    stage.send(BOB, &answer(BOB, &invited).with("Allow", allow));
    let ok = stage.get(ALICE, "200 INVITE")?;
    let alice = Side::calling(ALICE, &ok);
    stage.send(ALICE, &ack_of(&alice, &invite));
    stage.get(BOB, "ACK")?;
    Ok((alice, Side::called(BOB, &invited, "bob")))
}

fn rfc5407_3_3_2_update_and_reinvite_cross(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = updating(stage)?;
    cross(stage, [(&mut alice, "UPDATE", "a=sendonly\r\n"), (&mut bob, "INVITE", "")])?;
    bye(stage, &mut alice, &bob)
}

fn rfc5407_3_3_2_updates_cross(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = updating(stage)?;
    cross(stage, [(&mut alice, "UPDATE", "a=sendonly\r\n"), (&mut bob, "UPDATE", "")])?;
    bye(stage, &mut alice, &bob)
}

/// Alice hangs up as Bob asks for something in the dialog, which he may get while she has not.
pub(super) fn asks_as_she_leaves(stage: &mut Stage, request: impl FnOnce(&mut Side) -> Msg) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    let (bye, asks) = (alice.request("BYE"), request(&mut bob));
    let method = liaison_tests::stage::method(&asks.text());
    stage.send(ALICE, &bye);
    stage.send(BOB, &asks);
    is_mortal(stage)?;
    let said = ["481", "487", "200", "202"].map(|status| format!("{status} {method}"));
    let (which, _) = stage.get_any(&said.each_ref().map(|what| (BOB, what.as_str())))?;
    if stage.is_fair() && which > 1 {
        return Err(Stuck("it is refused".into()));
    }
    is_left(stage, &bob)
}

fn rfc5407_3_3_3_refer_meets_bye(stage: &mut Stage) -> Played {
    asks_as_she_leaves(stage, |bob| bob.request("REFER").with("Refer-To", &format!("<{TARGET}>")))?;
    stage.no(CAROL, "ACK")
}
