//! Other requests in a dialog: carried with what nobody here understands, unless a policy forbids it by name.

use super::common::{ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, by_hand};
use liaison_tests::message::{Msg, body, field, find, seq, start};

/// A request that both ways must carry.
fn odd(request: Msg) -> Msg {
    request
        .with("X-Keep", "π")
        .with("Content-Disposition", "signal;handling=required")
        .with("Content-ID", "<one@two>")
        .body("application/x-odd; k=\"a;b\"", "line one\r\n\r\n--\u{1}π")
}

fn cross(world: &mut World, call: &Call, caller: bool, method: &str, number: u32) {
    let (at, to, far, back) =
        if caller { (ALICE, OUTSIDE, BOB, INSIDE) } else { (BOB, INSIDE, ALICE, OUTSIDE) };
    let request = if caller { call.alice(method, number) } else { call.bob(method, number) };
    world.post(at, to, &odd(request));
    let crossed = world.expect(far, method);
    assert_eq!(body(&crossed), "line one\r\n\r\n--\u{1}π");
    for (name, value) in [
        ("Content-Type", "application/x-odd; k=\"a;b\""),
        ("Content-Disposition", "signal;handling=required"),
        ("Content-ID", "<one@two>"),
        ("X-Keep", "π"),
        ("Max-Forwards", "69"),
    ] {
        assert_eq!(field(&crossed, name), value);
    }
    let response = Msg::response(&crossed, 299, "").phrase("Ünusual").with("X-Back", "β");
    world.post(far, back, &response.body("text/odd", "yes"));
    let answer = world.expect(at, "299");
    assert_eq!(start(&answer), "299 Ünusual");
    assert_eq!(body(&answer), "yes");
    assert_eq!(field(&answer, "Content-Type"), "text/odd");
    assert_eq!(field(&answer, "X-Back"), "β");
    assert_eq!(field(&answer, "CSeq"), format!("{number} {method}"));
}

// conforms: RFC7332-5-1
#[test]
fn known_and_unknown_methods_cross_both_ways_with_body_and_response() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = Call::establish(&mut world);
    for (n, method) in (0..).zip(["INFO", "FOO"]) {
        cross(&mut world, &call, true, method, 2 + n);
        cross(&mut world, &call, false, method, 1 + n);
    }
    call.hang_up(&mut world, 10);
    world.must_forget("carried requests");
}

#[test]
fn a_refusal_of_a_carried_request_crosses_and_the_call_goes_on() {
    let mut world = by_hand(TWO_SIDES, 2);
    let call = Call::establish(&mut world);
    for (n, status) in (2..).zip([405, 415, 469, 500, 603]) {
        world.post(ALICE, OUTSIDE, &call.alice("INFO", n).body("text/plain", "x"));
        let crossed = world.expect(BOB, "INFO");
        world.post(BOB, INSIDE, &Msg::response(&crossed, status, ""));
        world.expect(ALICE, &status.to_string());
    }
    // What answers with a challenge asks Liaison, which has nothing to say.
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 20).body("text/plain", "x"));
    let crossed = world.expect(BOB, "INFO");
    let challenge =
        Msg::response(&crossed, 401, "").with("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\"");
    world.post(BOB, INSIDE, &challenge);
    let refused = world.expect(ALICE, "403");
    assert_eq!(find(&refused, "WWW-Authenticate"), None);
    call.hang_up(&mut world, 21);
    world.must_forget("refused requests");
}

#[test]
fn rfc3261_12_2_1_2_a_481_ends_the_call_on_both_legs() {
    let mut world = by_hand(TWO_SIDES, 3);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 2).body("text/plain", "x"));
    let crossed = world.expect(BOB, "INFO");
    world.post(BOB, INSIDE, &Msg::response(&crossed, 481, ""));
    world.expect(ALICE, "481");
    for (at, from) in [(ALICE, OUTSIDE), (BOB, INSIDE)] {
        let bye = world.expect(at, "BYE");
        world.ok(at, from, &bye);
    }
    world.must_forget("a lost dialog");
}

#[test]
fn what_a_policy_forbids_by_name_is_refused_by_name() {
    let carry =
        "\n[profiles.default]\ncarry = { forbid_methods = [\"FOO\"], forbid_bodies = [\"image/*\"] }\n";
    let mut world = by_hand(&format!("{TWO_SIDES}{carry}"), 4);
    let call = Call::establish(&mut world);
    for (at, to, far) in [(ALICE, OUTSIDE, BOB), (BOB, INSIDE, ALICE)] {
        let send = |method, n| if at == ALICE { call.alice(method, n) } else { call.bob(method, n) };
        world.post(at, to, &send("FOO", 2));
        let refused = world.expect(at, "405");
        let allow = field(&refused, "Allow");
        assert!(allow.contains("INVITE") && !allow.contains("FOO"), "{allow}");
        world.post(at, to, &send("INFO", 3).body("image/png", "x"));
        let refused = world.expect(at, "415");
        assert!(find(&refused, "Accept").is_some(), "{refused}");
        // What need not be understood is left out.
        let optional =
            send("INFO", 4).body("image/png", "x").with("Content-Disposition", "x;handling=optional");
        world.post(at, to, &optional);
        let crossed = world.expect(far, "INFO");
        assert_eq!(body(&crossed), "");
        assert_eq!(find(&crossed, "Content-Type"), None);
        world.ok(far, if at == ALICE { INSIDE } else { OUTSIDE }, &crossed);
        world.expect(at, "200");
        world.expect_no(far, "FOO");
    }
    call.hang_up(&mut world, 5);
    world.must_forget("forbidden requests");
}

// conforms: RFC7332-5-2
#[test]
fn a_leg_answers_what_is_its_own() {
    let mut world = by_hand(TWO_SIDES, 5);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("OPTIONS", 2));
    let answer = world.expect(ALICE, "200");
    assert!(find(&answer, "Allow").is_some() && find(&answer, "Accept").is_some(), "{answer}");
    world.post(ALICE, OUTSIDE, &call.alice("REGISTER", 3));
    world.expect(ALICE, "405");
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 4).set("Max-Forwards", "0"));
    world.expect(ALICE, "483");
    world.run_for(super::common::ms(20));
    assert_eq!(world.unread(BOB), Vec::<String>::new(), "the other leg hears nothing of it");
    call.hang_up(&mut world, 5);
    world.must_forget("requests of the leg's own");
}

// conforms: RFC7332-5-3
#[test]
fn rfc7332_5_a_request_without_max_forwards_gets_one_on_the_other_leg() {
    let mut world = by_hand(TWO_SIDES, 7);
    let without = |msg: Msg| msg.without("Max-Forwards");
    let call = Call::establish_with(&mut world, without(super::common::invite()), super::common::answer);
    assert_eq!(field(&call.invited, "Max-Forwards"), "70");
    world.post(ALICE, OUTSIDE, &without(call.alice("INFO", 2)));
    let crossed = world.expect(BOB, "INFO");
    assert_eq!(field(&crossed, "Max-Forwards"), "70");
    world.ok(BOB, INSIDE, &crossed);
    world.expect(ALICE, "200");
    call.hang_up(&mut world, 3);
    world.must_forget("requests without Max-Forwards");
}

#[test]
fn each_leg_counts_its_own_requests() {
    let mut world = by_hand(TWO_SIDES, 6);
    let call = Call::establish(&mut world);
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 1_000));
    let first = world.expect(BOB, "INFO");
    assert_eq!(seq(&first), seq(&call.invited) + 1);
    world.ok(BOB, INSIDE, &first);
    world.expect(ALICE, "200");
    // An older number is out of order (RFC 3261 §12.2.2).
    world.post(ALICE, OUTSIDE, &call.alice("INFO", 999));
    world.expect(ALICE, "500");
    world.expect_no(BOB, "INFO");
    call.hang_up(&mut world, 1_001);
    world.must_forget("numbers of each leg's own");
}

#[test]
fn answers_that_come_in_another_order_are_those_of_their_requests() {
    let mut world = by_hand(TWO_SIDES, 21);
    let call = Call::establish(&mut world);
    let infos = [2, 3].map(|number| {
        world.post(ALICE, OUTSIDE, &call.alice("INFO", number));
        world.expect(BOB, "INFO")
    });
    for (info, number, status) in [(&infos[1], 3, 200), (&infos[0], 2, 488)] {
        world.post(BOB, INSIDE, &Msg::response(info, status, ""));
        let answer = world.expect(ALICE, &status.to_string());
        assert_eq!(field(&answer, "CSeq"), format!("{number} INFO"));
    }
    call.hang_up(&mut world, 4);
    world.must_forget("answers in another order");
}
