//! The devices of a called user ring at once or in turn, and the losers hear why.

use super::common::{World, ms, s};
use super::users::{
    ALICE, BOB, DESK, DOCUMENT, MOBILE, REGISTRAR, TABLET, bind, call, call_with, says, world,
};
use liaison_tests::message::{Msg, body, field, fields, find, line, start};

const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// The document, with more settings of the registrar.
fn with(registrar: &str) -> String {
    DOCUMENT.replace("domains", &format!("{registrar}\ndomains"))
}

/// Bob's devices of one preference ring.
fn rings(world: &mut World, devices: &[&str]) -> Vec<String> {
    devices.iter().for_each(|device| drop(bind(world, "bob", device, "")));
    call(world, BOB);
    invited(world, devices)
}

pub(super) fn invited(world: &mut World, devices: &[&str]) -> Vec<String> {
    devices
        .iter()
        .map(|device| {
            let invite = world.expect(device, "INVITE");
            says(world, device, &invite, 180);
            invite
        })
        .collect()
}

/// The device hears a CANCEL with that Reason, and its INVITE ends.
fn is_cancelled(world: &mut World, device: &str, invite: &str, reason: &str) {
    let cancel = world.expect(device, "CANCEL");
    assert_eq!(field(&cancel, "Reason"), reason);
    assert_eq!(field(&cancel, "Call-ID"), field(invite, "Call-ID"));
    says(world, device, &cancel, 200);
    says(world, device, invite, 487);
    world.expect(device, "ACK");
}

/// Alice acknowledges and hangs up; the device hears it, and nothing stays.
fn talk_and_end(world: &mut World, device: &str) {
    let ok = world.expect(ALICE, "200");
    world.expect(device, "ACK");
    world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
    world.run_for(s(5));
    assert_eq!(world.lent(), 2, "one pair of ports on each side");
    world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &ok));
    world.expect(ALICE, "200");
    let bye = world.expect(device, "BYE");
    world.ok(device, REGISTRAR, &bye);
    world.must_forget("a call to devices");
}

/// Alice hears a failure, and nothing stays.
pub(super) fn fails(world: &mut World, status: &str) {
    let refused = world.expect(ALICE, status);
    let ack = Msg::request("ACK", BOB, ALICE, 2).branch("call-2").set("To", &field(&refused, "To"));
    world.post(ALICE, REGISTRAR, &ack);
    world.must_forget("a call that no device takes");
}

// conforms: RFC7332-6-2,3 RFC7332-7-1 RFC5393-5.3.3-1,4
#[test]
fn devices_ring_at_once_and_the_losers_hear_why() {
    let mut world = world(DOCUMENT);
    let invites = rings(&mut world, &[DESK, MOBILE, TABLET]);
    for (nth, invite) in invites.iter().enumerate() {
        let breadth = fields(invite).into_iter().filter(|(name, _)| name == "Max-Breadth");
        assert_eq!(breadth.map(|(_, value)| value).collect::<Vec<_>>(), ["20"]);
        for other in invites.iter().skip(nth + 1) {
            assert_ne!(field(invite, "Call-ID"), field(other, "Call-ID"));
            assert_ne!(line(body(invite), 'm'), line(body(other), 'm'), "ports of its own");
            assert_ne!(line(body(invite), 'o'), line(body(other), 'o'), "a session of its own");
        }
    }
    assert_eq!(world.lent(), 4, "one pair for the caller and one for each device");
    let ringing = [(); 3].map(|()| field(&world.expect(ALICE, "180"), "To"));
    assert!(ringing[0] != ringing[1] && ringing[1] != ringing[2], "{ringing:?}");
    says(&mut world, MOBILE, &invites[1], 200);
    is_cancelled(&mut world, DESK, &invites[0], ELSEWHERE);
    is_cancelled(&mut world, TABLET, &invites[2], ELSEWHERE);
    assert_eq!(world.core.counters().answered_elsewhere, 2);
    let legs = super::admin::only_call_in_full(&mut world).legs;
    let reasons: Vec<_> = legs.iter().filter_map(|leg| leg.end.as_ref()?.reason.as_deref()).collect();
    assert_eq!(reasons, [ELSEWHERE, ELSEWHERE]);
    talk_and_end(&mut world, MOBILE);
    let records = world.records.lock().unwrap();
    let record = &records[0];
    assert_eq!(record.cause, "BYE from the peer", "the losers, who ended before, are no cause");
    assert!(record.duration_seconds >= 5.0);
    let legs: Vec<_> = record.legs.iter().map(|leg| (leg.status, leg.reason.as_deref())).collect();
    let elsewhere = (Some(487), Some(ELSEWHERE));
    assert_eq!(legs[1..], [elsewhere, (None, None), elsewhere]);
}

#[test]
fn a_loser_that_answers_late_is_acknowledged_and_released() {
    let mut world = world(DOCUMENT);
    let invites = rings(&mut world, &[DESK, MOBILE]);
    says(&mut world, MOBILE, &invites[1], 200);
    world.expect(DESK, "CANCEL");
    says(&mut world, DESK, &invites[0], 200);
    world.expect(DESK, "ACK");
    let bye = world.expect(DESK, "BYE");
    assert_eq!(field(&bye, "Reason"), ELSEWHERE);
    world.ok(DESK, REGISTRAR, &bye);
    talk_and_end(&mut world, MOBILE);
}

#[test]
fn a_loser_that_hangs_up_by_itself_ends_nothing_but_its_own_leg() {
    let mut world = world(DOCUMENT);
    let invites = rings(&mut world, &[DESK, MOBILE]);
    says(&mut world, MOBILE, &invites[1], 200);
    world.expect(DESK, "CANCEL");
    says(&mut world, DESK, &invites[0], 200);
    world.expect(DESK, "ACK");
    let ours = world.expect(DESK, "BYE");
    let tagged = format!("{};tag=dev-{}", field(&invites[0], "To"), DESK.len());
    let theirs = Msg::inside("BYE", DESK, 2, &invites[0]).set("From", &tagged);
    world.post(DESK, REGISTRAR, &theirs);
    world.expect(DESK, "200");
    world.ok(DESK, REGISTRAR, &ours);
    talk_and_end(&mut world, MOBILE);
}

#[test]
fn rfc3261_16_7_a_redirection_that_was_followed_is_no_answer() {
    let document = format!("{DOCUMENT}\n[profiles.default]\nredirects = \"follow\"\n");
    let mut world = world(&document);
    let invites = rings(&mut world, &[DESK]);
    let moved = Msg::response(&invites[0], 302, "d").set("Contact", &format!("<sip:line@{TABLET}>"));
    world.post(DESK, REGISTRAR, &moved);
    let second = invited(&mut world, &[TABLET]);
    says(&mut world, TABLET, &second[0], 486);
    fails(&mut world, "486");
}

#[test]
fn of_two_answers_in_one_moment_one_is_released() {
    let mut world = world(DOCUMENT);
    let invites = rings(&mut world, &[DESK, MOBILE]);
    says(&mut world, DESK, &invites[0], 200);
    says(&mut world, MOBILE, &invites[1], 200);
    world.expect(MOBILE, "ACK");
    let bye = world.expect(MOBILE, "BYE");
    assert_eq!(field(&bye, "Reason"), ELSEWHERE);
    world.ok(MOBILE, REGISTRAR, &bye);
    talk_and_end(&mut world, DESK);
}

#[test]
fn a_caller_that_gives_up_is_heard_by_all_with_its_reason() {
    let mut world = world(DOCUMENT);
    [DESK, MOBILE].iter().for_each(|device| drop(bind(&mut world, "bob", device, "")));
    let invite = call(&mut world, BOB);
    let invites = invited(&mut world, &[DESK, MOBILE]);
    let reason = "SIP;cause=487;text=\"Changed my mind\"";
    world.post(ALICE, REGISTRAR, &Msg::of_invite("CANCEL", &invite).with("Reason", reason));
    world.expect(ALICE, "487");
    is_cancelled(&mut world, DESK, &invites[0], reason);
    is_cancelled(&mut world, MOBILE, &invites[1], reason);
    world.must_forget("a call that is given up");
}

#[test]
fn rfc3261_16_7_a_global_failure_ends_all_at_once() {
    let mut world = world(DOCUMENT);
    let invites = rings(&mut world, &[DESK, MOBILE, TABLET]);
    says(&mut world, DESK, &invites[0], 486);
    says(&mut world, MOBILE, &invites[1], 603);
    is_cancelled(&mut world, TABLET, &invites[2], "SIP;cause=603;text=\"Call failed\"");
    fails(&mut world, "603");
}

#[test]
fn rfc3261_16_7_the_best_failure_is_heard_when_the_last_device_has_failed() {
    let mut world = world(DOCUMENT);
    let invites = rings(&mut world, &[DESK, MOBILE]);
    says(&mut world, DESK, &invites[0], 500);
    world.expect_no(ALICE, "500");
    says(&mut world, MOBILE, &invites[1], 486);
    fails(&mut world, "486");
    // A challenge of a device is no business of the caller (RFC 3261 §16.7 would have it answered by it).
    let mut world = self::world(DOCUMENT);
    let invites = rings(&mut world, &[DESK]);
    let challenge =
        Msg::response(&invites[0], 401, "d").with("WWW-Authenticate", "Digest realm=\"x\", nonce=\"y\"");
    world.post(DESK, REGISTRAR, &challenge);
    assert!(find(&world.expect(ALICE, "403"), "WWW-Authenticate").is_none());
}

#[test]
fn groups_of_one_preference_ring_in_turn_each_for_its_time() {
    let mut world = world(&with("ring_turn = \"7s\""));
    bind(&mut world, "bob", DESK, ";q=0.9");
    bind(&mut world, "bob", MOBILE, ";q=0.9");
    bind(&mut world, "bob", TABLET, ";q=0.1");
    call(&mut world, BOB);
    let invites = invited(&mut world, &[DESK, MOBILE]);
    world.run_for(ms(6_500));
    assert!(world.sent_to(TABLET).iter().all(|text| !text.starts_with("INVITE")));
    let limit = "SIP;cause=480;text=\"Ring limit\"";
    world.run_for(ms(500));
    is_cancelled(&mut world, DESK, &invites[0], limit);
    is_cancelled(&mut world, MOBILE, &invites[1], limit);
    let last = invited(&mut world, &[TABLET]);
    // The last group rings for the profile's limit.
    world.run_for(s(120));
    says(&mut world, TABLET, &last[0], 200);
    talk_and_end(&mut world, TABLET);
    assert_eq!(world.core.counters().rung_out, 2);
}

#[test]
fn devices_that_all_ring_for_too_long_are_unavailable() {
    let mut world = world(&format!("{DOCUMENT}\n[profiles.default]\nring_limit = \"9s\"\n"));
    let invites = rings(&mut world, &[DESK, MOBILE]);
    world.run_for(s(9));
    for (device, invite) in [(DESK, &invites[0]), (MOBILE, &invites[1])] {
        is_cancelled(&mut world, device, invite, "SIP;cause=480;text=\"Ring limit\"");
    }
    fails(&mut world, "480");
}

#[test]
fn in_sequence_one_rings_at_a_time_the_newest_first() {
    let account = "address = \"bob@example.com\", ";
    for document in [
        with("ring = \"sequence\"\nring_turn = \"5s\""),
        with("ring_turn = \"5s\"").replace(account, &format!("{account}ring = \"sequence\", ")),
    ] {
        let mut world = world(&document);
        bind(&mut world, "bob", DESK, "");
        world.run_for(s(1));
        bind(&mut world, "bob", MOBILE, "");
        call(&mut world, BOB);
        let mobile = invited(&mut world, &[MOBILE]);
        world.expect_no(DESK, "INVITE");
        world.run_for(s(5));
        is_cancelled(&mut world, MOBILE, &mobile[0], "SIP;cause=480;text=\"Ring limit\"");
        let desk = invited(&mut world, &[DESK]);
        says(&mut world, DESK, &desk[0], 200);
        talk_and_end(&mut world, DESK);
    }
}

// conforms: RFC7332-6-1 RFC5393-5.3.3-2,3,7
#[test]
fn rfc5393_5_3_3_breadth_is_divided_limited_and_when_there_is_too_little_waited_for() {
    for (given, shares) in [("61", ["30", "30"]), ("7", ["3", "4"]), ("60000000000", ["30", "30"])] {
        let mut world = world(DOCUMENT);
        [DESK, MOBILE].iter().for_each(|device| drop(bind(&mut world, "bob", device, "")));
        call_with(&mut world, BOB, &[("Max-Breadth", given)]);
        let mut got =
            invited(&mut world, &[DESK, MOBILE]).iter().map(|i| field(i, "Max-Breadth")).collect::<Vec<_>>();
        got.sort();
        assert_eq!(got, shares);
    }
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", MOBILE, "");
    world.run_for(s(1));
    bind(&mut world, "bob", DESK, "");
    call_with(&mut world, BOB, &[("Max-Breadth", "1")]);
    let desk = invited(&mut world, &[DESK]);
    assert_eq!(field(&desk[0], "Max-Breadth"), "1");
    world.expect_no(MOBILE, "INVITE");
    says(&mut world, DESK, &desk[0], 486);
    let mobile = invited(&mut world, &[MOBILE]);
    says(&mut world, MOBILE, &mobile[0], 200);
    talk_and_end(&mut world, MOBILE);
    let mut world = self::world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    let exhausted = Msg::request("INVITE", BOB, ALICE, 1).set("From", "<sip:alice@example.com>;tag=a");
    world.post(ALICE, REGISTRAR, &exhausted.with("Max-Breadth", "0"));
    world.expect(ALICE, "440");
    world.expect_no(DESK, "INVITE");
}

#[test]
fn no_more_ring_at_a_time_than_may_be() {
    let mut world = world(&format!("{DOCUMENT}\n[limits]\nbranches = 2\n"));
    for device in [TABLET, MOBILE, DESK] {
        bind(&mut world, "bob", device, "");
        world.run_for(s(1));
    }
    call(&mut world, BOB);
    let first = invited(&mut world, &[DESK, MOBILE]);
    world.expect_no(TABLET, "INVITE");
    says(&mut world, MOBILE, &first[1], 486);
    let third = invited(&mut world, &[TABLET]);
    says(&mut world, TABLET, &third[0], 200);
    is_cancelled(&mut world, DESK, &first[0], ELSEWHERE);
    talk_and_end(&mut world, TABLET);
}

// conforms: RFC3841-7.2-1
// conforms: RFC3840-6-3
#[test]
fn a_redirection_of_one_device_is_followed_beside_the_others_unless_the_caller_asks_for_it() {
    let document = format!("{DOCUMENT}\n[profiles.default]\nredirects = \"follow\"\n");
    for followed in [true, false] {
        let mut world = world(&document);
        [DESK, MOBILE].iter().for_each(|device| drop(bind(&mut world, "bob", device, "")));
        let asked = if followed { "recurse" } else { "no-recurse" };
        call_with(&mut world, BOB, &[("Request-Disposition", asked)]);
        let invites = invited(&mut world, &[DESK, MOBILE]);
        let moved = Msg::response(&invites[0], 302, "d").set("Contact", &format!("<sip:line@{TABLET}>"));
        world.post(DESK, REGISTRAR, &moved);
        if followed {
            let third = invited(&mut world, &[TABLET]);
            says(&mut world, TABLET, &third[0], 200);
            is_cancelled(&mut world, MOBILE, &invites[1], ELSEWHERE);
            talk_and_end(&mut world, TABLET);
        } else {
            world.expect_no(TABLET, "INVITE");
            says(&mut world, MOBILE, &invites[1], 486);
            let moved = world.expect(ALICE, "302");
            assert_eq!(field(&moved, "Contact"), format!("<sip:line@{TABLET}>"));
        }
    }
}

#[test]
fn a_silent_device_keeps_no_other_waiting_and_no_record_open_for_longer_than_its_transaction() {
    let mut world = world(DOCUMENT);
    [DESK, MOBILE].iter().for_each(|device| drop(bind(&mut world, "bob", device, "")));
    call(&mut world, BOB);
    world.expect(DESK, "INVITE");
    let mobile = invited(&mut world, &[MOBILE]);
    says(&mut world, MOBILE, &mobile[0], 200);
    talk_and_end(&mut world, MOBILE);
    let records = world.records.lock().unwrap();
    assert!((5.0..6.0).contains(&records[0].duration_seconds), "{}", records[0].duration_seconds);
}

#[test]
fn the_view_of_a_call_shows_every_branch_and_why() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, ";video=\"FALSE\"");
    [MOBILE, TABLET].iter().for_each(|device| drop(bind(&mut world, "bob", device, "")));
    call_with(&mut world, BOB, &[("Accept-Contact", "*;video;require")]);
    let invites = invited(&mut world, &[MOBILE, TABLET]);
    says(&mut world, TABLET, &invites[1], 486);
    world.run_for(ms(20));
    let page = super::admin::only_call_in_full(&mut world);
    let legs: Vec<_> =
        page.legs.iter().skip(1).map(|leg| (leg.target.as_deref(), leg.end.as_ref())).collect();
    assert_eq!(legs.len(), 2);
    assert!(legs.iter().any(|(target, end)| *target == Some("sip:line@10.0.0.5:5060")
        && end.is_some_and(|end| end.status == Some(486))));
    let trail: Vec<_> =
        page.policy_trail.iter().map(|step| format!("{} ({})", step.decision, step.reason)).collect();
    let has = |text: &str| assert!(trail.iter().any(|step| step.contains(text)), "{text}: {trail:#?}");
    has("not sip:line@10.0.0.3:5060 (it is not what the caller asks for (RFC 3841))");
    has(" and sip:line@10.0.0.");
    has("(ring is parallel)");
    has("sip:line@10.0.0.5:5060 ended with 486 (INVITE failed)");
    assert!(start(&world.expect(ALICE, "180")).starts_with("180"));
}
