//! Conferences whose focus is behind us (RFC 4353, RFC 4579): who takes part knows that it is one, and by which URI.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, answer, by_hand, invite};
use liaison_tests::message::{Msg, field, start};

/// The conference as Bob's side has it, and as Alice knows it.
const THERE: &str = "<sip:conf-1@10.1.0.2:5060>;isfocus";
const HERE: &str = "<sip:conf-1@10.0.0.1:5060>;isfocus";

/// S1-20: the Contact of a focus stands for the conference on the other leg too, and leads to it from there.
#[test]
fn rfc4579_4_2_a_conference_has_its_name_on_both_legs_and_is_reached_by_it() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = Call::establish_with(&mut world, invite(), |invited| answer(invited).set("Contact", THERE));
    assert_eq!(field(&call.ok, "Contact"), HERE);
    // What is asked for within the call goes to the focus.
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 2));
    let info = world.expect(BOB, "INFO");
    assert!(start(&info).starts_with("INFO sip:conf-1@10.1.0.2:5060 "), "{info}");
    world.ok(BOB, INSIDE, &info);
    world.expect(ALICE, "200");
    // Who is there is told to who subscribes to the conference, and others may call it.
    let conference = "sip:conf-1@10.0.0.1:5060";
    let subscribe = Msg::request("SUBSCRIBE", conference, ALICE, 10).with("Event", "conference");
    for (request, status) in [(subscribe, 489), (Msg::request("INVITE", conference, ALICE, 11), 486)] {
        world.post(ALICE, OUTSIDE, &request);
        let method = start(&request.text()).split(' ').next().unwrap().to_owned();
        let crossed = world.expect(BOB, &method);
        assert!(start(&crossed).starts_with(&format!("{method} sip:conf-1@10.1.0.2:5060 ")), "{crossed}");
        world.post(BOB, INSIDE, &Msg::response(&crossed, status, "bob"));
        let refused = world.expect(ALICE, &status.to_string());
        if method == "INVITE" {
            let ack = Msg::of_invite("ACK", &request).set("To", &field(&refused, "To"));
            world.post(ALICE, OUTSIDE, &ack);
        }
    }
    call.hang_up(&mut world, 3);
    world.must_forget("a conference");
}

/// A call becomes a conference by a re-INVITE of its focus, and is none any more after another one.
#[test]
fn rfc4579_5_4_a_focus_says_so_in_a_change_and_takes_it_back() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call = Call::establish(&mut world);
    let plain = field(&call.ok, "Contact");
    assert_eq!(plain, "<sip:10.0.0.1:5060>", "who is no focus has no name");
    for (seq, there, here) in [(1, THERE, HERE), (2, "<sip:phone@10.1.0.2:5060>", &*plain)] {
        let sdp = liaison_tests::message::audio(BOB, 6000);
        world.post(BOB, INSIDE, &call.bob("INVITE", seq).set("Contact", there).sdp(&sdp));
        let asked = world.expect(ALICE, "INVITE");
        assert_eq!(field(&asked, "Contact"), here);
        let sdp = liaison_tests::message::audio(ALICE, 4000);
        world.post(ALICE, OUTSIDE, &Msg::response(&asked, 200, "").contact(ALICE).sdp(&sdp));
        world.expect(ALICE, "ACK");
        world.expect(BOB, "200");
        world.post(BOB, INSIDE, &call.bob("ACK", seq));
        world.run_for(super::common::ms(20));
    }
    call.hang_up(&mut world, 3);
    world.must_forget("a focus");
}
