//! REFERs that cross: what one side asks for is done by the other one.

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, World, by_hand, ms, s};
use super::transfer::{CAROL, TARGET, accepted, carol_answers, notified, three, told};
use liaison_tests::message::{Msg, audio, body, field, find, tag};

fn carrying() -> String {
    three() + "\n[profiles.default]\nrefer = \"carry\"\n"
}

/// Bob's NOTIFY in the dialog of the REFER that he got.
fn notify(refer: &str, seq: u32, state: &str, status: &str) -> Msg {
    let notify =
        Msg::inside("NOTIFY", BOB, seq, refer).with("Event", "refer").with("Subscription-State", state);
    notify.body("message/sipfrag;version=2.0", &format!("SIP/2.0 {status}\r\n"))
}

/// Alice asks and Bob gets it.
fn crosses(world: &mut World, call: &Call, to: &str) -> String {
    world.post(
        ALICE,
        OUTSIDE,
        &call.alice("REFER", 2).with("Refer-To", to).with("Referred-By", "<sip:a@x.example>"),
    );
    let refer = world.expect(BOB, "REFER");
    assert_ne!(field(&refer, "Call-ID"), field(&call.ok, "Call-ID"));
    assert_eq!(field(&refer, "Referred-By"), "<sip:a@x.example>");
    assert!(find(&refer, "Contact").is_some(), "{refer}");
    refer
}

// conforms: RFC3515-2.4.1-1
#[test]
fn rfc3515_a_refer_crosses_and_what_comes_of_it_comes_back() {
    let mut world = by_hand(&carrying(), 1);
    let call = Call::establish(&mut world);
    let refer = crosses(&mut world, &call, "<tel:+4940>;x=1");
    assert_eq!(field(&refer, "Refer-To"), "<tel:+4940>;x=1", "a tel URI stays one");
    assert_eq!(field(&refer, "Max-Forwards"), "69");
    // What is told ahead of the answer is told after it.
    world.post(BOB, INSIDE, &notify(&refer, 1, "active;expires=60", "180 Ringing"));
    world.expect(BOB, "200");
    assert!(world.unread(ALICE).iter().all(|heard| !heard.contains("NOTIFY")));
    world.post(BOB, INSIDE, &Msg::response(&refer, 202, ""));
    accepted(&mut world, ALICE, OUTSIDE);
    assert_eq!(notified(&mut world, ALICE, OUTSIDE).1, "SIP/2.0 180 Ringing");
    world.post(BOB, INSIDE, &notify(&refer, 2, "terminated;reason=noresource", "200 OK"));
    world.expect(BOB, "200");
    let (state, status) = notified(&mut world, ALICE, OUTSIDE);
    assert_eq!((state.as_str(), status.as_str()), ("terminated;reason=noresource", "SIP/2.0 200 OK"));
    call.hang_up(&mut world, 9);
}

#[test]
fn a_refusal_crosses_and_an_end_without_outcome_is_an_end() {
    let mut world = by_hand(&carrying(), 2);
    let call = Call::establish(&mut world);
    let refer = crosses(&mut world, &call, &format!("<{TARGET}>"));
    assert_eq!(field(&refer, "Refer-To"), "<sip:+4940@10.1.0.1:5060>", "our address there");
    world.post(BOB, INSIDE, &Msg::response(&refer, 603, ""));
    world.expect(ALICE, "603");
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 3).with("Refer-To", "<sip:x@example.org>"));
    let refer = world.expect(BOB, "REFER");
    assert_eq!(field(&refer, "Refer-To"), "<sip:x@example.org>");
    world.post(BOB, INSIDE, &Msg::response(&refer, 202, ""));
    accepted(&mut world, ALICE, OUTSIDE);
    world.post(BOB, INSIDE, &notify(&refer, 1, "terminated;reason=timeout", "100 Trying"));
    world.expect(BOB, "200");
    assert_eq!(notified(&mut world, ALICE, OUTSIDE).0, "terminated;reason=noresource");
    call.hang_up(&mut world, 9);
}

#[test]
fn rfc5589_7_3_replaces_names_the_dialog_behind_ours_and_who_is_referred_may_take_its_place() {
    let text = carrying().replace(
        "[profiles.default]\nrefer = \"carry\"\n",
        "[profiles.default]\n[profiles.carrying]\nrefer = \"carry\"\n",
    );
    let text = text.replacen(
        "targets = [\"sip:10.0.0.2:5060\"]",
        "targets = [\"sip:10.0.0.2:5060\"]\nprofile = \"carrying\"",
        1,
    );
    let mut world = by_hand(&text, 3);
    let call = Call::establish(&mut world);
    let invite = Msg::request("INVITE", TARGET, ALICE, 70).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(CAROL, "INVITE");
    world.post(
        CAROL,
        OUTSIDE,
        &Msg::response(&invited, 200, "carol").contact(CAROL).sdp(&audio(CAROL, 7000)),
    );
    let ok = world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 70, &ok));
    let carol = world.expect(CAROL, "ACK");
    let id = field(&ok, "Call-ID").replace('@', "%40").replace(':', "%3A");
    let (ours, theirs) = (tag(&ok, "To"), tag(&ok, "From"));
    let to = format!("<{TARGET}?Replaces={id}%3Bto-tag%3D{ours}%3Bfrom-tag%3D{theirs}&Require=replaces>");
    let refer = crosses(&mut world, &call, &to);
    // Carol's dialog with us, as she knows it.
    let far = (field(&carol, "Call-ID"), tag(&carol, "To"), tag(&carol, "From"));
    let expected = format!(
        "<sip:+4940@10.1.0.1:5060?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3D{}&Require=replaces>",
        far.0, far.1, far.2
    );
    assert_eq!(field(&refer, "Refer-To"), expected);
    world.post(BOB, INSIDE, &Msg::response(&refer, 202, ""));
    accepted(&mut world, ALICE, OUTSIDE);
    // Bob does as he is asked.
    let value = format!("{};to-tag={};from-tag={}", far.0, far.1, far.2);
    let replacing = Msg::request("INVITE", "sip:+4940@10.1.0.1:5060", BOB, 40).sdp(&audio(BOB, 6002));
    world.post(BOB, INSIDE, &replacing.with("Replaces", &value));
    let offered = world.expect(CAROL, "INVITE");
    world.post(CAROL, OUTSIDE, &Msg::response(&offered, 200, "").contact(CAROL).sdp(&audio(CAROL, 7000)));
    let ok = world.expect(BOB, "200");
    assert!(field(&ok, "CSeq").ends_with("INVITE") && body(&ok).contains("m=audio"), "{ok}");
    world.post(BOB, INSIDE, &Msg::inside("ACK", BOB, 40, &ok));
    let bye = world.expect(ALICE, "BYE");
    assert_eq!(field(&bye, "Call-ID"), field(&invite.text(), "Call-ID"));
    world.ok(ALICE, OUTSIDE, &bye);
    world.post(BOB, INSIDE, &notify(&refer, 1, "terminated;reason=noresource", "200 OK"));
    assert_eq!(notified(&mut world, ALICE, OUTSIDE).1, "SIP/2.0 200 OK");
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 9));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(field(&bye, "Call-ID"), field(&refer, "Call-ID"));
    world.ok(BOB, INSIDE, &bye);
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
}

#[test]
fn who_never_tells_of_a_refer_is_waited_for_until_timer_n() {
    let mut world = by_hand(&(carrying() + "\n[limits]\npending_requests = 1\n"), 20);
    let call = Call::establish(&mut world);
    let refer = crosses(&mut world, &call, &format!("<{TARGET}>"));
    world.post(BOB, INSIDE, &Msg::response(&refer, 200, ""));
    accepted(&mut world, ALICE, OUTSIDE);
    world.run_for(ms(31_500));
    let notify = world.expect_within(ALICE, "NOTIFY", s(1));
    world.ok(ALICE, OUTSIDE, &notify);
    let (state, status) = told(&notify);
    assert_eq!((&*state, &*status), ("terminated;reason=noresource", "SIP/2.0 408 Request Timeout"));
    // There is room for another one.
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 3).with("Refer-To", &format!("<{TARGET}>")));
    world.expect(BOB, "REFER");
}

/// Alice calls Carol: her 200.
fn consulted(world: &mut World) -> String {
    world.post(ALICE, OUTSIDE, &Msg::request("INVITE", TARGET, ALICE, 90).sdp(&audio(ALICE, 4002)));
    let invited = world.expect(CAROL, "INVITE");
    carol_answers(world, &invited);
    let ok = world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 90, &ok));
    ok
}

/// Bob's INVITE with Replaces for the dialog of a 200 of ours.
fn bob_replaces(ok: &str, n: u32) -> Msg {
    let value = format!("{};to-tag={};from-tag={}", field(ok, "Call-ID"), tag(ok, "To"), tag(ok, "From"));
    let invite = Msg::request("INVITE", "sip:+4940@10.1.0.1:5060", BOB, n).sdp(&audio(BOB, 6002));
    invite.with("Replaces", &value)
}

#[test]
fn rfc3891_8_nobody_gives_away_anothers_place_and_who_refuses_gets_none() {
    let mut world = by_hand(&carrying(), 21);
    let call = Call::establish(&mut world);
    // Carol talks with Bob, in a call that Alice is not in.
    let invite = Msg::request("INVITE", NUMBER, CAROL, 70).sdp(&audio(CAROL, 7000));
    world.post(CAROL, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob2").contact(BOB).sdp(&audio(BOB, 6000)));
    let of_carol = world.expect(CAROL, "200");
    world.post(CAROL, OUTSIDE, &Msg::inside("ACK", CAROL, 70, &of_carol));
    world.expect(BOB, "ACK");
    let named = |ok: &str| {
        let id = field(ok, "Call-ID").replace('@', "%40").replace(':', "%3A");
        format!("?Replaces={id}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>", tag(ok, "To"), tag(ok, "From"))
    };
    let refer = crosses(&mut world, &call, &format!("<{TARGET}{}", named(&of_carol)));
    assert!(field(&refer, "Refer-To").ends_with(&named(&of_carol)), "it tells nothing new: {refer}");
    world.post(BOB, INSIDE, &Msg::response(&refer, 202, ""));
    accepted(&mut world, ALICE, OUTSIDE);
    world.post(BOB, INSIDE, &bob_replaces(&of_carol, 40));
    world.expect(BOB, "403");
    // Her own place she may give away, but Bob does not want it.
    let own = consulted(&mut world);
    world.post(
        ALICE,
        OUTSIDE,
        &call.alice("REFER", 3).with("Refer-To", &format!("<{TARGET}{}", named(&own))),
    );
    let refer = world.expect(BOB, "REFER");
    assert!(!field(&refer, "Refer-To").ends_with(&named(&own)), "{refer}");
    world.post(BOB, INSIDE, &Msg::response(&refer, 603, ""));
    world.expect(ALICE, "603");
    world.post(BOB, INSIDE, &bob_replaces(&own, 41));
    world.expect(BOB, "403");
}
