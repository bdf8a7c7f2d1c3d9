//! Bodies of several parts (RFC 5621): what is found in them, what crosses of them, and what refers to what.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, invite, ms};
use liaison_tests::message::{Msg, audio, body, field, fields, find, line};

/// Parts between delimiters: each has its own header fields.
fn multipart(boundary: &str, parts: &[String]) -> String {
    let each = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n"));
    format!("{}--{boundary}--", each.collect::<String>())
}

fn part(head: &str, content: &str) -> String {
    format!("{head}\r\n\r\n{content}")
}

fn sdp(address: &str, port: u16) -> String {
    part("Content-Type: application/sdp", &audio(address, port))
}

/// Liaison whose profile carries no ISUP, and no Geolocation.
fn closed(seed: u64) -> World {
    let carry = "forbid_bodies = [\"application/isup\"], forbid_header_fields = [\"Geolocation\"]";
    by_hand(&format!("{TWO_SIDES}\n[profiles.default]\ncarry = {{ {carry} }}\n"), seed)
}

/// The body with every session description in it left out, and how many there were.
fn without_descriptions(text: &str) -> (String, usize) {
    let (mut rest, mut kept, mut count) = (text, String::new(), 0);
    while let Some(start) = rest.find("v=0\r\n") {
        kept.push_str(&rest[..start]);
        let end = rest[start..].find("\r\n--").map_or(rest.len(), |end| start + end);
        (rest, count) = (&rest[end..], count + 1);
    }
    kept.push_str(rest);
    (kept, count)
}

/// All but the descriptions is what it was, byte for byte; the one that there is now is ours.
fn is_same_but_for_the_description(sent: &str, crossed: &str, ours: &str) {
    let ((sent, of_sent), (kept, of_kept)) = (without_descriptions(sent), without_descriptions(crossed));
    assert_eq!((sent, of_sent), (kept, of_kept), "{crossed}");
    assert_eq!(line(crossed, 'c'), format!("IN IP4 {ours}"));
}

/// Alice is refused, with that status.
fn refused(world: &mut World, invite: &Msg, status: &str) -> String {
    world.post(ALICE, OUTSIDE, invite);
    let refused = world.expect(ALICE, status);
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", invite).set("To", &field(&refused, "To")));
    world.expect_no(BOB, "INVITE");
    world.must_forget("a refused body");
    refused
}

/// What Bob gets of Alice's INVITE with that body.
fn invited(world: &mut World, kind: &str, content: &str, more: &[(&str, &str)]) -> String {
    let invite = more.iter().fold(invite().body(kind, content), |msg, (name, value)| msg.with(name, value));
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 486, "bob"));
    world.expect(BOB, "ACK");
    let heard = world.expect(ALICE, "486");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&heard, "To")));
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 0);
    invited
}

/// A text, and beside it a compound whose root, which is not its first part, has the session among other things.
fn nested(address: &str, port: u16) -> String {
    let odd = part("X-Odd: 1", "\u{1}\u{fe}");
    let root = multipart("root", &[part("", "untyped text"), sdp(address, port), odd]);
    let root = part("Content-Type: multipart/mixed;boundary=root\r\nContent-ID: <root@a>", &root);
    let picture = part("Content-Type: image/png\r\nContent-ID: <photo@a>", "\u{1}PNG");
    let head = "Content-Type: multipart/related;boundary=rel;start=\"<root@a>\"";
    let related = part(head, &multipart("rel", &[picture, root]));
    multipart("out", &[part("Content-Type: text/plain", "hello"), related])
}

const MIXED: &str = "multipart/mixed;boundary=out";

// conforms: RFC5621-4.2-1,2
#[test]
fn rfc5621_4_2_a_description_is_found_and_answered_in_parts_within_parts() {
    let mut world = by_hand(TWO_SIDES, 1);
    let (offer, reply) = (nested(ALICE, 4000), nested(BOB, 6000));
    let call = Call::establish_with(&mut world, invite().body(MIXED, &offer), |invited| {
        answer(invited).body(MIXED, &reply)
    });
    is_same_but_for_the_description(&offer, body(&call.invited), "10.1.0.1");
    is_same_but_for_the_description(&reply, body(&call.ok), "10.0.0.1");
    for text in [&call.invited, &call.ok] {
        assert_eq!(field(text, "Content-Type"), MIXED);
    }
    // In the middle of the call, and from the other side.
    let again = nested(BOB, 6002);
    world.post(BOB, INSIDE, &call.bob("INVITE", 1).body(MIXED, &again));
    let asked = world.expect(ALICE, "INVITE");
    is_same_but_for_the_description(&again, body(&asked), "10.0.0.1");
    let back = nested(ALICE, 4002);
    world.post(ALICE, OUTSIDE, &Msg::response(&asked, 200, "").contact(ALICE).body(MIXED, &back));
    world.expect(ALICE, "ACK");
    let ok = world.expect(BOB, "200");
    is_same_but_for_the_description(&back, body(&ok), "10.1.0.1");
    world.post(BOB, INSIDE, &Msg::inside("ACK", BOB, 1, &ok));
    // What describes no session crosses as it is, whatever it is in.
    let text = multipart(
        "out",
        &[part("Content-Type: multipart/mixed;boundary=in", &{
            multipart("in", &[part("", "untyped"), part("Content-Type: text/html", "<p>")])
        })],
    );
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 2).body(MIXED, &text));
    let info = world.expect(BOB, "INFO");
    assert_eq!(body(&info), text);
    world.ok(BOB, INSIDE, &info);
    world.expect(ALICE, "200");
    call.hang_up(&mut world, 3);
    world.must_forget("parts within parts");
}

// conforms: RFC5621-6.2-1 RFC5621-8.2-5,6,7
#[test]
fn rfc5621_6_of_alternatives_the_session_is_described_by_one_and_labelled_as_it_was() {
    let other = part(
        "Content-Type: application/x-session\r\nContent-Disposition: session;handling=optional",
        "c=10.0.0.2",
    );
    let described = |port| {
        let head = "Content-Type: application/sdp\r\nContent-Disposition: session;handling=optional";
        part(head, &audio(ALICE, port))
    };
    let kind = "multipart/alternative;boundary=out";
    for (media, handling) in [("anchored", "required"), ("bypass", "required"), ("bypass", "optional")] {
        let mut world = by_hand(&format!("{TWO_SIDES}\n[profiles.default]\nmedia = \"{media}\"\n"), 2);
        let content = multipart("out", &[other.clone(), described(4444), described(4000)]);
        let disposition = format!("session;handling={handling}");
        let invited = invited(&mut world, kind, &content, &[("Content-Disposition", &disposition)]);
        let crossed = body(&invited);
        assert_eq!(crossed.matches("Content-Type: application/sdp\r\n").count(), 1, "{crossed}");
        assert!(!crossed.contains("4444"), "the last that is understood counts: {crossed}");
        assert_eq!(crossed.contains("m=audio 4000"), media == "bypass", "{crossed}");
        // Where media is anchored, nothing else may describe it.
        assert_eq!(crossed.contains("c=10.0.0.2"), media == "bypass", "{crossed}");
        assert_eq!(field(&invited, "Content-Disposition"), disposition);
        let labels = crossed.matches("Content-Disposition: session;handling=optional\r\n").count();
        assert_eq!(labels, crossed.matches("--out\r\n").count(), "{crossed}");
    }
}

// conforms: RFC5621-8.3-1
#[test]
fn rfc5621_8_3_alternatives_are_handled_as_the_whole_says() {
    let isup = |handling: &str| {
        part(
            &format!("Content-Type: application/isup\r\nContent-Disposition: signal;handling={handling}"),
            "\u{1}",
        )
    };
    let either = |whole: &str, parts: &[String]| {
        let head = format!(
            "Content-Type: multipart/alternative;boundary=in\r\nContent-Disposition: signal;handling={whole}"
        );
        multipart("out", &[sdp(ALICE, 4000), part(&head, &multipart("in", parts))])
    };
    // One that crosses is enough.
    let text = part("Content-Type: text/plain", "hello");
    let content = either("required", &[isup("required"), text]);
    let crossed = invited(&mut closed(3), MIXED, &content, &[]);
    assert!(body(&crossed).contains("hello") && !body(&crossed).contains("isup"), "{crossed}");
    // None crosses, and none is needed, whatever is said of each.
    let content = either("optional", &[isup("required"), isup("required")]);
    let crossed = invited(&mut closed(3), MIXED, &content, &[]);
    assert!(body(&crossed).contains("m=audio") && !body(&crossed).contains("alternative"), "{crossed}");
    // One is needed.
    let content = either("required", &[isup("optional"), isup("optional")]);
    let refused = refused(&mut closed(3), &invite().body(MIXED, &content), "415");
    assert_eq!(field(&refused, "Accept"), "application/sdp");
}

/// A part that must be understood within one that need not be.
#[test]
fn rfc5621_8_2_an_optional_body_is_left_out_whole_where_a_part_that_it_needs_does_not_cross() {
    let inner = multipart(
        "in",
        &[part("Content-Type: text/plain", "hello"), part("Content-Type: application/isup", "\u{1}")],
    );
    let content = |handling: &str| {
        let head = format!(
            "Content-Type: multipart/mixed;boundary=in\r\nContent-Disposition: render;handling={handling}"
        );
        multipart("out", &[sdp(ALICE, 4000), part(&head, &inner)])
    };
    let crossed = invited(&mut closed(4), MIXED, &content("optional"), &[]);
    assert!(body(&crossed).contains("m=audio") && !body(&crossed).contains("hello"), "{crossed}");
    refused(&mut closed(4), &invite().body(MIXED, &content("required")), "415");
}

// conforms: RFC5621-7.3-1 RFC5621-8.2-8,9,10,11 RFC5621-9.2-1
#[test]
fn rfc5621_7_3_a_compound_object_keeps_its_root_its_labels_and_the_order_of_its_parts() {
    let described = audio(ALICE, 4000).replace("m=audio", "a=file-icon:cid:photo@a\r\nm=audio");
    let root = part(
        "Content-Type: application/sdp\r\nContent-Disposition: session;handling=required\r\nContent-ID: <root@a>",
        &described,
    );
    let photo = part(
        "Content-Type: image/png\r\nContent-Disposition: by-reference;handling=optional\r\nContent-ID: <photo@a>",
        "\u{1}PNG",
    );
    let early = part(
        "Content-Type: application/sdp\r\nContent-Disposition: early-session;handling=optional",
        &audio(ALICE, 4444),
    );
    let kind = "multipart/related;boundary=out;start=\"<root@a>\"";
    let content = multipart("out", &[root.clone(), photo.clone(), early]);
    for handling in ["required", "optional"] {
        let label = format!("session;handling={handling}");
        let invited = invited(&mut by_hand(TWO_SIDES, 5), kind, &content, &[("Content-Disposition", &label)]);
        assert_eq!(
            (field(&invited, "Content-Type"), field(&invited, "Content-Disposition")),
            (kind.into(), label)
        );
        let crossed = body(&invited);
        // The session is what the part for that says, and nothing of an early one is taken for it.
        assert!(!crossed.contains("4444") && !crossed.contains("early-session"), "{crossed}");
        let expected = multipart("out", &[root.clone(), photo.clone()]);
        is_same_but_for_the_description(&expected, crossed, "10.1.0.1");
    }
    // A root that does not cross takes the rest with it.
    let isup = part(
        "Content-Type: application/isup\r\nContent-Disposition: signal;handling=optional\r\nContent-ID: <root@a>",
        "\u{1}",
    );
    let head = "Content-Type: multipart/related;boundary=in;start=\"<root@a>\"";
    let content = multipart(
        "out",
        &[sdp(ALICE, 4000), part(head, &multipart("in", &[part("Content-Type: image/png", "PNG"), isup]))],
    );
    let crossed = invited(&mut closed(5), MIXED, &content, &[]);
    assert!(!body(&crossed).contains("PNG"), "{crossed}");
}

// conforms: RFC5621-9.4-1
#[test]
fn rfc5621_9_4_a_part_by_reference_crosses_with_what_refers_to_it() {
    let place = |handling: &str| {
        part(
            &format!(
                "Content-Type: application/pidf+xml\r\nContent-Disposition: by-reference;handling={handling}\r\nContent-ID: <here@a>"
            ),
            "<presence/>",
        )
    };
    let content = |handling: &str| multipart("out", &[sdp(ALICE, 4000), place(handling)]);
    let here = ("Geolocation", "<cid:here@a>");
    let crossed = invited(&mut by_hand(TWO_SIDES, 6), MIXED, &content("required"), &[here]);
    assert!(body(&crossed).contains("<presence/>") && find(&crossed, "Geolocation").is_some(), "{crossed}");
    // The reference stays behind: so does what it is to.
    let crossed = invited(&mut closed(6), MIXED, &content("required"), &[here]);
    assert!(!body(&crossed).contains("presence") && body(&crossed).contains("m=audio"), "{crossed}");
    // Nothing refers to it; what comes later does not (§9.2).
    let crossed = invited(&mut by_hand(TWO_SIDES, 6), MIXED, &content("optional"), &[]);
    assert!(!body(&crossed).contains("presence"), "{crossed}");
    let later = multipart(
        "out",
        &[sdp(ALICE, 4000), place("required"), part("Content-Type: text/html", "<img src=\"cid:here@a\">")],
    );
    for content in [content("required"), later] {
        let refused = refused(&mut by_hand(TWO_SIDES, 6), &invite().body(MIXED, &content), "415");
        assert_eq!(field(&refused, "Warning"), "399 liaison \"Nothing refers to a part by reference\"");
    }
    let bare =
        invite().body("application/pidf+xml", "<presence/>").with("Content-Disposition", "by-reference");
    refused(&mut by_hand(TWO_SIDES, 6), &bare.with("Content-ID", "<here@a>"), "415");
}

// conforms: RFC5621-8.2-1,2,3,4
#[test]
fn rfc5621_8_2_what_we_put_together_says_what_must_be_understood() {
    for (said, expected) in [
        (None, "render;handling=required"),
        (Some("signal"), "signal;handling=required"),
        (Some("signal;handling=optional"), "signal;handling=optional"),
    ] {
        let mut world = by_hand(TWO_SIDES, 7);
        world.post(ALICE, OUTSIDE, &invite());
        let invited = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &Msg::response(&invited, 183, "bob").contact(BOB).sdp(&audio(BOB, 6000)));
        world.expect(ALICE, "183");
        // The answer has been given; what comes with the 200 is none.
        let ok = Msg::response(&invited, 200, "bob").contact(BOB).body("application/isup", "\u{1}\u{2}");
        let ok = said.iter().fold(ok, |ok, said| ok.with("Content-Disposition", said));
        world.post(BOB, INSIDE, &ok);
        let ok = world.expect(ALICE, "200");
        assert!(field(&ok, "Content-Type").starts_with("multipart/mixed;"), "{ok}");
        assert_eq!(field(&ok, "Content-Disposition"), "render;handling=required");
        let labels: Vec<_> =
            body(&ok).lines().filter(|line| line.starts_with("Content-Disposition: ")).collect();
        assert_eq!(
            labels,
            ["Content-Disposition: session;handling=required", &format!("Content-Disposition: {expected}")]
        );
        assert!(fields(&ok).iter().any(|(name, value)| name == "MIME-Version" && value == "1.0"));
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    }
}

/// What becomes of a re-INVITE with parts, where that side has said that it takes such bodies.
fn asked_with_parts(accept: &str, other: &str, by_bob: bool) -> (String, String) {
    let mut world = by_hand(TWO_SIDES, 40);
    let says = |msg: Msg, is: bool| if is && !accept.is_empty() { msg.with("Accept", accept) } else { msg };
    let call = Call::establish_with(&mut world, says(invite(), by_bob), |asked| says(answer(asked), !by_bob));
    let (from, by, to) = if by_bob { (BOB, INSIDE, ALICE) } else { (ALICE, OUTSIDE, BOB) };
    let mut described = audio(from, if by_bob { 6002 } else { 4002 });
    described.push_str("a=sendonly\r\n");
    let parts = [part("Content-Type: application/sdp", &described), part(other, "hello")];
    let request = if by_bob { call.bob("INVITE", 2) } else { call.alice("INVITE", 2) };
    let request = request.body(MIXED, &multipart("out", &parts));
    world.post(from, by, &request);
    world.run_for(ms(50));
    let asked = world.unread(to).into_iter().find(|text| text.starts_with("INVITE"));
    if let Some(asked) = &asked {
        let at = if by_bob { OUTSIDE } else { INSIDE };
        world.post(to, at, &Msg::response(asked, 200, "").contact(to).sdp(&audio(to, 5000)));
    }
    let heard = world.expect(from, if asked.is_some() { "200" } else { "4" });
    let ack = if by_bob { call.bob("ACK", 2) } else { call.alice("ACK", 2) };
    match asked.is_some() {
        true => world.post(from, by, &ack),
        false => world.post(from, by, &Msg::of_invite("ACK", &request).set("To", &field(&heard, "To"))),
    }
    world.run_for(ms(50));
    call.hang_up(&mut world, 5);
    world.must_forget("a re-INVITE of parts");
    (asked.unwrap_or_default(), heard)
}

// conforms: RFC3261-7.4.1-3
#[test]
fn rfc3261_7_4_1_who_takes_no_parts_is_asked_with_the_description_alone() {
    let optional = "Content-Type: text/plain\r\nContent-Disposition: render;handling=optional";
    for by_bob in [false, true] {
        for accept in ["application/sdp", "application/sdp, multipart/mixed;q=0", "text/plain, application/*"]
        {
            let (asked, _) = asked_with_parts(accept, optional, by_bob);
            assert_eq!(field(&asked, "Content-Type"), "application/sdp", "{accept}");
            assert!(body(&asked).starts_with("v=0") && body(&asked).contains("a=sendonly"), "{asked}");
            assert!(!asked.contains("hello"), "{asked}");
        }
        for accept in ["", "application/sdp, multipart/mixed", "*/*"] {
            let (asked, _) = asked_with_parts(accept, optional, by_bob);
            assert!(field(&asked, "Content-Type").starts_with("multipart/mixed"), "{accept}: {asked}");
            assert!(asked.contains("hello"), "{asked}");
        }
    }
}

/// What has to be understood is not left out in silence (RFC 3261 §8.2.3).
#[test]
fn rfc3261_7_4_1_a_part_that_must_be_understood_by_who_takes_none_is_refused() {
    let (asked, heard) = asked_with_parts("application/sdp", "Content-Type: text/plain", false);
    assert_eq!(asked, "");
    assert!(heard.starts_with("SIP/2.0 415") && field(&heard, "Accept") == "application/sdp", "{heard}");
}
