//! What RFC 3665 does not show of sessions: reliable provisional responses, UPDATE, session timers, offers in answers, and what is said
//! beside them.

use super::parts::{
    ALICE, BOB, Flow, NUMBER, Played, Side, Stage, answer, bye, call, changes, described, flows, invite,
    printed, rings, s, two,
};
use liaison_tests::message::{Msg, body, field, seq};

flows! {
    rfc3262_reliable_provisional_responses in two,
    rfc3311_update_in_an_early_dialog_and_in_a_confirmed_one in two,
    rfc4028_session_timer in two,
    rfc3428_message in two,
    rfc6086_info in two,
    rfc3261_12_1_proxies_on_both_sides_that_stay_in_the_dialog in two,
}

const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO";

/// Bob's reliable response, which is acknowledged on each leg: Alice's side of the dialog.
fn reliably(stage: &mut Stage, invited: &str) -> Result<Side, super::parts::Stuck> {
    let early =
        Msg::response(invited, 183, "bob").phrase("Session Progress").contact(BOB).with("Allow", ALLOW);
    let early = early.with("Require", "100rel").with("RSeq", "4711");
    stage.send(BOB, &early.sdp(&described(BOB, 6100, 1, "")));
    let prack = stage.get(BOB, "PRACK")?;
    assert_eq!(field(&prack, "RAck"), "4711 1 INVITE");
    stage.ok(BOB, &prack);
    let heard = stage.get(ALICE, "183")?;
    let mut alice = Side::calling(ALICE, &heard);
    let rack = format!("{} {} INVITE", field(&heard, "RSeq"), seq(&heard));
    stage.send(ALICE, &alice.request("PRACK").with("RAck", &rack));
    stage.get(ALICE, "200 PRACK")?;
    Ok(alice)
}

/// Bob has said everything before: his 200 says nothing more.
fn then_answers(stage: &mut Stage, invited: &str, alice: &Side) -> Result<Side, super::parts::Stuck> {
    stage.send(BOB, &Msg::response(invited, 200, "bob").phrase("OK").contact(BOB).with("Allow", ALLOW));
    let ok = stage.get(ALICE, "200 INVITE")?;
    stage.send(ALICE, &alice.ack(seq(&ok)));
    stage.get(BOB, "ACK")?;
    Ok(Side::called(BOB, invited, "bob"))
}

fn rfc3262_reliable_provisional_responses(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER).with("Supported", "100rel");
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    let mut alice = reliably(stage, &invited)?;
    let bob = then_answers(stage, &invited, &alice)?;
    bye(stage, &mut alice, &bob)
}

/// One offers in an UPDATE, and the other one answers.
fn updates(stage: &mut Stage, by: &mut Side, other: &mut Side, direction: &str) -> Played {
    let sdp = by.sdp(direction);
    let asked = stage.insist(by.at, || by.request("UPDATE").sdp(&sdp), (other.at, "UPDATE"))?;
    let sdp = other.sdp(if direction.is_empty() { "" } else { "a=recvonly\r\n" });
    stage.send(other.at, &Msg::response(&asked, 200, "").phrase("OK").contact(other.at).sdp(&sdp));
    stage.get(by.at, "200 UPDATE").map(drop)
}

fn rfc3311_update_in_an_early_dialog_and_in_a_confirmed_one(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER).with("Supported", "100rel").with("Allow", ALLOW);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    let mut alice = reliably(stage, &invited)?;
    let mut early = Side::called(BOB, &invited, "bob");
    updates(stage, &mut alice, &mut early, "a=sendonly\r\n")?;
    then_answers(stage, &invited, &alice)?;
    updates(stage, &mut early, &mut alice, "")?;
    bye(stage, &mut alice, &early)
}

/// Alice refreshes; Bob knows nothing of timers.
fn rfc4028_session_timer(stage: &mut Stage) -> Played {
    let timed = |msg: Msg| msg.with("Supported", "timer").with("Session-Expires", "90;refresher=uac");
    let invite = timed(invite(stage, ALICE, NUMBER)).with("Allow", ALLOW);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    rings(stage, BOB, ALICE, &invited)?;
    stage.send(BOB, &answer(BOB, &invited));
    let ok = stage.get(ALICE, "200 INVITE")?;
    assert_eq!(field(&ok, "Session-Expires"), "90;refresher=uac");
    let mut alice = Side::calling(ALICE, &ok);
    stage.send(ALICE, &alice.ack(seq(&ok)));
    stage.get(BOB, "ACK")?;
    for _ in 0..2 {
        stage.pass(s(45));
        stage.send(ALICE, &timed(alice.request("UPDATE")));
        let ok = stage.get(ALICE, "200 UPDATE")?;
        assert_eq!(field(&ok, "Session-Expires"), "90;refresher=uac");
    }
    bye(stage, &mut alice, &Side::called(BOB, &invited, "bob"))
}

fn rfc3428_message(stage: &mut Stage) -> Played {
    let number = stage.number();
    let message = Msg::request("MESSAGE", NUMBER, ALICE, number).without("Contact");
    stage.send(ALICE, &message.body("text/plain", "Watson, come here."));
    let asked = stage.get(BOB, "MESSAGE")?;
    assert_eq!(body(&asked), "Watson, come here.");
    stage.send(BOB, &Msg::response(&asked, 200, "bob").phrase("OK"));
    stage.get(ALICE, "200 MESSAGE").map(drop)
}

fn rfc6086_info(stage: &mut Stage) -> Played {
    let (mut alice, mut bob) = call(stage, ALICE, NUMBER, BOB)?;
    stage.send(BOB, &bob.request("INFO").body("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"));
    let asked = stage.get(ALICE, "INFO")?;
    stage.ok(ALICE, &asked);
    stage.get(BOB, "200 INFO")?;
    bye(stage, &mut alice, &bob)
}

/// Each of Alice's and Bob's phones has two proxies before it, the nearer one at its own address.
fn rfc3261_12_1_proxies_on_both_sides_that_stay_in_the_dialog(stage: &mut Stage) -> Played {
    let ours = |msg: Msg| msg.with("Record-Route", "<sip:10.0.0.2:5060;lr>, <sip:far.example.com;lr>");
    let theirs = |msg: Msg| msg.with("Record-Route", "<sip:far.example.org;lr>, <sip:10.1.0.2:5060;lr>");
    let invite = ours(invite(stage, ALICE, NUMBER));
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    stage.send(BOB, &theirs(Msg::response(&invited, 180, "bob").phrase("Ringing").contact(BOB)));
    stage.hear(ALICE, "180")?;
    stage.send(BOB, &theirs(answer(BOB, &invited)));
    let ok = stage.get(ALICE, "200 INVITE")?;
    let mut alice = Side::calling(ALICE, &ok);
    stage.send(ALICE, &alice.ack(seq(&ok)));
    let ack = stage.get(BOB, "ACK")?;
    assert!(field(&ack, "Route").starts_with("<sip:10.1.0.2:5060;lr>"), "{ack}");
    let mut bob = Side::called(BOB, &invited, "bob");
    changes(stage, &mut bob, &mut alice, "a=sendonly\r\n")?;
    changes(stage, &mut alice, &mut bob, "")?;
    bye(stage, &mut bob, &alice)
}
