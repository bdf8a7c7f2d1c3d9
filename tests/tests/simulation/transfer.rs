//! Transfers that a peer asks for with REFER (RFC 3515, RFC 5589), done here.

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, by_hand, ms, s};
use admin_api::control::CallQuery;
use b2bua::shard::Command;
use liaison_tests::message::{Msg, audio, body, field, find, line, start, tag};
use tokio::sync::oneshot;

/// Whom calls are transferred to: beside Alice, of a trunk of her own.
pub const CAROL: &str = "10.0.0.3:5060";

/// Carol's number, seen from either side.
pub const TARGET: &str = "sip:+4940@10.0.0.1";

/// Two sides, and Carol.
pub fn three() -> String {
    let route = "[[routes]]\nname = \"carol\"\ncalled = [\"+4940*\"]\nto = [\"mobile\"]\n\n";
    let text = TWO_SIDES.replacen("[[routes]]", &format!("{route}[[routes]]"), 1);
    text + "\n[trunks.mobile]\nnetwork = \"carrier\"\ntargets = [\"sip:10.0.0.3:5060\"]\nfrom = [\"10.0.0.3\"]\n"
}

/// What a NOTIFY says: the state of the subscription, and the status line.
pub fn told(notify: &str) -> (String, String) {
    assert!(field(notify, "Event").starts_with("refer"), "{notify}");
    assert!(field(notify, "Content-Type").starts_with("message/sipfrag"), "{notify}");
    (field(notify, "Subscription-State"), body(notify).trim_end().to_owned())
}

/// The next NOTIFY at a phone, answered.
pub fn notified(world: &mut World, at: &str, to: &str) -> (String, String) {
    let notify = world.expect_within(at, "NOTIFY", ms(300));
    world.ok(at, to, &notify);
    told(&notify)
}

/// The REFER is accepted, and the transferor hears that it is tried.
pub fn accepted(world: &mut World, at: &str, to: &str) {
    let ok = world.expect(at, "200");
    assert!(field(&ok, "CSeq").ends_with("REFER"), "{ok}");
    let (state, status) = notified(world, at, to);
    assert!(state.starts_with("active;expires=") && status == "SIP/2.0 100 Trying", "{state} {status}");
}

/// Whether a phone has heard nothing but what it expected, and that its INVITEs are on their way.
pub fn is_quiet(world: &World, at: &str) -> bool {
    world.unread(at).iter().all(|heard| heard.contains("100 Trying"))
}

fn ended(state: &str) -> (String, String) {
    ("terminated;reason=noresource".into(), state.into())
}

/// Carol answers the INVITE that she got.
pub fn carol_answers(world: &mut World, invited: &str) -> String {
    world.post(CAROL, OUTSIDE, &Msg::response(invited, 200, "carol").contact(CAROL).sdp(&audio(CAROL, 7000)));
    world.expect(CAROL, "ACK")
}

/// A re-INVITE at a phone is answered; it.
fn changed(world: &mut World, at: &str, to: &str, port: u16) -> String {
    let changed = world.expect(at, "INVITE");
    world.post(at, to, &Msg::response(&changed, 200, "").contact(at).sdp(&audio(at, port)));
    world.expect(at, "ACK");
    changed
}

/// A phone hangs up in a dialog, and the phone on the other side hears of it; nothing is left.
fn ends(world: &mut World, bye: &Msg, (at, to): (&str, &str), (other, other_to): (&str, &str)) {
    world.post(at, to, bye);
    world.expect(at, "200");
    let bye = world.expect(other, "BYE");
    world.ok(other, other_to, &bye);
    world.must_forget("a transferred call");
    assert_eq!(world.lent(), 0);
}

// conforms: RFC3515-2.4.2-1
#[test]
fn rfc5589_6_1_the_called_side_transfers_its_caller_and_is_released() {
    let mut world = by_hand(&three(), 1);
    let call = Call::establish(&mut world);
    let refer = call.bob("REFER", 1).with("Refer-To", &format!("<{TARGET}>")).set("Max-Forwards", "20");
    world.post(BOB, INSIDE, &refer.with("Referred-By", "<sip:bob@example.org>"));
    accepted(&mut world, BOB, INSIDE);
    let invited = world.expect(CAROL, "INVITE");
    assert_eq!(field(&invited, "Max-Forwards"), "19", "it counts on what the REFER had");
    assert_eq!(field(&invited, "Referred-By"), "<sip:bob@example.org>");
    assert!(field(&invited, "From").starts_with("<sip:phone@10.0.0.2:5060>"), "{invited}");
    assert!(line(body(&invited), 'm').starts_with("audio 2000"), "it is offered Alice's media: {invited}");
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 180, "carol").contact(CAROL).phrase("Ringing"));
    let (state, status) = notified(&mut world, BOB, INSIDE);
    assert!(state.starts_with("active") && status == "SIP/2.0 180 Ringing", "{state} {status}");
    assert!(is_quiet(&world, ALICE), "until somebody answers nothing changes for Alice");
    let acked = carol_answers(&mut world, &invited);
    assert_eq!(notified(&mut world, BOB, INSIDE), ended("SIP/2.0 200 OK"));
    world.run_for(ms(1500));
    assert!(is_quiet(&world, BOB) && is_quiet(&world, ALICE), "she has nothing to change");
    // Who does not hang up by itself is released.
    let bye = world.expect_within(BOB, "BYE", s(1));
    assert_eq!(field(&bye, "Reason"), "SIP;cause=200;text=\"Transferred\"");
    world.ok(BOB, INSIDE, &bye);
    world.run_for(ms(20));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    // From now on the two are one call.
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 2).body("text/plain", "hello"));
    let info = world.expect(CAROL, "INFO");
    assert_eq!(body(&info), "hello");
    world.ok(CAROL, OUTSIDE, &info);
    world.expect(ALICE, "200");
    ends(&mut world, &Msg::inside("BYE", CAROL, 1, &acked), (CAROL, OUTSIDE), (ALICE, OUTSIDE));
    let records = world.records.lock().unwrap();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    let transfer = &record.transfers[0];
    assert_eq!((transfer.by, transfer.of, transfer.target, transfer.status), (1, 0, Some(2), Some(200)));
    assert_eq!(&*transfer.to, TARGET);
    // Requirement S6-0: between whom we had what part.
    let parts: Vec<_> = record.roles.iter().map(|since| (since.role, since.calling, since.called)).collect();
    assert_eq!(parts, [("media-relay", 0, 1), ("media-relay", 0, 2)]);
}

#[test]
fn rfc5589_6_1_the_caller_transfers_and_goes_before_anybody_answers() {
    let mut world = by_hand(&three(), 2);
    let call = Call::establish(&mut world);
    // On hold, as transferors do.
    let hold = audio(ALICE, 4000) + "a=sendonly\r\n";
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 2).sdp(&hold));
    let held = world.expect(BOB, "INVITE");
    world.post(
        BOB,
        INSIDE,
        &Msg::response(&held, 200, "").contact(BOB).sdp(&(audio(BOB, 6000) + "a=recvonly\r\n")),
    );
    world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 3).with("Refer-To", &format!("<{TARGET}>")));
    accepted(&mut world, ALICE, OUTSIDE);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 4));
    world.expect(ALICE, "200");
    let invited = world.expect(CAROL, "INVITE");
    assert!(!invited.contains("recvonly"), "whoever is called is not called on hold: {invited}");
    assert_eq!(world.lent(), 2, "who has gone needs no ports");
    assert!(is_quiet(&world, BOB), "Bob stays");
    let acked = carol_answers(&mut world, &invited);
    let resumed = changed(&mut world, BOB, INSIDE, 6000);
    assert!(!resumed.contains("a=sendonly"), "{resumed}");
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    ends(&mut world, &call.bob("BYE", 9), (BOB, INSIDE), (CAROL, OUTSIDE));
    assert!(start(&acked).starts_with("ACK"));
}

#[test]
fn rfc5589_6_2_where_nobody_answers_the_call_stands_as_it_stood() {
    let mut world = by_hand(&three(), 3);
    let call = Call::establish(&mut world);
    for (seq, status) in [(2, 486), (3, 404)] {
        world.post(ALICE, OUTSIDE, &call.alice("REFER", seq).with("Refer-To", &format!("<{TARGET}>")));
        accepted(&mut world, ALICE, OUTSIDE);
        let invited = world.expect(CAROL, "INVITE");
        world.post(CAROL, OUTSIDE, &Msg::response(&invited, status, "carol").phrase("No"));
        world.expect(CAROL, "ACK");
        let notify = world.expect(ALICE, "NOTIFY");
        world.ok(ALICE, OUTSIDE, &notify);
        assert_eq!(told(&notify), ended(&format!("SIP/2.0 {status} No")));
        assert_eq!(field(&notify, "Event") == "refer", seq == 2, "{notify}");
    }
    // Where no route leads, the REFER is not refused with 404, which would be the end of the dialog.
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 4).with("Refer-To", "<sip:+4930@10.0.0.1>"));
    accepted(&mut world, ALICE, OUTSIDE);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 603, "bob"));
    world.expect(BOB, "ACK");
    notified(&mut world, ALICE, OUTSIDE);
    assert_eq!(world.lent(), 2);
    call.hang_up(&mut world, 9);
}

#[test]
fn a_transferee_that_goes_takes_the_transfer_with_it() {
    let mut world = by_hand(&three(), 4);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &format!("<{TARGET}>")));
    accepted(&mut world, ALICE, OUTSIDE);
    let invited = world.expect(CAROL, "INVITE");
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 180, "carol").contact(CAROL));
    notified(&mut world, ALICE, OUTSIDE);
    world.post(BOB, INSIDE, &call.bob("BYE", 1));
    world.expect(BOB, "200");
    let notify = world.expect(ALICE, "NOTIFY");
    assert_eq!(told(&notify).1, "SIP/2.0 487 Transferee Gone");
    let cancel = world.expect(CAROL, "CANCEL");
    world.ok(CAROL, OUTSIDE, &cancel);
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 487, "carol"));
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a call whose transferee has gone");
}

#[test]
fn who_is_left_by_the_transferor_and_reached_by_nobody_is_released() {
    let mut world = by_hand(&three(), 5);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &format!("<{TARGET}>")));
    accepted(&mut world, ALICE, OUTSIDE);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 3));
    let invited = world.expect(CAROL, "INVITE");
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 486, "carol"));
    let bye = world.expect(BOB, "BYE");
    assert_eq!(field(&bye, "Reason"), "SIP;cause=486;text=\"Transfer failed\"");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call that nobody takes");
}

#[test]
fn a_refer_in_the_middle_of_an_exchange_or_of_a_transfer_is_to_come_again() {
    let mut world = by_hand(&three(), 6);
    let call = Call::establish(&mut world);
    let refer = |seq| call.alice("REFER", seq).with("Refer-To", &format!("<{TARGET}>"));
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 2).sdp(&audio(ALICE, 4000)));
    let changed = world.expect(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &refer(3));
    assert!(field(&world.expect(ALICE, "491"), "CSeq").ends_with("REFER"));
    world.post(BOB, INSIDE, &Msg::response(&changed, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &refer(4));
    accepted(&mut world, ALICE, OUTSIDE);
    let invited = world.expect(CAROL, "INVITE");
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &format!("<{TARGET}>")));
    assert!(field(&world.expect(BOB, "491"), "CSeq").ends_with("REFER"));
    // Carol answers while Bob changes something: she waits for her place until that is over.
    world.post(BOB, INSIDE, &call.bob("INVITE", 2).sdp(&audio(BOB, 6000)));
    let change = world.expect(ALICE, "INVITE");
    carol_answers(&mut world, &invited);
    world.run_for(ms(300));
    assert!(is_quiet(&world, ALICE));
    world.post(ALICE, OUTSIDE, &Msg::response(&change, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(BOB, "200");
    world.post(BOB, INSIDE, &call.bob("ACK", 2));
    world.expect(ALICE, "ACK");
    assert_eq!(notified(&mut world, ALICE, OUTSIDE), ended("SIP/2.0 200 OK"));
    ends(&mut world, &call.bob("BYE", 3), (BOB, INSIDE), (CAROL, OUTSIDE));
}

#[test]
fn a_call_is_transferred_as_often_as_the_limit_says_and_a_profile_may_refuse() {
    let limited = three() + "\n[limits]\ntransfers = 0\n";
    let mut world = by_hand(&limited, 7);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &format!("<{TARGET}>")));
    world.expect(ALICE, "603");
    call.hang_up(&mut world, 3);
    let refusing = three() + "\n[profiles.default]\nrefer = \"refuse\"\n";
    let mut world = by_hand(&refusing, 8);
    let call = Call::establish(&mut world);
    assert!(!field(&call.ok, "Allow").contains("REFER"), "{}", call.ok);
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &format!("<{TARGET}>")));
    let refused = world.expect(ALICE, "405");
    assert!(!field(&refused, "Allow").contains("REFER"), "{refused}");
    call.hang_up(&mut world, 3);
}

// conforms: RFC3892-2.2-1
#[test]
fn rfc3892_the_token_of_who_refers_crosses_byte_for_byte_beside_the_offer() {
    let mut world = by_hand(&three(), 9);
    let call = Call::establish(&mut world);
    let token = "Content-ID-less token\r\n\u{3c0}\r\n";
    let refer = call.alice("REFER", 2).with("Refer-To", &format!("<{TARGET}?Subject=hi%20there>"));
    let refer = refer.with("Referred-By", "<sip:a@x.example>;cid=\"1@x.example\"").with("Refer-Sub", "false");
    let refer =
        refer.with("Content-ID", "<1@x.example>").with("Content-Disposition", "aib;handling=optional");
    world.post(ALICE, OUTSIDE, &refer.body("message/sipfrag", token));
    let ok = world.expect(ALICE, "200");
    assert_eq!(field(&ok, "Refer-Sub"), "false");
    let invited = world.expect(CAROL, "INVITE");
    assert_eq!(field(&invited, "Subject"), "hi there");
    assert_eq!(field(&invited, "Referred-By"), "<sip:a@x.example>;cid=\"1@x.example\"");
    assert!(field(&invited, "Content-Type").starts_with("multipart/mixed"), "{invited}");
    assert!(
        invited.contains(token) && invited.contains("<1@x.example>") && invited.contains("m=audio"),
        "{invited}"
    );
    carol_answers(&mut world, &invited);
    world.run_for(ms(100));
    assert!(is_quiet(&world, ALICE), "she wanted to hear nothing of it");
    let bye = world.expect_within(ALICE, "BYE", s(3));
    world.ok(ALICE, OUTSIDE, &bye);
    world.run_for(s(1));
    assert_eq!(world.gauges().calls, 1);
}

/// Alice's second call, to Carol: Carol's INVITE and Alice's 200.
fn consultation(world: &mut World) -> (String, String) {
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
    let acked = world.expect(CAROL, "ACK");
    world.run_for(ms(20));
    (acked, ok)
}

/// Refer-To with Replaces for the dialog of that 200 of ours.
fn replacing(ok: &str) -> String {
    let (call_id, ours, theirs) = (field(ok, "Call-ID"), tag(ok, "To"), tag(ok, "From"));
    let call_id = call_id.replace('@', "%40").replace(':', "%3A");
    format!("<{TARGET}?Replaces={call_id}%3Bto-tag%3D{ours}%3Bfrom-tag%3D{theirs}>")
}

#[test]
fn rfc5589_7_3_an_attended_transfer_between_two_calls_here_makes_one_of_them() {
    let mut world = by_hand(&three(), 10);
    let call = Call::establish(&mut world);
    let hold = audio(ALICE, 4000) + "a=sendonly\r\n";
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 2).sdp(&hold));
    let held = world.expect(BOB, "INVITE");
    world.post(
        BOB,
        INSIDE,
        &Msg::response(&held, 200, "").contact(BOB).sdp(&(audio(BOB, 6000) + "a=recvonly\r\n")),
    );
    world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    world.expect(BOB, "ACK");
    let (carol, ok) = consultation(&mut world);
    assert_eq!((world.gauges().calls, world.lent()), (2, 4));
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 3).with("Refer-To", &replacing(&ok)));
    accepted(&mut world, ALICE, OUTSIDE);
    assert_eq!(notified(&mut world, ALICE, OUTSIDE), ended("SIP/2.0 200 OK"));
    let bye = world.expect(ALICE, "BYE");
    assert_eq!(field(&bye, "Call-ID"), field(&ok, "Call-ID"), "the consultation is over");
    world.ok(ALICE, OUTSIDE, &bye);
    let resumed = changed(&mut world, BOB, INSIDE, 6000);
    assert!(!resumed.contains("a=sendonly"), "{resumed}");
    assert!(is_quiet(&world, CAROL), "nobody is called, and nothing changes for Carol");
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 4));
    world.expect(ALICE, "200");
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    ends(&mut world, &Msg::inside("BYE", CAROL, 1, &carol), (CAROL, OUTSIDE), (BOB, INSIDE));
    let records = world.records.lock().unwrap();
    assert_eq!(records.len(), 2, "{records:?}");
}

#[test]
fn whom_the_transferor_was_called_by_in_the_other_call_comes_over_as_well() {
    let mut world = by_hand(&three(), 12);
    let call = Call::establish(&mut world);
    // Carol calls, and Bob answers: a second call of his.
    world.post(CAROL, OUTSIDE, &Msg::request("INVITE", NUMBER, CAROL, 50).sdp(&audio(CAROL, 7000)));
    let second = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&second, 200, "bob2").contact(BOB).sdp(&audio(BOB, 6002)));
    let ok = world.expect(CAROL, "200");
    world.post(CAROL, OUTSIDE, &Msg::inside("ACK", CAROL, 50, &ok));
    world.expect(BOB, "ACK");
    let of = (field(&second, "Call-ID"), tag(&second, "From"));
    let to = format!("<sip:x@10.1.0.1?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3Dbob2>", of.0, of.1);
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &to));
    accepted(&mut world, BOB, INSIDE);
    assert_eq!(notified(&mut world, BOB, INSIDE), ended("SIP/2.0 200 OK"));
    let bye = world.expect(BOB, "BYE");
    assert_eq!(field(&bye, "Call-ID"), of.0);
    world.ok(BOB, INSIDE, &bye);
    world.post(BOB, INSIDE, &call.bob("BYE", 2));
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    world.post(CAROL, OUTSIDE, &Msg::inside("INFO", CAROL, 51, &ok).body("text/plain", "hello"));
    let info = world.expect(ALICE, "INFO");
    world.ok(ALICE, OUTSIDE, &info);
    ends(&mut world, &call.alice("BYE", 9), (ALICE, OUTSIDE), (CAROL, OUTSIDE));
}

#[test]
fn a_transferee_that_does_not_take_the_targets_description_stays_as_it_is() {
    let mut world = by_hand(&three(), 13);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &format!("<{TARGET}>")));
    accepted(&mut world, ALICE, OUTSIDE);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 3));
    let invited = world.expect(CAROL, "INVITE");
    let other = audio(CAROL, 7000).replace("8 101", "8").replace("a=rtpmap:101 telephone-event/8000\r\n", "");
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 200, "carol").contact(CAROL).sdp(&other));
    world.expect(CAROL, "ACK");
    let offered = world.expect(BOB, "INVITE");
    assert!(!offered.contains("telephone-event"), "{offered}");
    world.post(BOB, INSIDE, &Msg::response(&offered, 488, ""));
    world.expect(BOB, "ACK");
    world.run_for(ms(300));
    let counters = world.core.counters();
    assert_eq!((counters.transfers_unsettled, counters.transfers_done, world.gauges().calls), (1, 1, 1));
    ends(&mut world, &call.bob("BYE", 9), (BOB, INSIDE), (CAROL, OUTSIDE));
}

#[test]
fn rfc3891_3_nobody_transfers_to_a_dialog_that_is_another_peers() {
    let mut world = by_hand(&three(), 11);
    let call = Call::establish(&mut world);
    let (_, ok) = consultation(&mut world);
    // Bob is no party of Alice's call with Carol.
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &replacing(&ok)));
    world.expect(BOB, "603");
    // A dialog that is nobody's here is the target's affair.
    let foreign = format!("<{TARGET}?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2>");
    world.post(BOB, INSIDE, &call.bob("REFER", 2).with("Refer-To", &foreign));
    accepted(&mut world, BOB, INSIDE);
    let invited = world.expect(CAROL, "INVITE");
    assert_eq!(field(&invited, "Replaces"), "x@y;to-tag=1;from-tag=2");
    assert_eq!(find(&invited, "Refer-To"), None);
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 481, "carol"));
    assert_eq!(notified(&mut world, BOB, INSIDE).0, "terminated;reason=noresource");
}

#[test]
fn whom_a_refer_may_name_and_by_which_number_is_a_matter_of_the_profile() {
    let rules = "\n[profiles.default]\nrefer_to = { called = [\"040*\"], number = { strip = \"0\", prefix = \"+49\" } }\n";
    let mut world = by_hand(&(three() + rules), 30);
    let call = Call::establish(&mut world);
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", "<sip:+4940@10.1.0.1>"));
    world.expect(BOB, "603");
    world.post(BOB, INSIDE, &call.bob("REFER", 2).with("Refer-To", "<sip:0405@10.1.0.1>"));
    accepted(&mut world, BOB, INSIDE);
    let invited = world.expect(CAROL, "INVITE");
    assert!(invited.starts_with("INVITE sip:+49405@10.0.0.3"), "{invited}");
}

const BYPASS: &str = "\n[profiles.default]\nmedia = \"bypass\"\n";

/// Alice transfers Bob to Carol, who rings: what she got.
fn rings(world: &mut World, call: &Call) -> String {
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &format!("<{TARGET}>")));
    accepted(world, ALICE, OUTSIDE);
    let invited = world.expect(CAROL, "INVITE");
    world.post(CAROL, OUTSIDE, &Msg::response(&invited, 180, "carol").contact(CAROL).phrase("Ringing"));
    assert_eq!(notified(world, ALICE, OUTSIDE).1, "SIP/2.0 180 Ringing");
    invited
}

#[test]
fn a_target_hears_of_a_transferee_that_has_moved_while_it_rang() {
    let mut world = by_hand(&(three() + BYPASS), 40);
    let call = Call::establish(&mut world);
    let invited = rings(&mut world, &call);
    assert!(line(body(&invited), 'm').starts_with("audio 6000"), "{invited}");
    world.post(BOB, INSIDE, &call.bob("INVITE", 5).sdp(&audio(BOB, 6100)));
    changed(&mut world, ALICE, OUTSIDE, 4000);
    let ok = world.expect(BOB, "200");
    world.post(BOB, INSIDE, &Msg::inside("ACK", BOB, 5, &ok));
    world.run_for(ms(20));
    carol_answers(&mut world, &invited);
    let told = changed(&mut world, CAROL, OUTSIDE, 7000);
    assert!(line(body(&told), 'm').starts_with("audio 6100"), "{told}");
    let told = changed(&mut world, BOB, INSIDE, 6100);
    assert!(line(body(&told), 'm').starts_with("audio 7000"), "{told}");
    world.run_for(s(1));
    assert!(is_quiet(&world, BOB) && is_quiet(&world, CAROL));
}

#[test]
fn two_who_never_hear_each_other_are_not_left_in_a_call() {
    let mut world = by_hand(&(three() + BYPASS), 41);
    let call = Call::establish(&mut world);
    let invited = rings(&mut world, &call);
    let acked = carol_answers(&mut world, &invited);
    let mut offers = 0;
    // Bob does not take where Carol is, however often he is asked.
    let bye = loop {
        world.run_for(ms(100));
        let heard = world.unread(BOB);
        if let Some(bye) = heard.iter().find(|text| text.starts_with("BYE")) {
            break bye.clone();
        }
        if heard.iter().any(|text| text.starts_with("INVITE")) {
            let offered = world.expect(BOB, "INVITE");
            world.post(BOB, INSIDE, &Msg::response(&offered, 488, ""));
            world.expect(BOB, "ACK");
            offers += 1;
        }
        assert!(offers < 20);
    };
    assert!((2..=9).contains(&offers), "{offers}");
    assert_eq!(field(&bye, "Reason"), "SIP;cause=488;text=\"Session description refused\"");
    let bye = world.expect(CAROL, "BYE");
    assert_eq!(field(&bye, "Call-ID"), field(&acked, "Call-ID"));
}

#[test]
fn a_call_that_is_ended_from_here_ends_its_transfer_and_the_transferor_hears_so() {
    let mut world = by_hand(&three(), 42);
    let call = Call::establish(&mut world);
    rings(&mut world, &call);
    world.run_for(ms(20));
    let (ask, mut shown) = oneshot::channel();
    let query = CallQuery { after: None, limit: 1, filter: Default::default() };
    world.command(Command::Calls(query, ask));
    let (calls, _) = shown.try_recv().unwrap();
    let id = calls[0].1.id.as_str().into();
    let (ask, mut over) = oneshot::channel();
    world.command(Command::EndCall(id, None, ask));
    assert!(over.try_recv().unwrap());
    assert_eq!(notified(&mut world, ALICE, OUTSIDE), ended("SIP/2.0 487 Call Ended"));
    world.expect(CAROL, "CANCEL");
    world.expect(BOB, "BYE");
    world.expect(ALICE, "BYE");
}
