//! Calls that go elsewhere (RFC 5359 §2.7 to §2.9, §2.12 to §2.14): Liaison takes the place of the proxy, and rings one after the
//! other, as routes and profiles say.

use super::parts::{
    ALICE, BOB, CAROL, DAVE, ERIN, Flow, NUMBER, Played, Stage, TWO_SIDES, World, answers, bye, failed,
    flows, invite, printed, rings, s, three_with, world,
};
use liaison_tests::message::{Msg, field};
use liaison_tests::network::Weather;

flows! {
    rfc5359_2_7_call_forwarding_unconditional in following,
    rfc5359_2_7_call_forwarding_by_the_caller in carrying,
    rfc5359_2_8_call_forwarding_busy in forwarding,
    rfc5359_2_9_call_forwarding_no_answer in forwarding,
    rfc5359_2_12_find_me in finding,
    rfc5359_2_13_incoming_call_screening in screening,
    rfc5359_2_14_outgoing_call_screening in screening,
}

fn following(weather: Weather) -> World {
    world(&three_with("[profiles.default]\nredirects = \"follow\"\n"), weather)
}

/// Bob's telephone says where to.
fn is_forwarded(stage: &mut Stage, invited: &str) -> Played {
    let moved = Msg::response(invited, 302, "bob").phrase("Moved Temporarily");
    stage.send(BOB, &moved.with("Contact", "<sip:+4940@10.0.0.3>"));
    stage.get(BOB, "ACK").map(drop)
}

fn rfc5359_2_7_call_forwarding_unconditional(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    is_forwarded(stage, &invited)?;
    let invited = stage.get(CAROL, "INVITE")?;
    rings(stage, CAROL, ALICE, &invited)?;
    let (mut alice, carol) = answers(stage, CAROL, ALICE, &invited)?;
    bye(stage, &mut alice, &carol)
}

fn carrying(weather: Weather) -> World {
    world(&three_with(""), weather)
}

/// Alice is told, and calls Carol herself.
fn rfc5359_2_7_call_forwarding_by_the_caller(stage: &mut Stage) -> Played {
    let first = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &first);
    let invited = stage.get(BOB, "INVITE")?;
    is_forwarded(stage, &invited)?;
    let moved = stage.get(ALICE, "302")?;
    assert!(field(&moved, "Contact").contains("sip:+4940@10.0.0.3"), "{moved}");
    stage.send(ALICE, &Msg::of_invite("ACK", &first).set("To", &field(&moved, "To")));
    let invite = invite(stage, ALICE, "sip:+4940@10.0.0.1");
    stage.send(ALICE, &invite);
    let invited = stage.get(CAROL, "INVITE")?;
    rings(stage, CAROL, ALICE, &invited)?;
    let (mut alice, carol) = answers(stage, CAROL, ALICE, &invited)?;
    bye(stage, &mut alice, &carol)
}

/// After Bob's telephone comes Dave's.
fn forwarding(weather: Weather) -> World {
    let text = TWO_SIDES.replacen("to = [\"pbx\"]", "to = [\"pbx\", \"second\"]", 1);
    let second = "\n[trunks.second]\nnetwork = \"enterprise\"\ntargets = [\"sip:10.1.0.3:5060\"]\nfrom = [\"10.1.0.3\"]\n";
    let profile = "\n[profiles.default]\nring_limit = \"20s\"\nfailover = [408, 480, 486]\n";
    world(&(text + second + profile), weather)
}

fn dave_answers(stage: &mut Stage) -> Played {
    let invited = stage.get(DAVE, "INVITE")?;
    rings(stage, DAVE, ALICE, &invited)?;
    let (mut alice, dave) = answers(stage, DAVE, ALICE, &invited)?;
    bye(stage, &mut alice, &dave)
}

fn rfc5359_2_8_call_forwarding_busy(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(BOB, "INVITE")?;
    stage.send(BOB, &Msg::response(&invited, 486, "bob").phrase("Busy Here"));
    stage.get(BOB, "ACK")?;
    dave_answers(stage)
}

/// A telephone rings for as long as it may, and is cancelled.
fn rings_in_vain(stage: &mut Stage, at: &'static str) -> Played {
    let invited = stage.get(at, "INVITE")?;
    rings(stage, at, ALICE, &invited)?;
    let cancel = stage.get_within(at, "CANCEL", s(21))?;
    stage.ok(at, &cancel);
    stage.send(at, &Msg::response(&invited, 487, &super::parts::says(at)).phrase("Request Terminated"));
    stage.get(at, "ACK").map(drop)
}

fn rfc5359_2_9_call_forwarding_no_answer(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    rings_in_vain(stage, BOB)?;
    dave_answers(stage)
}

/// Where Bob may be: three places.
fn finding(weather: Weather) -> World {
    let places = "{ uri = \"sip:bob@10.1.0.2:5060\", network = \"enterprise\" }, { uri = \"sip:bob@10.1.0.4:5060\", network = \"enterprise\" }, { uri = \"sip:bob@10.1.0.3:5060\", network = \"enterprise\" }";
    let text = TWO_SIDES.replacen("to = [\"pbx\"]", &format!("to = [{places}]"), 1);
    let profile = "\n[profiles.default]\nring_limit = \"20s\"\nfailover = [408, 480, 486]\n";
    world(&(text + profile), weather)
}

fn rfc5359_2_12_find_me(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    rings_in_vain(stage, BOB)?;
    let invited = stage.get(ERIN, "INVITE")?;
    stage.send(ERIN, &Msg::response(&invited, 486, "erin").phrase("Busy Here"));
    stage.get(ERIN, "ACK")?;
    let invited = stage.get(DAVE, "INVITE")?;
    rings(stage, DAVE, ALICE, &invited)?;
    let (alice, mut dave) = answers(stage, DAVE, ALICE, &invited)?;
    bye(stage, &mut dave, &alice)
}

/// Who may not call Bob hears an announcement of Dave's, and some numbers nobody may call.
fn screening(weather: Weather) -> World {
    let routes = "[[routes]]\nname = \"screened\"\nnetworks = [\"carrier\"]\ncalling = [\"phone\"]\ncalled = [\"+4930*\"]\nto = [\"announcements\"]\n\n\
                  [[routes]]\nname = \"barred\"\nnetworks = [\"enterprise\"]\ncalled = [\"+4990*\"]\nreject = { status = 403, reason = \"Screening Failure\" }\n\n";
    let text = TWO_SIDES.replacen("[[routes]]", &format!("{routes}[[routes]]"), 1);
    let server = "\n[trunks.announcements]\nnetwork = \"enterprise\"\ntargets = [\"sip:10.1.0.3:5060\"]\nfrom = [\"10.1.0.3\"]\n";
    world(&(text + server), weather)
}

fn rfc5359_2_13_incoming_call_screening(stage: &mut Stage) -> Played {
    let invite = invite(stage, ALICE, NUMBER);
    stage.send(ALICE, &invite);
    let invited = stage.get(DAVE, "INVITE")?;
    let (alice, mut dave) = answers(stage, DAVE, ALICE, &invited)?;
    bye(stage, &mut dave, &alice)
}

fn rfc5359_2_14_outgoing_call_screening(stage: &mut Stage) -> Played {
    let invite = invite(stage, BOB, "sip:+4990123@10.1.0.1");
    stage.send(BOB, &invite);
    failed(stage, &invite, "403")
}
