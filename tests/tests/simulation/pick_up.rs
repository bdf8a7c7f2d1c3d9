//! INVITEs with Replaces that name a phone which rings (RFC 3891 §3, RFC 5359 §2.16): their sender answers in its place.

use super::common::{ALICE, BOB, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, by_hand, invite, ms};
use super::transfer::is_quiet;
use liaison_tests::message::{Msg, audio, body, field, find, line, tag};

/// Another phone on Bob's side.
const BILL: &str = "10.1.0.3:5060";

/// Bob's trunk has two phones; more lines for the profiles of legs.
fn group(profile: &str) -> String {
    let text = TWO_SIDES.replacen("from = [\"10.1.0.2\"]", "from = [\"10.1.0.2\", \"10.1.0.3\"]", 1);
    format!("{text}\n[profiles.default]\n{profile}\n")
}

/// Alice's INVITE has reached Bob, whose phone rings: what he got.
fn rings(world: &mut World, invite: &Msg) -> String {
    world.post(ALICE, OUTSIDE, invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.expect(ALICE, "180");
    invited
}

/// Bill's INVITE in the place of Bob's phone, as Bob's dialog package tells of the dialog: its remote target is ours.
fn picking_up(invited: &str, with: &str) -> Msg {
    let value = format!("{};to-tag={};from-tag=bob{with}", field(invited, "Call-ID"), tag(invited, "From"));
    let invite = Msg::request("INVITE", "sip:10.1.0.1:5060", BILL, 1).sdp(&audio(BILL, 8000));
    invite.with("Replaces", &value).with("Require", "replaces")
}

/// Bob's phone is cancelled, with that Reason.
fn cancelled(world: &mut World, invited: &str) {
    let cancel = world.expect(BOB, "CANCEL");
    assert_eq!(field(&cancel, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(invited, 487, "bob"));
    world.expect(BOB, "ACK");
}

/// Bill hangs up in the dialog of his 200, and Alice hears of it.
fn ends(world: &mut World, bill: &str) {
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    world.post(BILL, INSIDE, &Msg::inside("BYE", BILL, 2, bill));
    world.expect(BILL, "200");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a call that was picked up");
}

#[test]
fn rfc5359_2_16_who_picks_up_answers_the_caller_and_the_phone_that_rang_is_cancelled() {
    let mut world = by_hand(&group(""), 1);
    let invited = rings(&mut world, &invite());
    world.post(BILL, INSIDE, &picking_up(&invited, ";early-only"));
    let bill = world.expect(BILL, "200");
    assert!(line(body(&bill), 'm').starts_with("audio 2000"), "{bill}");
    assert!(find(&bill, "Allow").is_some_and(|allow| allow.contains("BYE")), "{bill}");
    let alice = world.expect(ALICE, "200");
    assert!(line(body(&alice), 'm').starts_with("audio 2000"), "{alice}");
    world.post(BILL, INSIDE, &Msg::inside("ACK", BILL, 1, &bill));
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &alice));
    cancelled(&mut world, &invited);
    ends(&mut world, &bill);
    let records = world.records.lock().unwrap();
    assert_eq!(records.len(), 1, "{records:?}");
}

#[test]
fn formats_that_only_one_of_the_two_has_offered_are_not_answered() {
    let mut world = by_hand(&group(""), 2);
    let of = |at: &str, port: u16, formats: &str| {
        audio(at, port)
            .lines()
            .filter(|line| !line.starts_with("m=") && !line.starts_with("a="))
            .fold(String::new(), |text, line| text + line + "\r\n")
            + &format!("m=audio {port} RTP/AVP {formats}\r\n")
    };
    let alice = Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&of(ALICE, 4000, "0 8 3"));
    let invited = rings(&mut world, &alice);
    world.post(BILL, INSIDE, &picking_up(&invited, "").sdp(&of(BILL, 8000, "18 3 8")));
    let bill = world.expect(BILL, "200");
    assert!(line(body(&bill), 'm').ends_with("RTP/AVP 8 3"), "by Alice's wishes: {bill}");
    let ok = world.expect(ALICE, "200");
    assert!(line(body(&ok), 'm').ends_with("RTP/AVP 3 8"), "by Bill's: {ok}");
}

#[test]
fn who_has_no_format_in_common_is_refused_and_the_phone_goes_on_ringing() {
    let mut world = by_hand(&group(""), 3);
    let invited = rings(&mut world, &invite());
    let other = audio(BILL, 8000).replace("RTP/AVP 8", "RTP/AVP 18").replace(" 0 ", " ");
    let other: String =
        other.lines().filter(|line| !line.starts_with("a=")).map(|l| l.to_owned() + "\r\n").collect();
    world.post(BILL, INSIDE, &picking_up(&invited, "").sdp(&other));
    let refused = world.expect(BILL, "488");
    assert!(field(&refused, "Warning").starts_with("305 "), "{refused}");
    assert!(is_quiet(&world, BOB) && is_quiet(&world, ALICE));
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    let alice = world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &alice));
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &alice));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a pick-up that was refused");
}

#[test]
fn a_caller_without_an_offer_answers_who_picks_up() {
    let mut world = by_hand(&group("reliable_responses = false"), 4);
    let invited = rings(&mut world, &Msg::request("INVITE", NUMBER, ALICE, 1));
    world.post(BILL, INSIDE, &picking_up(&invited, ""));
    let alice = world.expect(ALICE, "200");
    assert!(line(body(&alice), 'm').starts_with("audio 2000"), "she is offered Bill's media: {alice}");
    assert!(is_quiet(&world, BILL), "he waits for her answer");
    cancelled(&mut world, &invited);
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &alice).sdp(&audio(ALICE, 4000)));
    let bill = world.expect(BILL, "200");
    assert!(line(body(&bill), 'm').starts_with("audio 2000"), "{bill}");
    world.post(BILL, INSIDE, &Msg::inside("ACK", BILL, 1, &bill));
    ends(&mut world, &bill);
}

#[test]
fn who_gives_up_while_the_caller_owes_its_answer_ends_the_call() {
    let mut world = by_hand(&group("reliable_responses = false"), 5);
    let invited = rings(&mut world, &Msg::request("INVITE", NUMBER, ALICE, 1));
    let picking = picking_up(&invited, "");
    world.post(BILL, INSIDE, &picking);
    let alice = world.expect(ALICE, "200");
    cancelled(&mut world, &invited);
    world.post(BILL, INSIDE, &Msg::of_invite("CANCEL", &picking));
    world.expect(BILL, "200");
    world.expect(BILL, "487");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &alice).sdp(&audio(ALICE, 4000)));
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a pick-up that was given up");
}

// conforms: RFC3891-3-4
#[test]
fn rfc3891_3_only_a_dialog_that_its_receiver_has_begun_is_replaced_while_it_rings() {
    let mut world = by_hand(&group(""), 6);
    let invited = rings(&mut world, &invite());
    // As Bob knows it, the dialog is one that he has not begun.
    let known = picking_up(&invited, "").get("Replaces");
    let swapped = known.replace("to-tag", "x-tag").replace("from-tag", "to-tag").replace("x-tag", "from-tag");
    world.post(BILL, INSIDE, &picking_up(&invited, "").set("Replaces", &swapped));
    world.expect(BILL, "481");
    // A caller's own is one that we have not begun.
    let ringing = world.sent_to(ALICE).into_iter().find(|text| text.starts_with("SIP/2.0 180")).unwrap();
    let of = (field(&ringing, "Call-ID"), tag(&ringing, "To"), tag(&ringing, "From"));
    let caller = format!("{};to-tag={};from-tag={}", of.0, of.1, of.2);
    let again =
        |n: &str, value: &str| picking_up(&invited, "").set("Replaces", value).set("Call-ID", n).branch(n);
    world.post(BILL, INSIDE, &again("b", &caller));
    world.expect(BILL, "481");
    // As its caller knows it, it is, and whoever rings is replaced.
    let callers = format!("{};to-tag={};from-tag={}", of.0, of.2, of.1);
    world.post(BILL, INSIDE, &again("c", &callers));
    let bill = world.expect(BILL, "200");
    world.expect(ALICE, "200");
    cancelled(&mut world, &invited);
    // Now it is confirmed.
    world.post(BILL, INSIDE, &Msg::inside("ACK", BILL, 1, &bill));
    let joined = format!("{}{}", field(&bill, "Call-ID"), "");
    let value = format!("{joined};to-tag={};from-tag={};early-only", tag(&bill, "To"), tag(&bill, "From"));
    world.post(BILL, INSIDE, &again("d", &value));
    world.expect(BILL, "486");
}

// conforms: RFC3891-8-1
#[test]
fn a_call_is_picked_up_by_the_peer_itself_or_its_network_where_the_profile_says_so() {
    let split = |profile: &str| {
        let text = TWO_SIDES.to_owned()
            + "\n[trunks.other]\nnetwork = \"enterprise\"\ntargets = [\"sip:10.1.0.3:5060\"]\nfrom = [\"10.1.0.3\"]\n";
        format!("{text}\n[profiles.default]\n{profile}\n")
    };
    let mut world = by_hand(&split(""), 7);
    let invited = rings(&mut world, &invite());
    world.post(BILL, INSIDE, &picking_up(&invited, ""));
    world.expect(BILL, "403");
    assert!(is_quiet(&world, BOB));
    let mut world = by_hand(&split("pick_up = \"network\""), 8);
    let invited = rings(&mut world, &invite());
    // Not from the other side.
    let carol = Msg::request("INVITE", "sip:10.0.0.1:5060", ALICE, 9).sdp(&audio(ALICE, 7000));
    let known = picking_up(&invited, "").get("Replaces");
    world.post(ALICE, OUTSIDE, &carol.with("Replaces", &known));
    world.expect(ALICE, "403");
    world.post(BILL, INSIDE, &picking_up(&invited, ""));
    world.expect(BILL, "200");
    world.expect(ALICE, "200");
    cancelled(&mut world, &invited);
}

#[test]
fn an_answer_that_crosses_the_pick_up_is_let_go() {
    let mut world = by_hand(&group(""), 9);
    let invited = rings(&mut world, &invite());
    world.post(BILL, INSIDE, &picking_up(&invited, ""));
    world.expect(BILL, "200");
    world.expect(ALICE, "200");
    let cancel = world.expect(BOB, "CANCEL");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    world.ok(BOB, INSIDE, &cancel);
    world.expect(BOB, "ACK");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(field(&bye, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    world.ok(BOB, INSIDE, &bye);
}

#[test]
fn where_the_caller_has_had_an_answer_in_its_only_early_dialog_it_is_offered_the_media_anew() {
    let mut world = by_hand(&group("early_dialogs = \"one\""), 10);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 183, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    let progress = world.expect(ALICE, "183");
    world.post(BILL, INSIDE, &picking_up(&invited, ""));
    let bill = world.expect(BILL, "200");
    let alice = world.expect(ALICE, "200");
    assert_eq!(body(&alice), body(&progress), "one dialog, one answer");
    cancelled(&mut world, &invited);
    world.post(BILL, INSIDE, &Msg::inside("ACK", BILL, 1, &bill));
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &alice));
    world.run_for(ms(300));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
}
