//! Offers and answers: late ones, changes from either side, at once from both, refused and given up.

use super::common::{
    ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms, s,
};
use liaison_tests::ids::Seeded;
use liaison_tests::message::{Msg, audio, body, field, line, start};
use liaison_tests::network::Fate;
use liaison_tests::peer::{Manner, Peer};
use sip_types::Fields;

/// The version in the `o=` line.
fn version(sdp: &str) -> u64 {
    line(sdp, 'o').split(' ').nth(2).unwrap().parse().unwrap()
}

/// A telephone calls through the other's side.
fn talk(caller: usize, offers: bool, seed: u64) -> World {
    let mut world = World::two_sides(Manner::Answers, Box::new(|_| Fate::Arrives), seed);
    let (uri, proxy) = [(NUMBER, OUTSIDE), ("sip:+4940@10.1.0.1", INSIDE)][caller];
    let now = world.now;
    let peer: &mut Peer = &mut world.peers[caller];
    let offer = offers.then(|| peer.description());
    peer.call_with(now, uri, proxy.parse().unwrap(), Fields::default(), offer);
    world.run_for(s(1));
    assert!(world.peers.iter().all(|peer| peer.is_established()));
    world
}

fn end(world: &mut World, what: &str) {
    let now = world.now;
    world.peers[0].hang_up(now);
    world.run_for(s(1));
    assert!(world.peers.iter().all(|peer| peer.ended == 1), "{what}");
    world.must_forget(what);
}

/// The description in the last message to an address that starts so.
fn last(world: &World, at: &str, what: &str) -> String {
    let found = world.sent_to(at).into_iter().rev().find(|text| start(text).starts_with(what));
    body(&found.unwrap_or_else(|| panic!("no {what} was sent to {at}"))).to_owned()
}

// conforms: RFC3261-13.2.1-1,4,6 RFC3261-13.2.2.4-6 RFC3261-13.3.1-1 RFC3261-13.3.1.4-2
#[test]
fn rfc3261_13_2_1_an_invite_without_offer_takes_the_far_sides_offer_both_ways() {
    for (caller, at, far) in [(0, ALICE, BOB), (1, BOB, ALICE)] {
        let mut world = talk(caller, false, 1);
        assert_eq!(last(&world, far, "INVITE"), "", "the delay crosses");
        let offer = last(&world, at, "200");
        let answer = last(&world, far, "ACK");
        for (sdp, ip) in [(&offer, at), (&answer, far)] {
            assert!(sdp.contains("m=audio ") && sdp.contains("a=rtpmap:8 PCMA/8000"), "{sdp}");
            let network = ip.rsplit_once('.').unwrap().0;
            assert_eq!(line(sdp, 'c'), format!("IN IP4 {network}.1"));
        }
        assert_eq!(world.lent(), 2);
        end(&mut world, "a delayed offer");
    }
}

// conforms: RFC3261-13.2.2.4-7
#[test]
fn a_delayed_offer_that_is_not_answered_ends_the_call_on_both_legs() {
    let mut world = by_hand(TWO_SIDES, 2);
    let late = Msg::request("INVITE", NUMBER, ALICE, 1);
    world.post(ALICE, OUTSIDE, &late);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(ALICE, "200");
    world.expect_no(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    let refusing = world.expect(BOB, "ACK");
    assert!(body(&refusing).contains("m=audio 0 "), "a valid answer all the same: {refusing}");
    for (at, from) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        world.ok(at, from, &bye);
    }
    world.must_forget("an offer without answer");
}

// conforms: RFC3261-14.2-3,4
#[test]
fn hold_and_resume_cross_from_either_side() {
    for (by, far) in [(0, BOB), (1, ALICE)] {
        let mut world = talk(0, true, 3);
        let media = world.peers[by].media.clone();
        for (media, direction) in [(format!("{media}a=sendonly\r\n"), Some("a=sendonly")), (media, None)] {
            world.peers[by].media = media;
            let now = world.now;
            assert!(world.peers[by].reinvite(now, true));
            world.run_for(s(1));
            let offer = last(&world, far, "INVITE");
            assert_eq!(
                offer.lines().find(|l| l.ends_with("only") || *l == "a=inactive"),
                direction,
                "{offer}"
            );
        }
        assert_eq!((world.peers[by].reinvited, world.peers[by].refused), (2, 0));
        assert_eq!(world.lent(), 2);
        end(&mut world, "hold and resume");
    }
}

// conforms: RFC3261-14.2-5
#[test]
fn rfc3261_14_1_a_reinvite_without_offer_asks_the_far_side_for_one() {
    for (by, far) in [(0, 1), (1, 0)] {
        let mut world = talk(0, true, 4);
        let now = world.now;
        assert!(world.peers[by].reinvite(now, false));
        world.run_for(s(1));
        let addresses = [ALICE, BOB];
        assert_eq!(last(&world, addresses[far], "INVITE"), "");
        let offered = last(&world, addresses[by], "200");
        assert!(
            offered.contains("RTP/AVP") && offered.contains("a=rtpmap:8 PCMA/8000"),
            "as before: {offered}"
        );
        assert!(last(&world, addresses[far], "ACK").contains("m=audio "));
        assert_eq!((world.peers[by].reinvited, world.peers[by].refused), (1, 0));
        end(&mut world, "a re-INVITE without offer");
    }
}

#[test]
fn rfc3261_14_2_reinvites_that_cross_are_sorted_out() {
    for seed in 0..40 {
        let mut world = talk(0, true, seed);
        for by in [0, 1] {
            let now = world.now;
            assert!(world.peers[by].reinvite(now, true), "seed {seed}");
            // It takes 10 ms to the other side.
            world.run_for(ms(seed % 10));
        }
        world.run_for(s(30));
        let glared = world.network.log.iter().any(|d| start(&d.text()).starts_with("491"));
        assert!(glared, "seed {seed}: they did not cross");
        // Whose tries are used up is told so; the other one comes through.
        assert!(world.peers.iter().any(|peer| peer.reinvited == 1), "seed {seed}");
        for peer in &world.peers {
            assert_eq!(peer.reinvited + peer.refused, 1, "seed {seed}: each has its answer");
            assert!(peer.is_established(), "seed {seed}");
        }
        end(&mut world, &format!("glare, seed {seed}"));
    }
}

// conforms: RFC3261-14.1-4
#[test]
fn a_refused_reinvite_leaves_the_session_as_it_was() {
    for caller in [true, false] {
        let mut world = by_hand(TWO_SIDES, 5);
        let call = Call::establish(&mut world);
        let (at, to, far, back) =
            if caller { (ALICE, OUTSIDE, BOB, INSIDE) } else { (BOB, INSIDE, ALICE, OUTSIDE) };
        let request = |method, n| if caller { call.alice(method, n) } else { call.bob(method, n) };
        let more = format!("{}m=video 4004 RTP/AVP 31\r\n", audio(at, 4100).replace(" 1 IN", " 2 IN"));
        world.post(at, to, &request("INVITE", 2).sdp(&more));
        let offered = world.expect(far, "INVITE");
        assert!(body(&offered).contains("m=video "));
        world.post(far, back, &Msg::response(&offered, 488, "").with("Warning", "304 x \"No video\""));
        world.expect(far, "ACK");
        let refused = world.expect(at, "488");
        assert_eq!(field(&refused, "Warning"), "304 liaison \"No video\"");
        world.post(at, to, &request("ACK", 2).set("Via", &field(&refused, "Via")));
        world.run_for(ms(20));
        assert_eq!((world.gauges().calls, world.lent()), (1, 2), "the video's ports are given back");

        // The next offer continues where the accepted one stood.
        world.post(at, to, &request("INVITE", 3).sdp(&audio(at, 4100).replace(" 1 IN", " 3 IN")));
        let again = world.expect(far, "INVITE");
        assert!(!body(&again).contains("m=video 0") || body(&offered).contains("m=video "), "{again}");
        assert!(version(body(&again)) >= version(body(&offered)), "an offer has been seen, refused or not");
        world.post(far, back, &Msg::response(&again, 200, "").contact(far).sdp(&audio(far, 6000)));
        world.expect(far, "ACK");
        world.expect(at, "200");
        world.post(at, to, &request("ACK", 3));
        call.hang_up(&mut world, 10);
        world.must_forget("a refused re-INVITE");
    }
}

#[test]
fn a_reinvite_that_is_given_up_is_given_up_on_the_other_leg() {
    let mut world = by_hand(TWO_SIDES, 6);
    let call = Call::establish(&mut world);
    let again = call.alice("INVITE", 2).sdp(&audio(ALICE, 4100)).branch("again");
    world.post(ALICE, OUTSIDE, &again);
    let offered = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&offered, 180, "").contact(BOB));
    world.run_for(ms(20));
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &again));
    world.expect(ALICE, "200");
    world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &again));
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&offered, 487, ""));
    world.expect(BOB, "ACK");
    world.run_for(ms(20));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    call.hang_up(&mut world, 3);
    world.must_forget("a cancelled re-INVITE");
}

#[test]
fn a_reinvite_that_is_never_answered_is_cancelled_and_the_session_stands() {
    let mut world = by_hand(TWO_SIDES, 61);
    let call = Call::establish(&mut world);
    let again = call.alice("INVITE", 2).sdp(&audio(ALICE, 4100)).branch("again");
    world.post(ALICE, OUTSIDE, &again);
    let offered = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&offered, 100, ""));
    let cancel = world.expect_within(BOB, "CANCEL", s(33));
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&offered, 487, ""));
    world.expect(BOB, "ACK");
    world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &again));
    world.run_for(ms(20));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    call.hang_up(&mut world, 3);
    world.must_forget("a re-INVITE without an answer");
}

#[test]
fn an_answer_to_a_reinvite_that_was_given_up_is_undone() {
    let mut world = by_hand(TWO_SIDES, 7);
    let call = Call::establish(&mut world);
    let again = call.alice("INVITE", 2).sdp(&format!("{}a=sendonly\r\n", audio(ALICE, 4100))).branch("again");
    world.post(ALICE, OUTSIDE, &again);
    let offered = world.expect(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &again));
    world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &again));
    world.post(BOB, INSIDE, &Msg::response(&offered, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    // Bob has taken what Alice has not: he gets back what stood.
    let restored = world.expect(BOB, "INVITE");
    assert!(!body(&restored).contains("a=sendonly"), "{restored}");
    world.post(BOB, INSIDE, &Msg::response(&restored, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    world.expect_no(BOB, "INVITE");
    world.expect_no(ALICE, "INVITE");
    call.hang_up(&mut world, 3);
    world.must_forget("an answer that nobody waits for");
}

#[test]
fn an_answer_to_a_reinvite_that_was_given_up_and_changed_nothing_needs_no_other() {
    let mut world = by_hand(TWO_SIDES, 71);
    let call = Call::establish(&mut world);
    // Alice moves to another port, which Bob never sees.
    let again = call.alice("INVITE", 2).sdp(&audio(ALICE, 4100)).branch("again");
    world.post(ALICE, OUTSIDE, &again);
    let offered = world.expect(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &again));
    world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &again));
    let late = Msg::response(&offered, 200, "").contact(BOB).sdp(&audio(BOB, 6000));
    world.post(BOB, INSIDE, &late);
    world.expect(BOB, "ACK");
    world.post(BOB, INSIDE, &late);
    world.expect(BOB, "ACK");
    world.expect_no(BOB, "INVITE");
    // The exchange is over: the next change is made.
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 3).sdp(&audio(ALICE, 4200)));
    let next = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&next, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    let ok = world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 3, &ok));
    world.expect(BOB, "ACK");
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    call.hang_up(&mut world, 4);
    world.must_forget("an answer that changed nothing");
}

#[test]
fn an_offer_that_was_asked_for_in_vain_is_answered_all_the_same() {
    let mut world = by_hand(TWO_SIDES, 8);
    let call = Call::establish(&mut world);
    let again = call.alice("INVITE", 2).branch("again");
    world.post(ALICE, OUTSIDE, &again);
    let asked = world.expect(BOB, "INVITE");
    assert_eq!(body(&asked), "");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &again));
    world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &again));
    world.post(BOB, INSIDE, &Msg::response(&asked, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    let ack = world.expect(BOB, "ACK");
    assert!(body(&ack).contains("m=audio "), "the ACK owes an answer: {ack}");
    world.expect_no(ALICE, "INVITE");
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    call.hang_up(&mut world, 3);
    world.must_forget("an offer that nobody waits for");
}

/// A random offer: what it must keep is that a stream never goes away but by port 0.
fn change(chance: &mut Seeded, streams: &mut Vec<bool>) -> String {
    match chance.below(4) {
        0 if streams.len() < 5 => streams.push(true),
        1 => {
            let at = usize::try_from(chance.below(streams.len() as u64)).unwrap();
            streams[at] = !streams[at] || at == 0;
        }
        _ => {}
    }
    let direction = ["", "a=sendonly\r\n", "a=inactive\r\n", "a=recvonly\r\n"];
    let mut media = String::new();
    for (n, open) in streams.iter().enumerate() {
        let port = if *open { 4000 + 2 * n } else { 0 };
        let formats = ["8 101", "0 8", "8"][usize::try_from(chance.below(3)).unwrap()];
        media.push_str(&format!("m=audio {port} RTP/AVP {formats}\r\n"));
        media.push_str(direction[usize::try_from(chance.below(4)).unwrap()]);
    }
    media
}

/// RFC 3264 §8 and S0-8 on what one leg was sent.
fn check_leg(world: &World, at: &str) -> usize {
    let mut seen: Option<String> = None;
    let mut changes = 0;
    for text in world.sent_to(at) {
        let sdp = body(&text);
        if sdp.is_empty() {
            continue;
        }
        let lines = |sdp: &str| sdp.lines().filter(|l| l.starts_with("m=")).count();
        if let Some(before) = seen.filter(|before| before != sdp) {
            changes += 1;
            let id = |sdp: &str| line(sdp, 'o').split(' ').nth(1).unwrap().to_owned();
            assert_eq!(id(sdp), id(&before), "{at}: the session is the same");
            assert_eq!(
                version(sdp),
                version(&before) + 1,
                "{at}: one more, and only for a change\n{before}\n{sdp}"
            );
            let rest =
                |sdp: &str| sdp.lines().filter(|l| !l.starts_with("o=")).collect::<Vec<_>>().join("\n");
            assert_ne!(rest(sdp), rest(&before), "{at}: the version says that something changed");
            assert!(lines(sdp) >= lines(&before), "{at}: no stream goes away\n{before}\n{sdp}");
        }
        seen = Some(sdp.to_owned());
    }
    changes
}

#[test]
fn rfc3264_8_fifty_random_changes_keep_each_legs_description_in_order() {
    for seed in 0..8 {
        let mut world = talk(0, true, seed);
        let mut chance = Seeded(seed);
        let mut streams = vec![true];
        for _ in 0..50 {
            let by = usize::try_from(chance.below(2)).unwrap();
            let media = change(&mut chance, &mut streams);
            // Without an offer in the re-INVITE, the other telephone makes it, of the same streams.
            world.peers.iter_mut().for_each(|peer| peer.media.clone_from(&media));
            let now = world.now;
            let offers = chance.below(5) > 0;
            assert!(world.peers[by].reinvite(now, offers), "seed {seed}");
            world.run_for(s(1));
            assert_eq!(world.peers[by].refused, 0, "seed {seed}");
        }
        let done: usize = world.peers.iter().map(|peer| peer.reinvited).sum();
        assert_eq!(done, 50, "seed {seed}");
        for at in [ALICE, BOB] {
            assert!(check_leg(&world, at) > 25, "seed {seed}");
        }
        end(&mut world, &format!("fifty changes, seed {seed}"));
    }
}

#[test]
fn an_offer_that_cannot_be_read_is_refused_and_changes_nothing() {
    let mut world = by_hand(TWO_SIDES, 9);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("INVITE", 2).sdp("v=0\r\nthis is not a description\r\n"));
    let refused = world.expect(ALICE, "4");
    assert!(start(&refused).starts_with("400") || start(&refused).starts_with("488"), "{refused}");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 2).set("Via", &field(&refused, "Via")));
    world.expect_no(BOB, "INVITE");
    call.hang_up(&mut world, 3);
    let bad = invite().sdp("v=1\r\n").set("Call-ID", "bad").branch("bad");
    world.post(ALICE, OUTSIDE, &bad);
    let refused = world.expect(ALICE, "4");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &bad).set("To", &field(&refused, "To")));
    world.must_forget("an unreadable offer");
}
