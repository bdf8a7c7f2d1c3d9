//! What the failure of the called side becomes towards the caller.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand, invite, s};
use super::users;
use liaison_tests::message::{Msg, body, field, find, start};

/// Bob refuses: what Alice gets.
fn refusal(document: &str, refuse: impl FnOnce(&str) -> Msg) -> String {
    let mut world = by_hand(document, 1);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    let refusal = refuse(&invited);
    world.post(BOB, INSIDE, &refusal);
    world.expect(BOB, "ACK");
    finish(&mut world, &refusal.text())
}

/// Alice's final response, acknowledged; nothing is left.
fn finish(world: &mut World, what: &str) -> String {
    let address: std::net::SocketAddr = ALICE.parse().unwrap();
    world.run_for(super::common::ms(20));
    let refused = world.mail.iter().filter(|d| d.to == address).map(|d| d.text());
    let refused = refused.into_iter().find(|text| !start(text).starts_with('1')).unwrap();
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&refused, "To")));
    world.must_forget(what);
    assert_eq!(world.records.lock().unwrap().len(), 1, "{what}");
    refused
}

// conforms: RFC3261-8.1.3.2-1
#[test]
fn rfc3261_16_7_failures_keep_their_status_but_for_what_is_ours() {
    let table = [
        (400, 400),
        (401, 403),
        (403, 403),
        (404, 404),
        (407, 403),
        (408, 408),
        (410, 410),
        (480, 480),
        (484, 484),
        (486, 486),
        (488, 488),
        (500, 500),
        (501, 501),
        (503, 500),
        (504, 504),
        (580, 580),
        (600, 600),
        (603, 603),
        (606, 606),
        (499, 499),
        (699, 699),
    ];
    for (from, to) in table {
        let refused = refusal(TWO_SIDES, |invited| {
            Msg::response(invited, from, "no")
                .with("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"")
                .with("Proxy-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"")
        });
        assert!(start(&refused).starts_with(&to.to_string()), "{from} became {refused}");
        assert_eq!(find(&refused, "WWW-Authenticate").or(find(&refused, "Proxy-Authenticate")), None);
    }
}

#[test]
fn a_profile_changes_the_status() {
    let table = "\n[profiles.default]\nfailures = { \"480\" = 486, \"503\" = 503 }\n";
    let document = format!("{TWO_SIDES}{table}");
    for (from, to) in [(480, "486 Busy Here"), (503, "503 ")] {
        let refused = refusal(&document, |invited| Msg::response(invited, from, "no"));
        assert!(start(&refused).starts_with(to), "{refused}");
    }
}

#[test]
fn reason_phrase_warning_and_reason_cross() {
    let warning = "399 b.example \"Line, busy\"";
    let reason = "Q.850;cause=17;text=\"User busy\"";
    let refused = refusal(TWO_SIDES, |invited| {
        Msg::response(invited, 486, "no")
            .phrase("Gerade beschäftigt")
            .with("Warning", warning)
            .with("Reason", reason)
            .with("Retry-After", "18 (busy)")
            .with("X-Keep", "π")
            .body("text/odd", "why")
    });
    assert_eq!(start(&refused), "486 Gerade beschäftigt");
    let ours = "399 liaison \"Line, busy\"";
    let expected = [("Warning", ours), ("Reason", reason), ("Retry-After", "18 (busy)"), ("X-Keep", "π")];
    for (name, value) in expected.into_iter().chain([("Content-Type", "text/odd")]) {
        assert_eq!(field(&refused, name), value);
    }
    assert_eq!(body(&refused), "why");
}

/// RFC 8606: the location of a cause is kept with it.
#[test]
fn rfc6432_a_cause_of_isdn_and_its_location_cross_as_they_are() {
    let reason = "Q.850;cause=34;location=LN;text=\"No circuit\"";
    let refused = refusal(TWO_SIDES, |invited| Msg::response(invited, 503, "no").with("Reason", reason));
    assert!(start(&refused).starts_with("500"), "{refused}");
    assert_eq!(field(&refused, "Reason"), reason);
}

// conforms: RFC3326-2-1
#[test]
fn rfc3398_causes_are_added_and_heeded_where_the_profile_says_so() {
    let document = format!("{TWO_SIDES}\n[profiles.default]\ncauses = {{ add = true, heed = true }}\n");
    let refused = refusal(&document, |invited| Msg::response(invited, 404, "no"));
    assert_eq!(field(&refused, "Reason"), "Q.850;cause=1");
    let busy = "Q.850;cause=17;location=RLN";
    let refused = refusal(&document, |invited| Msg::response(invited, 500, "no").with("Reason", busy));
    assert!(start(&refused).starts_with("486"), "{refused}");
    assert_eq!(field(&refused, "Reason"), busy);
    let mut world = by_hand(&document, 4);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("BYE", 2));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    assert_eq!(field(&bye, "Reason"), "Q.850;cause=16");
    world.ok(BOB, INSIDE, &bye);
    // Who gives up has the others cancelled for the same cause.
    world.post(ALICE, OUTSIDE, &invite().set("Call-ID", "second").branch("second"));
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 180, "bob").contact(BOB));
    world.expect(ALICE, "180");
    let cancel = Msg::of_invite("CANCEL", &invite().set("Call-ID", "second").branch("second"));
    world.post(ALICE, OUTSIDE, &cancel.with("Reason", "SIP;cause=600"));
    assert_eq!(reasons(&world.expect(BOB, "CANCEL")), ["SIP;cause=600", "Q.850;cause=17"]);
}

/// Bob has begun anew, and knows of no call (RFC 3261 §12.2.1.2): both legs end, each with its Reason.
#[test]
fn rfc3261_12_2_1_2_a_peer_that_knows_the_dialog_no_more_ends_the_call() {
    let mut world = by_hand(TWO_SIDES, 5);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 2));
    let info = world.expect(BOB, "INFO");
    world.post(BOB, INSIDE, &Msg::response(&info, 481, ""));
    world.expect(ALICE, "481");
    for (at, from) in [(BOB, INSIDE), (ALICE, OUTSIDE)] {
        let bye = world.expect(at, "BYE");
        assert_eq!(field(&bye, "Reason"), "SIP;cause=481;text=\"Dialog lost\"");
        world.post(at, from, &Msg::response(&bye, 481, ""));
    }
    world.must_forget("a peer that has begun anew");
    assert_eq!(world.records.lock().unwrap()[0].cause, "dialog lost");
}

fn reasons(text: &str) -> Vec<String> {
    let fields = liaison_tests::message::fields(text).into_iter();
    fields.filter(|(name, _)| name == "Reason").map(|(_, value)| value).collect()
}

/// The best failure of a user's devices, and the statuses of the others beside it.
#[test]
fn rfc3261_16_7_the_caller_hears_the_best_failure_and_of_the_rest() {
    let mut world = users::world(users::DOCUMENT);
    let devices = [(users::DESK, 486), (users::MOBILE, 404), (users::TABLET, 480)];
    for (device, _) in devices {
        users::bind(&mut world, "bob", device, "");
    }
    users::call(&mut world, users::BOB);
    for ((device, status), cause) in devices.into_iter().zip([17, 1, 18]) {
        let invited = world.expect(device, "INVITE");
        let reason = format!("Q.850;cause={cause};text=\"so, \\\"there\\\"\";location=U");
        let refusal = Msg::response(&invited, status, "no").with("Reason", &reason);
        world.post(device, users::REGISTRAR, &refusal);
        world.expect(device, "ACK");
    }
    let refused = world.expect(users::ALICE, "486");
    assert_eq!(
        field(&refused, "Warning"),
        "399 liaison \"Other branches: 404 (Q.850 1 U), 480 (Q.850 18 U)\""
    );
    assert_eq!(
        reasons(&refused),
        ["Q.850;cause=17;text=\"so, \\\"there\\\"\";location=U"],
        "one of a protocol"
    );
}

#[test]
fn a_description_in_a_failure_speaks_of_the_other_side_and_does_not_cross() {
    let refused = refusal(TWO_SIDES, |invited| {
        Msg::response(invited, 488, "no").sdp(&liaison_tests::message::audio(BOB, 6000))
    });
    assert_eq!(body(&refused), "");
    assert_eq!(find(&refused, "Content-Type"), None);
}

// conforms: RFC3261-8.1.3.1-1 RFC7339-5.9-1,2
#[test]
fn rfc3261_17_1_1_2_a_silent_target_times_out() {
    let mut world = by_hand(TWO_SIDES, 2);
    world.post(ALICE, OUTSIDE, &invite());
    world.run_for(s(31));
    assert!(world.unread(ALICE).iter().all(|text| start(text).starts_with("100")));
    world.run_for(s(2));
    let invites = world.unread(BOB);
    assert_eq!(invites.len(), 7, "timer A doubles within 64*T1");
    assert!(start(&finish(&mut world, "a silent target")).starts_with("408"));
}

#[test]
fn an_answer_without_the_answer_that_is_owed_fails_the_call_on_both_legs() {
    let mut world = by_hand(TWO_SIDES, 3);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB));
    world.expect(BOB, "ACK");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    assert!(start(&finish(&mut world, "no answer to the offer")).starts_with('5'));
}

/// What is wrong with an answer is the doing of whom we have called, and none of the caller's (RFC 3261 §21.5.3).
#[test]
fn rfc3261_21_5_3_an_answer_that_cannot_be_taken_is_a_bad_gateway() {
    let mut world = by_hand(TWO_SIDES, 6);
    world.post(ALICE, OUTSIDE, &invite());
    let invited = world.expect(BOB, "INVITE");
    let more = liaison_tests::message::audio(BOB, 6000) + "m=video 6002 RTP/AVP 31\r\n";
    world.post(BOB, INSIDE, &Msg::response(&invited, 200, "bob").contact(BOB).sdp(&more));
    world.expect(BOB, "ACK");
    let bye = world.expect(BOB, "BYE");
    assert!(field(&bye, "Reason").starts_with("SIP;cause=488"), "{bye}");
    world.ok(BOB, INSIDE, &bye);
    assert!(start(&finish(&mut world, "an answer to what was not offered")).starts_with("502"));
}
