//! OPTIONS outside a dialog (RFC 3261 §11): answered as a call would be, or carried to whom a call would reach.

use super::common::{ALICE, BOB, Call, INSIDE, NUMBER, OUTSIDE, TWO_SIDES, World, by_hand, document, ms, s};
use super::users::{self, DESK, REGISTRAR};
use liaison_tests::message::{Msg, audio, body, field, find, start, tag, uri_in};

const US: &str = "sip:10.0.0.1";
const EVE: &str = "10.0.0.9:5060";
const CAROL: &str = "10.1.0.3:5060";

fn options(uri: &str, from: &str, seq: u32) -> Msg {
    Msg::request("OPTIONS", uri, from, seq).with("Accept", "application/sdp")
}

/// Who asks hears that.
fn hears(world: &mut World, from: &str, request: &Msg, status: &str) -> String {
    world.post(from, OUTSIDE, request);
    world.expect(from, status)
}

// conforms: RFC3261-11.2-1
#[test]
fn rfc3261_11_2_options_has_the_status_that_an_invite_would_have() {
    let mut world = by_hand(TWO_SIDES, 1);
    let ours = hears(&mut world, ALICE, &options(US, ALICE, 1), "200");
    assert_eq!(
        field(&ours, "Allow"),
        "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, INFO, MESSAGE, PUBLISH, SUBSCRIBE"
    );
    for name in ["Accept", "Accept-Encoding", "Accept-Language", "Supported"] {
        assert!(find(&ours, name).is_some(), "{name} in {ours}");
    }
    hears(&mut world, EVE, &options(US, EVE, 1), "403");
    assert_eq!(world.core.counters().strangers, 1);
    hears(&mut world, ALICE, &options("mailto:x@example.com", ALICE, 2), "416");
    hears(&mut world, ALICE, &options(US, ALICE, 3).with("Require", "foo"), "420");
    hears(&mut world, ALICE, &options(US, ALICE, 4).with("Max-Breadth", "0"), "440");
    assert_eq!(world.core.counters().breadthless, 1);
    world.must_forget("OPTIONS that are for us");
    world.expect_no(BOB, "OPTIONS");

    // As many calls as the trunk, and as the node, may have.
    for (trunk, node) in [("max_calls = 1", ""), ("", "[limits]\ncalls = 1\n")] {
        let mut full = by_hand(&document(trunk, "", node), 2);
        hears(&mut full, ALICE, &options(US, ALICE, 60), "200");
        let call = Call::establish(&mut full);
        let refused = hears(&mut full, ALICE, &options(US, ALICE, 61), "503");
        assert_eq!(field(&refused, "Retry-After"), "10");
        let counters = full.core.counters();
        assert_eq!(counters.trunk_full + counters.overloaded, 1, "as an INVITE is counted");
        call.hang_up(&mut full, 2);
        hears(&mut full, ALICE, &options(US, ALICE, 62), "200");
    }

    let called = document("", "", "").replace("networks = [\"carrier\"]", "called = [\"+49*\"]");
    let mut unroutable = by_hand(&called, 4);
    hears(&mut unroutable, ALICE, &options("sip:+1@10.0.0.1", ALICE, 1), "404");
    assert_eq!(unroutable.core.counters().unroutable, 1);
}

#[test]
fn a_users_capabilities_cross_as_far_as_both_sides_have_them() {
    let mut world = by_hand(&document("", "", ""), 5);
    let request =
        options(NUMBER, ALICE, 1).with("X-Ask", "yes").set("Max-Forwards", "9").with("Allow", "FOO, REFER");
    world.post(ALICE, OUTSIDE, &request);
    let asked = world.expect(BOB, "OPTIONS");
    insta::assert_snapshot!(asked.replace('\r', ""), @r#"
    OPTIONS sip:+4930@10.1.0.2:5060 SIP/2.0
    Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK5aeb0dbrejvj1;rport;oc;oc-algo="loss"
    Max-Forwards: 8
    From: <sip:phone@10.0.0.2:5060>;tag=ttgkrhj1vs066
    To: <sip:+4930@10.0.0.1>
    Call-ID: rqdes9p9hs51c7agq680ykp4q3
    CSeq: 1 OPTIONS
    User-Agent: Liaison
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, FOO
    Accept: application/sdp
    X-Ask: yes
    Max-Breadth: 60
    Content-Length: 0
    "#);
    assert_ne!(field(&asked, "Call-ID"), field(&request.text(), "Call-ID"));
    assert_ne!(tag(&asked, "From"), tag(&request.text(), "From"));
    let capable = Msg::response(&asked, 200, "bob")
        .contact(BOB)
        .with("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, REFER, NOTIFY, FOO")
        .with("Supported", "100rel, timer")
        .with("Accept", "application/sdp, application/isup")
        .with("Accept-Language", "de")
        .with("X-Answer", "yes")
        .sdp(&audio(BOB, 6000));
    world.post(BOB, INSIDE, &capable);
    let heard = world.expect(ALICE, "200");
    insta::assert_snapshot!(heard.replace('\r', ""), @r"
    SIP/2.0 200 Whatever
    Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-1-options
    From: <sip:phone@10.0.0.2:5060>;tag=phone-1
    To: <sip:+4930@10.0.0.1>;tag=aevwqzhpks5af
    Call-ID: call-1@10.0.0.2:5060
    CSeq: 1 OPTIONS
    Server: Liaison
    Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, REFER, NOTIFY, FOO
    Accept: application/sdp, application/isup
    X-Answer: yes
    Content-Length: 0
    ");
    assert!(!heard.contains("10.1.0"), "nothing of the other side's addresses: {heard}");
    assert_eq!(body(&heard), "");
    world.must_forget("OPTIONS that crossed");
    assert_eq!(world.core.counters().options_carried, 1);
}

#[test]
fn what_refuses_a_user_is_said_and_what_cannot_be_reached_leads_elsewhere() {
    let text = document("", "", "");
    let text = text.replace("[\"sip:10.1.0.2:5060\"]", "[\"sip:10.1.0.2:5060\", \"sip:10.1.0.3:5060\"]");
    let mut world = by_hand(&text, 6);
    world.post(ALICE, OUTSIDE, &options(NUMBER, ALICE, 1));
    let asked = world.expect(BOB, "OPTIONS");
    world.post(BOB, INSIDE, &Msg::response(&asked, 486, "bob").phrase("Busy").with("X-Why", "lunch"));
    let busy = world.expect(ALICE, "486");
    assert_eq!((start(&busy), &*field(&busy, "X-Why")), ("486 Busy", "lunch"));
    world.expect_no(CAROL, "OPTIONS");

    world.post(ALICE, OUTSIDE, &options(NUMBER, ALICE, 2));
    let asked = world.expect(BOB, "OPTIONS");
    world.post(BOB, INSIDE, &Msg::response(&asked, 503, "bob"));
    let asked = world.expect(CAROL, "OPTIONS");
    world.post(CAROL, INSIDE, &Msg::response(&asked, 200, "carol"));
    world.expect(ALICE, "200");

    world.post(ALICE, OUTSIDE, &options(NUMBER, ALICE, 3));
    world.expect(BOB, "OPTIONS");
    world.expect_within(CAROL, "OPTIONS", s(20));
    // RFC 4320 §4.2: a 408 of a request other than INVITE is of no use to anybody.
    let silent = world.expect_within(ALICE, "", s(31));
    assert!(start(&silent).starts_with("504"), "{silent}");
    world.must_forget("OPTIONS that nobody answered");
}

#[test]
fn rfc3261_11_where_it_may_go_no_further_we_answer_for_whom_it_was_for() {
    let mut world = by_hand(TWO_SIDES, 7);
    let last = options(NUMBER, ALICE, 1).set("Max-Forwards", "0");
    hears(&mut world, ALICE, &last, "200");
    world.expect_no(BOB, "OPTIONS");
}

// conforms: RFC3261-8.1.1.8-2
#[test]
fn rfc3261_8_1_1_8_our_contact_takes_requests_outside_of_any_dialog() {
    let mut world = by_hand(TWO_SIDES, 8);
    let call = Call::establish(&mut world);
    let to_caller = uri_in(&field(&call.ok, "Contact"));
    hears(&mut world, ALICE, &options(&to_caller, ALICE, 60), "200");
    let to_callee = uri_in(&field(&call.invited, "Contact"));
    world.post(BOB, INSIDE, &options(&to_callee, BOB, 61));
    world.expect(BOB, "200");
    call.hang_up(&mut world, 2);
}

#[test]
fn a_registered_user_is_asked_as_a_call_would_ring() {
    let mut world = users::world(users::DOCUMENT);
    users::bind(&mut world, "bob", DESK, "");
    let bob = "sip:bob@example.com";
    let from_alice = options(bob, users::ALICE, 1).set("From", "<sip:alice@example.com>;tag=a");
    world.post(users::ALICE, REGISTRAR, &from_alice);
    let challenged = world.expect(users::ALICE, "401");
    world.expect_no(DESK, "OPTIONS");
    let credentials =
        super::gate::answer_to(&users::challenges(&challenged), true, "alice", "wonderland", "OPTIONS", bob);
    let again = from_alice.set("CSeq", "2 OPTIONS").branch("again").with("Authorization", &credentials);
    world.post(users::ALICE, REGISTRAR, &again);
    let asked = world.expect(DESK, "OPTIONS");
    assert!(asked.starts_with(&format!("OPTIONS sip:line@{DESK} SIP/2.0")), "{asked}");
    assert_eq!(find(&asked, "Authorization"), None);
    world.post(DESK, REGISTRAR, &Msg::response(&asked, 200, "desk"));
    world.expect(users::ALICE, "200");
    world.run_for(ms(20));
    assert_eq!(world.core.counters().options_carried, 1);
}
