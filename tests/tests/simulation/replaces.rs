//! INVITEs with Replaces (RFC 3891): their sender takes the place of one of two who talk.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, World, by_hand, ms};
use super::transfer::{CAROL, TARGET, is_quiet, three};
use liaison_tests::message::{Msg, audio, body, field, fields, line, tag};

/// Carol's INVITE, in place of the dialog that `message`, which we sent to a phone, stands in.
fn replacing(message: &str, with: &str) -> Msg {
    let request = !message.starts_with("SIP/2.0");
    let (ours, theirs) = if request { ("From", "To") } else { ("To", "From") };
    let of = (field(message, "Call-ID"), tag(message, ours), tag(message, theirs));
    let value = format!("{};to-tag={};from-tag={}{with}", of.0, of.1, of.2);
    let invite = Msg::request("INVITE", "sip:10.0.0.1:5060", CAROL, 1).sdp(&audio(CAROL, 7000));
    invite.with("Replaces", &value)
}

/// All values of that name.
fn all(text: &str, name: &str) -> String {
    let all = fields(text).into_iter().filter(|(known, _)| known == name).map(|(_, value)| value);
    all.collect::<Vec<_>>().join(", ")
}

/// Two sides and Carol, who is of Alice's trunk.
fn one_trunk() -> String {
    three().replacen("from = [\"10.0.0.2\"]", "from = [\"10.0.0.2\", \"10.0.0.3\"]", 1).replace(
        "\n[trunks.mobile]\nnetwork = \"carrier\"\ntargets = [\"sip:10.0.0.3:5060\"]\nfrom = [\"10.0.0.3\"]\n",
        "\n[trunks.mobile]\nnetwork = \"carrier\"\ntargets = [\"sip:10.0.0.3:5060\"]\n",
    )
}

fn talking(seed: u64) -> (World, Call) {
    let mut world = by_hand(&one_trunk(), seed);
    let call = Call::establish(&mut world);
    (world, call)
}

// conforms: RFC3891-3-5 RFC3891-6.2-1
#[test]
fn rfc3891_3_who_replaces_talks_with_the_partner_and_who_is_replaced_is_released() {
    let (mut world, call) = talking(1);
    assert_eq!(
        (field(&call.ok, "Supported"), all(&call.invited, "Supported")),
        (
            "replaces, tdialog, from-change, timer".into(),
            "100rel, 199, replaces, tdialog, from-change, timer".into()
        )
    );
    world.post(CAROL, OUTSIDE, &replacing(&call.ok, "").with("Require", "replaces"));
    let offered = world.expect(BOB, "INVITE");
    assert!(line(body(&offered), 'm').starts_with("audio 2000"), "{offered}");
    world.post(BOB, INSIDE, &Msg::response(&offered, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(BOB, "ACK");
    let ok = world.expect(CAROL, "200");
    assert!(line(body(&ok), 'm').starts_with("audio 2000"), "{ok}");
    world.post(CAROL, OUTSIDE, &Msg::inside("ACK", CAROL, 1, &ok));
    let bye = world.expect(ALICE, "BYE");
    assert_eq!(field(&bye, "Reason"), "SIP;cause=200;text=\"Replaced\"");
    world.ok(ALICE, OUTSIDE, &bye);
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (1, 2));
    world.post(BOB, INSIDE, &call.bob("BYE", 3));
    world.expect(BOB, "200");
    let bye = world.expect(CAROL, "BYE");
    world.ok(CAROL, OUTSIDE, &bye);
    world.must_forget("a call that another one took over");
    assert_eq!(world.lent(), 0);
}

#[test]
fn the_partners_dialog_may_be_named_as_its_peer_knows_it() {
    let (mut world, call) = talking(2);
    // As Bob would be told: our tag is the remote one, his the local one.
    let of = (field(&call.acked, "Call-ID"), tag(&call.acked, "To"), tag(&call.acked, "From"));
    let value = format!("{};to-tag={};from-tag={}", of.0, of.1, of.2);
    world.post(CAROL, OUTSIDE, &replacing(&call.ok, "").set("Replaces", &value));
    let offered = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&offered, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(CAROL, "200");
    world.expect(ALICE, "BYE");
}

// conforms: RFC3891-3-6
#[test]
fn rfc3891_3_where_the_partner_does_not_take_it_the_call_stands() {
    let (mut world, call) = talking(3);
    world.post(CAROL, OUTSIDE, &replacing(&call.ok, ""));
    let offered = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&offered, 488, ""));
    world.expect(CAROL, "488");
    world.run_for(ms(50));
    assert!(is_quiet(&world, ALICE));
    assert_eq!(world.lent(), 2);
    call.hang_up(&mut world, 2);
}

#[test]
fn who_gives_up_replacing_leaves_the_two_as_they_were() {
    let (mut world, call) = talking(4);
    let invite = replacing(&call.ok, "");
    world.post(CAROL, OUTSIDE, &invite);
    let offered = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&offered, 100, ""));
    world.post(CAROL, OUTSIDE, &Msg::of_invite("CANCEL", &invite));
    world.expect(CAROL, "200");
    world.expect(CAROL, "487");
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    world.post(BOB, INSIDE, &Msg::response(&offered, 487, ""));
    world.run_for(ms(50));
    assert_eq!(world.lent(), 2);
    call.hang_up(&mut world, 2);
}

#[test]
fn who_is_about_to_replace_is_refused_when_the_call_ends() {
    let (mut world, call) = talking(5);
    world.post(CAROL, OUTSIDE, &replacing(&call.ok, ""));
    world.expect(BOB, "INVITE");
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    world.expect(ALICE, "200");
    world.expect(CAROL, "480");
}

// conforms: RFC3891-3-1,2,4 RFC3911-4-2
#[test]
fn rfc3891_3_what_cannot_be_replaced_is_refused() {
    let (mut world, call) = talking(6);
    let plain = replacing(&call.ok, "");
    let known = plain.get("Replaces");
    let rows = [
        (plain.clone().with("Replaces", &known), "400"),
        (plain.clone().with("Join", &known), "400"),
        (plain.clone().set("Replaces", "x@y;to-tag=1;from-tag=2"), "481"),
        (replacing(&call.ok, ";early-only"), "486"),
        (Msg::request("INVITE", TARGET, CAROL, 9).with("Replaces", &known), "488"),
    ];
    for (seq, (message, status)) in (20..).zip(rows) {
        let message = message.branch(&seq.to_string()).set("CSeq", &format!("{seq} INVITE"));
        world.post(CAROL, OUTSIDE, &message.set("Call-ID", &format!("{seq}@carol")));
        world.expect(CAROL, status);
    }
    assert!(is_quiet(&world, BOB) && is_quiet(&world, ALICE));
    call.hang_up(&mut world, 2);
}

#[test]
fn a_place_is_taken_as_often_as_the_limit_says() {
    let mut world = by_hand(&(one_trunk() + "\n[limits]\ntransfers = 1\n"), 8);
    let call = Call::establish(&mut world);
    world.post(CAROL, OUTSIDE, &replacing(&call.ok, ""));
    let offered = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&offered, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    let ok = world.expect(CAROL, "200");
    world.post(CAROL, OUTSIDE, &Msg::inside("ACK", CAROL, 1, &ok));
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.run_for(ms(50));
    world.post(CAROL, OUTSIDE, &replacing(&ok, "").set("Call-ID", "again").branch("again"));
    world.expect(CAROL, "603");
    assert_eq!(world.gauges().calls, 1);
}

// conforms: RFC3891-8-1
#[test]
fn rfc3891_8_nobody_replaces_whom_it_is_not_the_peer_of() {
    let mut world = by_hand(&three(), 7);
    let call = Call::establish(&mut world);
    world.post(CAROL, OUTSIDE, &replacing(&call.ok, ""));
    world.expect(CAROL, "403");
    // Nor a stranger, who hears nothing of dialogs.
    let stranger = replacing(&call.ok, "");
    world.post("10.0.0.9:5060", OUTSIDE, &stranger.branch("s").set("Call-ID", "s"));
    world.run_for(ms(50));
    assert!(is_quiet(&world, BOB));
    call.hang_up(&mut world, 2);
}

/// Carol's INVITE, to join the dialog that `message`, which we sent to a phone, stands in.
fn joining(message: &str) -> Msg {
    let replacing = replacing(message, "");
    let value = replacing.get("Replaces");
    replacing.without("Replaces").with("Join", &value)
}

// conforms: RFC3911-4-6 RFC3911-9-1
#[test]
fn rfc3911_join_goes_to_who_talks_and_names_the_dialog_as_that_one_knows_it() {
    let (mut world, call) = talking(9);
    world.post(CAROL, OUTSIDE, &joining(&call.ok).with("Require", "join"));
    let invited = world.expect(BOB, "INVITE");
    let of = (field(&call.acked, "Call-ID"), tag(&call.acked, "To"), tag(&call.acked, "From"));
    assert_eq!(field(&invited, "Join"), format!("{};to-tag={};from-tag={}", of.0, of.1, of.2));
    assert_eq!(field(&invited, "Require"), "join");
    assert!(invited.starts_with("INVITE sip:phone@10.1.0.2:5060 "), "{invited}");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob2").contact(BOB).sdp(&audio(BOB, 6002)));
    let ok = world.expect(CAROL, "200");
    world.post(CAROL, OUTSIDE, &Msg::inside("ACK", CAROL, 1, &ok));
    world.expect(BOB, "ACK");
    world.run_for(ms(50));
    assert_eq!((world.gauges().calls, world.lent()), (2, 4), "the call that is joined does not change here");
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    world.expect(ALICE, "200");
    world.expect(BOB, "BYE");
    let mut strict = by_hand(&three(), 10);
    let call = Call::establish(&mut strict);
    strict.post(CAROL, OUTSIDE, &joining(&call.ok));
    strict.expect(CAROL, "403");
}

// conforms: RFC3911-4-1 RFC3911-4-9
#[test]
fn rfc3911_4_what_cannot_be_joined_is_refused() {
    let (mut world, call) = talking(11);
    let plain = joining(&call.ok);
    let known = plain.get("Join");
    let rows = [
        (plain.clone().with("Join", &known), "400"),
        (plain.clone().set("Join", "x@y;to-tag=1;from-tag=2"), "481"),
    ];
    for (seq, (message, status)) in (20..).zip(rows) {
        let message = message.branch(&seq.to_string()).set("CSeq", &format!("{seq} INVITE"));
        world.post(CAROL, OUTSIDE, &message.set("Call-ID", &format!("{seq}@carol")));
        world.expect(CAROL, status);
    }
    call.hang_up(&mut world, 2);
    // Nobody talks yet on the other side.
    let mut world = by_hand(&one_trunk(), 12);
    world.post(
        ALICE,
        OUTSIDE,
        &Msg::request("INVITE", TARGET.replace("40", "30").as_str(), ALICE, 1).sdp(&audio(ALICE, 4000)),
    );
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let ringing = world.expect(ALICE, "180");
    world.post(CAROL, OUTSIDE, &joining(&ringing));
    world.expect(CAROL, "488");
}

// conforms: RFC3911-5-1
#[test]
fn rfc3911_5_an_invite_that_is_redirected_joins_the_same_dialog() {
    let mut world = by_hand(&(one_trunk() + "\n[profiles.default]\nredirects = \"follow\"\n"), 13);
    let call = Call::establish(&mut world);
    world.post(CAROL, OUTSIDE, &joining(&call.ok).with("Require", "join"));
    let invited = world.expect(BOB, "INVITE");
    let elsewhere = Msg::response(&invited, 302, "x").with("Contact", "<sip:desk@10.1.0.9:5060>");
    world.post(BOB, INSIDE, &elsewhere);
    world.expect(BOB, "ACK");
    let again = world.expect("10.1.0.9:5060", "INVITE sip:desk@10.1.0.9:5060");
    assert_eq!(field(&again, "Join"), field(&invited, "Join"));
    assert_eq!(field(&again, "Require"), "join");
}
