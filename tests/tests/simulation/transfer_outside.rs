//! REFERs outside a dialog that name the one which they are about (RFC 4538, RFC 7647 §4).

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, by_hand, ms};
use super::transfer::{CAROL, TARGET, accepted, carol_answers, is_quiet, notified, three};
use liaison_tests::message::{Msg, field, tag, uri_in};

/// The dialog of Bob's with us, as a request outside names it to us.
fn target(call: &Call) -> String {
    let (ours, theirs) = (tag(&call.acked, "From"), tag(&call.acked, "To"));
    format!("{};local-tag={ours};remote-tag={theirs}", field(&call.acked, "Call-ID"))
}

/// Bob's REFER with a Call-ID of its own.
fn refer(call: &Call, n: u32) -> Msg {
    let contact = uri_in(&field(&call.invited, "Contact"));
    let refer = Msg::request("REFER", &contact, BOB, n).with("Refer-To", &format!("<{TARGET}>"));
    refer.with("Target-Dialog", &target(call)).with("Require", "tdialog")
}

// conforms: RFC7647-4-2
#[test]
fn rfc7647_4_a_refer_outside_a_dialog_transfers_the_call_that_it_names_and_tells_of_it_in_a_dialog_of_its_own()
 {
    let mut world = by_hand(&three(), 1);
    let call = Call::establish(&mut world);
    let refer = refer(&call, 30);
    world.post(BOB, INSIDE, &refer);
    accepted(&mut world, BOB, INSIDE);
    let told = world.sent_to(BOB).into_iter().find(|text| text.starts_with("NOTIFY")).unwrap();
    assert_eq!(field(&told, "Call-ID"), field(&refer.text(), "Call-ID"));
    let invited = world.expect(CAROL, "INVITE");
    let acked = carol_answers(&mut world, &invited);
    assert_eq!(
        notified(&mut world, BOB, INSIDE),
        ("terminated;reason=noresource".into(), "SIP/2.0 200 OK".into())
    );
    let bye = world.expect_within(BOB, "BYE", ms(2500));
    assert_eq!(field(&bye, "Call-ID"), field(&call.acked, "Call-ID"));
    world.ok(BOB, INSIDE, &bye);
    world.post(CAROL, OUTSIDE, &Msg::inside("BYE", CAROL, 1, &acked));
    world.expect(CAROL, "200");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a transfer that was asked for outside the dialog");
}

#[test]
fn who_wants_no_subscription_gets_no_dialog() {
    let mut world = by_hand(&three(), 2);
    let call = Call::establish(&mut world);
    world.post(BOB, INSIDE, &refer(&call, 30).set("Require", "tdialog, nosub"));
    let ok = world.expect(BOB, "200");
    assert!(field(&ok, "CSeq").ends_with("REFER"), "{ok}");
    world.expect(CAROL, "INVITE");
    world.run_for(ms(300));
    assert!(is_quiet(&world, BOB));
}

// conforms: RFC4538-4-1
#[test]
fn rfc4538_4_what_names_no_dialog_of_its_senders_is_refused() {
    let mut world = by_hand(&three(), 3);
    let call = Call::establish(&mut world);
    let own = target(&call);
    let swapped =
        own.replace("local-tag", "x").replace("remote-tag", "local-tag").replace("x=", "remote-tag=");
    let rows = [
        refer(&call, 30).without("Target-Dialog"),
        refer(&call, 31).set("Target-Dialog", "x@y;local-tag=1;remote-tag=2"),
        refer(&call, 32).set("Target-Dialog", &swapped),
        refer(&call, 33).set("Target-Dialog", own.split(";remote-tag").next().unwrap()),
    ];
    for message in rows {
        world.post(BOB, INSIDE, &message);
        world.expect(BOB, "403");
    }
    // Alice's is not Bob's.
    let theirs =
        Msg::request("REFER", "sip:10.0.0.1:5060", ALICE, 40).with("Refer-To", &format!("<{TARGET}>"));
    world.post(ALICE, OUTSIDE, &theirs.with("Target-Dialog", &own));
    world.expect(ALICE, "403");
    assert!(is_quiet(&world, CAROL));
    // A subscription to it may be ended, and is refused where there is none.
    call.hang_up(&mut world, 2);
    let mut closed = by_hand(&(three() + "\n[profiles.default]\nrefer = \"refuse\"\n"), 4);
    let call = Call::establish(&mut closed);
    closed.post(BOB, INSIDE, &refer(&call, 30).without("Require"));
    closed.expect(BOB, "405");
}

#[test]
fn the_subscription_of_its_own_dialog_is_ended_by_subscribe() {
    let mut world = by_hand(&three(), 5);
    let call = Call::establish(&mut world);
    world.post(BOB, INSIDE, &refer(&call, 30));
    let ok = world.expect(BOB, "200");
    let notify = world.expect(BOB, "NOTIFY");
    world.ok(BOB, INSIDE, &notify);
    world.expect(CAROL, "INVITE");
    let unsubscribe = Msg::inside("SUBSCRIBE", BOB, 31, &ok).with("Event", "refer").with("Expires", "0");
    world.post(BOB, INSIDE, &unsubscribe);
    world.expect(BOB, "200");
    assert_eq!(notified(&mut world, BOB, INSIDE).0, "terminated;reason=timeout");
    let again = Msg::inside("SUBSCRIBE", BOB, 32, &ok).with("Event", "refer");
    world.post(BOB, INSIDE, &again);
    world.expect(BOB, "481");
}

// conforms: RFC4538-3-1,2,3
#[test]
fn rfc4538_the_target_dialog_of_a_subscription_is_the_one_behind_ours() {
    let mut world = by_hand(&three(), 6);
    let call = Call::establish(&mut world);
    let subscribe = Msg::request("SUBSCRIBE", "sip:+4930@10.0.0.1", ALICE, 50).with("Event", "dialog");
    let (ours, theirs) = (tag(&call.ok, "To"), tag(&call.ok, "From"));
    let known = format!("{};local-tag={ours};remote-tag={theirs}", field(&call.ok, "Call-ID"));
    world.post(ALICE, OUTSIDE, &subscribe.with("Target-Dialog", &known));
    let crossed = world.expect(BOB, "SUBSCRIBE");
    // Bob's own tag is the local one there.
    let (of_bob, of_us) = (tag(&call.acked, "To"), tag(&call.acked, "From"));
    let expected = format!("{};local-tag={of_bob};remote-tag={of_us}", field(&call.acked, "Call-ID"));
    assert_eq!(field(&crossed, "Target-Dialog"), expected);
}
