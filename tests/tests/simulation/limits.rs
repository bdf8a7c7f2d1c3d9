//! Limits in time and number.

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, by_hand, document, invite, ms, s};
use liaison_tests::message::{Msg, audio, field, find, seq};

#[test]
fn a_target_that_rings_too_long_is_cancelled() {
    let mut world = by_hand(&format!("{TWO_SIDES}\n[profiles.default]\nring_limit = \"20s\"\n"), 1);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.expect(ALICE, "180");
    world.run_for(s(19));
    world.expect_no(BOB, "CANCEL");
    let cancel = world.expect_within(BOB, "CANCEL", s(2));
    assert_eq!(seq(&cancel), seq(&invited));
    assert_eq!(field(&cancel, "Via"), field(&invited, "Via"));
    assert_eq!(field(&cancel, "Reason"), "SIP;cause=480;text=\"Ring limit\"");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&invited, 487, "bob"));
    world.expect(BOB, "ACK");
    let refused = world.expect(ALICE, "480");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    assert_eq!(world.core.counters().rung_out, 1);
    world.must_forget("a ring limit");
}

#[test]
fn a_target_that_answers_as_it_is_cancelled_is_released() {
    let mut world = by_hand(&format!("{TWO_SIDES}\n[profiles.default]\nring_limit = \"20s\"\n"), 2);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let cancel = world.expect_within(BOB, "CANCEL", s(21));
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
    world.ok(BOB, INSIDE, &cancel);
    world.expect(BOB, "ACK");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    let refused = world.expect(ALICE, "480");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    world.must_forget("an answer that crosses the CANCEL");
}

#[test]
fn a_call_that_lasts_too_long_is_ended_on_both_legs() {
    let mut world = by_hand(&format!("{TWO_SIDES}\n[profiles.default]\nmax_duration = \"90s\"\n"), 3);
    Call::establish(&mut world);
    world.run_for(s(89));
    assert_eq!(world.gauges().calls, 1);
    for (at, from) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect_within(at, "BYE", s(2));
        assert_eq!(field(&bye, "Reason"), "SIP;cause=480;text=\"Maximum duration\"");
        world.ok(at, from, &bye);
    }
    world.run_for(ms(20));
    assert_eq!(world.records.lock().unwrap()[0].cause, "maximum duration");
    world.must_forget("a maximum duration");
}

#[test]
fn calls_beyond_the_limit_get_503_and_a_time_to_come_back() {
    let limits = "\n[limits]\ncalls = 1\nretry_after = \"7s\"\n";
    let mut world = by_hand(&format!("{TWO_SIDES}{limits}"), 4);
    let call = Call::establish(&mut world);
    let second = Msg::request("INVITE", NUMBER, ALICE, 50).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &second);
    let refused = world.expect(ALICE, "503");
    assert_eq!(field(&refused, "Retry-After"), "7");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &second).set("To", &field(&refused, "To")));
    assert_eq!(world.core.counters().overloaded, 1);
    call.hang_up(&mut world, 2);
    let third = Msg::request("INVITE", NUMBER, ALICE, 60).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &third);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
    world.expect(BOB, "ACK");
    let refused = world.expect(ALICE, "486");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &third).set("To", &field(&refused, "To")));
    world.must_forget("a limit of calls");
}

#[test]
fn a_full_trunk_takes_no_call_from_either_side() {
    let mut world = by_hand(&document("", "max_calls = 1", ""), 5);
    let call = Call::establish(&mut world);
    // Towards it.
    let second = Msg::request("INVITE", NUMBER, ALICE, 50).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &second);
    let refused = world.expect(ALICE, "503");
    assert!(find(&refused, "Retry-After").is_some());
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &second).set("To", &field(&refused, "To")));
    world.expect_no(BOB, "INVITE");
    // From it.
    let back = Msg::request("INVITE", "sip:+4940@10.1.0.1", BOB, 51).sdp(&audio(BOB, 6002));
    world.post(BOB, INSIDE, &back);
    let refused = world.expect(BOB, "503");
    world.post(BOB, INSIDE, &Msg::of_invite("ACK", &back).set("To", &field(&refused, "To")));
    assert_eq!(world.core.counters().trunk_full, 2);
    call.hang_up(&mut world, 2);
    world.must_forget("a full trunk");
    Call::establish(&mut world).hang_up(&mut world, 2);
}

#[test]
fn a_call_without_media_ports_is_refused_and_leaves_the_others_alone() {
    let text = TWO_SIDES.replace("20000-20999", "20000-20001");
    let mut world = by_hand(&text, 6);
    let call = Call::establish(&mut world);
    let second = Msg::request("INVITE", NUMBER, ALICE, 50).sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &second);
    let refused = world.expect(ALICE, "503");
    assert!(find(&refused, "Retry-After").is_some());
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &second).set("To", &field(&refused, "To")));
    world.expect_no(BOB, "INVITE");
    call.hang_up(&mut world, 2);
    world.must_forget("no media ports");
    Call::establish(&mut world).hang_up(&mut world, 2);
}

#[test]
fn rfc3261_13_3_1_1_a_call_that_rings_for_long_is_kept_alive_towards_the_caller() {
    let mut world = by_hand(TWO_SIDES, 7);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.run_for(s(150));
    let rings = world.unread(ALICE).iter().filter(|text| text.starts_with("SIP/2.0 180")).count();
    assert_eq!(rings, 3, "one that crossed, and one every minute");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
    world.expect(BOB, "ACK");
    let refused = world.expect(ALICE, "486");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    world.must_forget("a long ring");
}

#[test]
fn nobody_is_called_whom_no_answer_could_be_brought_back_from() {
    // One pair of ports on Alice's side.
    let text =
        document("", "", "\n[limits]\nretry_after = \"77s\"\n").replacen("20000-20999", "20000-20001", 1);
    let mut world = by_hand(&text, 7);
    let call = Call::establish(&mut world);
    let second = invite().set("Call-ID", "second").branch("second");
    world.post(ALICE, OUTSIDE, &second);
    let refused = world.expect(ALICE, "503");
    assert_eq!(field(&refused, "Retry-After"), "77");
    world.expect_no(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &second).set("To", &field(&refused, "To")));
    // The same for a stream more in the call.
    let two = format!("{}m=video 4002 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n", audio(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 2).sdp(&two));
    let refused = world.expect(ALICE, "503");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("To", &field(&refused, "To")));
    world.expect_no(BOB, "INVITE");
    call.hang_up(&mut world, 3);
    // What the call had serves the next one.
    let call = Call::establish_with(
        &mut world,
        invite().set("Call-ID", "third").branch("third"),
        super::common::answer,
    );
    call.hang_up(&mut world, 2);
    world.must_forget("a lack of ports");
}

#[test]
fn ports_of_an_offer_that_failed_come_back() {
    let mut world = by_hand(TWO_SIDES, 8);
    let call = Call::establish(&mut world);
    let before = world.lent();
    let two = format!("{}m=video 4002 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n", audio(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 2).sdp(&two));
    let offered = world.expect(BOB, "INVITE");
    assert_eq!(world.lent(), before + 2);
    world.post(BOB, INSIDE, &Msg::response(&offered, 488, "bob"));
    world.expect(BOB, "ACK");
    let refused = world.expect(ALICE, "488");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("To", &field(&refused, "To")));
    world.run_for(ms(20));
    assert_eq!(world.lent(), before);
    call.hang_up(&mut world, 3);
    world.must_forget("a failed offer");
}

/// Bob has his caller transferred to Carol, and hangs up: for his trunk that call is over, though it goes on.
#[test]
fn who_has_left_a_call_has_no_place_in_its_trunk_any_more() {
    let text =
        super::transfer::three().replace("from = [\"10.1.0.2\"]", "from = [\"10.1.0.2\"]\nmax_calls = 1");
    let mut world = by_hand(&text, 41);
    let call = Call::establish(&mut world);
    let to = format!("<{}>", super::transfer::TARGET);
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &to));
    super::transfer::accepted(&mut world, BOB, INSIDE);
    let invited = world.expect(super::transfer::CAROL, "INVITE");
    super::transfer::carol_answers(&mut world, &invited);
    super::transfer::notified(&mut world, BOB, INSIDE);
    world.post(BOB, INSIDE, &call.bob("BYE", 2));
    world.expect(BOB, "200");
    assert_eq!(world.gauges().calls, 1);
    world.post(ALICE, OUTSIDE, &Msg::request("INVITE", NUMBER, ALICE, 50).sdp(&audio(ALICE, 4002)));
    world.expect(BOB, "INVITE");
}
