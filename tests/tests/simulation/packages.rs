//! INFO with Info Packages (RFC 6086) and without, bodies of other networks (RFC 3204), and what is encrypted.

use super::common::{
    ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, document, invite, ms,
};
use liaison_tests::message::{Msg, audio, body, field, find};

/// A request of one side, which the other one takes.
fn crosses(world: &mut World, call: &Call, from_alice: bool, request: Msg) -> String {
    let (at, to, far, back) =
        if from_alice { (ALICE, OUTSIDE, BOB, INSIDE) } else { (BOB, INSIDE, ALICE, OUTSIDE) };
    let _ = call;
    world.post(at, to, &request);
    let crossed = world.expect(far, "INFO");
    world.ok(far, back, &crossed);
    world.expect(at, "200");
    crossed
}

/// What refuses a request of one side, and that the other has not heard of it.
fn refused(world: &mut World, from_alice: bool, request: &Msg) -> String {
    let (at, to, far) = if from_alice { (ALICE, OUTSIDE, BOB) } else { (BOB, INSIDE, ALICE) };
    world.post(at, to, request);
    let refused = world.expect(at, "469");
    world.expect_no(far, "INFO");
    refused
}

fn package(msg: Msg, name: &str) -> Msg {
    msg.with("Info-Package", name).with("Content-Disposition", "Info-Package").body("application/x", "<x/>")
}

// conforms: RFC6086-4.2.1-3,4,5 RFC6086-4.2.2-1,2 RFC6086-5.2.2-1,2,4,5 RFC6086-5.2.3-1,2,3 RFC6086-5.2.4-1
#[test]
fn rfc6086_packages_are_said_on_each_side_and_only_those_cross() {
    let mut world = by_hand(TWO_SIDES, 1);
    let invite = invite().with("Recv-Info", "dtmf, Foo;x=y").with("Recv-Info", "bar");
    let call = Call::establish_with(&mut world, invite, |invited| answer(invited).with("Recv-Info", "baz"));
    assert_eq!(field(&call.invited, "Recv-Info"), "dtmf, Foo;x=y, bar");
    assert_eq!(field(&call.ok, "Recv-Info"), "baz");
    let crossed =
        crosses(&mut world, &call, true, package(call.alice("INFO", 2), "BAZ;p=1").with("Recv-Info", "no"));
    assert_eq!((&*field(&crossed, "Info-Package"), body(&crossed)), ("BAZ;p=1", "<x/>"));
    assert_eq!(field(&crossed, "Content-Disposition"), "Info-Package");
    assert_eq!(find(&crossed, "Recv-Info"), None, "an INFO says nothing of that");
    crosses(&mut world, &call, false, package(call.bob("INFO", 1), "foo"));
    let bad = refused(&mut world, true, &package(call.alice("INFO", 3), "foo"));
    assert_eq!(field(&bad, "Recv-Info"), "baz");
    assert_eq!(
        field(&refused(&mut world, false, &package(call.bob("INFO", 2), "baz")), "Recv-Info"),
        "dtmf, Foo;x=y, bar"
    );
    // Without a package it goes on, as it always did.
    let legacy = call.alice("INFO", 4).body("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
    assert_eq!(body(&crosses(&mut world, &call, true, legacy)), "Signal=5\r\nDuration=160\r\n");
    // A refusal of the far side is its own, and ends nothing.
    world.post(ALICE, OUTSIDE, &package(call.alice("INFO", 5), "baz"));
    let crossed = world.expect(BOB, "INFO");
    world.post(BOB, INSIDE, &Msg::response(&crossed, 469, "").with("Recv-Info", "baz2"));
    assert_eq!(field(&world.expect(ALICE, "469"), "Recv-Info"), "baz2");
    // A re-INVITE says anew what is taken.
    let again = call.alice("INVITE", 6).with("Recv-Info", "new").sdp(&audio(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &again);
    let invited = world.expect(BOB, "INVITE");
    assert_eq!(field(&invited, "Recv-Info"), "new");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "").contact(BOB).sdp(&audio(BOB, 6000)));
    world.expect(ALICE, "200");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 6));
    world.run_for(ms(20));
    crosses(&mut world, &call, false, package(call.bob("INFO", 3), "new"));
    refused(&mut world, false, &package(call.bob("INFO", 4), "foo"));
    // One that is refused has said nothing.
    let again = call.alice("INVITE", 7).with("Recv-Info", "other").sdp(&audio(ALICE, 4000));
    world.post(ALICE, OUTSIDE, &again);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 488, ""));
    let failed = world.expect(ALICE, "488");
    world.post(ALICE, OUTSIDE, &call.alice("ACK", 7).set("Via", &field(&failed, "Via")));
    crosses(&mut world, &call, false, package(call.bob("INFO", 5), "new"));
    refused(&mut world, false, &package(call.bob("INFO", 6), "other"));
    call.hang_up(&mut world, 8);
    world.must_forget("packages");
}

#[test]
fn rfc6086_5_2_3_who_says_what_it_takes_hears_that_nobody_takes_anything() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call = Call::establish_with(&mut world, invite().with("Recv-Info", ""), answer);
    assert_eq!(field(&call.invited, "Recv-Info"), "");
    assert_eq!(field(&call.ok, "Recv-Info"), "");
    assert_eq!(field(&refused(&mut world, true, &package(call.alice("INFO", 2), "foo")), "Recv-Info"), "");
    refused(&mut world, false, &package(call.bob("INFO", 1), "foo"));
    call.hang_up(&mut world, 3);
    // Who says nothing hears nothing.
    let call = Call::establish_with(&mut world, invite().set("Call-ID", "second").branch("second"), answer);
    assert!(find(&call.invited, "Recv-Info").is_none() && find(&call.ok, "Recv-Info").is_none());
    call.hang_up(&mut world, 2);
    world.must_forget("calls without packages");
}

// conforms: RFC6086-4.3.1-1
#[test]
fn rfc3204_isup_and_qsig_cross_byte_for_byte() {
    let mut world = by_hand(TWO_SIDES, 3);
    let call = Call::establish(&mut world);
    let isup = "\u{1}\0\u{11}\n\u{2}\r\n\u{7f}\u{e9}";
    let parts = format!(
        "--b\r\nContent-Type: application/ISUP;version=nxv3;base=etsi121\r\n\
         Content-Disposition: signal;handling=required\r\n\r\n{isup}\r\n\
         --b\r\nContent-Type: application/QSIG;version=iso\r\n\r\n\u{8}\u{2}\0\r\n--b--\r\n"
    );
    let bodies = [
        ("application/ISUP;version=itu-t92+;base=itu-t92+", isup),
        ("application/QSIG;version=iso", "\u{8}\u{2}\0\u{1}\u{62}"),
        ("multipart/mixed;boundary=b", &parts),
    ];
    for (n, (kind, text)) in (2..).zip(bodies) {
        let request =
            call.alice("INFO", n).body(kind, text).with("Content-Disposition", "signal;handling=required");
        let crossed = crosses(&mut world, &call, true, request);
        assert_eq!((&*field(&crossed, "Content-Type"), body(&crossed)), (kind, text));
        assert_eq!(field(&crossed, "Content-Disposition"), "signal;handling=required");
    }
    call.hang_up(&mut world, 9);
    world.must_forget("bodies of other networks");
}

// conforms: RFC3204-6-1
#[test]
fn rfc3204_6_what_must_be_understood_and_is_not_carried_gets_415() {
    let strict = document("", "", "[profiles.default]\ncarry = { forbid_bodies = [\"application/isup\"] }\n");
    let mut world = by_hand(&strict, 4);
    let call = Call::establish(&mut world);
    let isup = |n, handling: &str| {
        let request = call.alice("INFO", n).body("application/ISUP;version=x", "\u{1}");
        request.with("Content-Disposition", &format!("signal;handling={handling}"))
    };
    world.post(ALICE, OUTSIDE, &isup(2, "required"));
    world.expect(ALICE, "415");
    let crossed = crosses(&mut world, &call, true, isup(3, "optional"));
    assert_eq!(body(&crossed), "");
    call.hang_up(&mut world, 4);
    world.must_forget("handling");
}

#[test]
fn rfc3261_21_4_28_an_encrypted_session_is_refused_where_media_is_anchored_and_crosses_where_not() {
    let kind = "application/pkcs7-mime;smime-type=enveloped-data;name=smime.p7m";
    let encrypted =
        || invite().body(kind, "0\u{80}\u{6}").with("Content-Disposition", "attachment;handling=required");
    let mut world = by_hand(TWO_SIDES, 5);
    world.post(ALICE, OUTSIDE, &encrypted());
    let refused = world.expect(ALICE, "493");
    assert_eq!(field(&refused, "Warning"), "399 liaison \"Encrypted Session, Media Is Anchored\"");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &encrypted()).set("To", &field(&refused, "To")));
    world.expect_no(BOB, "INVITE");
    world.must_forget("an encrypted session");

    let mut world = by_hand(&document("", "", "[profiles.default]\nmedia = \"bypass\"\n"), 6);
    world.post(ALICE, OUTSIDE, &encrypted());
    let invited = world.expect(BOB, "INVITE");
    assert_eq!((&*field(&invited, "Content-Type"), body(&invited)), (kind, "0\u{80}\u{6}"));
}

/// A reliable response of a branch of the fork behind Bob, with what it takes.
fn branch(world: &mut World, invited: &str, tag: &str, takes: &str) -> String {
    let ringing = Msg::response(invited, 180, tag).contact(BOB).with("Require", "100rel").with("RSeq", "5");
    world.post(BOB, INSIDE, &ringing.with("Recv-Info", takes));
    let heard = world.expect(ALICE, "180");
    let prack = world.expect(BOB, "PRACK");
    world.ok(BOB, INSIDE, &prack);
    heard
}

// conforms: RFC6086-4.2.1-6,7
#[test]
fn rfc6086_4_2_1_info_before_the_answer_goes_by_its_early_dialog() {
    let mut world = by_hand(TWO_SIDES, 20);
    let invite = invite().with("Supported", "100rel").with("Recv-Info", "foo");
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    let heard = [("left", "bar"), ("right", "baz")].map(|(tag, takes)| {
        let heard = branch(&mut world, &invited, tag, takes);
        assert_eq!(field(&heard, "Recv-Info"), takes);
        heard
    });
    // Alice tells each branch what it takes, and hears of the other's package that this one does not take it.
    let branches = [(&heard[0], ("bar", "baz"), ("left", 20)), (&heard[1], ("baz", "bar"), ("right", 22))];
    for (heard, (takes, other), (tag, seq)) in branches {
        world.post(ALICE, OUTSIDE, &package(Msg::inside("INFO", ALICE, seq, heard), takes));
        let crossed = world.expect(BOB, "INFO");
        assert!(field(&crossed, "To").ends_with(&format!("tag={tag}")), "{crossed}");
        world.ok(BOB, INSIDE, &crossed);
        world.expect(ALICE, "200");
        let bad = refused(&mut world, true, &package(Msg::inside("INFO", ALICE, seq + 1, heard), other));
        assert_eq!(field(&bad, "Recv-Info"), takes);
    }
    // A branch says something before Alice has acknowledged its response: she may not know of it yet. Then she does.
    let of = |tag: &str, seq| {
        let from = format!("{};tag={tag}", field(&invited, "To"));
        let info = Msg::inside("INFO", BOB, seq, &invited).set("From", &from);
        package(info.branch(&format!("info-{tag}-{seq}")), "foo")
    };
    world.post(BOB, INSIDE, &of("left", 1));
    world.expect(BOB, "491");
    for (nth, (heard, tag)) in heard.iter().zip(["left", "right"]).enumerate() {
        let rack = format!("{} 1 INVITE", field(heard, "RSeq"));
        world.post(
            ALICE,
            OUTSIDE,
            &Msg::inside("PRACK", ALICE, 30, heard).branch(&format!("prack-{tag}")).with("RAck", &rack),
        );
        world.expect(ALICE, "200");
        world.post(BOB, INSIDE, &of(tag, 2));
        let crossed = world.expect(ALICE, "INFO");
        assert_eq!(field(&crossed, "From"), field(heard, "To"), "{nth}");
        world.ok(ALICE, OUTSIDE, &crossed);
        world.expect(BOB, "200");
    }
    // One that no branch knows any more ends that early dialog, and no more than that (RFC 5057).
    world.post(ALICE, OUTSIDE, &package(Msg::inside("INFO", ALICE, 40, &heard[0]), "bar"));
    let crossed = world.expect(BOB, "INFO");
    world.post(BOB, INSIDE, &Msg::response(&crossed, 481, ""));
    assert!(!find(&world.expect(ALICE, "4"), "CSeq").unwrap().is_empty());
    world.post(BOB, INSIDE, &answer(&invited).set("To", &format!("{};tag=right", field(&invited, "To"))));
    let ok = world.expect(ALICE, "200");
    assert_eq!(field(&ok, "To"), field(&heard[1], "To"));
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 50, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("INFO before the answer");
}

#[test]
fn rfc8840_10_candidates_do_not_cross_where_media_is_anchored() {
    let mut world = by_hand(TWO_SIDES, 1);
    let invite = invite().with("Recv-Info", "trickle-ice, dtmf");
    let call = Call::establish_with(&mut world, invite, |invited| {
        answer(invited).with("Recv-Info", "Trickle-ICE, baz")
    });
    assert_eq!(field(&call.invited, "Recv-Info"), "dtmf");
    assert_eq!(field(&call.ok, "Recv-Info"), "baz");
    let bad = refused(&mut world, true, &package(call.alice("INFO", 2), "trickle-ice"));
    assert_eq!(field(&bad, "Recv-Info"), "baz");
}

#[test]
fn what_a_branch_was_asked_before_it_fails_is_answered_while_the_next_one_rings() {
    let other = "10.1.0.3:5060";
    let text = TWO_SIDES.replace("\"sip:10.1.0.2:5060\"", &format!("\"sip:10.1.0.2:5060\", \"sip:{other}\""));
    let mut world = by_hand(&text, 21);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    let early = world.expect(ALICE, "180");
    world.post(ALICE, OUTSIDE, &Msg::inside("INFO", ALICE, 2, &early));
    world.expect(BOB, "INFO");
    world.post(BOB, INSIDE, &Msg::response(&invited, 503, "bob"));
    world.expect(other, "INVITE");
    assert_eq!(field(&world.expect(ALICE, "480"), "CSeq"), "2 INFO");
}
