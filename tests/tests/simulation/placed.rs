//! Calls that are placed by the admin API (RFC 3725): this one is rung, and once it has answered, that one.

mod failures;
mod loss;
mod media;
mod offers;
mod picked_up;
mod shown;
mod standing;

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, ms, s};
use admin_api::control::{CallDetail, CallOrder, CallState, ControlError, OrderedParty, ShownCaller};
use b2bua::shard::Command;
use liaison_tests::message::{Msg, audio, body, field, line, start, uri_in};
use tokio::sync::oneshot;

/// Alice is rung first, as somebody inside would call her; then Bob, as somebody outside would.
const FIRST: &str = "sip:+4930@example.com";
const THEN: &str = "sip:+4940@example.net";

fn party(uri: &str, network: &str) -> OrderedParty {
    let network = Some(network.to_owned());
    OrderedParty { uri: uri.to_owned(), network, trunk: None, from: None, ring_seconds: None }
}

fn order() -> CallOrder {
    CallOrder { first: party(FIRST, "enterprise"), then: party(THEN, "carrier"), network: None, trunk: None }
}

fn try_to_place(world: &mut World, order: CallOrder) -> Result<CallDetail, ControlError> {
    let (ask, mut placed) = oneshot::channel();
    world.command(Command::Place(Box::new(order), ask));
    placed.try_recv().unwrap()
}

fn place(world: &mut World, order: CallOrder) -> CallDetail {
    try_to_place(world, order).unwrap_or_else(|error| panic!("{error}"))
}

/// The call as the API shows it now.
fn shown(world: &mut World, call: &CallDetail) -> CallDetail {
    let (ask, mut told) = oneshot::channel();
    world.command(Command::Call(call.summary.id.as_str().into(), ask));
    told.try_recv().unwrap().unwrap()
}

fn end(world: &mut World, call: &CallDetail) {
    let (ask, mut ended) = oneshot::channel();
    world.command(Command::EndCall(call.summary.id.as_str().into(), None, ask));
    assert!(ended.try_recv().unwrap());
}

/// A session description without what Alice has besides: less than she was told in our ACK.
fn voice(at: &str, port: u16) -> String {
    let telephone = "a=rtpmap:101 telephone-event/8000\r\n";
    audio(at, port).replace(" 8 101", " 8").replace(telephone, "")
}

/// Alice answers with an offer of her own: what she was sent, and the ACK.
fn first_answers(world: &mut World) -> (String, String) {
    let invited = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 180, "alice").contact(ALICE));
    world.post(
        ALICE,
        OUTSIDE,
        &Msg::response(&invited, 200, "alice").contact(ALICE).sdp(&audio(ALICE, 4000)),
    );
    let acked = world.expect(ALICE, "ACK");
    (invited, acked)
}

/// Bob rings and answers; Alice is told by re-INVITE of what he has described.
fn then_answers(world: &mut World) -> (String, String) {
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.run_for(ms(20));
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&voice(BOB, 6000)));
    world.expect(BOB, "ACK");
    let told = world.expect(ALICE, "INVITE");
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&voice(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    world.run_for(ms(20));
    (invited, told)
}

/// A request of a phone's in the dialog that an INVITE of ours has made.
fn inside(method: &str, of: (&str, &str), seq: u32, invited: &str) -> Msg {
    let target = uri_in(&field(invited, "Contact"));
    let tagged = format!("{};tag={}", field(invited, "To"), of.1);
    Msg::inside(method, of.0, seq, invited).uri(&target).set("From", &tagged)
}

#[test]
fn rfc3725_the_first_is_rung_and_then_the_other_and_both_talk() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = place(&mut world, order());
    assert!(call.placed && call.summary.state == CallState::SettingUp && call.legs.len() == 1);
    assert_eq!((&*call.summary.from_uri, &*call.summary.to_uri), (FIRST, THEN));
    assert_eq!(call.summary.calling.trunk.as_deref(), Some("provider"));
    assert_eq!(call.summary.called, None);
    let (first, acked) = first_answers(&mut world);
    assert_eq!(body(&first), "", "nothing is known of the media");
    assert_eq!(uri_in(&field(&first, "From")), THEN, "it is shown whom it will talk with");
    assert!(body(&acked).contains("m=audio 2"), "media of our own is there at once: {acked}");
    world.expect_no(ALICE, "INVITE");
    assert_eq!(shown(&mut world, &call).summary.called.unwrap().trunk.as_deref(), Some("pbx"));
    let (then, told) = then_answers(&mut world);
    assert_eq!(uri_in(&field(&then, "From")), FIRST);
    assert!(body(&then).contains("PCMA"), "an offer: {then}");
    let [told, before] = [&told, &acked].map(|text| line(body(text), 'm'));
    assert_eq!(format!("{told} 101"), before, "at the same ports");
    let standing = shown(&mut world, &call);
    assert_eq!(standing.summary.state, CallState::Established);
    let roles: Vec<_> = standing.legs.iter().map(|leg| format!("{:?} {:?}", leg.role, leg.state)).collect();
    assert_eq!(roles, ["Calling Confirmed", "Called Confirmed"]);
    let steps: Vec<_> = standing.policy_trail.iter().map(|step| (&*step.subject, &*step.decision)).collect();
    assert_eq!(
        steps,
        [
            ("order", "to sip:+4930@example.com"),
            ("route", "not inbound"),
            ("route", "outbound: to provider"),
            ("order", "to sip:+4940@example.net"),
            ("route", "inbound: to pbx"),
        ]
    );
    assert_eq!(world.lent(), 2);
    world.post(BOB, INSIDE, &inside("BYE", (BOB, "bob"), 1, &then));
    world.expect(BOB, "200");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a placed call");
    let records = world.records.lock().unwrap();
    let record = &records[0];
    assert!(record.placed && record.answered.is_some());
    assert_eq!((record.released_by, &*record.cause), (Some("called"), "BYE from the peer"));
    assert_eq!(record.legs.iter().map(|leg| leg.role).collect::<Vec<_>>(), ["calling", "called"]);
    let counters = world.core.counters();
    assert_eq!((counters.placed, counters.placed_answered, counters.answered, counters.calls), (1, 1, 1, 1));
}

#[test]
fn who_is_told_already_what_the_other_answers_needs_no_reinvite() {
    let mut world = by_hand(TWO_SIDES, 7);
    let call = place(&mut world, order());
    first_answers(&mut world);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &answer(&invited));
    world.expect(BOB, "ACK");
    world.expect_no(ALICE, "INVITE");
    assert_eq!(shown(&mut world, &call).summary.state, CallState::Established);
    end(&mut world, &call);
    for (at, to) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        world.ok(at, to, &bye);
    }
    world.must_forget("a placed call of few messages");
}

#[test]
fn the_first_hangs_up_and_so_does_the_other() {
    let mut world = by_hand(TWO_SIDES, 2);
    place(&mut world, order());
    let (first, _) = first_answers(&mut world);
    then_answers(&mut world);
    world.post(ALICE, OUTSIDE, &inside("BYE", (ALICE, "alice"), 1, &first).with("Reason", "Q.850;cause=16"));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(field(&bye, "Reason"), "Q.850;cause=16");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a placed call");
    assert_eq!(world.records.lock().unwrap()[0].released_by, Some("calling"));
}

#[test]
fn both_hang_up_at_once() {
    let mut world = by_hand(TWO_SIDES, 3);
    place(&mut world, order());
    let (first, _) = first_answers(&mut world);
    let (then, _) = then_answers(&mut world);
    world.post(ALICE, OUTSIDE, &inside("BYE", (ALICE, "alice"), 1, &first));
    world.post(BOB, INSIDE, &inside("BYE", (BOB, "bob"), 1, &then));
    world.expect(ALICE, "200");
    world.expect(BOB, "200");
    world.run_for(s(40));
    world.must_forget("a placed call that both end");
}

#[test]
fn what_is_shown_and_how_long_it_rings_is_as_ordered() {
    let mut world = by_hand(TWO_SIDES, 4);
    let mut order = order();
    let name = Some("Service \"24/7\"".to_owned());
    order.first.from =
        Some(ShownCaller { uri: Some("sip:service@example.com".to_owned()), display_name: name });
    order.first.ring_seconds = Some(7);
    place(&mut world, order);
    let invited = world.expect(ALICE, "INVITE");
    let from = field(&invited, "From");
    assert!(from.starts_with(r#""Service \"24/7\"" <sip:service@example.com>;tag="#), "{from}");
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 180, "alice").contact(ALICE));
    world.run_for(s(6));
    world.expect_no(ALICE, "CANCEL");
    let cancel = world.expect_within(ALICE, "CANCEL", s(2));
    assert_eq!(field(&cancel, "Reason"), "SIP;cause=480;text=\"Ring limit\"");
    world.ok(ALICE, OUTSIDE, &cancel);
    world.post(ALICE, OUTSIDE, &Msg::response(&invited, 487, "alice"));
    world.expect(ALICE, "ACK");
    world.expect_no(BOB, "INVITE");
    world.must_forget("a first party that does not answer");
}

#[test]
fn a_placed_call_is_changed_and_held_as_any_other() {
    let mut world = by_hand(TWO_SIDES, 5);
    place(&mut world, order());
    let (first, _) = first_answers(&mut world);
    let (then, _) = then_answers(&mut world);
    for (at, to, far, other, of, invited) in [
        (ALICE, OUTSIDE, BOB, INSIDE, (ALICE, "alice"), &first),
        (BOB, INSIDE, ALICE, OUTSIDE, (BOB, "bob"), &then),
    ] {
        let held = format!("{}a=sendonly\r\n", audio(at, 4000));
        world.post(at, to, &inside("INVITE", of, 10, invited).contact(at).sdp(&held));
        let asked = world.expect(far, "INVITE");
        assert!(body(&asked).contains("a=sendonly"), "{asked}");
        let taken = format!("{}a=recvonly\r\n", audio(far, 6000));
        world.post(far, other, &Msg::response(&asked, 200, "").contact(far).sdp(&taken));
        world.expect(far, "ACK");
        let ok = world.expect(at, "200");
        assert!(body(&ok).contains("a=recvonly"), "{ok}");
        world.post(at, to, &inside("ACK", of, 10, invited));
        world.run_for(ms(20));
    }
    world.post(ALICE, OUTSIDE, &inside("MESSAGE", (ALICE, "alice"), 11, &first).body("text/plain", "hello"));
    let carried = world.expect(BOB, "MESSAGE");
    world.ok(BOB, INSIDE, &carried);
    assert!(start(&world.expect(ALICE, "200")).starts_with("200"));
    world.post(BOB, INSIDE, &inside("BYE", (BOB, "bob"), 12, &then));
    world.expect(BOB, "200");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a placed call that was held");
}

// conforms: RFC7989-7-3,14,15
#[test]
fn rfc7989_10_7_who_is_called_speaks_for_the_other_one_as_soon_as_that_is_known() {
    let mut world = by_hand(TWO_SIDES, 6);
    place(&mut world, order());
    let invited = world.expect(ALICE, "INVITE");
    let (x, nil) = (field(&invited, "Session-ID"), "00000000000000000000000000000000");
    let x = x.strip_suffix(&format!(";remote={nil}")).unwrap_or_else(|| panic!("{x}"));
    let (a, b) = ("ab30317f1a784dc48ff824d0d3715d86", "47755a9de7794ba387653f2099600ef2");
    let ok = Msg::response(&invited, 200, "alice").contact(ALICE).sdp(&audio(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &ok.with("Session-ID", &format!("{a};remote={x}")));
    world.expect(ALICE, "ACK");
    let invited = world.expect(BOB, "INVITE");
    assert_eq!(field(&invited, "Session-ID"), format!("{a};remote={nil}"));
    let ok = Msg::response(&invited, 200, "bob").contact(BOB).sdp(&voice(BOB, 6000));
    world.post(BOB, INSIDE, &ok.with("Session-ID", &format!("{b};remote={a}")));
    world.expect(BOB, "ACK");
    let told = world.expect(ALICE, "INVITE");
    assert_eq!(field(&told, "Session-ID"), format!("{b};remote={a}"));
    world.post(ALICE, OUTSIDE, &Msg::response(&told, 200, "").contact(ALICE).sdp(&audio(ALICE, 4000)));
    world.expect(ALICE, "ACK");
    world.post(BOB, INSIDE, &inside("BYE", (BOB, "bob"), 1, &invited));
    world.expect(BOB, "200");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a placed call with identifiers");
}
