//! Reliable provisional responses to re-INVITEs (RFC 3262, RFC 6141 §3), on each leg whatever the other one has of them.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms, s};
use liaison_tests::message::{Msg, audio, body, field, find, line, start};

/// A call; each side may be asked again.
pub fn call(world: &mut World) -> Call {
    Call::establish_with(world, invite().with("Allow", TAKES), |invite| answer(invite).with("Allow", TAKES))
}

pub const TAKES: &str = "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK";

/// Bob's description with another port.
pub fn bobs(port: u16) -> String {
    audio(BOB, port)
}

/// Alice asks for a change: what Bob is asked.
pub fn change(world: &mut World, call: &Call, seq: u32, takes: &str, offer: Option<&str>) -> String {
    let again = call.alice("INVITE", seq);
    let again = if takes.is_empty() { again } else { again.with(takes, "100rel") };
    let again = match offer {
        Some(offer) => again.sdp(offer),
        None => again,
    };
    world.post(ALICE, OUTSIDE, &again);
    world.expect(ALICE, "100");
    world.expect(BOB, "INVITE")
}

/// A reliable response of Bob's to it.
pub fn reliable(invited: &str, status: u16, number: u32) -> Msg {
    let response = Msg::response(invited, status, "").contact(BOB);
    response.with("Require", "100rel").with("RSeq", &number.to_string())
}

/// Bob is acknowledged, and says that he has heard it.
pub fn pracked(world: &mut World, invited: &str, number: u32) -> String {
    let prack = world.expect(BOB, "PRACK");
    assert_eq!(field(&prack, "RAck"), format!("{number} {}", field(invited, "CSeq")));
    world.ok(BOB, INSIDE, &prack);
    prack
}

/// Alice acknowledges a reliable response of ours.
pub fn prack(call: &Call, of: &str, seq: u32) -> Msg {
    call.alice("PRACK", seq).with("RAck", &format!("{} {}", field(of, "RSeq"), field(of, "CSeq")))
}

fn is_reliable(response: &str) -> bool {
    find(response, "Require").as_deref() == Some("100rel") && find(response, "RSeq").is_some()
}

/// What one side was told is what the other has said, but for the address and the port.
pub fn same_streams(told: &str, said: &str) {
    let formats = |sdp: &str| line(sdp, 'm').split(' ').skip(3).collect::<Vec<_>>().join(" ");
    assert_eq!(formats(told), formats(said));
}

pub fn ends(world: &mut World, call: &Call, seq: u32, what: &str) {
    world.run_for(ms(50));
    call.hang_up(world, seq);
    world.must_forget(what);
}

#[test]
fn rfc3262_an_answer_in_a_reliable_response_to_a_reinvite_crosses_as_one() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = call(&mut world);
    let invited = change(&mut world, &call, 2, "Supported", Some(&audio(ALICE, 4400)));
    assert!(field(&invited, "Supported").contains("100rel"), "{invited}");
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&bobs(6600)));
    let progress = world.expect(ALICE, "183");
    assert!(is_reliable(&progress), "{progress}");
    same_streams(body(&progress), &bobs(6600));
    assert!(body(&pracked(&mut world, &invited, 70)).is_empty());
    world.post(ALICE, OUTSIDE, &prack(&call, &progress, 3));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "3 PRACK");
    // Offer and answer are settled: either side may offer again before the final response (RFC 6337 §3.2).
    world.post(ALICE, OUTSIDE, &call.alice("UPDATE", 4).sdp(&audio(ALICE, 4500)));
    let update = world.expect(BOB, "UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&update, 200, "").contact(BOB).sdp(&bobs(6600)));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "4 UPDATE");
    world.post(BOB, INSIDE, &call.bob("UPDATE", 2).sdp(&bobs(6700)));
    let update = world.expect(ALICE, "UPDATE");
    world.post(ALICE, OUTSIDE, &Msg::response(&update, 200, "").contact(ALICE).sdp(&audio(ALICE, 4500)));
    assert_eq!(field(&world.expect(BOB, "200"), "CSeq"), "2 UPDATE");
    // Another re-INVITE has to wait.
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 5).sdp(&audio(ALICE, 4600)));
    assert!(start(&world.expect(ALICE, "500")).starts_with("500"));
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("2 INVITE", ""));
    assert_eq!(body(&world.expect(BOB, "ACK")), "");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    ends(&mut world, &call, 6, "a re-INVITE with reliable responses");
}

#[test]
fn rfc3262_a_side_without_reliable_responses_has_the_answer_in_the_2xx() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call = call(&mut world);
    let invited = change(&mut world, &call, 2, "", Some(&audio(ALICE, 4400)));
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&bobs(6600)));
    let progress = world.expect(ALICE, "183");
    assert!(!is_reliable(&progress) && body(&progress).is_empty(), "{progress}");
    pracked(&mut world, &invited, 70);
    // Ringing, for a user is asked, is told too.
    world.post(BOB, INSIDE, &reliable(&invited, 180, 71));
    world.expect(ALICE, "180");
    pracked(&mut world, &invited, 71);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB));
    let ok = world.expect(ALICE, "200");
    same_streams(body(&ok), &bobs(6600));
    assert_eq!(body(&world.expect(BOB, "ACK")), "");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    ends(&mut world, &call, 3, "a re-INVITE with reliable responses on one side");
}

#[test]
fn rfc3262_5_an_offer_in_a_reliable_response_to_a_reinvite_is_answered_in_the_prack() {
    let mut world = by_hand(TWO_SIDES, 3);
    let call = call(&mut world);
    let invited = change(&mut world, &call, 2, "Supported", None);
    assert!(field(&invited, "Supported").contains("100rel"), "{invited}");
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&bobs(6600)));
    let progress = world.expect(ALICE, "183");
    assert!(is_reliable(&progress), "{progress}");
    same_streams(body(&progress), &bobs(6600));
    world.expect_no(BOB, "PRACK");
    world.post(ALICE, OUTSIDE, &prack(&call, &progress, 3).sdp(&audio(ALICE, 4400)));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "3 PRACK");
    same_streams(body(&pracked(&mut world, &invited, 70)), &audio(ALICE, 4400));
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert_eq!((field(&ok, "CSeq").as_str(), body(&ok)), ("2 INVITE", ""));
    assert_eq!(body(&world.expect(BOB, "ACK")), "");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    ends(&mut world, &call, 4, "an offer in a reliable response");
}

#[test]
fn rfc3262_an_offer_that_the_asker_cannot_be_told_is_answered_from_what_it_has_said() {
    let mut world = by_hand(TWO_SIDES, 4);
    let call = call(&mut world);
    // A refresh of a session says again what the INVITE has said, so Bob may send them though Alice takes none.
    let invited = change(&mut world, &call, 2, "", None);
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&bobs(6600)));
    same_streams(body(&pracked(&mut world, &invited, 70)), &audio(ALICE, 4000));
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB));
    let ok = world.expect(ALICE, "200");
    same_streams(body(&ok), &bobs(6600));
    assert_eq!(body(&world.expect(BOB, "ACK")), "", "it has its answer");
    // Alice answers with something else: Bob is told by a re-INVITE of ours.
    let held = format!("{}a=sendonly\r\n", audio(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).sdp(&held));
    let told = world.expect(BOB, "INVITE");
    assert!(body(&told).contains("a=sendonly"), "{told}");
    let taken = format!("{}a=recvonly\r\n", bobs(6600));
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&taken));
    world.expect(BOB, "ACK");
    // And what he says to that, Alice is told.
    let told = world.expect(ALICE, "INVITE");
    assert!(body(&told).contains("a=recvonly"), "{told}");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&held));
    world.expect(ALICE, "ACK");
    world.expect_no(BOB, "");
    ends(&mut world, &call, 3, "an offer that was answered for the asker");
}

#[test]
fn rfc3262_3_a_reinvite_whose_reliable_response_nobody_acknowledges_is_refused_and_the_call_stands() {
    let mut world = by_hand(TWO_SIDES, 5);
    let call = call(&mut world);
    let invited = change(&mut world, &call, 2, "Require", Some(&audio(ALICE, 4400)));
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&bobs(6600)));
    world.expect(ALICE, "183");
    pracked(&mut world, &invited, 70);
    let refused = world.expect_within(ALICE, "504", s(33));
    assert_eq!(field(&refused, "CSeq"), "2 INVITE");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("Via", &field(&refused, "Via")));
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&invited, 487, ""));
    world.expect(BOB, "ACK");
    // What Bob has been answered already may stand with him or not: he is told what stands (RFC 6141 §3.4).
    let told = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&bobs(6600)));
    world.expect(BOB, "ACK");
    ends(&mut world, &call, 3, "a re-INVITE without its PRACK");
}

// conforms: RFC4028-7.4-1
#[test]
fn a_refresh_answered_in_a_reliable_response_is_one() {
    let alone = "\n[profiles.alone]\nmedia_inactivity = \"0s\"\nsession_timer = { alone = true, expires = \"120s\" }\n";
    let mut world = by_hand(&super::common::document("", "profile = \"alone\"", alone), 8);
    let call = Call::establish(&mut world);
    let refresh = world.expect_within(BOB, "INVITE", s(61));
    let named = |text: &str| field(text, "Supported");
    // RFC 4028 §7.4: as the INVITE has said it.
    let first = named(&call.invited);
    first.split(", ").for_each(|tag| assert!(named(&refresh).contains(tag), "{first}\n{refresh}"));
    world.post(BOB, INSIDE, &reliable(&refresh, 183, 70).sdp(&bobs(6600)));
    pracked(&mut world, &refresh, 70);
    world.post(BOB, INSIDE, &Msg::response(&refresh, 200, "").contact(BOB));
    world.expect(BOB, "ACK");
    // He has moved: Alice's media finds him without her being told, for nothing else has changed.
    world.expect_no(ALICE, "INVITE");
    ends(&mut world, &call, 2, "a refresh with a reliable response");
}

#[test]
fn a_prack_without_a_body_is_no_answer_to_an_offer_in_an_update_during_a_reinvite() {
    let mut world = by_hand(TWO_SIDES, 30);
    let call = call(&mut world);
    let invited = change(&mut world, &call, 2, "Supported", Some(&audio(ALICE, 4400)));
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&bobs(6600)));
    let progress = world.expect(ALICE, "183");
    pracked(&mut world, &invited, 70);
    world.post(ALICE, OUTSIDE, &prack(&call, &progress, 3));
    world.expect(ALICE, "200");
    world.post(BOB, INSIDE, &reliable(&invited, 180, 71));
    let ringing = world.expect(ALICE, "180");
    pracked(&mut world, &invited, 71);
    world.post(BOB, INSIDE, &call.bob("UPDATE", 2).sdp(&bobs(6700)));
    let update = world.expect(ALICE, "UPDATE");
    world.post(ALICE, OUTSIDE, &prack(&call, &ringing, 4));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "4 PRACK");
    world.post(ALICE, OUTSIDE, &Msg::response(&update, 200, "").contact(ALICE).sdp(&audio(ALICE, 4400)));
    assert_eq!(field(&world.expect(BOB, "200"), "CSeq"), "2 UPDATE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB));
    world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2));
    ends(&mut world, &call, 5, "an UPDATE that crosses a PRACK");
}

/// Alice gives a re-INVITE up; Bob's CANCEL has come.
fn given_up(world: &mut World, call: &Call, offer: Option<&str>) -> String {
    let again = call.alice("INVITE", 2).with("Supported", "100rel");
    let again = match offer {
        Some(offer) => again.sdp(offer),
        None => again,
    };
    world.post(ALICE, OUTSIDE, &again);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 100, ""));
    world.run_for(ms(20));
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &again));
    world.expect(ALICE, "100");
    world.expect(ALICE, "200");
    let given_up = world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("Via", &field(&given_up, "Via")));
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    invited
}

#[test]
fn rfc6141_3_4_an_answer_in_a_reliable_response_that_crosses_our_cancel_is_put_back() {
    for status in [200, 487] {
        let mut world = by_hand(TWO_SIDES, 31);
        let call = call(&mut world);
        let held = format!("{}a=sendonly\r\n", audio(ALICE, 4400));
        let invited = given_up(&mut world, &call, Some(&held));
        let answer = format!("{}a=recvonly\r\n", bobs(6600));
        world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&answer));
        assert!(body(&pracked(&mut world, &invited, 70)).is_empty());
        world.post(BOB, INSIDE, &Msg::response(&invited, status, "").contact(BOB));
        world.expect(BOB, "ACK");
        // He has changed; Alice has not.
        let told = world.expect(BOB, "INVITE");
        assert!(!body(&told).contains("a=sendonly"), "{told}");
        world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&bobs(6600)));
        world.expect(BOB, "ACK");
        world.expect_no(ALICE, "INVITE");
        ends(&mut world, &call, 3, "an answer that crosses a CANCEL");
    }
}

#[test]
fn rfc3262_5_an_offer_in_a_reliable_response_that_crosses_our_cancel_is_answered() {
    let mut world = by_hand(TWO_SIDES, 32);
    let call = call(&mut world);
    let invited = given_up(&mut world, &call, None);
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&bobs(6600)));
    same_streams(body(&pracked(&mut world, &invited, 70)), &audio(ALICE, 4000));
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB));
    assert_eq!(body(&world.expect(BOB, "ACK")), "");
    ends(&mut world, &call, 3, "an offer that crosses a CANCEL");
}

#[test]
fn rfc6141_3_4_a_refresh_refused_after_its_answer_is_settled() {
    let alone = "\n[profiles.alone]\nmedia_inactivity = \"0s\"\nsession_timer = { alone = true, expires = \"120s\" }\n";
    let mut world = by_hand(&super::common::document("", "profile = \"alone\"", alone), 33);
    let call = Call::establish(&mut world);
    let refresh = world.expect_within(BOB, "INVITE", s(61));
    world.post(BOB, INSIDE, &reliable(&refresh, 183, 70).sdp(&bobs(6600)));
    pracked(&mut world, &refresh, 70);
    world.post(BOB, INSIDE, &Msg::response(&refresh, 488, ""));
    world.expect(BOB, "ACK");
    let told = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&bobs(6000)));
    world.expect(BOB, "ACK");
    ends(&mut world, &call, 2, "a refresh refused after its answer");
}

#[test]
fn a_reinvite_that_progresses_without_end_is_given_up() {
    let mut world = by_hand(TWO_SIDES, 34);
    let call = call(&mut world);
    let invited = change(&mut world, &call, 2, "", Some(&audio(ALICE, 4400)));
    for _ in 0..10 {
        world.post(BOB, INSIDE, &Msg::response(&invited, 180, "").contact(BOB));
        world.expect(ALICE, "180");
        world.expect_no(BOB, "CANCEL");
        world.run_for(s(58));
    }
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "").contact(BOB));
    let cancel = world.expect_within(BOB, "CANCEL", s(60));
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&invited, 487, ""));
    world.expect(BOB, "ACK");
    ends(&mut world, &call, 3, "a re-INVITE that progresses without end");
}

/// Who gives up while it owes an answer leaves that to us: the PRACK that has waited for it has one all the same.
#[test]
fn rfc3262_5_an_offer_whose_asker_gives_up_is_answered_in_the_prack() {
    let mut world = by_hand(TWO_SIDES, 21);
    let call = call(&mut world);
    let again = call.alice("INVITE", 2).with("Supported", "100rel");
    world.post(ALICE, OUTSIDE, &again);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &reliable(&invited, 183, 70).sdp(&bobs(6600)));
    assert!(body(&world.expect(ALICE, "183")).contains("m=audio"));
    world.expect_no(BOB, "PRACK");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &again));
    assert!(body(&pracked(&mut world, &invited, 70)).contains("m=audio"), "an answer");
    world.expect(BOB, "CANCEL");
}

#[test]
fn rfc3262_5_who_wants_all_reliably_and_has_made_no_offer_hears_nothing_that_has_none() {
    let mut world = by_hand(TWO_SIDES, 22);
    let call = call(&mut world);
    let invited = change(&mut world, &call, 2, "Require", None);
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "").contact(BOB));
    world.expect_no(ALICE, "180");
}
