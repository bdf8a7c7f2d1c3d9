//! UPDATE (RFC 3311) and the other carriers of offers, on each leg whatever the other one takes (RFC 6337 §2.2).

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms, s};
use liaison_tests::message::{Msg, audio, body, field, find, line};

pub const TAKES: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE";

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
