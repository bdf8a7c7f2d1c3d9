//! Session timers (RFC 4028), on each leg whatever the other one has of them.

use super::common::{
    ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, document, invite, ms, s,
};
use liaison_tests::message::{Msg, audio, body, field, fields, find, start};

/// Alice's INVITE with session timers, and that Session-Expires.
fn timed(expires: &str) -> Msg {
    let invite = invite().with("Supported", "timer");
    if expires.is_empty() { invite } else { invite.with("Session-Expires", expires) }
}

/// Bob's answer with that Session-Expires.
fn agreeing(expires: &str) -> impl FnOnce(&str) -> Msg {
    let expires = expires.to_owned();
    move |invite: &str| answer(invite).with("Require", "timer").with("Session-Expires", &expires)
}

/// A phone accepts our refresh.
fn accepts(world: &mut World, at: &str, refresh: &str, expires: &str, port: u16) {
    let to = if at == ALICE { OUTSIDE } else { INSIDE };
    let ok = Msg::response(refresh, 200, "").contact(at).sdp(&audio(at, port));
    let ok =
        if expires.is_empty() { ok } else { ok.with("Require", "timer").with("Session-Expires", expires) };
    world.post(at, to, &ok);
    world.expect(at, "ACK");
}

fn supports(text: &str) -> bool {
    fields(text).iter().any(|(name, value)| name == "Supported" && value.contains("timer"))
}

#[test]
fn each_leg_has_its_own_timer() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = Call::establish_with(&mut world, timed("600;refresher=uas"), agreeing("1200;refresher=uac"));
    assert_eq!(field(&call.ok, "Session-Expires"), "600;refresher=uas");
    assert_eq!(field(&call.invited, "Session-Expires"), "1800", "ours, not Alice's");
    assert!(supports(&call.invited) && supports(&call.ok));
    let (to_alice, to_bob) = (body(&call.ok).to_owned(), body(&call.invited).to_owned());
    // Alice's session is refreshed at its half, with the very description that stands, and Bob hears nothing.
    let refresh = world.expect_within(ALICE, "INVITE", s(301));
    assert_eq!(body(&refresh), to_alice, "no new version without a change (RFC 4028 §7.4)");
    assert_eq!(field(&refresh, "Session-Expires"), "600;refresher=uac");
    assert!(field(&refresh, "Allow").contains("BYE"), "{refresh}");
    accepts(&mut world, ALICE, &refresh, "600;refresher=uac", 4000);
    world.expect_no(BOB, "");
    let refresh = world.expect_within(BOB, "INVITE", s(301));
    assert_eq!(
        (body(&refresh), field(&refresh, "Session-Expires").as_str()),
        (to_bob.as_str(), "1200;refresher=uac")
    );
    accepts(&mut world, BOB, &refresh, "1200;refresher=uac", 6000);
    world.run_for(ms(20));
    let media = world.gauges().media_pairs;
    call.hang_up(&mut world, 2);
    assert_eq!(media, 2, "the ports are those that the call began with");
    world.must_forget("a call with two session timers");
}

// conforms: RFC4028-7.4-5,6
#[test]
fn a_refresh_of_the_peer_is_answered_by_its_leg_alone() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call = Call::establish_with(&mut world, timed("600;refresher=uac"), answer);
    for seq in 2..5 {
        world.run_for(s(300));
        let again = call.alice("INVITE", seq).sdp(&audio(ALICE, 4000));
        world.post(
            ALICE,
            OUTSIDE,
            &again.with("Supported", "timer").with("Session-Expires", "600;refresher=uac"),
        );
        let ok = world.expect(ALICE, "200");
        assert_eq!(body(&ok), body(&call.ok), "what was last sent");
        assert_eq!(
            (field(&ok, "Session-Expires").as_str(), field(&ok, "Require").as_str()),
            ("600;refresher=uac", "timer")
        );
        world.post(ALICE, OUTSIDE, &call.alice("ACK", seq));
        world.expect_no(BOB, "");
    }
    // What changes something crosses, and both legs go by their own timers.
    let moved = call.alice("INVITE", 5).sdp(&audio(ALICE, 4400)).with("Supported", "timer");
    world.post(ALICE, OUTSIDE, &moved.with("Session-Expires", "600;refresher=uac"));
    let crossed = world.expect(BOB, "INVITE");
    assert_eq!(find(&crossed, "Session-Expires"), None, "Bob knows of none");
    world.post(BOB, INSIDE, &Msg::response(&crossed, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    assert_eq!(field(&world.expect(ALICE, "200"), "Session-Expires"), "600;refresher=uac");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 5));
    world.expect(BOB, "ACK");
    // Nobody refreshes any more.
    let bye = world.expect_within(ALICE, "BYE", s(569));
    assert_eq!(field(&bye, "Reason"), "SIP;cause=408;text=\"Session expired\"");
    world.ok(ALICE, OUTSIDE, &bye);
    let bye = world.expect(BOB, "BYE");
    assert_eq!(field(&bye, "Reason"), "SIP;cause=408;text=\"Session expired\"");
    world.ok(BOB, INSIDE, &bye);
    world.run_for(ms(20));
    assert_eq!(world.records.lock().unwrap().last().unwrap().cause, "session expired");
    world.must_forget("a call that nobody refreshed");
}

#[test]
fn what_a_refresh_says_besides_crosses_once() {
    let mut world = by_hand(TWO_SIDES, 3);
    let call = Call::establish_with(&mut world, timed("600;refresher=uac"), answer);
    for (seq, news, crosses) in [(2, "one", true), (3, "one", false), (4, "two", true), (5, "two", false)] {
        world.run_for(s(100));
        let again = call.alice("INVITE", seq).sdp(&audio(ALICE, 4000)).with("Supported", "timer");
        world.post(ALICE, OUTSIDE, &again.with("X-News", news));
        if crosses {
            let crossed = world.expect(BOB, "INVITE");
            assert_eq!(field(&crossed, "X-News"), news);
            world.post(BOB, INSIDE, &Msg::response(&crossed, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
            world.expect(BOB, "ACK");
        } else {
            world.expect_no(BOB, "");
        }
        assert_eq!(body(&world.expect(ALICE, "200")), body(&call.ok));
        world.post(ALICE, OUTSIDE, &call.alice("ACK", seq));
    }
}

#[test]
fn a_422_is_no_failed_target() {
    let two = TWO_SIDES.replace(
        "targets = [\"sip:10.1.0.2:5060\"]",
        "targets = [\"sip:10.1.0.2:5060\", \"sip:10.1.0.3:5060\"]",
    );
    let wide = format!("{two}\n[profiles.default]\nfailover = [422, 503]\n");
    let mut world = by_hand(&wide, 4);
    world.post(ALICE, OUTSIDE, &invite());
    let first = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&first, 422, "proxy").with("Min-SE", "3600"));
    world.expect(BOB, "ACK");
    let second = world.expect(BOB, "INVITE");
    assert_eq!((field(&second, "Session-Expires"), field(&second, "Min-SE")), ("3600".into(), "3600".into()));
    assert_eq!(
        (field(&second, "Call-ID"), field(&second, "CSeq")),
        (field(&first, "Call-ID"), "2 INVITE".into())
    );
    assert_eq!(body(&second), body(&first));
    // One that no interval is long enough for is called without any; if it does not take that either, the call has failed.
    world.post(BOB, INSIDE, &Msg::response(&second, 422, "proxy").with("Min-SE", "90"));
    world.expect(BOB, "ACK");
    let third = world.expect(BOB, "INVITE");
    assert_eq!(find(&third, "Session-Expires"), None);
    world.post(BOB, INSIDE, &Msg::response(&third, 422, "proxy").with("Min-SE", "90"));
    world.expect(BOB, "ACK");
    let failed = world.expect(ALICE, "500");
    assert_eq!(find(&failed, "Min-SE"), None, "{failed}");
    world.expect_no("10.1.0.3:5060", "");
}

#[test]
fn a_caller_with_too_small_an_interval_gets_422_by_its_own_profile() {
    let strict =
        document("profile = \"strict\"", "", "\n[profiles.strict]\nsession_timer = { min = \"10m\" }\n");
    let mut world = by_hand(&strict, 5);
    world.post(ALICE, OUTSIDE, &timed("599"));
    let refused = world.expect(ALICE, "422");
    assert_eq!(field(&refused, "Min-SE"), "600");
    world.expect_no(BOB, "");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &timed("599")));
    world.post(BOB, INSIDE, &Msg::request("INVITE", "sip:+4930@10.1.0.1", BOB, 1).sdp(&audio(BOB, 6000)));
    let invited = world.expect(ALICE, "INVITE");
    assert_eq!(
        (field(&invited, "Session-Expires"), field(&invited, "Min-SE")),
        ("1800".into(), "600".into())
    );
}

#[test]
fn a_peer_without_timers_is_left_alone_unless_the_profile_says_otherwise() {
    let mut world = by_hand(TWO_SIDES, 6);
    let call = Call::establish(&mut world);
    assert_eq!((find(&call.ok, "Session-Expires"), find(&call.ok, "Require")), (None, None));
    world.run_for(s(200));
    call.hang_up(&mut world, 2);
    let alone = "\n[profiles.alone]\nmedia_inactivity = \"0s\"\nsession_timer = { alone = true, expires = \"120s\" }\n";
    let mut world = by_hand(&document("profile = \"alone\"", "profile = \"alone\"", alone), 7);
    let call = Call::establish(&mut world);
    assert_eq!(field(&call.ok, "Session-Expires"), "120;refresher=uas");
    for _ in 0..3 {
        let refresh = world.expect_within(ALICE, "INVITE", s(61));
        assert_eq!(body(&refresh), body(&call.ok));
        world.post(ALICE, OUTSIDE, &Msg::response(&refresh, 488, "").contact(ALICE));
        world.expect(ALICE, "ACK");
        let refresh = world.expect_within(BOB, "INVITE", s(61));
        assert_eq!(body(&refresh), body(&call.invited));
        accepts(&mut world, BOB, &refresh, "", 6000);
    }
    let refresh = world.expect_within(ALICE, "INVITE", s(61));
    world.post(ALICE, OUTSIDE, &Msg::response(&refresh, 481, ""));
    let bye = world.expect(BOB, "BYE");
    assert!(start(&bye).starts_with("BYE"));
}

#[test]
fn where_it_is_switched_off_it_is_not_known() {
    let off = format!("{TWO_SIDES}\n[profiles.default]\nsession_timer = {{ mode = \"off\" }}\n");
    let mut world = by_hand(&off, 8);
    world.post(ALICE, OUTSIDE, &timed("90").with("Require", "timer"));
    assert_eq!(field(&world.expect(ALICE, "420"), "Unsupported"), "timer");
    let mut world = by_hand(&off, 9);
    let call = Call::establish_with(&mut world, timed("90"), answer);
    assert!(!supports(&call.invited) && find(&call.invited, "Session-Expires").is_none());
    assert!(!supports(&call.ok) && find(&call.ok, "Session-Expires").is_none());
}

#[test]
fn a_change_that_was_refused_leaves_refreshes_with_what_stands() {
    let mut world = by_hand(TWO_SIDES, 10);
    let call = Call::establish_with(&mut world, timed("600;refresher=uas"), agreeing("1800;refresher=uas"));
    world.post(BOB, INSIDE, &call.bob("INVITE", 2).sdp(&audio(BOB, 6600)));
    let offered = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&offered, 488, ""));
    world.expect(ALICE, "ACK");
    world.expect(BOB, "488");
    let refresh = world.expect_within(ALICE, "INVITE", s(301));
    let without_version = |text: &str| {
        text.lines().filter(|line| !line.starts_with("o=")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_version(body(&refresh)), without_version(body(&call.ok)));
    accepts(&mut world, ALICE, &refresh, "600;refresher=uac", 4000);
    call.hang_up(&mut world, 2);
}

#[test]
fn a_refresh_that_is_lost_or_doubled_or_collides_keeps_the_call() {
    let mut world = by_hand(TWO_SIDES, 11);
    let call = Call::establish_with(&mut world, timed("600;refresher=uas"), agreeing("1800;refresher=uas"));
    let refresh = world.expect_within(ALICE, "INVITE", s(301));
    // Alice changes something at the same moment.
    let moved = call.alice("INVITE", 2).sdp(&audio(ALICE, 4400));
    world.post(ALICE, OUTSIDE, &moved);
    world.expect(ALICE, "491");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &moved));
    world.post(ALICE, OUTSIDE, &Msg::response(&refresh, 491, ""));
    world.expect(ALICE, "ACK");
    let moved = call.alice("INVITE", 3).sdp(&audio(ALICE, 4400)).with("Supported", "timer");
    world.post(ALICE, OUTSIDE, &moved.with("Session-Expires", "600;refresher=uas"));
    let crossed = world.expect(BOB, "INVITE");
    let ok = Msg::response(&crossed, 200, "").contact(BOB).sdp(&audio(BOB, 6000));
    world.post(BOB, INSIDE, &ok.with("Require", "timer").with("Session-Expires", "1800;refresher=uas"));
    let last = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 3));
    world.run_for(ms(20));
    // That was a refresh: the next one is due at half of the interval from here, with what stands now.
    world.expect_no(ALICE, "INVITE");
    let refresh = world.expect_within(ALICE, "INVITE", s(301));
    assert_eq!(body(&refresh), body(&last));
    accepts(&mut world, ALICE, &refresh, "600;refresher=uac", 4400);
    call.hang_up(&mut world, 4);
}

#[test]
fn who_takes_update_is_refreshed_by_it_and_its_own_does_not_cross() {
    let mut world = by_hand(TWO_SIDES, 12);
    let updates = |msg: Msg| msg.with("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE");
    let call = Call::establish_with(&mut world, updates(timed("600;refresher=uac")), |invite| {
        updates(agreeing("600;refresher=uac")(invite))
    });
    for seq in 2..6 {
        let refresh = world.expect_within(BOB, "UPDATE", s(301));
        assert!(
            body(&refresh).is_empty() && field(&refresh, "Session-Expires") == "600;refresher=uac",
            "{refresh}"
        );
        let ok = Msg::response(&refresh, 200, "").contact(BOB).with("Require", "timer");
        world.post(BOB, INSIDE, &ok.with("Session-Expires", "600;refresher=uac"));
        let theirs = call.alice("UPDATE", seq).with("Supported", "timer");
        world.post(ALICE, OUTSIDE, &theirs.with("Session-Expires", "600;refresher=uac"));
        assert_eq!(field(&world.expect(ALICE, "200"), "Session-Expires"), "600;refresher=uac");
        world.expect_no(BOB, "");
        world.expect_no(ALICE, "INVITE");
    }
    call.hang_up(&mut world, 6);
    world.must_forget("a call refreshed by UPDATE");
}

#[test]
fn a_peer_that_asks_its_user_about_a_refresh_is_not_waited_for() {
    let mut world = by_hand(TWO_SIDES, 20);
    let call = Call::establish_with(&mut world, timed("600;refresher=uas"), answer);
    let refresh = world.expect_within(ALICE, "INVITE", s(301));
    world.post(ALICE, OUTSIDE, &Msg::response(&refresh, 180, "").contact(ALICE));
    let given_up = world.expect_within(ALICE, "CANCEL", s(40));
    world.ok(ALICE, OUTSIDE, &given_up);
    world.post(ALICE, OUTSIDE, &Msg::response(&refresh, 487, ""));
    world.expect(ALICE, "ACK");
    // What Bob changes is not in its way.
    world.post(BOB, INSIDE, &call.bob("INVITE", 2).sdp(&audio(BOB, 6002)));
    let offered = world.expect(ALICE, "INVITE");
    accepts(&mut world, ALICE, &offered, "600;refresher=uac", 4000);
    let ok = world.expect(BOB, "200");
    world.post(BOB, INSIDE, &Msg::inside("ACK", BOB, 2, &ok));
    call.hang_up(&mut world, 2);
    world.must_forget("a refresh that nobody answers");
}

/// Liaison refreshes both sides every minute, whatever they know of timers.
fn alone(seed: u64) -> (World, Call) {
    let alone = "\n[profiles.alone]\nmedia_inactivity = \"0s\"\nsession_timer = { alone = true, expires = \"120s\" }\n";
    let mut world = by_hand(&document("", "profile = \"alone\"", alone), seed);
    let call = Call::establish(&mut world);
    (world, call)
}

#[test]
fn rfc3261_14_2_our_refresh_and_the_peers_that_cross_are_both_made_after_their_back_off() {
    let (mut world, call) = alone(30);
    let refresh = world.expect_within(BOB, "INVITE", s(61));
    let timed = |seq: u32| call.bob("INVITE", seq).sdp(&audio(BOB, 6000)).with("Supported", "timer");
    world.post(BOB, INSIDE, &timed(1));
    let refused = world.expect(BOB, "491");
    world.post(BOB, INSIDE, &call.bob("ACK", 1).set("Via", &field(&refused, "Via")));
    world.post(BOB, INSIDE, &Msg::response(&refresh, 491, "").contact(BOB));
    world.expect(BOB, "ACK");
    // His comes first: his leg answers it, with what stands.
    world.run_for(s(1));
    world.post(BOB, INSIDE, &timed(2));
    let ok = world.expect(BOB, "200");
    assert_eq!(body(&ok), body(&call.invited));
    world.post(BOB, INSIDE, &call.bob("ACK", 2));
    // Ours comes again in its time, and not as long as his is under way; nobody has heard of another version.
    let again = world.expect_within(BOB, "INVITE", s(121));
    assert_eq!(body(&again), body(&call.invited));
    accepts(&mut world, BOB, &again, "", 6000);
    world.expect_no(ALICE, "INVITE");
    call.hang_up(&mut world, 2);
    world.must_forget("refreshes that cross");
}

#[test]
fn rfc3261_14_2_a_change_of_one_side_waits_for_our_refresh_of_the_other() {
    let (mut world, call) = alone(31);
    let refresh = world.expect_within(BOB, "INVITE", s(61));
    let change = |seq: u32| call.alice("INVITE", seq).sdp(&format!("{}a=sendonly\r\n", audio(ALICE, 4000)));
    world.post(ALICE, OUTSIDE, &change(2));
    let refused = world.expect(ALICE, "491");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("Via", &field(&refused, "Via")));
    accepts(&mut world, BOB, &refresh, "", 6000);
    world.post(ALICE, OUTSIDE, &change(3));
    let asked = world.expect(BOB, "INVITE");
    assert!(body(&asked).contains("a=sendonly"), "{asked}");
    let taken = format!("{}a=recvonly\r\n", audio(BOB, 6000));
    world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&taken));
    world.expect(BOB, "ACK");
    assert!(body(&world.expect(ALICE, "200")).contains("a=recvonly"));
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 3));
    // The next refresh says what stands now.
    let refresh = world.expect_within(BOB, "INVITE", s(61));
    assert_eq!(body(&refresh), body(&asked));
    // Another answer than before is told to the other side (RFC 6141 §3.4).
    let held = format!("{}a=inactive\r\n", audio(BOB, 6000));
    world.post(BOB, INSIDE, &Msg::response(&refresh, 200, "").contact(BOB).sdp(&held));
    world.expect(BOB, "ACK");
    let told = world.expect(ALICE, "INVITE");
    assert!(body(&told).contains("a=inactive"), "{told}");
    let held = format!("{}a=inactive\r\n", audio(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&held));
    world.expect(ALICE, "ACK");
    let told = world.expect(BOB, "INVITE");
    assert!(body(&told).contains("a=inactive"), "{told}");
    let held = format!("{}a=inactive\r\n", audio(BOB, 6000));
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&held));
    world.expect(BOB, "ACK");
    world.expect_no(ALICE, "INVITE");
    call.hang_up(&mut world, 4);
    world.must_forget("a refresh in the way of a change");
}
