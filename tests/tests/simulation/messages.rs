//! Requests outside a dialog that begin no call: MESSAGE (RFC 3428), PUBLISH (RFC 3903), NOTIFY that nobody has subscribed to
//! (RFC 3842 of carriers), and methods that nobody here knows.

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, by_hand, document, ms, s};
use super::users::{self, DESK, MOBILE, REGISTRAR, TABLET};
use liaison_tests::message::{Msg, body, field, find, start, tag};

const CAROL: &str = "10.1.0.3:5060";
const COMPOSING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<isComposing xmlns=\"urn:ietf:params:xml:ns:im-iscomposing\">\
    \n<state>active</state></isComposing>";
const CPIM: &str = "From: MR SANDERS <im:piglet@100akerwood.com>\r\nTo: Depressed Donkey <im:eeyore@100akerwood.com>\r\n\
    DateTime: 2000-12-13T13:40:00-08:00\r\n\r\nContent-type: text/xml; charset=utf-8\r\n\r\n<body>\u{3c0}\r\n</body>\n";
/// Part of a message (RFC 3420 §5), which speaks of others: nothing of it is ours to change.
const SIPFRAG: &str = "INVITE sip:bob@biloxi.example.com SIP/2.0\r\nFrom: Alice <sip:alice@atlanta.example.com>\r\n\
    To: Bob <sip:bob@biloxi.example.com>\r\nCall-ID: a84b4c76e66710\r\nContact: <sip:alice@10.0.0.2>\r\n\r\n";

fn message(seq: u32) -> Msg {
    Msg::request("MESSAGE", NUMBER, ALICE, seq).without("Contact").body("text/plain", "Watson, come here.")
}

/// Alice's request as it comes to Bob.
fn crosses(world: &mut World, request: &Msg) -> String {
    world.post(ALICE, OUTSIDE, request);
    let text = request.text();
    world.expect(BOB, start(&text).split(' ').next().unwrap())
}

// conforms: RFC3428-4-2 RFC3428-7-1,2
#[test]
fn rfc3428_a_message_goes_where_a_call_would_and_its_response_comes_back() {
    let mut world = by_hand(TWO_SIDES, 1);
    let request = message(1).with("X-Keep", "yes").with("Expires", "60").with("In-Reply-To", "a@b");
    let crossed = crosses(&mut world, &request);
    insta::assert_snapshot!(crossed.replace('\r', ""), @r#"
    MESSAGE sip:+4930@10.1.0.2:5060 SIP/2.0
    Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bKb8j54q3j6cg37;rport;oc;oc-algo="loss"
    Max-Forwards: 69
    From: <sip:phone@10.0.0.2:5060>;tag=16q4g4jxdh229
    To: <sip:+4930@10.0.0.1>
    Call-ID: 73vxrj5mdwtxbyan4kxvx2x4hf
    CSeq: 1 MESSAGE
    User-Agent: Liaison
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, INFO, MESSAGE, PUBLISH, SUBSCRIBE
    X-Keep: yes
    Expires: 60
    In-Reply-To: a@b
    Max-Breadth: 60
    Content-Type: text/plain
    Content-Length: 18

    Watson, come here.
    "#);
    assert_ne!(tag(&crossed, "From"), tag(&request.text(), "From"));
    let answer = Msg::response(&crossed, 202, "bob").phrase("Accepted").with("X-Answer", "yes");
    world.post(BOB, INSIDE, &answer.contact(BOB).body("text/plain", "a 2xx has no body"));
    let heard = world.expect(ALICE, "202 Accepted");
    assert_eq!((field(&heard, "X-Answer"), body(&heard)), ("yes".into(), ""));
    assert!(find(&heard, "Contact").is_none() && find(&heard, "Content-Type").is_none(), "{heard}");
    // A failure says why, and what is taken instead.
    let crossed = crosses(&mut world, &message(2));
    world.post(BOB, INSIDE, &Msg::response(&crossed, 415, "bob").with("Accept", "message/cpim"));
    assert_eq!(field(&world.expect(ALICE, "415"), "Accept"), "message/cpim");
    assert_eq!(world.core.counters().messages_carried, 2);
    world.must_forget("messages");
}

// conforms: RFC3428-4-1 RFC3428-7-3
#[test]
fn rfc3862_rfc3994_bodies_of_messages_cross_byte_for_byte() {
    let mut world = by_hand(TWO_SIDES, 2);
    let signed = "--b\r\nContent-Type: message/cpim\r\n\r\nFrom: a\r\n\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nMII\r\n--b--\r\n";
    let bodies = [
        ("text/plain; charset=utf-8", "\u{3c0}\0\r\n"),
        ("message/cpim", CPIM),
        ("application/im-iscomposing+xml", COMPOSING),
        ("message/sipfrag;version=2.0", SIPFRAG),
        ("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "0\u{80}\u{6}\u{9}*"),
        ("multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b", signed),
        ("application/sdp", "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\n"),
        ("application/x-unheard-of", "\u{1}\u{2}"),
    ];
    for (n, (kind, text)) in (1..).zip(bodies) {
        let request = message(n).body(kind, text).with("Content-Disposition", "render");
        let crossed = crosses(&mut world, &request);
        assert_eq!((&*field(&crossed, "Content-Type"), body(&crossed)), (kind, text));
        assert_eq!(field(&crossed, "Content-Disposition"), "render");
        world.ok(BOB, INSIDE, &crossed);
        world.expect(ALICE, "200");
    }
    world.must_forget("bodies");
}

// conforms: RFC3428-8-1
#[test]
fn rfc3428_8_a_large_message_goes_by_tcp_or_not_at_all() {
    let large = message(1).body("text/plain", &"m".repeat(1400));
    let mut world = by_hand(TWO_SIDES, 3);
    world.post(ALICE, OUTSIDE, &large);
    world.expect(ALICE, "513");
    world.expect_no(BOB, "MESSAGE");
    // One that fits a datagram goes by one.
    let crossed = crosses(&mut world, &message(2).body("text/plain", &"m".repeat(700)));
    assert!(field(&crossed, "Via").starts_with("SIP/2.0/UDP"));
    world.ok(BOB, INSIDE, &crossed);
    world.expect(ALICE, "200");
    world.must_forget("large messages");

    let both = TWO_SIDES.replace(
        "listeners = [{ transport = \"udp\", address = \"10.1.0.1:5060\" }]",
        "listeners = [{ transport = \"udp\", address = \"10.1.0.1:5060\" }, { transport = \"tcp\", address = \"10.1.0.1:5060\" }]",
    );
    let mut world = by_hand(&both, 4);
    let crossed = crosses(&mut world, &large);
    assert!(field(&crossed, "Via").starts_with("SIP/2.0/TCP"), "{crossed}");
    assert_eq!(body(&crossed).len(), 1400);
}

#[test]
fn a_strict_side_refuses_messages_in_the_clear_and_says_why() {
    let strict =
        |what: &str| document("", "", &format!("[profiles.default]\nmessage = {{ {what} = true }}\n"));
    let mut world = by_hand(&strict("require_secure"), 5);
    world.post(ALICE, OUTSIDE, &message(1));
    let refused = world.expect(ALICE, "403");
    assert_eq!(field(&refused, "Warning"), "399 liaison \"Messages Over TLS Only\"");
    world.expect_no(BOB, "MESSAGE");
    // Within a call, too.
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("MESSAGE", 2).body("text/plain", "psst"));
    assert!(field(&world.expect(ALICE, "403"), "Warning").contains("TLS Only"));
    call.hang_up(&mut world, 3);

    // So does the side that it would go to.
    let there =
        document("", "profile = \"strict\"", "[profiles.strict]\nmessage = { require_secure = true }\n");
    let mut world = by_hand(&there, 15);
    world.post(ALICE, OUTSIDE, &message(1));
    assert!(field(&world.expect(ALICE, "403"), "Warning").contains("TLS Only"));
    world.expect_no(BOB, "MESSAGE");

    let mut world = by_hand(&strict("require_end_to_end"), 6);
    world.post(ALICE, OUTSIDE, &message(1));
    assert_eq!(field(&world.expect(ALICE, "403"), "Warning"), "399 liaison \"Messages With S/MIME Only\"");
    let crossed = crosses(&mut world, &message(2).body("application/pkcs7-mime", "0"));
    world.ok(BOB, INSIDE, &crossed);
    world.expect(ALICE, "200");
    world.must_forget("strict sides");
}

#[test]
fn what_is_forbidden_or_may_go_no_further_is_refused_here() {
    let no = document(
        "",
        "",
        "[profiles.default]\ncarry = { forbid_methods = [\"MESSAGE\"], unknown_methods = false }\n",
    );
    let mut world = by_hand(&no, 7);
    world.post(ALICE, OUTSIDE, &message(1));
    let allow = field(&world.expect(ALICE, "405"), "Allow");
    assert!(allow.contains("PUBLISH") && !allow.contains("MESSAGE"), "{allow}");
    world.post(ALICE, OUTSIDE, &Msg::request("FOO", NUMBER, ALICE, 2));
    let allow = field(&world.expect(ALICE, "405"), "Allow");
    assert!(allow.contains("INVITE") && !allow.contains("FOO"), "{allow}");

    let mut world = by_hand(TWO_SIDES, 8);
    world.post(ALICE, OUTSIDE, &message(1).set("Max-Forwards", "0"));
    world.expect(ALICE, "483");
    world.post(ALICE, OUTSIDE, &message(2).with("Max-Breadth", "0"));
    world.expect(ALICE, "440");
    world.post(ALICE, OUTSIDE, &message(3).with("Require", "foo"));
    assert_eq!(field(&world.expect(ALICE, "420"), "Unsupported"), "foo");
    world.post("10.0.0.9:5060", OUTSIDE, &Msg::request("MESSAGE", NUMBER, "10.0.0.9:5060", 4));
    world.expect("10.0.0.9:5060", "403");
    for (n, method) in (5..).zip(["INFO", "UPDATE", "PRACK"]) {
        world.post(ALICE, OUTSIDE, &Msg::request(method, NUMBER, ALICE, n));
        world.expect(ALICE, "405");
    }
    world.expect_no(BOB, "");
    world.must_forget("refused requests");
}

#[test]
fn a_method_that_nobody_knows_crosses_outside_a_dialog_with_body_and_response() {
    let mut world = by_hand(TWO_SIDES, 9);
    let foo = Msg::request("FOO", NUMBER, ALICE, 1).body("application/x-foo", "\u{1}foo").with("X-Foo", "1");
    let crossed = crosses(&mut world, &foo);
    assert_eq!((body(&crossed), &*field(&crossed, "X-Foo")), ("\u{1}foo", "1"));
    world.post(BOB, INSIDE, &Msg::response(&crossed, 200, "bob").body("application/x-bar", "bar"));
    assert_eq!(body(&world.expect(ALICE, "200")), "bar");
    assert_eq!(world.core.counters().others_carried, 1);
    world.must_forget("FOO");
}

// conforms: RFC3903-4-1,2 RFC3903-6-2
#[test]
fn rfc3903_a_publication_is_made_refreshed_and_refused_by_whom_it_is_for() {
    let mut world = by_hand(TWO_SIDES, 10);
    let publish = |n: u32| {
        Msg::request("PUBLISH", NUMBER, ALICE, n)
            .without("Contact")
            .with("Event", "presence")
            .with("Expires", "600")
    };
    let first =
        publish(1).with("Record-Route", "<sip:p.example;lr>").body("application/pidf+xml", "<presence/>");
    let crossed = crosses(&mut world, &first);
    assert_eq!((&*field(&crossed, "Event"), &*field(&crossed, "Expires")), ("presence", "600"));
    assert_eq!(body(&crossed), "<presence/>");
    assert!(find(&crossed, "Contact").is_none() && find(&crossed, "Record-Route").is_none(), "{crossed}");
    let made = Msg::response(&crossed, 200, "bob").with("SIP-ETag", "dx200xyz").with("Expires", "300");
    world.post(BOB, INSIDE, &made.with("Record-Route", "<sip:q.example;lr>"));
    let heard = world.expect(ALICE, "200");
    assert_eq!((&*field(&heard, "SIP-ETag"), &*field(&heard, "Expires")), ("dx200xyz", "300"));
    assert_eq!(find(&heard, "Record-Route"), None);
    // A refresh has no body and names what it refreshes.
    let crossed = crosses(&mut world, &publish(2).with("SIP-If-Match", "dx200xyz"));
    assert_eq!((&*field(&crossed, "SIP-If-Match"), body(&crossed)), ("dx200xyz", ""));
    world.post(BOB, INSIDE, &Msg::response(&crossed, 412, "bob"));
    world.expect(ALICE, "412");
    let crossed = crosses(&mut world, &publish(3).set("Expires", "1"));
    world.post(BOB, INSIDE, &Msg::response(&crossed, 423, "bob").with("Min-Expires", "60"));
    assert_eq!(field(&world.expect(ALICE, "423"), "Min-Expires"), "60");
    assert_eq!(world.core.counters().publishes_carried, 3);
    world.must_forget("publications");
}

#[test]
fn who_is_not_there_leads_elsewhere_and_silence_ends_in_time() {
    let text = document("", "", "");
    let text = text.replace("[\"sip:10.1.0.2:5060\"]", "[\"sip:10.1.0.2:5060\", \"sip:10.1.0.3:5060\"]");
    let mut world = by_hand(&text, 11);
    let crossed = crosses(&mut world, &message(1));
    world.post(BOB, INSIDE, &Msg::response(&crossed, 503, "bob"));
    let crossed = world.expect(CAROL, "MESSAGE");
    world.ok(CAROL, INSIDE, &crossed);
    world.expect(ALICE, "200");
    crosses(&mut world, &message(2));
    let crossed = world.expect_within(CAROL, "MESSAGE", s(5));
    // Who takes its time gets it, where nobody else is left.
    world.run_for(s(12));
    world.ok(CAROL, INSIDE, &crossed);
    world.expect(ALICE, "200");
    crosses(&mut world, &message(3));
    let silent = world.expect_within(ALICE, "", s(31));
    assert!(start(&silent).starts_with("504"), "{silent}");
    world.must_forget("messages that nobody answered");
}

/// A message for Bob, from his own user.
fn to_bob(seq: u32) -> Msg {
    let request = Msg::request("MESSAGE", users::BOB, users::ALICE, seq).without("Contact");
    request.set("From", "<sip:alice@example.com>;tag=a").body("text/plain", "hello")
}

#[test]
fn rfc3428_6_every_device_has_it_and_the_sender_hears_of_one() {
    let mut world = users::world(users::DOCUMENT);
    for device in [DESK, MOBILE, TABLET] {
        users::bind(&mut world, "bob", device, "");
    }
    users::prove_as(&mut world, users::ALICE, &to_bob(1), "alice");
    let got = [DESK, MOBILE, TABLET].map(|device| world.expect(device, "MESSAGE"));
    for (device, text) in [DESK, MOBILE, TABLET].iter().zip(&got) {
        assert!(text.starts_with(&format!("MESSAGE sip:line@{device} SIP/2.0")), "{text}");
        assert_eq!(find(text, "Authorization"), None);
        assert_eq!(field(text, "Max-Breadth"), "20");
    }
    users::says(&mut world, DESK, &got[0], 486);
    users::says(&mut world, MOBILE, &got[1], 200);
    assert!(start(&world.expect(users::ALICE, "")).starts_with("200"));
    users::says(&mut world, TABLET, &got[2], 200);
    world.run_for(ms(60));
    assert_eq!(world.unread(users::ALICE), Vec::<String>::new(), "one response");
    // None has it: the best failure.
    users::prove_as(&mut world, users::ALICE, &to_bob(11), "alice");
    for (device, status) in [(DESK, 480), (MOBILE, 415), (TABLET, 500)] {
        let text = world.expect(device, "MESSAGE");
        users::says(&mut world, device, &text, status);
    }
    assert!(start(&world.expect(users::ALICE, "")).starts_with("415"));
    assert_eq!(world.core.counters().messages_carried, 2);
    assert_eq!(world.gauges().outside, 0);
}

/// Who declines for the user, declines for the devices that would be asked later, too (RFC 3261 §21.6).
#[test]
fn rfc3261_21_6_a_message_that_is_declined_for_the_user_goes_to_no_other_device() {
    let mut world = users::world(users::DOCUMENT);
    users::bind(&mut world, "bob", DESK, ";q=0.9");
    users::bind(&mut world, "bob", MOBILE, ";q=0.1");
    users::prove_as(&mut world, users::ALICE, &to_bob(1), "alice");
    let text = world.expect(DESK, "MESSAGE");
    users::says(&mut world, DESK, &text, 603);
    world.expect(users::ALICE, "603");
    world.expect_no(MOBILE, "MESSAGE");
    users::prove_as(&mut world, users::ALICE, &to_bob(11), "alice");
    let text = world.expect(DESK, "MESSAGE");
    users::says(&mut world, DESK, &text, 480);
    let text = world.expect(MOBILE, "MESSAGE");
    users::says(&mut world, MOBILE, &text, 200);
    world.expect(users::ALICE, "200");
}

#[test]
fn rfc3842_counts_of_a_carrier_reach_all_devices_where_policy_says_so() {
    let notify = |n: u32| {
        Msg::request("NOTIFY", NUMBER, ALICE, n)
            .with("Event", "message-summary")
            .with("Subscription-State", "active")
            .body(
                "application/simple-message-summary",
                "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n",
            )
    };
    let mut world = by_hand(TWO_SIDES, 13);
    world.post(ALICE, OUTSIDE, &notify(1));
    world.expect(ALICE, "481");
    world.expect_no(BOB, "NOTIFY");
    let carry = document("", "", "[profiles.default]\nunsolicited_notify = \"carry\"\n");
    let mut world = by_hand(&carry, 14);
    let crossed = crosses(&mut world, &notify(1));
    assert_eq!(field(&crossed, "Event"), "message-summary");
    assert_eq!(field(&crossed, "Subscription-State"), "active");
    assert_eq!(body(&crossed), "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n");
    world.ok(BOB, INSIDE, &crossed);
    world.expect(ALICE, "200");
    assert_eq!(world.core.counters().notifies_unsolicited, 1);
    world.must_forget("NOTIFYs without a subscription");

    let carry = "[profiles.default]\nunsolicited_notify = \"carry\"\n";
    let mut world = users::world(&format!("{}{carry}", users::DOCUMENT));
    users::bind(&mut world, "bob", DESK, "");
    users::bind(&mut world, "bob", MOBILE, "");
    let told = notify(2).uri(users::BOB).set("From", "<sip:alice@example.com>;tag=a");
    users::prove_as(&mut world, users::ALICE, &told, "alice");
    for device in [DESK, MOBILE] {
        let text = world.expect(device, "NOTIFY");
        users::says(&mut world, device, &text, 200);
    }
    let heard = world.expect(users::ALICE, "");
    assert!(start(&heard).starts_with("200"), "{heard}");
}

// conforms: RFC3903-14.1-1 RFC3903-14.2-1
#[test]
fn who_sends_proves_it_as_a_caller_does() {
    let mut world = users::world(users::DOCUMENT);
    users::bind(&mut world, "bob", DESK, "");
    world.post(users::ALICE, REGISTRAR, &to_bob(1));
    world.expect(users::ALICE, "401");
    world.expect_no(DESK, "MESSAGE");
    let publish = Msg::request("PUBLISH", users::BOB, users::ALICE, 5).with("Event", "presence");
    let publish = publish.set("From", "<sip:alice@example.com>;tag=a");
    // Whoever is not whom From names is refused.
    let refused = users::answered_as(&mut world, users::ALICE, &publish, "bob");
    assert!(start(&refused).starts_with("403"), "{refused}");
    users::prove_as(&mut world, users::ALICE, &publish.set("CSeq", "15 PUBLISH").branch("x"), "alice");
    let crossed = world.expect(DESK, "PUBLISH");
    users::says(&mut world, DESK, &crossed, 489);
    let heard = world.expect(users::ALICE, "");
    assert!(start(&heard).starts_with("489"), "{heard}");
}
