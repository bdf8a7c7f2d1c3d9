//! Sessions of RFC 3665 §3. A middle takes the place of the proxies: what they do by Record-Route, it does by being both ends.

use super::super::common::{
    ALICE, BOB, Call, INSIDE, OUTSIDE, TWO_SIDES, World, answer, by_hand, credential, document, invite, ms,
    s, trunk, with_secrets,
};
use super::flow;
use b2bua::snapshot::Secrets;
use insta::assert_snapshot;
use liaison_tests::message::{Msg, field};
use std::collections::BTreeMap;

/// Alice calls, and Bob is asked.
fn calls(world: &mut World) -> String {
    world.post(ALICE, OUTSIDE, &invite());
    world.expect(BOB, "INVITE")
}

fn rings(world: &mut World, invited: &str) {
    world.post(BOB, INSIDE, &Msg::response(invited, 180, "bob").phrase("Ringing").contact(BOB));
    world.expect(ALICE, "180");
}

/// Bob refuses, and Alice hears of it.
fn refused(world: &mut World, invited: &str, status: u16, phrase: &str) {
    world.post(BOB, INSIDE, &Msg::response(invited, status, "bob").phrase(phrase));
    world.expect(BOB, "ACK");
    let heard = world.expect(ALICE, &status.to_string());
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&heard, "To")));
    world.must_forget(phrase);
}

#[test]
fn rfc3665_3_1_successful_session_establishment() {
    let mut world = by_hand(TWO_SIDES, 1);
    let call = Call::establish(&mut world);
    // F6: it is Bob who hangs up.
    world.post(BOB, INSIDE, &call.bob("BYE", 1));
    world.expect(BOB, "200");
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.run_for(ms(20));
    assert_snapshot!(flow(&world));
    world.must_forget("a session");
}

#[test]
fn rfc3665_3_3_session_establishment_with_a_proxy_that_authenticates() {
    let credentials = "credentials = [{ realm = \"biloxi.example.com\", username = \"liaison\", password = { env = \"X\" } }]";
    let known = [("biloxi.example.com".into(), credential("liaison", "wf84f1"))];
    let mut secrets = Secrets::default();
    secrets.outbound.insert(trunk("pbx"), BTreeMap::from(known));
    let mut world = with_secrets(&document("", credentials, ""), secrets, 3);
    let invited = calls(&mut world);
    let challenge = "Digest realm=\"biloxi.example.com\", qop=\"auth\", nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", stale=FALSE, algorithm=MD5";
    let asked = Msg::response(&invited, 407, "ss2").phrase("Proxy Authorization Required");
    world.post(BOB, INSIDE, &asked.with("Proxy-Authenticate", challenge));
    world.expect(BOB, "ACK");
    let invited = world.expect(BOB, "INVITE");
    rings(&mut world, &invited);
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.post(ALICE, OUTSIDE, &Msg::inside("BYE", ALICE, 2, &ok));
    world.expect(ALICE, "200");
    let bye = world.expect(BOB, "BYE");
    world.ok(BOB, INSIDE, &bye);
    world.run_for(ms(20));
    assert_snapshot!(flow(&world));
    world.must_forget("a session that is authenticated");
}

#[test]
fn rfc3665_3_6_session_with_a_failure_of_the_first_proxy() {
    let document =
        TWO_SIDES.replace("[\"sip:10.1.0.2:5060\"]", "[\"sip:10.1.0.9:5060\", \"sip:10.1.0.2:5060\"]");
    let mut world = by_hand(&document, 6);
    world.post(ALICE, OUTSIDE, &invite());
    // The first one is silent for as long as a target may be.
    let invited = world.expect_within(BOB, "INVITE", s(40));
    rings(&mut world, &invited);
    world.post(BOB, INSIDE, &answer(&invited));
    let ok = world.expect(ALICE, "200");
    world.expect(BOB, "ACK");
    world.post(ALICE, OUTSIDE, &Msg::inside("ACK", ALICE, 1, &ok));
    world.run_for(ms(20));
    assert_snapshot!(flow(&world));
    world.post(
        BOB,
        INSIDE,
        &Msg::inside("BYE", BOB, 1, &invited).set("From", &format!("{};tag=bob", field(&invited, "To"))),
    );
    let bye = world.expect(ALICE, "BYE");
    world.ok(ALICE, OUTSIDE, &bye);
    world.must_forget("a session by the second proxy");
}

#[test]
fn rfc3665_3_8_unsuccessful_no_answer() {
    let mut world = by_hand(TWO_SIDES, 8);
    let invited = calls(&mut world);
    rings(&mut world, &invited);
    world.post(ALICE, OUTSIDE, &Msg::of_invite("CANCEL", &invite()));
    let cancel = world.expect(BOB, "CANCEL");
    world.ok(BOB, INSIDE, &cancel);
    let heard = world.expect(ALICE, "487");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&heard, "To")));
    world.post(BOB, INSIDE, &Msg::response(&invited, 487, "bob").phrase("Request Terminated"));
    world.expect(BOB, "ACK");
    assert_snapshot!(flow(&world));
    world.must_forget("a call that nobody answers");
}

#[test]
fn rfc3665_3_9_unsuccessful_busy() {
    let mut world = by_hand(TWO_SIDES, 9);
    let invited = calls(&mut world);
    refused(&mut world, &invited, 486, "Busy Here");
    assert_snapshot!(flow(&world));
}

#[test]
fn rfc3665_3_10_unsuccessful_no_response_from_the_user_agent() {
    let mut world = by_hand(TWO_SIDES, 10);
    calls(&mut world);
    world.run_for(s(40));
    let heard = world.expect(ALICE, "408");
    world.post(ALICE, OUTSIDE, &Msg::of_invite("ACK", &invite()).set("To", &field(&heard, "To")));
    assert_snapshot!(flow(&world));
    world.must_forget("a call that meets silence");
}

#[test]
fn rfc3665_3_11_unsuccessful_temporarily_unavailable() {
    let mut world = by_hand(TWO_SIDES, 11);
    let invited = calls(&mut world);
    rings(&mut world, &invited);
    refused(&mut world, &invited, 480, "Temporarily Unavailable");
    assert_snapshot!(flow(&world));
}
