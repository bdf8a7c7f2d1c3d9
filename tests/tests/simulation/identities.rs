//! Who the parties of a call are, and what else they say that we only carry.

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, answer, by_hand, invite, ms};
use super::transfer::{CAROL, TARGET, accepted, carol_answers, notified, three};
use liaison_tests::message::{Msg, audio, body, field, fields, find};

const FROM_CHANGE: &str = "from-change";

/// Trusted on both sides.
fn trusted() -> String {
    TWO_SIDES.replace("[networks.carrier]\n", "[networks.carrier]\ntrusted = true\n")
}

/// A call between two that take another URI in From, or not.
fn between(alice: bool, bob: bool) -> (super::common::World, Call) {
    let mut world = by_hand(TWO_SIDES, 1);
    let says = |msg: Msg, takes: bool| if takes { msg.with("Supported", FROM_CHANGE) } else { msg };
    let call = Call::establish_with(&mut world, says(invite(), alice), |of| says(answer(of), bob));
    (world, call)
}

/// What a message claims of identities and calls, sorted.
fn said(text: &str) -> Vec<String> {
    let supported = fields(text).into_iter().filter(|(name, _)| name == "Supported");
    let mut tags: Vec<String> =
        supported.flat_map(|(_, value)| value.split(", ").map(str::to_owned).collect::<Vec<_>>()).collect();
    tags.retain(|tag| [FROM_CHANGE, "replaces", "tdialog"].contains(&tag.as_str()));
    tags.sort();
    tags
}

/// Whatever the far side takes, and each once; what the profile of a leg refuses is not claimed.
// conforms: RFC4916-4.1-1 RFC4916-4.2-1
#[test]
fn rfc4916_4_1_every_invite_and_every_response_that_makes_a_dialog_says_what_we_understand() {
    let refusing = format!("{TWO_SIDES}\n[profiles.default]\nrefer = \"refuse\"\n");
    let rows = [(TWO_SIDES, vec!["from-change", "replaces", "tdialog"]), (&refusing, vec!["from-change"])];
    for (document, expected) in rows {
        let mut world = by_hand(document, 1);
        let first = invite().with("Supported", "from-change");
        world.post(ALICE, OUTSIDE, &first);
        let invited = world.expect(BOB, "INVITE");
        assert_eq!(said(&invited), expected, "{invited}");
        world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
        let ringing = world.expect(ALICE, "180");
        assert_eq!(said(&ringing), expected, "{ringing}");
        world.post(BOB, INSIDE, &answer(&invited));
        let ok = world.expect(ALICE, "200");
        assert_eq!(said(&ok), expected, "{ok}");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
        let acked = world.expect(BOB, "ACK");
        let call = Call { ok, invited, acked };
        // So do re-INVITEs, towards either side.
        let sides = [
            (ALICE, OUTSIDE, BOB, INSIDE, call.alice("INVITE", 2)),
            (BOB, INSIDE, ALICE, OUTSIDE, call.bob("INVITE", 1)),
        ];
        for (from, ours, to, theirs, again) in sides {
            world.post(from, ours, &again.sdp(&audio(from, 4100)));
            let asked = world.expect(to, "INVITE");
            assert_eq!(said(&asked), expected, "{asked}");
            world.post(to, theirs, &Msg::response(&asked, 200, "").contact(to).sdp(&audio(to, 4200)));
            world.expect(to, "ACK");
            let ok = world.expect(from, "200");
            world.post(from, ours, &Msg::inside("ACK", from, if from == ALICE { 2 } else { 1 }, &ok));
        }
        call.hang_up(&mut world, 3);
    }
}

// conforms: RFC4916-4.4.1-2,3,4 RFC4916-4.4.2-1
#[test]
fn rfc4916_4_3_another_from_crosses_to_who_takes_it() {
    for (alice, bob) in [(true, true), (true, false)] {
        let (mut world, call) = between(alice, bob);
        let carol = "\"Carol\" <sip:carol@c.example>";
        let tagged = format!("{carol};tag=phone-1");
        let changed = call.alice("INVITE", 2).set("From", &tagged).sdp(&audio(ALICE, 4002));
        world.post(ALICE, OUTSIDE, &changed);
        let at_bob = world.expect(BOB, "INVITE");
        assert_eq!(field(&at_bob, "From").starts_with(carol), bob, "{at_bob}");
        world.post(BOB, INSIDE, &Msg::response(&at_bob, 200, "").contact(BOB).sdp(&audio(BOB, 6002)));
        world.expect(BOB, "ACK");
        let ok = world.expect(ALICE, "200");
        world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 2, &ok));
        // The dialog goes by its tags: who she was before is in it, too.
        world.post(ALICE, OUTSIDE, &call.alice("INFO", 3));
        let info = world.expect(BOB, "INFO");
        assert_eq!(field(&info, "From"), field(&at_bob, "From"));
        world.ok(BOB, INSIDE, &info);
        world.expect(ALICE, "200");
        world.post(ALICE, OUTSIDE, &call.alice("INFO", 4).set("From", &tagged));
        let info = world.expect(BOB, "INFO");
        world.ok(BOB, INSIDE, &info);
        world.expect(ALICE, "200");
        // What we send to her is to whom she is now.
        world.post(BOB, INSIDE, &call.bob("BYE", 1));
        let bye = world.expect(ALICE, "BYE");
        assert!(field(&bye, "To").starts_with(carol), "{bye}");
    }
}

// conforms: RFC4916-4.4.2-2
#[test]
fn rfc4916_4_4_2_a_request_that_fails_changes_nobodys_name() {
    let (mut world, call) = between(true, true);
    let changed =
        call.alice("INVITE", 2).set("From", "<sip:carol@c.example>;tag=phone-1").sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &changed);
    let at_bob = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&at_bob, 488, ""));
    world.expect(ALICE, "488");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &changed));
    world.post(BOB, INSIDE, &call.bob("BYE", 1));
    let bye = world.expect(ALICE, "BYE");
    assert!(!field(&bye, "To").contains("carol"), "{bye}");
}

/// A request that names somebody else and fails has named nobody: the next one is from who it was before.
#[test]
fn rfc4916_4_4_2_a_name_that_was_refused_is_taken_back() {
    let (mut world, call) = between(true, true);
    let before = field(&call.invited, "From");
    let changed =
        call.alice("INVITE", 2).set("From", "<sip:carol@c.example>;tag=phone-1").sdp(&audio(ALICE, 4002));
    world.post(ALICE, OUTSIDE, &changed);
    let at_bob = world.expect(BOB, "INVITE");
    assert!(field(&at_bob, "From").starts_with("<sip:carol@c.example>"), "{at_bob}");
    world.post(BOB, INSIDE, &Msg::response(&at_bob, 488, ""));
    world.expect(ALICE, "488");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &changed));
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 3));
    let info = world.expect(BOB, "INFO");
    assert_eq!(field(&info, "From"), before);
    world.ok(BOB, INSIDE, &info);
    world.expect(ALICE, "200");
    call.hang_up(&mut world, 4);
}

/// Bob transfers Alice to Carol: Alice's leg speaks for Carol from then on, and says so where Alice takes that.
// conforms: RFC4916-4.3-2
#[test]
fn rfc4916_4_3_who_is_transferred_hears_whom_it_talks_with_by_update_or_else_by_reinvite() {
    for (takes_name, takes_update) in [(true, true), (true, false), (false, true)] {
        let mut world = by_hand(&three(), 7);
        let allow =
            if takes_update { "INVITE, ACK, BYE, CANCEL, UPDATE" } else { "INVITE, ACK, BYE, CANCEL" };
        let first = invite().with("Allow", allow);
        let first = if takes_name { first.with("Supported", FROM_CHANGE) } else { first };
        let call = Call::establish_with(&mut world, first, answer);
        world.post(BOB, INSIDE, &call.bob("REFER", 1).with("Refer-To", &format!("<{TARGET}>")));
        accepted(&mut world, BOB, INSIDE);
        let invited = world.expect(CAROL, "INVITE");
        let acked = carol_answers(&mut world, &invited);
        notified(&mut world, BOB, INSIDE);
        if takes_name {
            let told = world.expect(ALICE, if takes_update { "UPDATE" } else { "INVITE" });
            assert!(field(&told, "From").starts_with(&format!("<{TARGET}>")), "{told}");
            assert_eq!(body(&told).is_empty(), takes_update, "another name alone is no offer");
            let ok = Msg::response(&told, 200, "").contact(ALICE);
            world.post(ALICE, OUTSIDE, &if takes_update { ok } else { ok.sdp(&audio(ALICE, 4000)) });
            if !takes_update {
                world.expect(ALICE, "ACK");
            }
        }
        world.run_for(ms(500));
        let said = world.unread(ALICE);
        assert!(said.iter().all(|text| text.contains("100 Trying")), "nothing else to say: {said:?}");
        world.post(CAROL, OUTSIDE, &Msg::inside("BYE", CAROL, 1, &acked));
        let bye = world.expect(ALICE, "BYE");
        assert_eq!(field(&bye, "From").starts_with(&format!("<{TARGET}>")), takes_name, "{bye}");
    }
}

/// Header fields that we have no part in, in the messages that they may stand in.
const CARRIED: &[(&str, &str)] = &[
    ("P-Asserted-Identity", "\"Alice\" <sip:alice@a.example>, <tel:+4930>"),
    ("Privacy", "id;critical"),
    ("Alert-Info", "<http://a.example/ring.wav>;x=y"),
    ("Call-Info", "<http://a.example/face.jpg>;purpose=icon"),
    ("Resource-Priority", "ets.0, dsn.flash"),
    ("Answer-Mode", "Auto;require"),
    ("Geolocation", "<cid:target123@a.example>"),
    ("Feature-Caps", "*;+g.3gpp.srvcc=\"<tel:+1>\""),
    ("User-to-User", "56a390f3d2b7310023a2;encoding=hex"),
    ("Organization", "A & Sons"),
    ("Diversion", "<sip:one@x>;reason=user-busy;counter=1"),
    ("History-Info", "<sip:one@x?Reason=SIP%3Bcause%3D302>;index=1;foo=bar"),
    ("X-Whatever", "  odd ;; =\"value"),
];
/// Those of requests only.
const OF_REQUESTS: &[(&str, &str)] = &[
    ("Accept-Contact", "*;audio;require"),
    ("Reject-Contact", "*;automata"),
    ("Subject", "Re: \u{3c0}"),
    ("Priority", "urgent"),
    ("In-Reply-To", "70710@a.example"),
];

fn dressed(msg: Msg, fields: &[(&str, &str)]) -> Msg {
    fields.iter().fold(msg, |msg, (name, value)| msg.with(name, value))
}

fn has_all(text: &str, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        assert_eq!(find(text, name).as_deref(), Some(value.trim()), "{name} in\n{text}");
    }
}

// conforms: RFC5806-3.1-3
#[test]
fn what_the_parties_say_of_themselves_and_of_the_call_crosses_as_it_is() {
    let mut world = by_hand(&trusted(), 2);
    let all = [CARRIED, OF_REQUESTS].concat();
    world.post(ALICE, OUTSIDE, &dressed(invite(), &all));
    let invited = world.expect(BOB, "INVITE");
    has_all(&invited, &all);
    world.post(BOB, INSIDE, &dressed(Msg::response(&invited, 180, "bob").contact(BOB), CARRIED));
    has_all(&world.expect(ALICE, "180"), CARRIED);
    world.post(BOB, INSIDE, &dressed(answer(&invited), CARRIED));
    let ok = world.expect(ALICE, "200");
    has_all(&ok, CARRIED);
    let acked = world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    let call = Call { ok, invited, acked };
    world.post(ALICE, OUTSIDE, &dressed(call.alice("INVITE", 2).sdp(&audio(ALICE, 4002)), &all));
    let again = world.expect(BOB, "INVITE");
    has_all(&again, &all);
    world.post(
        BOB,
        INSIDE,
        &dressed(Msg::response(&again, 200, "").contact(BOB).sdp(&audio(BOB, 6002)), CARRIED),
    );
    let ok = world.expect(ALICE, "200");
    has_all(&ok, CARRIED);
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 2, &ok));
    world.post(ALICE, OUTSIDE, &dressed(call.alice("BYE", 3), CARRIED));
    has_all(&world.expect(BOB, "BYE"), CARRIED);
}

/// In a dialog, from either side: what each method carries there and back.
#[test]
fn what_we_have_no_part_in_crosses_in_every_request_and_response_of_either_side() {
    let mut world = by_hand(&format!("{}\n[profiles.default]\nrefer = \"carry\"\n", trusted()), 4);
    let all = [CARRIED, OF_REQUESTS].concat();
    let call = Call::establish_with(&mut world, dressed(invite(), &all), |of| dressed(answer(of), CARRIED));
    let mut seq = 1;
    for (at, to, far, back) in [(ALICE, OUTSIDE, BOB, INSIDE), (BOB, INSIDE, ALICE, OUTSIDE)] {
        for (method, status) in
            [("INFO", "200"), ("MESSAGE", "202"), ("FOO", "403"), ("REFER", "603"), ("INVITE", "488")]
        {
            seq += 1;
            let request = if at == ALICE { call.alice(method, seq) } else { call.bob(method, seq) };
            let request = match method {
                "REFER" => request.with("Refer-To", "<sip:carol@c.example>"),
                "INVITE" => request.sdp(&audio(at, 4100)),
                _ => request.body("text/plain", "x"),
            };
            let request = dressed(request, &all);
            world.post(at, to, &request);
            let crossed = world.expect(far, method);
            has_all(&crossed, &all);
            let response = Msg::response(&crossed, status.parse().unwrap(), "");
            world.post(far, back, &dressed(response, CARRIED));
            has_all(&world.expect(at, status), CARRIED);
            if method == "INVITE" {
                world.expect(far, "ACK");
                world.post(at, to, &Msg::of_invite("ACK", &request));
            }
        }
    }
    call.hang_up(&mut world, seq + 1);
    world.must_forget("what is carried in a dialog");
}

/// Outside of any dialog, from either side.
#[test]
fn what_we_have_no_part_in_crosses_outside_of_dialogs_too() {
    let mut world = by_hand(&trusted(), 5);
    let all = [CARRIED, OF_REQUESTS].concat();
    let mut seq = 1;
    for (at, to, far, back) in [(ALICE, OUTSIDE, BOB, INSIDE), (BOB, INSIDE, ALICE, OUTSIDE)] {
        for (method, status) in [("MESSAGE", "200"), ("SUBSCRIBE", "489"), ("PUBLISH", "403"), ("FOO", "200")]
        {
            seq += 1;
            let uri = if at == ALICE { NUMBER } else { "sip:+4940@10.1.0.1" };
            let request = Msg::request(method, uri, at, seq);
            let request = match method {
                "SUBSCRIBE" | "PUBLISH" => request.with("Event", "presence").with("Expires", "60"),
                _ => request.body("text/plain", "x"),
            };
            world.post(at, to, &dressed(request, &all));
            let crossed = world.expect(far, method);
            has_all(&crossed, &all);
            world.post(far, back, &dressed(Msg::response(&crossed, status.parse().unwrap(), "far"), CARRIED));
            has_all(&world.expect(at, status), CARRIED);
        }
    }
    world.must_forget("what is carried outside of dialogs");
}

/// RFC 4412 §4.6.2 and the like: what must be understood is not promised for a far side that nobody has asked.
#[test]
fn an_extension_that_must_be_understood_crosses_where_the_profile_lets_it_and_is_420_where_not() {
    for tag in ["resource-priority", "geolocation-sip", "answermode"] {
        let mut world = by_hand(TWO_SIDES, 6);
        let invite = invite().with("Require", tag).with("Resource-Priority", "ets.0");
        world.post(ALICE, OUTSIDE, &invite);
        let refused = world.expect(ALICE, "420");
        assert_eq!(field(&refused, "Unsupported"), tag);
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
        world.expect_no(BOB, "INVITE");
        let mut world = by_hand(&format!("{TWO_SIDES}\n[profiles.default]\ntransparent = [\"{tag}\"]\n"), 6);
        world.post(ALICE, OUTSIDE, &invite);
        let invited = world.expect(BOB, "INVITE");
        assert_eq!(field(&invited, "Require"), tag);
        // What the far side says to it is the caller's to hear (RFC 4412 §4.6.2, RFC 6442 §4.3).
        let unknown = Msg::response(&invited, 417, "bob").with("Accept-Resource-Priority", "dsn.flash");
        world.post(BOB, INSIDE, &unknown);
        world.expect(BOB, "ACK");
        let refused = world.expect(ALICE, "417");
        world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite).set("To", &field(&refused, "To")));
    }
}

// conforms: RFC5876-4.4-1
/// Of a side that we do not trust, nobody's identity is asserted.
#[test]
fn rfc3325_5_an_asserted_identity_of_an_untrusted_side_crosses_in_no_message() {
    let mut world = by_hand(TWO_SIDES, 3);
    let asserted = [("P-Asserted-Identity", "<sip:alice@a.example>")];
    let call =
        Call::establish_with(&mut world, dressed(invite(), &asserted), |of| dressed(answer(of), &asserted));
    world.post(ALICE, OUTSIDE, &dressed(call.alice("INFO", 2), &asserted));
    let info = world.expect(BOB, "INFO");
    for text in [&call.invited, &call.ok, &info] {
        assert_eq!(find(text, "P-Asserted-Identity"), None, "{text}");
    }
}
