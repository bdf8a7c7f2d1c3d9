//! Bodies: what a profile forbids, what nobody may touch, and descriptions that media does not know.

use super::common::{
    ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms,
};
use liaison_tests::message::{Msg, audio, body, field, find, line};

/// The two ways of a profile to carry no ISUP.
const CLOSED: [&str; 2] = ["forbid_bodies = [\"application/isup\"]", "unknown_bodies = false"];

/// Liaison with such a profile.
fn closed(carry: &str, seed: u64) -> World {
    by_hand(&format!("{TWO_SIDES}\n[profiles.default]\ncarry = {{ {carry} }}\n"), seed)
}

/// A part of a body.
fn part(kind: &str, disposition: &str, content: &str) -> String {
    let disposition = match disposition {
        "" => String::new(),
        some => format!("Content-Disposition: {some}\r\n"),
    };
    format!("--sep\r\nContent-Type: {kind}\r\n{disposition}\r\n{content}\r\n")
}

/// The body of several parts.
fn parts(parts: &[String]) -> String {
    format!("{}--sep--", parts.concat())
}

fn isup(disposition: &str) -> String {
    part("application/isup;version=itu-t92+", disposition, "\u{1}\u{2}ISUP")
}

fn sdp_at(address: &str, port: u16) -> String {
    part("application/sdp", "", &audio(address, port))
}

/// Bob refuses the call, and Alice hears of it.
fn refuse(world: &mut World, invite: &Msg, invited: &str) {
    world.post(BOB, INSIDE, &Msg::response(invited, 486, "bob"));
    world.expect(BOB, "ACK");
    hear(world, invite, "486");
}

/// Alice is refused.
fn hear(world: &mut World, invite: &Msg, status: &str) -> String {
    let refused = world.expect(ALICE, status);
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", invite).set("To", &field(&refused, "To")));
    refused
}

#[test]
fn rfc3261_8_2_3_a_body_that_may_not_cross_refuses_an_invite() {
    for carry in CLOSED {
        for disposition in ["", "signal", "signal;handling=required"] {
            let mut world = closed(carry, 1);
            let content = parts(&[sdp_at(ALICE, 4000), isup(disposition)]);
            let invite = invite().body("multipart/mixed;boundary=sep", &content);
            world.post(ALICE, OUTSIDE, &invite);
            let refused = hear(&mut world, &invite, "415");
            assert_eq!(field(&refused, "Accept"), "application/sdp");
            world.expect_no(BOB, "INVITE");
            world.must_forget("a forbidden body");
        }
    }
}

#[test]
fn rfc3261_20_11_a_body_that_need_not_be_understood_is_left_out_and_the_call_goes_on() {
    for carry in CLOSED {
        let mut world = closed(carry, 2);
        let content = parts(&[sdp_at(ALICE, 4000), isup("signal;handling=optional")]);
        let invite = invite().body("multipart/mixed;boundary=sep", &content);
        let call = Call::establish_with(&mut world, invite, answer);
        let crossed = body(&call.invited);
        assert!(crossed.contains("m=audio ") && !crossed.contains("isup"), "{crossed}");
        call.hang_up(&mut world, 2);
        world.must_forget("a body that is left out");
    }
}

#[test]
fn a_part_of_a_response_that_may_not_cross_is_left_out() {
    for carry in CLOSED {
        let mut world = closed(carry, 3);
        let call = Call::establish_with(&mut world, invite(), |invited| {
            let content = parts(&[isup("signal;handling=required"), sdp_at(BOB, 6000)]);
            Msg::response(invited, 200, "bob").contact(BOB).body("multipart/mixed;boundary=sep", &content)
        });
        let crossed = body(&call.ok);
        assert!(crossed.contains("m=audio ") && !crossed.contains("isup"), "{crossed}");
        call.hang_up(&mut world, 2);
        world.must_forget("a response with a forbidden part");
    }
}

#[test]
fn a_body_that_may_not_cross_refuses_a_reinvite_and_the_session_stands() {
    for carry in CLOSED {
        let mut world = closed(carry, 4);
        let call = Call::establish(&mut world);
        for (at, to, far) in [(ALICE, OUTSIDE, BOB), (BOB, INSIDE, ALICE)] {
            let request = |method| if at == ALICE { call.alice(method, 2) } else { call.bob(method, 2) };
            let content = parts(&[sdp_at(at, 4100), isup("")]);
            world.post(at, to, &request("INVITE").body("multipart/mixed;boundary=sep", &content));
            let refused = world.expect(at, "415");
            assert!(find(&refused, "Accept").is_some(), "{refused}");
            world.post(at, to, &request("ACK").set("Via", &field(&refused, "Via")));
            world.expect_no(far, "INVITE");
        }
        assert_eq!((world.gauges().calls, world.lent()), (1, 2));
        call.hang_up(&mut world, 3);
        world.must_forget("a re-INVITE with a forbidden body");
    }
}

#[test]
fn rfc8551_what_is_signed_crosses_byte_for_byte() {
    let mut world = by_hand(TWO_SIDES, 5);
    let signature = part("application/pkcs7-signature", "attachment;handling=required", "\u{1}signature");
    let content = format!("preamble\r\n{}\r\nepilogue", parts(&[sdp_at(ALICE, 4000), signature]));
    let kind = "multipart/signed;protocol=\"application/pkcs7-signature\";micalg=sha-256;boundary=sep";
    let invite = invite().body(kind, &content);
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    assert_eq!(body(&invited), content);
    assert_eq!(field(&invited, "Content-Type"), kind);
    refuse(&mut world, &invite, &invited);
    world.must_forget("a signed body");
}

#[test]
fn another_description_of_an_anchored_call_does_not_cross() {
    let session = sdp_at(ALICE, 4000);
    let early = part("application/sdp", "early-session", &audio(ALICE, 4444));
    let inner = format!(
        "--in\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
         --in\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--in--",
        audio(ALICE, 4444)
    );
    let nested = part("multipart/related;boundary=in", "", &inner);
    for (kind, second) in [("alternative", sdp_at(ALICE, 4444)), ("mixed", early), ("mixed", nested)] {
        let mut world = by_hand(TWO_SIDES, 6);
        let content = parts(&[session.clone(), second.clone()]);
        let invite = invite().body(&format!("multipart/{kind};boundary=sep"), &content);
        world.post(ALICE, OUTSIDE, &invite);
        let invited = world.expect(BOB, "INVITE");
        let crossed = body(&invited);
        assert_eq!(crossed.matches("m=audio ").count(), 1, "{crossed}");
        assert_eq!(line(crossed, 'c'), "IN IP4 10.1.0.1");
        assert!(!crossed.contains("4444") && !crossed.contains("10.0.0.2"), "{crossed}");
        assert_eq!(crossed.contains("hello"), second.contains("hello"), "{crossed}");
        refuse(&mut world, &invite, &invited);
        world.must_forget("a second description");
    }
}

#[test]
fn a_description_beside_the_session_of_an_anchored_call_does_not_cross() {
    let mut world = by_hand(TWO_SIDES, 7);
    let call = Call::establish(&mut world);
    for (at, to, far, back) in [(ALICE, OUTSIDE, BOB, INSIDE), (BOB, INSIDE, ALICE, OUTSIDE)] {
        let send = |n| if at == ALICE { call.alice("INFO", n) } else { call.bob("INFO", n) };
        world.post(at, to, &send(2).sdp(&audio(at, 4100)));
        let refused = world.expect(at, "415");
        assert!(find(&refused, "Accept").is_some(), "{refused}");
        let within = send(3).body("multipart/mixed;boundary=sep", &parts(&[sdp_at(at, 4100)]));
        world.post(at, to, &within);
        world.expect(at, "415");
        world.expect_no(far, "INFO");
        let optional = send(4).sdp(&audio(at, 4100));
        world.post(at, to, &optional.with("Content-Disposition", "session;handling=optional"));
        let crossed = world.expect(far, "INFO");
        assert_eq!(body(&crossed), "", "what need not be understood is left out");
        world.ok(far, back, &crossed);
        world.expect(at, "200");

        world.post(at, to, &send(5).body("text/plain", "x"));
        let crossed = world.expect(far, "INFO");
        world.post(far, back, &Msg::response(&crossed, 200, "").sdp(&audio(far, 4100)));
        let answered = world.expect(at, "200");
        assert_eq!(body(&answered), "");
        assert_eq!(find(&answered, "Content-Type"), None);

        world.post(at, to, &send(6).body("text/plain", "x"));
        let crossed = world.expect(far, "INFO");
        let content = parts(&[sdp_at(far, 4100)]);
        let alone = Msg::response(&crossed, 200, "").body("multipart/mixed;boundary=sep", &content);
        world.post(far, back, &alone);
        assert_eq!(body(&world.expect(at, "200")), "", "of a multipart body nothing is left");
    }
    call.hang_up(&mut world, 7);
    world.must_forget("descriptions in INFO");
}

#[test]
fn rfc3261_21_4_13_an_encoded_description_is_refused() {
    let mut world = by_hand(TWO_SIDES, 8);
    let bare = Msg::request("INVITE", NUMBER, ALICE, 1).sdp("\u{1f}gzip").with("Content-Encoding", "gzip");
    let encoded =
        "--sep\r\nContent-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\n\u{1f}gzip\r\n--sep--";
    let within = Msg::request("INVITE", NUMBER, ALICE, 2).body("multipart/mixed;boundary=sep", encoded);
    for invite in [bare, within] {
        world.post(ALICE, OUTSIDE, &invite);
        let refused = hear(&mut world, &invite, "415");
        assert_eq!(field(&refused, "Accept-Encoding"), "identity");
        assert_eq!(field(&refused, "Accept"), "application/sdp");
    }
    world.expect_no(BOB, "INVITE");
    world.run_for(ms(20));
    assert_eq!(world.lent(), 0);
    world.must_forget("an encoded description");
}

#[test]
fn rfc5621_4_2_parts_that_cannot_be_told_apart_are_refused_where_one_might_be_a_description() {
    let unclosed = parts(&[sdp_at(ALICE, 4000)]).replace("--sep--", "");
    let within = part("multipart/mixed;boundary=in", "", &format!("--in\r\n\r\n{}", audio(ALICE, 4444)));
    let deep = (0..12).fold(audio(ALICE, 4444), |inner, n| {
        format!("--d{n}\r\nContent-Type: multipart/mixed;boundary=d{}\r\n\r\n{inner}\r\n--d{n}--", n - 1)
    });
    let nested = part("multipart/mixed;boundary=d11", "", &deep);
    let beside = |odd: &str| parts(&[sdp_at(ALICE, 4000), odd.to_owned()]);
    for content in [unclosed.clone(), beside(&within), beside(&nested)] {
        let mut world = by_hand(TWO_SIDES, 9);
        let invite = invite().body("multipart/mixed;boundary=sep", &content);
        world.post(ALICE, OUTSIDE, &invite);
        let refused = hear(&mut world, &invite, "400");
        assert!(field(&refused, "Warning").starts_with("399 liaison "), "{refused}");
        world.expect_no(BOB, "INVITE");
        world.must_forget("a body that cannot be read");
    }
    // Nothing is hidden in bypass.
    let mut world = by_hand(&format!("{TWO_SIDES}\n[profiles.default]\nmedia = \"bypass\"\n"), 9);
    let invite = invite().body("multipart/mixed;boundary=sep", &unclosed);
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    assert_eq!(body(&invited), unclosed);
    refuse(&mut world, &invite, &invited);
    world.must_forget("a body that nobody needs to read");
}

#[test]
fn rfc5621_4_2_what_cannot_be_told_apart_is_left_out_of_a_response() {
    let mut world = by_hand(TWO_SIDES, 10);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 2).body("text/plain", "x"));
    let crossed = world.expect(BOB, "INFO");
    let odd = parts(&[sdp_at(BOB, 4100)]).replace("--sep--", "");
    world.post(BOB, INSIDE, &Msg::response(&crossed, 200, "").body("multipart/mixed;boundary=sep", &odd));
    assert_eq!(body(&world.expect(ALICE, "200")), "");
    call.hang_up(&mut world, 3);
    world.must_forget("a response that cannot be read");
}

#[test]
fn rfc8840_candidates_of_the_other_side_do_not_cross() {
    let mut world = by_hand(TWO_SIDES, 11);
    let call = Call::establish(&mut world);
    let fragment = "a=candidate:1 1 UDP 1 10.0.0.2 4000 typ host\r\n";
    let info = call.alice("INFO", 2).body("application/trickle-ice-sdpfrag", fragment);
    world.post(ALICE, OUTSIDE, &info);
    world.expect(ALICE, "415");
    world.expect_no(BOB, "INFO");
    call.hang_up(&mut world, 3);
    world.must_forget("candidates");
}
