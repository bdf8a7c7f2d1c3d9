//! What one side says to us alone is never heard on the other; what is for the other side crosses unchanged.

use super::common::{ALICE, BOB, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, ms};
use liaison_tests::message::{Msg, body, branch, field, find, seq, start, tag, uri_in};

/// What must not cross, whatever word stands before it.
const CANARY: &str = "canary";

/// A description full of what belongs to one side: `who` marks it, `port` is one of its ports.
fn description(who: &str, port: u16) -> String {
    let ip = if who == "a" { "198.51.100.71" } else { "203.0.113.72" };
    format!(
        "v=0\r\no={who}{CANARY}origin 8{port} 9{port} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         a=ice-options:{who}{CANARY}-options\r\na=ice-lite\r\n\
         m=audio {port} RTP/AVP 8 101\r\na=rtcp:{rtcp} IN IP4 {ip}\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=x-keep:π\r\n\
         a=candidate:1 1 UDP 2130706431 {ip} {port} typ host\r\na=ice-ufrag:{who}{CANARY}ufrag\r\n\
         a=ice-pwd:{who}{CANARY}passwordpassword\r\na=end-of-candidates\r\n\
         a=remote-candidates:1 {ip} {port}\r\n\
         m=x-odd {odd} UDP/x-proto f1 f2\r\na=x-odd:kept as it is\r\na=sendrecv\r\n",
        rtcp = port + 7,
        odd = port + 20,
    )
}

/// Everything of a message that must stay on its side, marked with `who`.
fn mark(msg: Msg, who: &str) -> Msg {
    let address = if who == "a" { ALICE } else { BOB };
    msg.set(
        "Contact",
        &format!("<sip:{who}{CANARY}contact@{address}>;+sip.instance=\"<urn:{who}{CANARY}>\";audio"),
    )
    .with("User-Agent", &format!("{who}{CANARY}/1"))
    .with("Server", &format!("{who}{CANARY}/2"))
    .with("Timestamp", if who == "a" { "717171" } else { "727272" })
    .with("Security-Client", &format!("{who}{CANARY};q=0.1"))
    .with("P-Preferred-Identity", &format!("<sip:{who}{CANARY}@x.example>"))
    .with("X-Keep", "π")
    .with("Subject", "kept")
}

/// Alice's request outside a dialog, marked.
fn alice(method: &str, n: u32) -> Msg {
    mark(Msg::request(method, "sip:+4930@10.0.0.1", ALICE, n), "a")
        .set("From", "\"Älice\" <sip:alice@a.example;x=1>;tag=acanarytag")
        .set("To", "\"Bob\" <sip:bob@b.example>")
        .set("Call-ID", &format!("acanary-call-{n}"))
        .with("Via", "SIP/2.0/UDP acanary-via.example:5070;branch=z9hG4bKacanary;received=198.51.100.73")
        .with("Record-Route", "<sip:acanary-proxy@10.0.0.2;lr>")
        .with("Route", "<sip:acanary-route@10.0.0.1;lr>")
}

/// Bob's response, marked.
fn bob(request: &str, status: u16) -> Msg {
    let response = Msg::response(request, status, "bcanarytag").phrase("Kept");
    mark(response, "b").with("Record-Route", "<sip:bcanary-proxy@10.1.0.2;lr>")
}

fn check(world: &World) {
    let sides = [
        (BOB, "acanary", ["198.51.100.7", "71717", "41414", "41421", "41434", "10.0.0."]),
        (ALICE, "bcanary", ["203.0.113.7", "72727", "42424", "42431", "42444", "10.1.0."]),
    ];
    for (to, canary, others) in sides {
        for text in world.sent_to(to) {
            for word in others.into_iter().chain([canary]) {
                assert!(!text.contains(word), "{word} crossed to {to}:\n{text}");
            }
        }
    }
}

/// An established call full of canaries: Alice's 200 and Bob's INVITE and ACK.
fn establish(world: &mut World) -> (String, String, String) {
    world.post(ALICE, OUTSIDE, &alice("INVITE", 1).sdp(&description("a", 41_414)));
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &bob(&invited, 180));
    world.expect(ALICE, "180");
    world.post(BOB, INSIDE, &bob(&invited, 183).sdp(&description("b", 42_424)));
    world.expect(ALICE, "183");
    world.post(BOB, INSIDE, &bob(&invited, 200).sdp(&description("b", 42_424)));
    let ok = world.expect(ALICE, "200");
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &mark(Msg::inside("ACK", ALICE, 1, &ok), "a"));
    world.run_for(ms(20));
    (ok, invited, acked)
}

/// A request in the dialog of Bob, marked.
fn bob_inside(method: &str, n: u32, invited: &str, acked: &str) -> Msg {
    mark(Msg::inside(method, BOB, n, acked).uri(&uri_in(&field(invited, "Contact"))), "b")
}

#[test]
fn no_canary_crosses_in_any_message_of_an_established_call() {
    let mut world = by_hand(TWO_SIDES, 1);
    let (ok, invited, acked) = establish(&mut world);
    // Requests both ways, and their responses, good and bad.
    for (n, status) in (2..).zip([200, 403]) {
        world.post(ALICE, OUTSIDE, &mark(Msg::inside("INFO", ALICE, n, &ok), "a"));
        let info = world.expect(BOB, "INFO");
        world.post(BOB, INSIDE, &bob(&info, status));
        world.expect(ALICE, &status.to_string());
        world.post(BOB, INSIDE, &bob_inside("INFO", n, &invited, &acked));
        let info = world.expect(ALICE, "INFO");
        world.post(ALICE, OUTSIDE, &mark(Msg::response(&info, status, ""), "a"));
        world.expect(BOB, &status.to_string());
    }
    // A re-INVITE that is taken and one that is not.
    for (n, status) in (4..).zip([200, 488]) {
        let reinvite = mark(Msg::inside("INVITE", ALICE, n, &ok), "a").sdp(&description("a", 41_414));
        world.post(ALICE, OUTSIDE, &reinvite);
        let offered = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &bob(&offered, status).sdp(&description("b", 42_424)));
        world.expect(BOB, "ACK");
        let answered = world.expect(ALICE, &status.to_string());
        let ack = Msg::inside("ACK", ALICE, n, &ok);
        let ack = if status == 200 { ack } else { ack.set("Via", &field(&answered, "Via")) };
        world.post(ALICE, OUTSIDE, &mark(ack, "a"));
        world.run_for(ms(20));
    }
    world.post(BOB, INSIDE, &bob_inside("BYE", 9, &invited, &acked).with("Reason", "Q.850;cause=16"));
    world.expect(BOB, "200");
    let bye = world.expect(ALICE, "BYE");
    assert_eq!(field(&bye, "Reason"), "Q.850;cause=16");
    world.post(ALICE, OUTSIDE, &mark(Msg::response(&bye, 200, ""), "a"));
    world.run_for(ms(20));
    check(&world);
    world.must_forget("a call full of canaries");
}

#[test]
fn no_canary_crosses_when_the_caller_hangs_up_or_gives_up_or_is_refused() {
    let mut world = by_hand(TWO_SIDES, 2);
    let (ok, ..) = establish(&mut world);
    world.post(ALICE, OUTSIDE, &mark(Msg::inside("BYE", ALICE, 2, &ok), "a"));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.post(BOB, INSIDE, &bob(&bye, 200));
    for (n, status) in [(20, 302), (21, 486), (22, 488), (23, 503), (24, 401), (25, 487)] {
        let invite = alice("INVITE", n).sdp(&description("a", 41_414));
        world.post(ALICE, OUTSIDE, &invite);
        let invited = world.expect(BOB, "INVITE");
        world.post(BOB, INSIDE, &bob(&invited, 180));
        world.expect(ALICE, "180");
        if status == 487 {
            let cancel = mark(Msg::of_invite("CANCEL", &invite), "a");
            world.post(ALICE, OUTSIDE, &cancel);
            let cancel = world.expect(BOB, "CANCEL");
            world.ok(BOB, INSIDE, &cancel);
        }
        // A redirection that is carried is the one thing whose Contact is meant for the caller.
        let mut refusal = bob(&invited, status)
            .sdp(&description("b", 42_424))
            .with("WWW-Authenticate", "Digest realm=\"bcanary\", nonce=\"bcanary\"");
        if status == 302 {
            refusal = refusal.set("Contact", "<sip:elsewhere@c.example>");
        }
        world.post(BOB, INSIDE, &refusal);
        world.expect(BOB, "ACK");
        world.run_for(ms(20));
        let refused = world.unread(ALICE).into_iter().rev().find(|text| !start(text).starts_with("200"));
        let refused = refused.unwrap();
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
        world.run_for(ms(20));
        assert_eq!(world.gauges().calls, 0, "{status}");
    }
    check(&world);
    world.must_forget("failures full of canaries");
}

// conforms: RFC3261-12.1.2-8 RFC3261-12.2.2-2 RFC7332-5-1
#[test]
fn each_leg_is_a_user_agent_of_its_own() {
    let mut world = by_hand(TWO_SIDES, 3);
    let theirs = alice("INVITE", 1).text();
    let (ok, invited, acked) = establish(&mut world);
    assert_ne!(field(&invited, "Call-ID"), field(&theirs, "Call-ID"));
    assert_ne!(tag(&invited, "From"), tag(&theirs, "From"));
    assert_ne!(tag(&ok, "To"), "bcanarytag");
    assert_ne!(tag(&ok, "To"), tag(&invited, "From"));
    assert_ne!(branch(&invited), branch(&theirs));
    assert!(!branch(&invited).contains(CANARY));
    let vias = |text: &str| text.lines().filter(|l| l.starts_with("Via:")).count();
    assert_eq!((vias(&invited), vias(&ok)), (1, 2), "no Via of the other leg, and all of one's own");
    assert!(field(&invited, "Via").starts_with("SIP/2.0/UDP 10.1.0.1:5060;"));
    assert_eq!(uri_in(&field(&invited, "Contact")), "sip:10.1.0.1:5060");
    assert_eq!(uri_in(&field(&ok, "Contact")), "sip:10.0.0.1:5060");
    assert_eq!(find(&invited, "Record-Route"), None, "a user agent records no route");
    assert_eq!(field(&invited, "Max-Forwards"), "69");
    // RFC 3261 §12.1.2: the route set of the leg is the reversed Record-Route of its own far side.
    assert_eq!(field(&acked, "Route"), "<sip:bcanary-proxy@10.1.0.2;lr>");
    // Each counts for itself: Alice is at 4711, Bob's leg goes on from its own INVITE.
    world.post(ALICE, OUTSIDE, &Msg::inside("INFO", ALICE, 4711, &ok));
    let info = world.expect(BOB, "INFO");
    assert_eq!(seq(&info), seq(&invited) + 1);
    world.ok(BOB, INSIDE, &info);
    world.expect(ALICE, "200");
    world.post(BOB, INSIDE, &bob_inside("BYE", 815, &invited, &acked));
    world.expect(BOB, "200");
    let bye = world.expect(ALICE, "BYE");
    assert_ne!(seq(&bye), 815);
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("two user agents");
}

// conforms: RFC3261-8.2.2-1
#[test]
fn from_to_and_what_we_do_not_know_cross() {
    let mut world = by_hand(TWO_SIDES, 4);
    let (ok, invited, _) = establish(&mut world);
    let from = field(&invited, "From");
    assert!(from.starts_with("\"Älice\" <sip:alice@a.example;x=1>;tag="), "{from}");
    assert_eq!(field(&invited, "To"), "\"Bob\" <sip:bob@b.example>");
    for text in [&invited, &ok] {
        assert_eq!(field(text, "X-Keep"), "π");
        assert!(field(text, "Contact").contains(";audio"), "feature parameters cross (RFC 3840 §9)");
        let sdp = body(text);
        assert!(sdp.contains("\r\na=x-keep:π\r\n"), "{sdp}");
        let odd: Vec<_> = sdp.lines().skip_while(|l| !l.starts_with("m=x-odd")).collect();
        assert!(odd[0].starts_with("m=x-odd ") && odd[0].ends_with(" UDP/x-proto f1 f2"), "{sdp}");
        assert!(odd.contains(&"a=x-odd:kept as it is"), "{sdp}");
    }
    assert_eq!((&*field(&invited, "Subject"), find(&ok, "Subject")), ("kept", None), "it is of requests");
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.must_forget("what crosses");
}

// conforms: RFC3261-7.3.2-1 RFC3261-20-4,5,6 RFC3261-20.43-1
#[test]
fn rfc3261_7_3_2_fields_in_messages_that_they_mean_nothing_in_are_passed_over() {
    let of_responses = [
        ("Retry-After", "5"),
        ("Min-Expires", "60"),
        ("Unsupported", "x"),
        ("Warning", "399 a \"b\""),
        ("Error-Info", "<sip:x@y>"),
        ("WWW-Authenticate", "Digest realm=\"x\", nonce=\"n\""),
        ("Proxy-Authenticate", "Digest realm=\"x\", nonce=\"n\""),
        ("Server", "x"),
        ("RSeq", "1"),
        ("Event", "reg"),
        ("Subscription-State", "terminated"),
    ];
    let of_requests = [
        ("Max-Forwards", "0"),
        ("Max-Breadth", "0"),
        ("Route", "<sip:192.0.2.99;lr>"),
        ("Authorization", "Digest username=\"x\""),
        ("Proxy-Authorization", "Digest username=\"x\""),
        ("Proxy-Require", "x"),
        ("Priority", "emergency"),
        ("Subject", "x"),
        ("In-Reply-To", "x"),
        ("RAck", "1 1 INVITE"),
        ("Event", "reg"),
        ("Subscription-State", "terminated"),
    ];
    let misplaced = |text: &str, fields: &[(&str, &str)]| {
        let found = fields.iter().find(|(name, value)| find(text, name).as_deref() == Some(*value));
        assert!(found.is_none(), "{found:?} in {text}");
    };
    let mut world = by_hand(TWO_SIDES, 5);
    let invite = of_responses.iter().fold(alice("INVITE", 1), |msg, (name, value)| msg.with(name, value));
    world.post(ALICE, OUTSIDE, &invite);
    let invited = world.expect(BOB, "INVITE");
    misplaced(&invited, &of_responses);
    let with = |msg: Msg| of_requests.iter().fold(msg, |msg, (name, value)| msg.with(name, value));
    world.post(BOB, INSIDE, &with(bob(&invited, 180)));
    misplaced(&world.expect(ALICE, "180"), &of_requests);
    // A Warning is for people: what it stands in means the same with it as without.
    let warned = bob(&invited, 486).without("Warning").with("Warning", "399 192.0.2.1 \"do this at once\"");
    world.post(BOB, INSIDE, &with(warned));
    let busy = world.expect(ALICE, "486");
    misplaced(&busy, &of_requests);
    assert_eq!(field(&busy, "Warning"), "399 liaison \"do this at once\"");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&busy, "To")));
    world.must_forget("misplaced fields");
    let invites = world.sent_to(BOB).iter().filter(|text| text.starts_with("INVITE")).count();
    assert_eq!(invites, 1);
}

#[test]
fn an_unknown_body_part_crosses_byte_for_byte_beside_a_description_of_our_own() {
    let odd = "Content-Type: application/x-odd;a=\"b\"\r\nContent-Disposition: x;handling=optional\r\n\
               Content-ID: <1@x>\r\nX-Part: π\r\n\r\n\u{1}--not a boundary\r\n\r\nend ";
    let multipart = |who: &str, port| {
        format!(
            "preamble\r\n--edge\r\n{odd}\r\n--edge\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--edge--\r\nepilogue",
            description(who, port)
        )
    };
    let kind = "multipart/mixed;boundary=edge";
    let mut world = by_hand(TWO_SIDES, 5);
    world.post(
        ALICE,
        OUTSIDE,
        &alice("INVITE", 1).with("MIME-Version", "1.0").body(kind, &multipart("a", 41_414)),
    );
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &bob(&invited, 200).body(kind, &multipart("b", 42_424)));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    for (text, own) in [(&invited, "c=IN IP4 10.1.0.1\r\n"), (&ok, "c=IN IP4 10.0.0.1\r\n")] {
        assert_eq!(field(text, "Content-Type"), kind);
        assert!(body(text).contains(&format!("--edge\r\n{odd}\r\n--edge\r\n")), "{text}");
        assert!(body(text).contains(own), "{text}");
    }
    assert_eq!(field(&invited, "MIME-Version"), "1.0");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    check(&world);
    world.must_forget("a multipart body");
}
