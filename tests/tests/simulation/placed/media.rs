//! What the parties of a placed call are told of the media, and when; and of several devices, which.

use super::super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, ms};
use super::super::users::{self, DESK, MOBILE, REGISTRAR, bind, says, world};
use super::{end, first_answers, inside, order, party, place, shown, then_answers};
use admin_api::control::{CallOrder, CallState};
use insta::assert_snapshot;
use liaison_tests::ladder::ladder;
use liaison_tests::message::{Msg, audio, body, field, line};

const NAMES: &[(&str, &str)] = &[(ALICE, "Alice"), (OUTSIDE, "Liaison"), (INSIDE, "Liaison"), (BOB, "Bob")];

const BYPASS: &str = "\n[profiles.default]\nmedia = \"bypass\"\n";

fn both_are_let_go(world: &mut World, call: &admin_api::control::CallDetail) {
    end(world, call);
    for (at, to) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        world.ok(at, to, &bye);
    }
    world.must_forget("a placed call");
}

#[test]
fn the_whole_of_a_placed_call_with_media_through_us() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = place(&mut world, order());
    first_answers(&mut world);
    then_answers(&mut world);
    assert_snapshot!(ladder(&world.network.log, NAMES));
    both_are_let_go(&mut world, &call);
}

#[test]
fn the_whole_of_a_placed_call_with_media_around_us() {
    let mut world = by_hand(&format!("{TWO_SIDES}{BYPASS}"), 2);
    let call = place(&mut world, order());
    let (_, acked) = first_answers(&mut world);
    assert_eq!(line(body(&acked), 'c'), "IN IP4 0.0.0.0", "there is no address yet");
    assert!(body(&acked).contains("a=inactive"), "{acked}");
    let (then, told) = then_answers(&mut world);
    assert_eq!(line(body(&then), 'c'), "IN IP4 10.0.0.2");
    assert_eq!(line(body(&told), 'c'), "IN IP4 10.1.0.2");
    assert_snapshot!(ladder(&world.network.log, NAMES));
    world.expect_no(BOB, "INVITE");
    assert_eq!(world.lent(), 0);
    both_are_let_go(&mut world, &call);
}

#[test]
fn around_us_who_is_elsewhere_after_all_is_told_of_but_not_for_ever() {
    let mut world = by_hand(&format!("{TWO_SIDES}{BYPASS}"), 3);
    place(&mut world, order());
    first_answers(&mut world);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &super::answer(&invited));
    world.expect(BOB, "ACK");
    let mut asked = 0;
    'told: loop {
        for (at, to) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
            world.run_for(ms(20));
            if world.unread(ALICE).iter().any(|text| text.starts_with("BYE")) {
                break 'told;
            }
            let told = world.expect(at, "INVITE");
            // Each answers with another port than before.
            asked += 1;
            let port = 4000 + 100 * asked;
            world.post(at, to, &Msg::response(&told, 200, "").contact(at).sdp(&audio(at, port)));
            world.expect(at, "ACK");
        }
    }
    assert_eq!(asked, 25);
    for (at, to) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        assert_eq!(field(&bye, "Reason"), "SIP;cause=488;text=\"Session description refused\"");
        world.ok(at, to, &bye);
    }
    world.must_forget("two who are elsewhere each time");
}

#[test]
fn what_the_other_plays_while_it_rings_is_connected_with_the_first() {
    let mut world = by_hand(TWO_SIDES, 4);
    let call = place(&mut world, order());
    first_answers(&mut world);
    let invited = world.expect(BOB, "INVITE");
    let playing =
        Msg::response(&invited, 183, "bob").contact(BOB).with("Require", "100rel").with("RSeq", "1");
    world.post(BOB, INSIDE, &playing.sdp(&audio(BOB, 6000)));
    let prack = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &prack);
    world.run_for(ms(20));
    let call_now = shown(&mut world, &call);
    assert_eq!(call_now.summary.state, CallState::SettingUp);
    let remotes: Vec<_> = call_now.legs.iter().map(|leg| leg.streams[0].remote_address).collect();
    assert_eq!(remotes, ["10.0.0.2:4000", "10.1.0.2:6000"].map(|address| Some(address.parse().unwrap())));
    assert!(world.core.gauges().media_pairs >= 2);
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    world.expect(BOB, "ACK");
    world.expect_no(ALICE, "INVITE");
    both_are_let_go(&mut world, &call);
}

#[test]
fn keys_are_not_ours_to_answer_with() {
    let mut world = by_hand(TWO_SIDES, 5);
    let call = place(&mut world, order());
    let invited = world.expect(ALICE, "INVITE");
    let key = |n: u8| format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:key{n}\r\n");
    let secure = |at: &str, port, n| audio(at, port).replace("RTP/AVP", "RTP/SAVP") + &key(n);
    let ok = Msg::response(&invited, 200, "alice").contact(ALICE);
    world.post(ALICE, OUTSIDE, &ok.sdp(&secure(ALICE, 4000, 1)));
    let acked = world.expect(ALICE, "ACK");
    assert!(line(body(&acked), 'm').starts_with("audio 0 RTP/SAVP"), "{acked}");
    let invited = world.expect(BOB, "INVITE");
    assert!(body(&invited).contains("inline:key1"), "{invited}");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&secure(BOB, 6000, 2)));
    world.expect(BOB, "ACK");
    let told = world.expect(ALICE, "INVITE");
    assert!(body(&told).contains("inline:key2") && !line(body(&told), 'm').starts_with("audio 0"), "{told}");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&secure(ALICE, 4000, 3)));
    world.expect(ALICE, "ACK");
    // The first has another key now.
    let told = world.expect(BOB, "INVITE");
    assert!(body(&told).contains("inline:key3"), "{told}");
    world.post(BOB, INSIDE, &Msg::response(&told, 200, "").contact(BOB).sdp(&secure(BOB, 6000, 2)));
    world.expect(BOB, "ACK");
    both_are_let_go(&mut world, &call);
}

#[test]
fn of_the_first_ones_devices_the_one_that_answers_is_joined_with_the_other() {
    let mut world = world(users::DOCUMENT);
    [("bob", DESK), ("bob", MOBILE), ("alice", users::ALICE)].iter().for_each(|(user, device)| {
        bind(&mut world, user, device, "");
    });
    let order = CallOrder {
        first: party(users::BOB, "phones"),
        then: party("sip:alice@example.com", "phones"),
        ..order()
    };
    let call = place(&mut world, order);
    let [desk, mobile] = [DESK, MOBILE].map(|device| {
        let invited = world.expect(device, "INVITE");
        says(&mut world, device, &invited, 180);
        invited
    });
    assert_eq!(field(&desk, "Session-ID"), field(&mobile, "Session-ID"));
    says(&mut world, MOBILE, &mobile, 200);
    world.expect(MOBILE, "ACK");
    let cancel = world.expect(DESK, "CANCEL");
    assert_eq!(field(&cancel, "Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    let invited = world.expect(users::ALICE, "INVITE");
    // The lost device is over only now, while the other one rings.
    says(&mut world, DESK, &cancel, 200);
    says(&mut world, DESK, &desk, 487);
    world.expect(DESK, "ACK");
    says(&mut world, users::ALICE, &invited, 180);
    world.run_for(ms(50));
    says(&mut world, users::ALICE, &invited, 200);
    world.expect(users::ALICE, "ACK");
    let standing = shown(&mut world, &call);
    assert_eq!(standing.summary.state, CallState::Established);
    world.post(MOBILE, REGISTRAR, &inside("BYE", (MOBILE, &format!("dev-{}", MOBILE.len())), 1, &mobile));
    world.expect(MOBILE, "200");
    let bye = world.expect(users::ALICE, "BYE");
    world.ok(users::ALICE, REGISTRAR, &bye);
    world.must_forget("a fork of the first");
    let records = world.records.lock().unwrap();
    let roles: Vec<_> = records[0].legs.iter().map(|leg| leg.role).collect();
    assert_eq!((roles, records[0].released_by), (vec!["calling", "calling", "called"], Some("calling")));
}
