//! UPDATE (RFC 3311) and the other carriers of offers, on each leg whatever the other one takes (RFC 6337 §2.2).

use super::common::{
    ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms, s,
};
use liaison_tests::message::{Msg, audio, body, field, find, line, start};

const TAKES: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE";

/// A side of a call, as it is played.
#[derive(Clone, Copy)]
struct Side {
    at: &'static str,
    to: &'static str,
    far: &'static str,
    back: &'static str,
}

const SIDES: [Side; 2] = [
    Side { at: ALICE, to: OUTSIDE, far: BOB, back: INSIDE },
    Side { at: BOB, to: INSIDE, far: ALICE, back: OUTSIDE },
];

impl Side {
    fn request(self, call: &Call, method: &str, seq: u32) -> Msg {
        if self.at == ALICE { call.alice(method, seq) } else { call.bob(method, seq) }
    }

    /// The far side's 2xx, with that description.
    fn says(self, world: &mut World, request: &str, sdp: &str) {
        world.post(self.far, self.back, &Msg::response(request, 200, "").contact(self.far).sdp(sdp));
    }
}

/// An established call between two that take UPDATE, or not.
fn call(world: &mut World, alice: bool, bob: bool) -> Call {
    let allow = |msg: Msg, takes: bool| if takes { msg.with("Allow", TAKES) } else { msg };
    Call::establish_with(world, allow(invite(), alice), |invite| allow(answer(invite), bob))
}

fn version(sdp: &str) -> u64 {
    line(sdp, 'o').split(' ').nth(2).unwrap().parse().unwrap()
}

pub fn held(at: &str, port: u16) -> String {
    format!("{}a=sendonly\r\n", audio(at, port).replace(" 1 IN", " 2 IN"))
}

// conforms: RFC3311-5.2-4,5
#[test]
fn rfc3311_an_offer_in_an_update_crosses_as_one_both_ways() {
    for side in SIDES {
        let mut world = by_hand(TWO_SIDES, 1);
        let call = call(&mut world, true, true);
        assert!(
            field(&call.invited, "Allow").contains("UPDATE") && field(&call.ok, "Allow").contains("UPDATE")
        );
        world.post(side.at, side.to, &side.request(&call, "UPDATE", 2).sdp(&held(side.at, 4100)));
        let offered = world.expect(side.far, "UPDATE");
        assert!(body(&offered).contains("a=sendonly") && find(&offered, "Contact").is_some(), "{offered}");
        side.says(&mut world, &offered, &format!("{}a=recvonly\r\n", audio(side.far, 6000)));
        let answered = world.expect(side.at, "200");
        assert!(
            body(&answered).contains("a=recvonly") && field(&answered, "CSeq") == "2 UPDATE",
            "{answered}"
        );
        // The same again is no news: no version of ours goes up.
        world.post(side.at, side.to, &side.request(&call, "UPDATE", 3).sdp(&held(side.at, 4100)));
        let again = world.expect(side.far, "UPDATE");
        assert_eq!(body(&again), body(&offered));
        side.says(&mut world, &again, &format!("{}a=recvonly\r\n", audio(side.far, 6000)));
        assert_eq!(body(&world.expect(side.at, "200")), body(&answered));
        for at in [ALICE, BOB] {
            world.expect_no(at, "ACK");
        }
        call.hang_up(&mut world, 9);
        world.must_forget("UPDATEs that cross");
    }
}

#[test]
fn an_offer_in_an_update_crosses_as_a_reinvite_to_a_side_without_it() {
    for side in SIDES {
        let mut world = by_hand(TWO_SIDES, 2);
        let call = call(&mut world, side.at == ALICE, side.at == BOB);
        world.post(side.at, side.to, &side.request(&call, "UPDATE", 2).sdp(&held(side.at, 4100)));
        let offered = world.expect(side.far, "INVITE");
        assert!(body(&offered).contains("a=sendonly"), "{offered}");
        side.says(&mut world, &offered, &format!("{}a=recvonly\r\n", audio(side.far, 6000)));
        world.expect(side.far, "ACK");
        let answered = world.expect(side.at, "200");
        assert!(
            body(&answered).contains("a=recvonly") && field(&answered, "CSeq") == "2 UPDATE",
            "{answered}"
        );
        // And the other way round: what came in a re-INVITE crosses in one.
        world.post(
            side.far,
            side.back,
            &Side { at: side.far, ..side }.request(&call, "INVITE", 2).sdp(&audio(side.far, 6000)),
        );
        let offered = world.expect(side.at, "INVITE");
        world.post(
            side.at,
            side.to,
            &Msg::response(&offered, 200, "").contact(side.at).sdp(&audio(side.at, 4100)),
        );
        world.expect(side.at, "ACK");
        let ok = world.expect(side.far, "200");
        world.post(side.far, side.back, &Msg::inside("ACK", side.far, 2, &ok));
        world.run_for(ms(20));
        call.hang_up(&mut world, 9);
        world.must_forget("an UPDATE that crosses as a re-INVITE");
    }
}

#[test]
fn an_update_of_a_side_for_itself_is_answered_there() {
    for side in SIDES {
        let mut world = by_hand(TWO_SIDES, 3);
        let call = call(&mut world, true, true);
        world.post(side.at, side.to, &side.request(&call, "UPDATE", 2).with("Session-Expires", "1800"));
        let ok = world.expect(side.at, "200");
        assert!(field(&ok, "CSeq") == "2 UPDATE" && find(&ok, "Contact").is_some() && body(&ok).is_empty());
        world.expect_no(side.far, "UPDATE");
        // What says more crosses, where it can.
        world.post(side.at, side.to, &side.request(&call, "UPDATE", 3).with("X-News", "1"));
        let news = world.expect(side.far, "UPDATE");
        assert_eq!((field(&news, "X-News").as_str(), body(&news)), ("1", ""));
        world.post(
            side.far,
            side.back,
            &Msg::response(&news, 200, "").contact(side.far).with("X-Heard", "2"),
        );
        let heard = world.expect(side.at, "200");
        assert_eq!(field(&heard, "X-Heard"), "2");
        call.hang_up(&mut world, 9);
        world.must_forget("UPDATEs without an offer");
    }
    let mut world = by_hand(TWO_SIDES, 3);
    let call = call(&mut world, true, false);
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 2).with("X-News", "1"));
    world.expect(ALICE, "200");
    world.expect_no(BOB, "INVITE");
    call.hang_up(&mut world, 9);
}

// conforms: RFC3311-5.3-1
#[test]
fn rfc3311_5_3_a_refused_update_leaves_both_legs_as_they_were() {
    for (side, status) in SIDES.into_iter().zip([488, 500]) {
        let mut world = by_hand(TWO_SIDES, 4);
        let call = call(&mut world, true, true);
        let more = format!("{}m=video 4004 RTP/AVP 31\r\n", audio(side.at, 4100).replace(" 1 IN", " 2 IN"));
        world.post(side.at, side.to, &side.request(&call, "UPDATE", 2).sdp(&more));
        let offered = world.expect(side.far, "UPDATE");
        world.post(side.far, side.back, &Msg::response(&offered, status, "").with("Retry-After", "3"));
        let refused = world.expect(side.at, &status.to_string());
        assert_eq!(field(&refused, "CSeq"), "2 UPDATE");
        world.run_for(ms(20));
        assert_eq!((world.gauges().calls, world.lent()), (1, 2), "the video's ports are given back");
        world.post(
            side.at,
            side.to,
            &side.request(&call, "UPDATE", 3).sdp(&audio(side.at, 4100).replace(" 1 IN", " 3 IN")),
        );
        let again = world.expect(side.far, "UPDATE");
        assert!(!body(&again).contains("m=video"), "{again}");
        assert!(version(body(&again)) == version(body(&offered)) + 1, "it has seen that one");
        side.says(&mut world, &again, &audio(side.far, 6000));
        world.expect(side.at, "200");
        call.hang_up(&mut world, 9);
        world.must_forget("a refused UPDATE");
    }
}

// conforms: RFC3311-5.2-6
#[test]
fn rfc3311_5_2_who_asks_in_an_update_is_not_kept_waiting_for_a_far_side_that_asks_its_user() {
    let mut world = by_hand(TWO_SIDES, 5);
    let call = call(&mut world, true, false);
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 2).sdp(&held(ALICE, 4100)));
    let asked = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&asked, 180, "").contact(BOB));
    let refused = world.expect_within(ALICE, "504", s(21));
    assert_eq!(field(&refused, "CSeq"), "2 UPDATE");
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    // It was answered in that moment: what stood is put back.
    world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    let restored = world.expect(BOB, "INVITE");
    assert!(!body(&restored).contains("a=sendonly"), "{restored}");
    world.post(BOB, INSIDE, &Msg::response(&restored, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    call.hang_up(&mut world, 3);
    world.must_forget("an UPDATE whose far side asks its user");
}

#[test]
fn a_far_side_that_loses_its_dialog_ends_the_call_and_not_by_its_own_status() {
    let mut world = by_hand(TWO_SIDES, 6);
    let call = call(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 2).sdp(&held(ALICE, 4100)));
    let asked = world.expect(BOB, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&asked, 481, ""));
    world.expect(ALICE, "504");
    for (at, from) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        world.ok(at, from, &bye);
    }
    world.must_forget("a lost dialog");
}

#[test]
fn a_far_side_that_does_not_know_update_after_all_is_asked_in_a_reinvite_the_next_time() {
    let mut world = by_hand(TWO_SIDES, 7);
    let call = call(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 2).sdp(&held(ALICE, 4100)));
    let asked = world.expect(BOB, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&asked, 501, ""));
    world.expect(ALICE, "504");
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 3).sdp(&held(ALICE, 4100)));
    let asked = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    world.expect(ALICE, "200");
    call.hang_up(&mut world, 9);
}

#[test]
fn rfc3311_5_2_updates_that_cross_are_sorted_out_by_who_made_the_call_id() {
    let mut world = by_hand(TWO_SIDES, 8);
    let call = call(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 2).sdp(&held(ALICE, 4100)));
    let asked = world.expect(BOB, "UPDATE");
    let at = world.now.mono;
    world.post(BOB, INSIDE, &call.bob("UPDATE", 2).sdp(&held(BOB, 6000)));
    assert_eq!(field(&world.expect(BOB, "491"), "CSeq"), "2 UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&asked, 491, ""));
    // Bob did not make the Call-ID of his leg: his turn comes first, but what Alice asks is still under way.
    world.run_for(ms(500));
    world.post(BOB, INSIDE, &call.bob("UPDATE", 3).sdp(&held(BOB, 6000)));
    world.expect(BOB, "491");
    let again = world.expect_within(BOB, "UPDATE", s(4));
    let waited = world.now.mono.since(at);
    assert!(waited >= ms(2_100), "we made it: {waited:?}");
    world.post(BOB, INSIDE, &Msg::response(&again, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(ALICE, "200");
    world.post(BOB, INSIDE, &call.bob("UPDATE", 4).sdp(&held(BOB, 6000)));
    let asked = world.expect(ALICE, "UPDATE");
    world.post(ALICE, OUTSIDE, &Msg::response(&asked, 200, "").contact(ALICE).sdp(&audio(ALICE, 4100)));
    world.expect(BOB, "200");
    call.hang_up(&mut world, 9);
    world.must_forget("UPDATEs that cross");
}

/// A call whose called side has answered reliably; each has acknowledged. What Alice and Bob have of it.
pub fn early(world: &mut World, alice: bool, bob: bool) -> (String, String) {
    let allow = |msg: Msg, takes: bool| if takes { msg.with("Allow", TAKES) } else { msg };
    let calling =
        Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000)).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &allow(calling, alice));
    let invited = world.expect(BOB, "INVITE");
    let progress =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "7");
    world.post(BOB, INSIDE, &allow(progress, bob).sdp(&audio(BOB, 6000)));
    let early = world.expect(ALICE, "183");
    let acknowledged = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &acknowledged);
    world.post(ALICE, OUTSIDE, &prack(&early, 2));
    world.expect(ALICE, "200");
    (early, invited)
}

fn prack(of: &str, seq: u32) -> Msg {
    Msg::inside("PRACK", ALICE, seq, of).with("RAck", &format!("{} 1 INVITE", field(of, "RSeq")))
}

/// A request of Bob's in his early dialog.
fn of_bob(method: &str, seq: u32, invited: &str) -> Msg {
    let to = format!("{};tag=bob", field(invited, "To"));
    Msg::inside(method, BOB, seq, invited).set("From", &to)
}

/// Bob answers the INVITE, Alice acknowledges and hangs up.
pub fn finish(world: &mut World, invited: &str) {
    world.post(BOB, INSIDE, &Msg::response(invited, 200, "bob").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert!(field(&ok, "CSeq").ends_with("INVITE") && body(&ok).is_empty(), "{ok}");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, &ok));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call with early changes");
}

#[test]
fn rfc3311_8_an_early_session_is_changed_from_both_sides() {
    let mut world = by_hand(TWO_SIDES, 9);
    let (early, invited) = early(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&held(ALICE, 4000)));
    let asked = world.expect(BOB, "UPDATE");
    assert!(body(&asked).contains("a=sendonly"), "{asked}");
    world.post(
        BOB,
        INSIDE,
        &Msg::response(&asked, 200, "").contact(BOB).sdp(&format!("{}a=recvonly\r\n", audio(BOB, 6000))),
    );
    assert!(body(&world.expect(ALICE, "200")).contains("a=recvonly"));
    world.post(BOB, INSIDE, &of_bob("UPDATE", 1, &invited).sdp(&audio(BOB, 6002)));
    let asked = world.expect(ALICE, "UPDATE");
    world.post(ALICE, OUTSIDE, &Msg::response(&asked, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    assert_eq!(field(&world.expect(BOB, "200"), "CSeq"), "1 UPDATE");
    finish(&mut world, &invited);
}

#[test]
fn rfc6337_3_2_an_early_session_whose_other_side_takes_no_update_stays_as_it_is() {
    for caller in [true, false] {
        let mut world = by_hand(TWO_SIDES, 10);
        let (early, invited) = early(&mut world, caller, !caller);
        if caller {
            world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&held(ALICE, 4000)));
            world.expect(ALICE, "504");
        } else {
            world.post(BOB, INSIDE, &of_bob("UPDATE", 1, &invited).sdp(&audio(BOB, 6002)));
            world.expect(BOB, "504");
        }
        finish(&mut world, &invited);
    }
}

#[test]
fn the_called_side_changes_what_the_caller_has_not_been_told_for_good() {
    let mut world = by_hand(TWO_SIDES, 11);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    let progress =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "7");
    world.post(BOB, INSIDE, &progress.with("Allow", TAKES).sdp(&audio(BOB, 6000)));
    world.expect(ALICE, "183");
    let acknowledged = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &acknowledged);
    let held = format!("{}a=sendonly\r\n", audio(BOB, 6000).replace(" 1 IN", " 2 IN"));
    world.post(BOB, INSIDE, &of_bob("UPDATE", 1, &invited).sdp(&held));
    let answered = world.expect(BOB, "200");
    assert!(body(&answered).contains("a=recvonly") && field(&answered, "CSeq") == "1 UPDATE", "{answered}");
    world.expect_no(ALICE, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert!(body(&ok).contains("a=sendonly"), "it hears of it with its answer: {ok}");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 1);
}

#[test]
fn rfc3262_5_an_offer_in_a_prack_crosses_in_an_update() {
    let mut world = by_hand(TWO_SIDES, 12);
    let calling =
        Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000)).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &calling);
    let invited = world.expect(BOB, "INVITE");
    let progress =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "7");
    world.post(BOB, INSIDE, &progress.with("Allow", TAKES).sdp(&audio(BOB, 6000)));
    let early = world.expect(ALICE, "183");
    let acknowledged = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &acknowledged);
    world.post(ALICE, OUTSIDE, &prack(&early, 2).sdp(&held(ALICE, 4000)));
    let asked = world.expect(BOB, "UPDATE");
    assert!(body(&asked).contains("a=sendonly"), "{asked}");
    world.expect_no(ALICE, "200");
    // Bob answers the call before that: the caller's 2xx waits for what it has asked before.
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    world.expect(BOB, "ACK");
    world.post(
        BOB,
        INSIDE,
        &Msg::response(&asked, 200, "").contact(BOB).sdp(&format!("{}a=recvonly\r\n", audio(BOB, 6000))),
    );
    let answered = world.expect(ALICE, "200");
    assert!(body(&answered).contains("a=recvonly") && field(&answered, "CSeq") == "2 PRACK", "{answered}");
    let ok = world.expect(ALICE, "200");
    assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("1 INVITE", ""));
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 1);
}

/// The caller's PRACK comes while Bob has not answered ours.
#[test]
fn rfc6337_4_3_an_offer_in_a_prack_waits_until_the_far_side_can_be_asked() {
    for answers_first in [false, true] {
        let mut world = by_hand(TWO_SIDES, 14);
        let calling =
            Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000)).with("Supported", "100rel");
        world.post(ALICE, OUTSIDE, &calling);
        let invited = world.expect(BOB, "INVITE");
        let progress =
            Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "7");
        world.post(BOB, INSIDE, &progress.with("Allow", TAKES).sdp(&audio(BOB, 6000)));
        let early = world.expect(ALICE, "183");
        let acknowledged = world.expect(BOB, "PRACK");
        world.post(ALICE, OUTSIDE, &prack(&early, 2).sdp(&held(ALICE, 4000)));
        world.expect_no(ALICE, "200");
        world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&audio(ALICE, 4000)));
        assert_eq!(field(&world.expect(ALICE, "500"), "CSeq"), "3 UPDATE");
        if answers_first {
            world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
            world.expect(BOB, "ACK");
        } else {
            world.expect_no(BOB, "UPDATE");
            world.ok(BOB, INSIDE, &acknowledged);
        }
        let asked = world.expect(BOB, "UPDATE");
        assert!(body(&asked).contains("a=sendonly"), "{asked}");
        let held = format!("{}a=recvonly\r\n", audio(BOB, 6000));
        world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&held));
        let answered = world.expect(ALICE, "200");
        assert!(body(&answered).contains("a=recvonly"), "{answered}");
        assert_eq!(field(&answered, "CSeq"), "2 PRACK");
        if answers_first {
            let ok = world.expect(ALICE, "200");
            assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("1 INVITE", ""));
            world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
            world.run_for(ms(20));
            assert_eq!(world.gauges().calls, 1);
        } else {
            finish(&mut world, &invited);
        }
    }
}

#[test]
fn a_branch_that_fails_answers_what_was_asked_in_its_early_dialog() {
    let mut world = by_hand(TWO_SIDES, 13);
    let (early, invited) = early(&mut world, true, true);
    world.post(ALICE, OUTSIDE, &Msg::inside("UPDATE", ALICE, 3, &early).sdp(&held(ALICE, 4000)));
    world.expect(BOB, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
    world.expect(BOB, "ACK");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let next = world.expect(ALICE, "4");
        seen.push((field(&next, "CSeq"), start(&next).split(' ').next().unwrap().to_owned()));
    }
    seen.sort();
    assert_eq!(seen, [("1 INVITE".to_owned(), "486".to_owned()), ("3 UPDATE".to_owned(), "481".to_owned())]);
}

/// Holds and resumes of both sides, in any order: what each is told last is what both have agreed to.
#[test]
fn rfc3264_8_4_both_hold_and_resume_in_any_order() {
    // Who holds in which form; then who resumes first.
    let forms = ["a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0"];
    for (n, form) in forms.into_iter().enumerate() {
        for first in [0, 1] {
            let mut world = by_hand(TWO_SIDES, 20 + n as u64);
            let call = call(&mut world, n == 0, n != 1);
            let (mut holding, mut seq) = ([false, false], 2);
            for (by, hold) in [(0, true), (1, true), (first, false), (1 - first, false)] {
                holding[by] = hold;
                let side = SIDES[by];
                let describe = |who: usize, seq: u32| {
                    let at = SIDES[who].at;
                    let plain = audio(at, 4000).replace(" 1 IN", &format!(" {} IN", seq + 1));
                    match holding[who] {
                        true if form.starts_with("c=") => plain.replace(&line(&plain, 'c'), "IN IP4 0.0.0.0"),
                        true => format!("{plain}{form}\r\n"),
                        false => plain,
                    }
                };
                world.post(side.at, side.to, &side.request(&call, "INVITE", seq).sdp(&describe(by, seq)));
                let offered = world.expect(side.far, "INVITE");
                let turned = match holding[by] {
                    true if form == "a=inactive" => "a=inactive\r\n",
                    true if holding[1 - by] => "a=inactive\r\n",
                    true if form == "a=sendonly" => "a=recvonly\r\n",
                    true => "",
                    false if holding[1 - by] => "a=sendonly\r\n",
                    false => "",
                };
                let sdp = format!(
                    "{}{turned}",
                    audio(side.far, 6000).replace(" 1 IN", &format!(" {} IN", seq + 1))
                );
                side.says(&mut world, &offered, &sdp);
                world.expect(side.far, "ACK");
                let ok = world.expect(side.at, "200");
                assert!(body(&ok).contains(turned.trim_end()), "{form}: {ok}");
                world.post(side.at, side.to, &Msg::inside("ACK", side.at, seq, &ok));
                world.run_for(ms(20));
                seq += 1;
            }
            assert_eq!((world.gauges().calls, world.lent()), (1, 2), "{form}");
            call.hang_up(&mut world, 20);
            world.must_forget("holds from both sides");
        }
    }
}

#[test]
fn an_early_session_that_was_changed_and_failed_leaves_the_callers_offer_to_the_next_target() {
    const CAROL: &str = "10.1.0.3:5060";
    let both = "[\"sip:10.1.0.2:5060\", \"sip:10.1.0.3:5060\"]";
    let document =
        TWO_SIDES.replace("[\"sip:10.1.0.2:5060\"]", both) + "\n[profiles.default]\nfailover = [486]\n";
    for is_answered in [true, false] {
        let mut world = by_hand(&document, 14);
        let (_, invited) = early(&mut world, true, true);
        world.post(BOB, INSIDE, &of_bob("UPDATE", 1, &invited).sdp(&held(BOB, 6000)));
        let asked = world.expect(ALICE, "UPDATE");
        let agreed = format!("{}a=recvonly\r\n", audio(ALICE, 4000));
        if is_answered {
            world.post(ALICE, OUTSIDE, &Msg::response(&asked, 200, "").contact(ALICE).sdp(&agreed));
            world.expect(BOB, "200");
        }
        world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
        world.expect(BOB, "ACK");
        let again = world.expect(CAROL, "INVITE");
        assert!(!body(&again).contains("a=recvonly"), "{again}");
        world.post(
            CAROL,
            INSIDE,
            &Msg::response(&again, 200, "carol").contact(CAROL).sdp(&audio(CAROL, 7000)),
        );
        let ok = world.expect(ALICE, "200");
        assert!(field(&ok, "CSeq").ends_with("INVITE") && body(&ok).contains("m=audio 2"), "{ok}");
        assert!(!body(&ok).contains("a=recvonly") && !body(&ok).contains("a=sendonly"), "{ok}");
        world.expect(CAROL, "ACK");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
        world.run_for(ms(20));
        world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, &ok));
        world.expect(ALICE, "200");
        let bye = world.expect(CAROL, "BYE");
        world.ok(CAROL, INSIDE, &bye);
        world.must_forget("a call by the second target");
    }
}

#[test]
fn rfc3311_5_an_update_without_an_offer_never_asks_the_far_side_for_one() {
    let mut world = by_hand(TWO_SIDES, 15);
    let call = call(&mut world, true, false);
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 2).body("application/x-note", "note"));
    let refused = world.expect(ALICE, "415");
    assert_eq!(field(&refused, "CSeq"), "2 UPDATE");
    world.expect_no(BOB, "INVITE");
    call.hang_up(&mut world, 3);
    world.must_forget("an UPDATE with another body");
}

/// Two branches answer reliably, and one of them changes what Alice does not know any more: her two early dialogs.
fn loses_one(world: &mut World, silent: bool) -> (String, [String; 2]) {
    let calling =
        Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&audio(ALICE, 4000)).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &calling.with("Allow", TAKES));
    let invited = world.expect(BOB, "INVITE");
    let heard = ["left", "right"].map(|tag| {
        let progress = Msg::response(&invited, 183, tag).contact(BOB).with("Allow", TAKES);
        let progress = progress.with("Require", "100rel").with("RSeq", "7");
        world.post(BOB, INSIDE, &progress.sdp(&audio(BOB, if tag == "left" { 6000 } else { 7000 })));
        let heard = world.expect(ALICE, "183");
        let acknowledged = world.expect(BOB, "PRACK");
        world.ok(BOB, INSIDE, &acknowledged);
        world.post(ALICE, OUTSIDE, &prack(&heard, if tag == "left" { 2 } else { 3 }));
        world.expect(ALICE, "200");
        heard
    });
    let from = format!("{};tag=left", field(&invited, "To"));
    let update = Msg::inside("UPDATE", BOB, 1, &invited).set("From", &from).sdp(&audio(BOB, 6002));
    world.post(BOB, INSIDE, &update);
    let asked = world.expect(ALICE, "UPDATE");
    if !silent {
        world.post(ALICE, OUTSIDE, &Msg::response(&asked, 481, ""));
    }
    assert_eq!(field(&world.expect_within(BOB, "504", s(33)), "CSeq"), "1 UPDATE");
    world.run_for(if silent { s(20) } else { ms(20) });
    assert_eq!(world.core.counters().early_dialogs_lost, 1);
    (invited, heard)
}

/// One branch answers, and Alice hangs up: her 200.
fn branch_answers(world: &mut World, invited: &str, tag: &str) -> String {
    world.post(BOB, INSIDE, &Msg::response(invited, 200, tag).contact(BOB).with("Allow", TAKES));
    let ok = world.expect(ALICE, "200");
    assert_eq!(field(&ok, "CSeq"), "1 INVITE");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 9, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call that has lost an early dialog");
    ok
}

#[test]
fn rfc5057_5_1_an_early_dialog_that_its_caller_has_lost_takes_no_other_with_it() {
    for silent in [false, true] {
        let mut world = by_hand(TWO_SIDES, 40);
        let (invited, heard) = loses_one(&mut world, silent);
        let ok = branch_answers(&mut world, &invited, "right");
        assert_eq!(
            (field(&ok, "To"), body(&ok)),
            (field(&heard[1], "To"), ""),
            "its answer was given reliably"
        );
    }
}

#[test]
fn rfc5057_5_1_what_rings_behind_a_lost_early_dialog_answers_in_a_new_one() {
    let mut world = by_hand(TWO_SIDES, 41);
    let (invited, heard) = loses_one(&mut world, false);
    let ok = branch_answers(&mut world, &invited, "left");
    assert!(heard.iter().all(|heard| field(heard, "To") != field(&ok, "To")), "{ok}");
    assert!(!body(&ok).is_empty(), "Alice has heard nothing in it yet: {ok}");
}
