//! Calls of several shards that name one another's dialogs: Replaces and Join, in INVITE and in Refer-To.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, World, ms};
use super::transfer::{CAROL, TARGET, accepted, carol_answers, is_quiet, notified, three};
use b2bua::shard::Core;
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, audio, body, field, find, line, tag};
use liaison_tests::network::Fate;

fn sharded(document: &str, seed: u64) -> World {
    World::sharded(2, document, Secrets::default(), Vec::new(), Box::new(|_| Fate::Arrives), seed)
}

/// How many calls each shard has.
fn spread(world: &World) -> Vec<usize> {
    world.cores().map(Core::call_count).collect()
}

/// Alice talks with Bob, and in another call with Carol, which another shard has: Alice's call, what Carol got last, Alice's 200.
pub fn apart(document: &str) -> (World, Call, String, String) {
    for seed in 0.. {
        let mut world = sharded(document, seed);
        let call = Call::establish(&mut world);
        world.post(ALICE, OUTSIDE, &Msg::request("INVITE", TARGET, ALICE, 70).sdp(&audio(ALICE, 4002)));
        let invited = world.expect(CAROL, "INVITE");
        let acked = carol_answers(&mut world, &invited);
        let ok = world.expect(ALICE, "200");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 70, &ok));
        world.run_for(ms(20));
        if spread(&world) == [1, 1] {
            return (world, call, acked, ok);
        }
    }
    unreachable!()
}

pub fn refer_to(ok: &str) -> String {
    let call_id = field(ok, "Call-ID").replace('@', "%40").replace(':', "%3A");
    let (ours, theirs) = (tag(ok, "To"), tag(ok, "From"));
    format!("<{TARGET}?Replaces={call_id}%3Bto-tag%3D{ours}%3Bfrom-tag%3D{theirs}>")
}

/// Carol's dialog with us, as a message that we sent her names it.
pub fn of_carol(acked: &str) -> String {
    format!("{};to-tag={};from-tag={}", field(acked, "Call-ID"), tag(acked, "To"), tag(acked, "From"))
}

// conforms: RFC3261-8.1.1.9-2 RFC3261-8.2.2.3-5
#[test]
fn rfc5589_7_3_an_attended_transfer_calls_whom_another_shard_has_in_place_of_its_dialog() {
    let (mut world, call, acked, ok) = apart(&three());
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &refer_to(&ok)));
    accepted(&mut world, ALICE, OUTSIDE);
    let invited = world.expect(CAROL, "INVITE");
    assert_eq!(field(&invited, "Replaces"), of_carol(&acked));
    assert_eq!(field(&invited, "Require"), "replaces");
    assert!(invited.starts_with("INVITE sip:phone@10.0.0.3:5060 "), "where she is: {invited}");
    assert!(line(body(&invited), 'm').starts_with("audio 2000"), "{invited}");
    let joined = carol_answers(&mut world, &invited);
    assert!(find(&joined, "Require").is_none_or(|of| of == "replaces"), "{joined}");
    assert_eq!(find(&joined, "Proxy-Require"), None);
    // Her telephone hangs up in the dialog that is replaced.
    world.post(CAROL, OUTSIDE, &Msg::inside("BYE", CAROL, 1, &acked));
    world.expect(CAROL, "200");
    let bye = world.expect(ALICE, "BYE");
    assert_eq!(field(&bye, "Call-ID"), field(&ok, "Call-ID"));
    world.ok(ALICE, OUTSIDE, &bye);
    assert_eq!(notified(&mut world, ALICE, OUTSIDE).1, "SIP/2.0 200 OK");
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 9));
    world.expect(ALICE, "200");
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    world.post(CAROL, OUTSIDE, &Msg::inside("BYE", CAROL, 1, &joined));
    world.expect(CAROL, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("a transfer between two shards");
}

#[test]
fn where_the_other_telephone_knows_no_replaces_both_calls_stand() {
    let (mut world, call, _, ok) = apart(&three());
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &refer_to(&ok)));
    accepted(&mut world, ALICE, OUTSIDE);
    let invited = world.expect(CAROL, "INVITE");
    world.post(
        CAROL,
        OUTSIDE,
        &Msg::response(&invited, 420, "x").with("Unsupported", "replaces").phrase("Bad Extension"),
    );
    world.expect(CAROL, "ACK");
    assert_eq!(notified(&mut world, ALICE, OUTSIDE).1, "SIP/2.0 420 Bad Extension");
    world.run_for(ms(50));
    assert_eq!((spread(&world), world.lent()), (vec![1, 1], 4));
}

#[test]
fn rfc3891_3_nobody_transfers_to_another_peers_dialog_of_another_shard() {
    let (mut world, call, _, ok) = apart(&three());
    // Bob is not who talks with Carol.
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &refer_to(&ok)));
    world.expect(BOB, "603");
    world.run_for(ms(50));
    assert!(is_quiet(&world, CAROL));
    // In the middle of something: the other shard's word.
    world.post(ALICE, OUTSIDE, &Msg::inside("INVITE", ALICE, 71, &ok).sdp(&audio(ALICE, 4002)));
    world.expect(CAROL, "INVITE");
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &refer_to(&ok)));
    world.expect(ALICE, "491");
}

#[test]
fn a_refer_that_crosses_names_the_dialog_of_another_shard_and_who_is_referred_may_take_its_place() {
    let text = three() + "\n[profiles.default]\n[profiles.carrying]\nrefer = \"carry\"\n";
    let own = "targets = [\"sip:10.0.0.2:5060\"]";
    let text = text.replacen(own, &format!("{own}\nprofile = \"carrying\""), 1);
    let (mut world, call, acked, ok) = apart(&text);
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &refer_to(&ok)));
    let refer = world.expect(BOB, "REFER");
    let value = of_carol(&acked);
    let escaped = value.replace('@', "%40").replace(';', "%3B").replace('=', "%3D");
    assert!(field(&refer, "Refer-To").ends_with(&format!("?Replaces={escaped}>")), "{refer}");
    world.post(BOB, INSIDE, &Msg::response(&refer, 200, ""));
    accepted(&mut world, ALICE, OUTSIDE);
    let replacing = Msg::request("INVITE", "sip:+4940@10.1.0.1:5060", BOB, 40).sdp(&audio(BOB, 6002));
    world.post(BOB, INSIDE, &replacing.with("Replaces", &value));
    let offered = world.expect(CAROL, "INVITE");
    world.post(CAROL, OUTSIDE, &Msg::response(&offered, 200, "").contact(CAROL).sdp(&audio(CAROL, 7000)));
    world.expect(BOB, "200");
    let bye = world.expect(ALICE, "BYE");
    assert_eq!(field(&bye, "Call-ID"), field(&ok, "Call-ID"));
}

#[test]
fn rfc3891_8_another_shards_dialog_is_told_of_to_its_peer_only_and_who_refuses_gets_no_place() {
    let text = three() + "\n[profiles.default]\nrefer = \"carry\"\n";
    let (mut world, call, acked, ok) = apart(&text);
    // Bob is not who talks with Carol.
    world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &refer_to(&ok)));
    let refer = world.expect(ALICE, "REFER");
    let named = |of: &str| of.split("?Replaces=").nth(1).unwrap().to_owned();
    assert_eq!(named(&field(&refer, "Refer-To")), named(&refer_to(&ok)));
    world.post(ALICE, OUTSIDE, &Msg::response(&refer, 603, ""));
    world.expect(BOB, "603");
    world.post(ALICE, OUTSIDE, &call.alice("REFER", 2).with("Refer-To", &refer_to(&ok)));
    let refer = world.expect(BOB, "REFER");
    world.post(BOB, INSIDE, &Msg::response(&refer, 603, ""));
    world.expect(ALICE, "603");
    let replacing = Msg::request("INVITE", "sip:+4940@10.1.0.1:5060", BOB, 40).sdp(&audio(BOB, 6002));
    world.post(BOB, INSIDE, &replacing.with("Replaces", &of_carol(&acked)));
    world.expect(BOB, "403");
}

/// Two sides and Carol, who is of Alice's trunk.
fn one_trunk() -> String {
    let own = "\n[trunks.mobile]\nnetwork = \"carrier\"\ntargets = [\"sip:10.0.0.3:5060\"]\n";
    three()
        .replacen("from = [\"10.0.0.2\"]", "from = [\"10.0.0.2\", \"10.0.0.3\"]", 1)
        .replace(&format!("{own}from = [\"10.0.0.3\"]\n"), own)
}

/// Carol's INVITE with Replaces or Join for the dialog of a 200 of ours; each has a Call-ID of its own.
fn naming(name: &str, ok: &str, n: u32) -> Msg {
    let value = format!("{};to-tag={};from-tag={}", field(ok, "Call-ID"), tag(ok, "To"), tag(ok, "From"));
    let invite = Msg::request("INVITE", "sip:10.0.0.1:5060", CAROL, n).sdp(&audio(CAROL, 7000));
    invite.with(name, &value)
}

#[test]
fn an_invite_that_names_a_dialog_finds_it_and_its_cancel_and_repetition_find_the_invite() {
    for n in 0..12 {
        let mut world = sharded(&one_trunk(), u64::from(n));
        let call = Call::establish(&mut world);
        let invite = naming("Replaces", &call.ok, 200 + n);
        world.post(CAROL, OUTSIDE, &invite);
        let offered = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &Msg::response(&offered, 100, ""));
        world.post(CAROL, OUTSIDE, &invite);
        world.run_for(ms(20));
        let heard = world.unread(BOB);
        assert!(heard.is_empty(), "one INVITE, sent again: {heard:?}");
        world.post(CAROL, OUTSIDE, &Msg::of_invite("CANCEL", &invite));
        world.expect(CAROL, "200");
        let refused = world.expect(CAROL, "487");
        world.post(CAROL, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
        let cancel = world.expect(BOB, "CANCEL");
        world.ok(BOB, INSIDE, &cancel);
        world.post(BOB, INSIDE, &Msg::response(&offered, 487, ""));
        world.expect(BOB, "ACK");
        world.run_for(ms(50));
        assert_eq!(world.cores().map(|core| core.sip_counters().stray_acks).sum::<u64>(), 0);
        // The next one does it.
        world.post(CAROL, OUTSIDE, &naming("Replaces", &call.ok, 300 + n));
        let offered = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &Msg::response(&offered, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
        world.expect(CAROL, "200");
        world.expect(ALICE, "BYE");
    }
}

#[test]
fn an_invite_with_join_finds_the_dialog_of_another_shard() {
    for n in 0..6 {
        let mut world = sharded(&one_trunk(), u64::from(n));
        let call = Call::establish(&mut world);
        world.post(CAROL, OUTSIDE, &naming("Join", &call.ok, 200 + n));
        let invited = world.expect(BOB, "INVITE");
        let of = (field(&call.acked, "Call-ID"), tag(&call.acked, "To"), tag(&call.acked, "From"));
        assert_eq!(field(&invited, "Join"), format!("{};to-tag={};from-tag={}", of.0, of.1, of.2));
    }
}
