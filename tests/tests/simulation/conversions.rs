//! INVITEs of ours with an offer where the caller has none, and without one where it has (`offers` of a profile).

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, World, by_hand, document, ms, s};
use liaison_tests::message::{Msg, audio, body, field, find, line};

/// Bob's side is always offered something.
fn makes(seed: u64) -> World {
    let more =
        "\n[profiles.make]\noffers = \"make\"\noffered_codecs = [\"PCMA\", \"G722\", \"telephone-event\"]\n";
    by_hand(&document("", "profile = \"make\"", more), seed)
}

/// Bob's side is never offered anything.
fn asks(seed: u64) -> World {
    by_hand(&document("", "profile = \"ask\"", "\n[profiles.ask]\noffers = \"ask\"\n"), seed)
}

/// A description of one stream with these formats, each with its meaning.
fn stream(at: &str, port: u16, formats: &[(u8, &str)]) -> String {
    let ip = at.split(':').next().unwrap();
    let numbers: String = formats.iter().map(|(number, _)| format!(" {number}")).collect();
    let maps: String = formats.iter().map(|(number, map)| format!("a=rtpmap:{number} {map}\r\n")).collect();
    format!(
        "v=0\r\no=phone 7 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP{numbers}\r\n{maps}"
    )
}

fn formats(message: &str) -> String {
    line(body(message), 'm').split(' ').skip(3).collect::<Vec<_>>().join(" ")
}

const PCMA: (u8, &str) = (8, "PCMA/8000");
const G722: (u8, &str) = (9, "G722/8000");
const EVENTS: (u8, &str) = (101, "telephone-event/8000");
const OTHER_EVENTS: (u8, &str) = (97, "telephone-event/8000");

/// Alice calls without an offer: what Bob gets.
fn calls(world: &mut World, invite: &Msg) -> String {
    world.post(ALICE, OUTSIDE, invite);
    world.expect(BOB, "INVITE")
}

fn delayed() -> Msg {
    Msg::request("INVITE", NUMBER, ALICE, 1)
}

/// Alice hangs up, and nothing is left.
fn ends(world: &mut World, ok: &str, what: &str) {
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 1);
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 90, ok));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget(what);
}

/// Bob takes all of our offer but G.722, and Alice is offered that.
fn answered(world: &mut World, invited: &str) -> String {
    assert_eq!(formats(invited), "8 9 101", "{invited}");
    assert!(body(invited).contains("a=rtpmap:9 G722/8000") && body(invited).contains("a=fmtp:101 0-15"));
    let answer = stream(BOB, 6000, &[PCMA, EVENTS]);
    world.post(BOB, INSIDE, &Msg::response(invited, 200, "bob").contact(BOB).sdp(&answer));
    assert_eq!(body(&world.expect(BOB, "ACK")), "", "it waits for nobody");
    let ok = world.expect(ALICE, "200");
    assert_eq!(formats(&ok), "8 101", "{ok}");
    ok
}

#[test]
fn rfc3261_13_2_1_a_call_without_an_offer_is_one_with_ours_to_a_side_that_must_have_one() {
    let mut world = makes(1);
    let invited = calls(&mut world, &delayed());
    let ok = answered(&mut world, &invited);
    // Alice takes what Bob has: there is nothing more to say to him.
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok).sdp(&stream(ALICE, 4000, &[PCMA, EVENTS])));
    world.expect_no(BOB, "INVITE");
    ends(&mut world, &ok, "a call with an offer of ours");
}

#[test]
fn rfc3264_8_what_the_caller_leaves_out_is_offered_to_the_side_that_has_answered_us() {
    let mut world = makes(2);
    let invited = calls(&mut world, &delayed());
    let ok = answered(&mut world, &invited);
    let held = format!("{}a=sendonly\r\n", stream(ALICE, 4000, &[PCMA]));
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok).sdp(&held));
    let told = world.expect(BOB, "INVITE");
    assert_eq!(formats(&told), "8");
    assert!(body(&told).contains("a=sendonly"), "{told}");
    let version = |text: &str| line(body(text), 'o').split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    assert_eq!(version(&told), version(&invited) + 1);
    let taken = format!("{}a=recvonly\r\n", stream(BOB, 6000, &[PCMA]));
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&taken));
    world.expect(BOB, "ACK");
    // What he says to that, Alice is told, once.
    let told = world.expect(ALICE, "INVITE");
    assert!(body(&told).contains("a=recvonly"), "{told}");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&held));
    world.expect(ALICE, "ACK");
    world.expect_no(BOB, "");
    ends(&mut world, &ok, "a call with an offer of ours and another one");
}

#[test]
fn rfc3262_5_a_caller_that_takes_reliable_responses_is_asked_before_the_answer() {
    let mut world = makes(3);
    let invited = calls(&mut world, &delayed().with("Supported", "100rel"));
    let reliable =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "5");
    world.post(BOB, INSIDE, &reliable.sdp(&stream(BOB, 6000, &[PCMA, EVENTS])));
    let prack = world.expect(BOB, "PRACK");
    assert_eq!(body(&prack), "");
    world.ok(BOB, INSIDE, &prack);
    let progress = world.expect(ALICE, "183");
    assert_eq!((formats(&progress).as_str(), field(&progress, "Require").as_str()), ("8 101", "100rel"));
    let rack = format!("{} 1 INVITE", field(&progress, "RSeq"));
    let answer = stream(ALICE, 4000, &[PCMA, EVENTS]);
    world.post(ALICE, OUTSIDE, &Msg::inside("PRACK", ALICE, 2, &progress).with("RAck", &rack).sdp(&answer));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "2 PRACK");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert_eq!(body(&ok), "");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.expect_no(BOB, "INVITE");
    ends(&mut world, &ok, "an offer of ours answered early");
}

#[test]
fn an_answer_that_does_not_come_back_ends_a_call_with_our_offer() {
    let mut world = makes(4);
    let invited = calls(&mut world, &delayed());
    let ok = answered(&mut world, &invited);
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    for (at, to) in [(BOB, INSIDE), (ALICE, OUTSIDE)] {
        let bye = world.expect(at, "BYE");
        assert!(field(&bye, "Reason").contains("cause=488"), "{bye}");
        world.ok(at, to, &bye);
    }
    world.must_forget("an offer of ours that the caller has not answered");
}

#[test]
fn a_reinvite_without_an_offer_is_one_with_what_stands() {
    let mut world = makes(5);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 2));
    let invited = world.expect(BOB, "INVITE");
    assert_eq!(body(&invited), body(&call.invited), "nothing has changed");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB).sdp(&audio(BOB, 6200)));
    assert_eq!(body(&world.expect(BOB, "ACK")), "");
    let ok = world.expect(ALICE, "200");
    assert!(!body(&ok).is_empty(), "{ok}");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).sdp(&audio(ALICE, 4000)));
    world.expect_no(BOB, "INVITE");
    call.hang_up(&mut world, 3);
    world.must_forget("a re-INVITE without an offer");
}

#[test]
fn rfc3264_6_1_a_side_that_is_asked_for_its_offer_and_the_caller_have_what_both_know() {
    let mut world = asks(6);
    let offer = stream(ALICE, 4000, &[PCMA, EVENTS]);
    let invited = calls(&mut world, &Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&offer));
    assert_eq!((body(&invited), find(&invited, "Content-Type")), ("", None));
    // He offers more, and events by another number.
    let theirs = stream(BOB, 6000, &[G722, PCMA, OTHER_EVENTS]);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&theirs));
    let acked = world.expect(BOB, "ACK");
    assert_eq!(formats(&acked), "8 101", "what Alice has of it, by her numbers: {acked}");
    let ok = world.expect(ALICE, "200");
    assert_eq!(formats(&ok), "8 97", "what Bob has of hers, by his: {ok}");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.expect_no(BOB, "");
    ends(&mut world, &ok, "a call whose offer was asked for");
}

#[test]
fn rfc3262_5_the_offer_that_we_ask_for_may_come_reliably() {
    let mut world = asks(7);
    let invite = Msg::request("INVITE", NUMBER, ALICE, 1).with("Supported", "100rel");
    let invited = calls(&mut world, &invite.sdp(&stream(ALICE, 4000, &[PCMA, EVENTS])));
    assert!(field(&invited, "Supported").contains("100rel"), "{invited}");
    let reliable =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "5");
    world.post(BOB, INSIDE, &reliable.sdp(&stream(BOB, 6000, &[G722, PCMA])));
    let prack = world.expect(BOB, "PRACK");
    assert_eq!(formats(&prack), "8");
    world.ok(BOB, INSIDE, &prack);
    let progress = world.expect(ALICE, "183");
    assert_eq!(formats(&progress), "8");
    let rack = format!("{} 1 INVITE", field(&progress, "RSeq"));
    world.post(ALICE, OUTSIDE, &Msg::inside("PRACK", ALICE, 2, &progress).with("RAck", &rack));
    assert_eq!(field(&world.expect(ALICE, "200"), "CSeq"), "2 PRACK");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    let ok = world.expect(ALICE, "200");
    assert_eq!(body(&ok), "");
    assert_eq!(body(&world.expect(BOB, "ACK")), "");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    ends(&mut world, &ok, "a reliable offer that was asked for");
}

/// What Bob offers has no codec that Alice knows.
fn of_no_use() -> String {
    stream(BOB, 6000, &[G722, OTHER_EVENTS])
}

/// Alice hears that the two have nothing in common, and Bob's dialog is ended.
fn fails(world: &mut World, invite: &Msg) {
    let bye = world.expect(BOB, "BYE");
    assert!(field(&bye, "Reason").starts_with("SIP;cause=488"), "{bye}");
    world.ok(BOB, INSIDE, &bye);
    let refused = world.expect(ALICE, "488");
    assert!(field(&refused, "Warning").starts_with("305 "), "{refused}");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", invite));
    world.must_forget("a call of two who have nothing in common");
}

#[test]
fn rfc3261_13_2_2_4_an_offer_with_nothing_in_common_is_answered_ended_and_refused_with_488() {
    let mut world = asks(8);
    let invite = Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&stream(ALICE, 4000, &[PCMA, EVENTS]));
    let invited = calls(&mut world, &invite);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&of_no_use()));
    let acked = world.expect(BOB, "ACK");
    assert!(line(body(&acked), 'm').starts_with("audio 0 "), "a valid answer all the same: {acked}");
    fails(&mut world, &invite);
}

#[test]
fn rfc3262_5_a_reliable_offer_with_nothing_in_common_is_answered_in_the_prack() {
    let mut world = asks(11);
    let invite = Msg::request("INVITE", NUMBER, ALICE, 1).with("Supported", "100rel");
    let invite = invite.sdp(&stream(ALICE, 4000, &[PCMA, EVENTS]));
    let invited = calls(&mut world, &invite);
    let reliable =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "5");
    world.post(BOB, INSIDE, &reliable.sdp(&of_no_use()));
    let prack = world.expect(BOB, "PRACK");
    assert!(line(body(&prack), 'm').starts_with("audio 0 "), "{prack}");
    world.ok(BOB, INSIDE, &prack);
    assert_eq!(body(&world.expect(ALICE, "183")), "");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    assert_eq!(body(&world.expect(BOB, "ACK")), "");
    fails(&mut world, &invite);
}

#[test]
fn a_side_that_offers_no_stream_gets_a_call_without_one() {
    let mut world = asks(12);
    let invite = Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&stream(ALICE, 4000, &[PCMA, EVENTS]));
    let invited = calls(&mut world, &invite);
    let none = stream(BOB, 0, &[PCMA]);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&none));
    world.expect(BOB, "ACK");
    let ok = world.expect(ALICE, "200");
    assert!(line(body(&ok), 'm').starts_with("audio 0 "), "{ok}");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    ends(&mut world, &ok, "a call without a stream");
}

#[test]
fn a_side_that_offers_nothing_though_it_is_asked_fails_the_call() {
    let mut world = asks(9);
    let invite = Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&stream(ALICE, 4000, &[PCMA, EVENTS]));
    let invited = calls(&mut world, &invite);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    world.expect(BOB, "ACK");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.expect_within(ALICE, "50", s(1));
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite));
    world.must_forget("a call without the offer that was asked for");
}

#[test]
fn a_reinvite_with_an_offer_asks_for_one() {
    let mut world = asks(10);
    let invite = Msg::request("INVITE", NUMBER, ALICE, 1).sdp(&stream(ALICE, 4000, &[PCMA, EVENTS]));
    let invited = calls(&mut world, &invite);
    let theirs = stream(BOB, 6000, &[PCMA, EVENTS]);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&theirs));
    world.expect(BOB, "ACK");
    let ok = world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    let held = format!("{}a=sendonly\r\n", stream(ALICE, 4000, &[PCMA, EVENTS]));
    world.post(ALICE, OUTSIDE, &Msg::inside("INVITE", ALICE, 2, &ok).sdp(&held));
    let again = world.expect(BOB, "INVITE");
    assert_eq!(body(&again), "");
    world.post(BOB, INSIDE, &Msg::response(&again, 200, "").contact(BOB).sdp(&theirs));
    let acked = world.expect(BOB, "ACK");
    assert!(body(&acked).contains("a=sendonly"), "{acked}");
    let answer = world.expect(ALICE, "200");
    assert!(body(&answer).contains("a=recvonly"), "{answer}");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 2, &ok));
    ends(&mut world, &ok, "a re-INVITE that asks for an offer");
}

/// Where media goes around us there is nothing of our own to offer or to answer with.
#[test]
fn where_media_goes_around_us_an_offer_crosses_where_there_is_one_and_is_not_made_where_there_is_none() {
    for (how, offers) in [("ask", true), ("make", false)] {
        let more = format!("[profiles.default]\nmedia = \"bypass\"\noffers = \"{how}\"\n");
        let mut world = by_hand(&document("", "", &more), 31);
        let invite = if offers { delayed().sdp(&audio(ALICE, 4000)) } else { delayed() };
        let invited = calls(&mut world, &invite);
        assert_eq!(!body(&invited).is_empty(), offers, "{how}: {invited}");
    }
}
