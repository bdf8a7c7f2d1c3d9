//! Session-ID (RFC 7989): both ends' identifiers in every message of both legs.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms, s};
use super::transfer::{CAROL, TARGET, accepted, notified, three};
use liaison_tests::message::{Msg, audio, field, fields, find, start};

const A: &str = "ab30317f1a784dc48ff824d0d3715d86";
const B: &str = "47755a9de7794ba387653f2099600ef2";
const C: &str = "c0ffee00c0ffee00c0ffee00c0ffee00";
const NIL: &str = "00000000000000000000000000000000";

fn pair(local: &str, remote: &str) -> String {
    format!("{local};remote={remote}")
}

fn from_alice() -> Msg {
    invite().with("Session-ID", &pair(A, NIL))
}

fn of_bob(invited: &str) -> Msg {
    answer(invited).with("Session-ID", &pair(B, A))
}

/// The only one of that message.
fn said(text: &str) -> String {
    let all: Vec<_> = fields(text).into_iter().filter(|(name, _)| name == "Session-ID").collect();
    assert_eq!(all.len(), 1, "{text}");
    all[0].1.clone()
}

fn established(world: &mut World) -> Call {
    let call = Call::establish_with(world, from_alice(), of_bob);
    assert_eq!(said(&call.invited), pair(A, NIL));
    assert_eq!(said(&call.ok), pair(B, A));
    assert_eq!(said(&call.acked), pair(A, B));
    call
}

// conforms: RFC7989-5-3 RFC7989-7-1,6,9,11 RFC7989-8-9
#[test]
fn rfc7989_10_1_both_identifiers_cross_and_messages_of_our_own_have_them_too() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = established(&mut world);
    // A 180 that said nothing is of an end that is not known yet; and nothing has two.
    let all = [world.sent_to(ALICE), world.sent_to(BOB)].concat();
    assert!(all.iter().all(|text| said(text).contains(A)), "{all:#?}");
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2).with("Session-ID", &pair(A, B)));
    assert_eq!(said(&world.expect(ALICE, "200")), pair(B, A));
    let bye = world.expect(BOB, "BYE");
    assert_eq!(said(&bye), pair(A, B));
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a call with identifiers");
    let records = world.records.lock().unwrap();
    let ids: Vec<_> = records[0].legs.iter().map(|leg| leg.session_id.as_deref()).collect();
    assert_eq!(ids, [Some(A), Some(B)]);
}

// conforms: RFC7989-7-3
#[test]
fn rfc7989_7_a_transfer_joins_the_identifiers_of_those_who_talk_now() {
    let mut world = by_hand(&three(), 9);
    let call = established(&mut world);
    let refer = call.bob("REFER", 1).with("Refer-To", &format!("<{TARGET}>")).with("Session-ID", &pair(B, A));
    world.post(BOB, INSIDE, &refer);
    accepted(&mut world, BOB, INSIDE);
    let invited = world.expect(CAROL, "INVITE");
    let ok = Msg::response(&invited, 200, "carol").contact(CAROL).sdp(&audio(CAROL, 7000));
    world.post(CAROL, OUTSIDE, &ok.with("Session-ID", &pair(C, NIL)));
    let acked = world.expect(CAROL, "ACK");
    notified(&mut world, BOB, INSIDE);
    assert_eq!(said(&acked), pair(A, C), "{acked}");
    world.run_for(ms(100));
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 2).with("Session-ID", &pair(A, B)));
    let info = world.expect(CAROL, "INFO");
    assert_eq!(said(&info), pair(A, C));
    world.post(CAROL, OUTSIDE, &Msg::response(&info, 200, "").with("Session-ID", &pair(C, A)));
    assert_eq!(said(&world.expect(ALICE, "200")), pair(C, A));
    world.post(CAROL, OUTSIDE, &Msg::inside("BYE", CAROL, 1, &acked).with("Session-ID", &pair(C, A)));
    assert_eq!(said(&world.expect(ALICE, "BYE")), pair(C, A));
}

// conforms: RFC7989-7-10
#[test]
fn rfc7989_7_a_bye_that_nobody_asked_us_for_has_both() {
    let text = format!("{TWO_SIDES}\n[profiles.default]\nmax_duration = \"5s\"\n");
    let mut world = by_hand(&text, 2);
    established(&mut world);
    let (to_alice, to_bob) = (world.expect_within(ALICE, "BYE", s(6)), world.expect(BOB, "BYE"));
    assert_eq!((said(&to_alice), said(&to_bob)), (pair(B, A), pair(A, B)));
}

// conforms: RFC7989-7-13 RFC7989-8-7,8
#[test]
fn rfc7989_6_a_cancel_says_what_its_invite_said() {
    let mut world = by_hand(TWO_SIDES, 3);
    world.post(ALICE, OUTSIDE, &from_alice());
    let invited = world.expect(BOB, "INVITE");
    world.post(
        BOB,
        INSIDE,
        &Msg::response(&invited, 180, "bob").contact(BOB).with("Session-ID", &pair(B, A)),
    );
    assert_eq!(said(&world.expect(ALICE, "180")), pair(B, A));
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &from_alice()).with("Session-ID", &pair(C, NIL)));
    assert_eq!(said(&world.expect(ALICE, "200")), pair(B, C), "of this response only");
    let cancel = world.expect(BOB, "CANCEL");
    assert_eq!(said(&cancel), said(&invited));
    assert_eq!(said(&world.expect(ALICE, "487")), pair(B, A));
}

// conforms: RFC7989-7-8,17 RFC7989-8-1,2,3,4,10
#[test]
fn rfc7989_8_another_identifier_counts_once_its_request_has_succeeded() {
    let mut world = by_hand(TWO_SIDES, 4);
    let call = established(&mut world);
    let reinvite = |seq, n: &str| {
        call.alice("INVITE", seq).sdp(&audio(ALICE, 4002)).with("Session-ID", &pair(C, B)).branch(n)
    };
    let first = reinvite(2, "refused");
    world.post(ALICE, OUTSIDE, &first);
    let at_bob = world.expect(BOB, "INVITE");
    assert_eq!(said(&at_bob), pair(C, B));
    world.post(BOB, INSIDE, &Msg::response(&at_bob, 488, "").with("Session-ID", &pair(B, C)));
    assert_eq!(said(&world.expect(ALICE, "488")), pair(B, C), "the failure itself has the new one");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &first));
    world.post(BOB, INSIDE, &call.bob("OPTIONS", 1));
    assert_eq!(said(&world.expect(BOB, "200")), pair(A, B), "nor what we say to Bob by ourselves");
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 3));
    let info = world.expect(BOB, "INFO");
    assert_eq!(said(&info), pair(A, B), "and nothing after it");
    world.ok(BOB, INSIDE, &info);
    world.expect(ALICE, "200");
    let second = reinvite(4, "taken");
    world.post(ALICE, OUTSIDE, &second);
    let at_bob = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&at_bob, 200, "").contact(BOB).sdp(&audio(BOB, 6002)));
    assert_eq!(said(&world.expect(BOB, "ACK")), pair(C, B));
    assert_eq!(said(&world.expect(ALICE, "200")), pair(B, C));
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 4));
    world.post(BOB, INSIDE, &call.bob("BYE", 2));
    assert_eq!(said(&world.expect(ALICE, "BYE")), pair(B, C));
}

#[test]
fn rfc7989_8_the_record_has_the_identifiers_that_stood_and_not_that_of_a_refused_request() {
    let mut world = by_hand(TWO_SIDES, 12);
    let call = established(&mut world);
    let reinvite = call.alice("INVITE", 2).sdp(&audio(ALICE, 4002)).with("Session-ID", &pair(C, B));
    world.post(ALICE, OUTSIDE, &reinvite);
    let at_bob = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&at_bob, 488, ""));
    world.expect(ALICE, "488");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &reinvite));
    world.post(BOB, INSIDE, &call.bob("BYE", 1));
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.run_for(ms(20));
    let records = world.records.lock().unwrap();
    let ids: Vec<_> = records[0].legs.iter().map(|leg| leg.session_id.as_deref()).collect();
    assert_eq!(ids, [Some(A), Some(B)]);
}

// conforms: RFC7989-8-5
#[test]
fn rfc7989_8_another_identifier_in_an_ack_counts() {
    let mut world = by_hand(TWO_SIDES, 11);
    world.post(ALICE, OUTSIDE, &from_alice());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &of_bob(&invited));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok).with("Session-ID", &pair(C, B)));
    world.post(ALICE, OUTSIDE, &Msg::inside("INFO", ALICE, 2, &ok));
    let info = world.expect(BOB, "INFO");
    assert_eq!(said(&info), pair(C, B));
    world.ok(BOB, INSIDE, &info);
    assert_eq!(said(&world.expect(ALICE, "200")), pair(B, C));
}

#[test]
fn a_call_without_identifiers_has_none() {
    let mut world = by_hand(TWO_SIDES, 5);
    let call = Call::establish(&mut world);
    call.hang_up(&mut world, 2);
    let all = [world.sent_to(ALICE), world.sent_to(BOB)].concat();
    assert!(all.iter().all(|text| find(text, "Session-ID").is_none()), "{all:#?}");
}

// conforms: RFC7989-4.1-1 RFC7989-7-4,5,7 RFC7989-12-1
#[test]
fn rfc7989_7_who_has_none_gets_one_that_stays() {
    let text = format!("{TWO_SIDES}\n[profiles.default]\nsession_id = \"make\"\n");
    let mut world = by_hand(&text, 6);
    let call = Call::establish(&mut world);
    let of_invite = said(&call.invited);
    let alice = of_invite.strip_suffix(&format!(";remote={NIL}")).unwrap().to_owned();
    let ack = said(&call.acked);
    let bob = ack.strip_prefix(&format!("{alice};remote=")).unwrap().to_owned();
    assert!(alice.len() == 32 && bob.len() == 32 && alice != bob && bob != NIL, "{ack}");
    assert_eq!(said(&call.ok), pair(&bob, &alice));
    call.hang_up(&mut world, 2);
    let bye = world.sent_to(BOB).pop().unwrap();
    assert_eq!((start(&bye).split(' ').next(), said(&bye)), (Some("BYE"), pair(&alice, &bob)));
}

#[test]
fn a_profile_keeps_them_from_a_side() {
    let text = TWO_SIDES.replace("from = [\"10.1.0.2\"]", "from = [\"10.1.0.2\"]\nprofile = \"edge\"");
    let mut world = by_hand(&format!("{text}\n[profiles.edge]\nsession_id = \"remove\"\n"), 7);
    let call = Call::establish_with(&mut world, from_alice(), of_bob);
    assert!(world.sent_to(BOB).iter().all(|text| find(text, "Session-ID").is_none()));
    assert_eq!(said(&call.ok), pair(NIL, A), "who it is there is not told either");
    call.hang_up(&mut world, 2);
}

// conforms: RFC7989-5-2 RFC7989-11-2,3,4,5,7
/// Two ends of before RFC 7989, which have one identifier between them; and one of each kind.
#[test]
fn rfc7989_11_one_identifier_for_both_ends_stays_alone_and_in_its_place() {
    let mut world = by_hand(TWO_SIDES, 8);
    let old = invite().with("Session-ID", A);
    let call = Call::establish_with(&mut world, old, |invited| answer(invited).with("Session-ID", A));
    assert_eq!([said(&call.invited), said(&call.ok), said(&call.acked)], [A, A, A]);
    call.hang_up(&mut world, 2);
    let mut world = by_hand(TWO_SIDES, 9);
    let repeats = |invited: &str| answer(invited).with("Session-ID", &pair(A, NIL));
    let call = Call::establish_with(&mut world, from_alice(), repeats);
    assert_eq!(said(&call.acked), pair(A, NIL), "the order stays");
    assert_eq!(said(&call.ok), pair(NIL, A), "what Bob repeats is not his own");
    world.run_for(ms(20));
    call.hang_up(&mut world, 2);
    let mut world = by_hand(TWO_SIDES, 13);
    let old = |invited: &str| answer(invited).with("Session-ID", A);
    let call = Call::establish_with(&mut world, from_alice(), old);
    assert_eq!(said(&call.acked), A, "who knows one of both ends hears no more");
}

// conforms: RFC7989-7-2
/// Of several that have failed none is the end that the caller hears of.
#[test]
fn rfc7989_7_a_response_for_several_is_of_nobody() {
    let text = TWO_SIDES.replace("\"sip:10.1.0.2:5060\"", "\"sip:10.1.0.2:5060\", \"sip:10.1.0.3:5060\"");
    let mut world = by_hand(&text, 10);
    world.post(ALICE, OUTSIDE, &from_alice());
    for (at, uuid) in [(BOB, B), ("10.1.0.3:5060", C)] {
        let invited = world.expect(at, "INVITE");
        let failure = Msg::response(&invited, 500, "no").with("Session-ID", &pair(uuid, A));
        world.post(at, INSIDE, &failure);
        world.expect(at, "ACK");
    }
    assert_eq!(said(&world.expect(ALICE, "500")), pair(NIL, A));
    assert!(!field(&world.sent_to(ALICE).pop().unwrap(), "Session-ID").contains(C));
}
