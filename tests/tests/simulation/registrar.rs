//! Users register to Liaison, and calls find them.

use super::common::{ms, s};
use super::gate::answer_to;
use super::users::{
    ALICE, DESK, DOCUMENT, MOBILE, REGISTRAR, answered_as, bind, call, challenges, contact, on_shards,
    register, says, world,
};
use liaison_tests::message::{Msg, audio, field, fields, find, start};

// conforms: RFC3261-10.2-1 RFC3261-10.3-2,3,25,26
#[test]
fn rfc3261_10_3_a_register_is_proved_kept_and_answered_with_what_is_bound() {
    let mut world = world(DOCUMENT);
    let ok = bind(&mut world, "bob", DESK, ";q=0.5;+sip.instance=\"<urn:uuid:1>\"");
    let bound = field(&ok, "Contact");
    assert!(bound.starts_with("<sip:line@10.0.0.3:5060>;") && bound.contains(";expires=3600"), "{bound}");
    assert!(bound.contains("q=0.5") && !bound.contains("gruu"), "it did not ask for one: {bound}");
    assert!(find(&ok, "Date").is_some(), "{ok}");
    assert_eq!((world.gauges().registered, world.gauges().bindings), (1, 1));
    let query = register("bob", MOBILE, 1).without("Contact").with("Supported", "gruu");
    let query = query.with("Record-Route", "<sip:10.0.0.9;lr>");
    let told = answered_as(&mut world, MOBILE, &query, "bob");
    assert!(find(&told, "Record-Route").is_none(), "{told}");
    assert!(field(&told, "Contact").contains("pub-gruu=\"sip:bob@example.com;gr=urn:uuid:1\""), "{told}");
    let gone = register("bob", DESK, 10).set("Contact", "*").with("Expires", "0");
    let ok = answered_as(&mut world, DESK, &gone, "bob");
    assert!(start(&ok).starts_with("200") && find(&ok, "Contact").is_none(), "{ok}");
    assert_eq!((world.gauges().registered, world.gauges().bindings), (0, 0));
}

// conforms: RFC3261-10.3-8,9
#[test]
fn rfc3261_10_3_every_refusal_has_its_status() {
    let mut world = world(&DOCUMENT.replace("domains", "contacts = 1\ndomains"));
    let desk = |more: &str| register("bob", DESK, 1).set("Contact", &contact(DESK, more));
    let foreign = desk("").uri("sip:example.net");
    world.post(DESK, REGISTRAR, &foreign);
    assert!(start(&world.expect(DESK, "")).starts_with("404"), "not our domain");
    let cases = [
        ("alice", desk(""), "403", "somebody else's address"),
        ("bob", desk("").set("To", "<sip:eve@example.com>"), "403", "nobody's address"),
        (
            "bob",
            desk("").set("To", "<sip:bob@example.net>"),
            "404",
            "an address of a domain that is not ours",
        ),
        ("bob", desk(";expires=5"), "423", "too brief"),
        ("bob", desk("").set("Contact", "*"), "400", "a star without Expires: 0"),
        (
            "bob",
            desk("").set("Contact", &format!("{}, <sip:x@y>", contact(DESK, ""))),
            "403",
            "one is the limit",
        ),
    ];
    for (n, (user, request, status, why)) in cases.into_iter().enumerate() {
        let request = request.set("Call-ID", &format!("case-{n}")).branch(&format!("case-{n}"));
        world.post(DESK, REGISTRAR, &request);
        let asked = world.expect(DESK, "401");
        let credentials =
            answer_to(&challenges(&asked), true, user, "wonderland", "REGISTER", "sip:example.com");
        let again = request.set("CSeq", "2 REGISTER").branch(&format!("again-{n}"));
        world.post(DESK, REGISTRAR, &again.with("Authorization", &credentials));
        let answer = world.expect(DESK, "");
        assert!(start(&answer).starts_with(status), "{why}: {answer}");
        if status == "423" {
            assert_eq!(field(&answer, "Min-Expires"), "60");
        }
    }
    let strange = desk("").with("Require", "teleport").set("Call-ID", "strange").branch("strange");
    world.post(DESK, REGISTRAR, &strange);
    assert_eq!(field(&world.expect(DESK, "420"), "Unsupported"), "teleport");
    assert_eq!(world.gauges().bindings, 0);
}

// conforms: RFC3261-10.1-1
#[test]
fn a_call_tries_the_devices_of_a_user_in_turn_by_preference() {
    for shards in [1, 4] {
        let mut world = on_shards(shards, DOCUMENT);
        bind(&mut world, "bob", DESK, ";q=0.9");
        bind(&mut world, "bob", MOBILE, ";q=0.3");
        call(&mut world, "sip:bob@example.com");
        let at_desk = world.expect(DESK, "INVITE");
        assert!(at_desk.starts_with("INVITE sip:line@10.0.0.3:5060 SIP/2.0"), "{at_desk}");
        world.expect_no(MOBILE, "INVITE");
        says(&mut world, DESK, &at_desk, 486);
        world.expect(DESK, "ACK");
        let on_mobile = world.expect(MOBILE, "INVITE");
        says(&mut world, MOBILE, &on_mobile, 200);
        let ok = world.expect(ALICE, "200");
        world.expect(MOBILE, "ACK");
        world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
        world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &ok));
        world.expect(ALICE, "200");
        let bye = world.expect(MOBILE, "BYE");
        world.ok(MOBILE, REGISTRAR, &bye);
        world.run_for(s(40));
        assert_eq!(world.gauges().calls, 0);
    }
}

#[test]
fn rfc3261_16_7_the_best_failure_of_the_devices_is_the_callers_and_a_global_one_ends_the_search() {
    for (first, second, heard) in [(486, 500, "486"), (500, 404, "404"), (603, 0, "603")] {
        let mut world = world(DOCUMENT);
        bind(&mut world, "bob", DESK, ";q=0.9");
        bind(&mut world, "bob", MOBILE, ";q=0.3");
        call(&mut world, "sip:bob@example.com");
        let at_desk = world.expect(DESK, "INVITE");
        says(&mut world, DESK, &at_desk, first);
        if second > 0 {
            let on_mobile = world.expect(MOBILE, "INVITE");
            says(&mut world, MOBILE, &on_mobile, second);
        }
        world.expect(ALICE, heard);
        world.expect_no(MOBILE, "INVITE");
    }
}

#[test]
fn a_user_without_a_device_is_unavailable_one_that_nobody_is_not_found() {
    for (uri, status) in [("sip:bob@example.com", "480"), ("sip:eve@example.com", "404")] {
        let mut world = world(DOCUMENT);
        call(&mut world, uri);
        world.expect(ALICE, status);
    }
}

#[test]
fn rfc3261_10_2_1_1_a_binding_ends_with_its_time() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, ";expires=120");
    world.run_for(s(119));
    assert_eq!(world.gauges().bindings, 1);
    world.run_for(s(2));
    assert_eq!((world.gauges().registered, world.gauges().bindings), (0, 0));
    call(&mut world, "sip:bob@example.com");
    world.expect(ALICE, "480");
}

#[test]
fn rfc3327_5_3_the_path_becomes_the_route_to_the_device() {
    let mut world = world(DOCUMENT);
    let request = register("bob", DESK, 1)
        .set("Contact", &contact("192.168.1.5:5060", ""))
        .with("Supported", "path")
        .with("Path", "<sip:10.0.0.4:5060;lr>");
    let ok = answered_as(&mut world, DESK, &request, "bob");
    assert_eq!(field(&ok, "Path"), "<sip:10.0.0.4:5060;lr>");
    call(&mut world, "sip:bob@example.com");
    let invited = world.expect(MOBILE, "INVITE");
    assert!(invited.starts_with("INVITE sip:line@192.168.1.5:5060 SIP/2.0"), "{invited}");
    assert_eq!(field(&invited, "Route"), "<sip:10.0.0.4:5060;lr>");
}

#[test]
fn nobody_learns_by_calling_which_users_there_are() {
    let mut world = world(DOCUMENT);
    let mut answers = ["bob", "nobody"].map(|user| {
        let invite = Msg::request("INVITE", "sip:bob@example.com", ALICE, 1)
            .set("From", &format!("<sip:{user}@example.com>;tag=x"))
            .set("Call-ID", user)
            .branch(user)
            .sdp(&audio(ALICE, 4000));
        world.post(ALICE, REGISTRAR, &invite);
        let answer = world.expect(ALICE, "40");
        fields(&answer)
            .into_iter()
            .map(|(name, _)| name)
            .chain([start(&answer).to_owned()])
            .collect::<Vec<_>>()
    });
    assert!(answers[0].last().unwrap().starts_with("401"), "{answers:?}");
    let [known, unknown] = &mut answers;
    assert_eq!(known, unknown);
}

#[test]
fn a_user_calls_as_nobody_else_and_strangers_do_not_call() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    let uri = "sip:bob@example.com";
    let invite = Msg::request("INVITE", uri, ALICE, 1).sdp(&audio(ALICE, 4000));
    world.post(ALICE, REGISTRAR, &invite);
    world.expect(ALICE, "403");
    let as_bob = invite.set("From", "<sip:bob@example.com>;tag=b").set("Call-ID", "as-bob").branch("as-bob");
    world.post(ALICE, REGISTRAR, &as_bob);
    let asked = world.expect(ALICE, "401");
    let credentials = answer_to(&challenges(&asked), true, "alice", "wonderland", "INVITE", uri);
    let again = as_bob.set("CSeq", "2 INVITE").branch("as-bob-2").with("Authorization", &credentials);
    world.post(ALICE, REGISTRAR, &again);
    world.expect(ALICE, "403");
    world.expect_no(DESK, "INVITE");
    assert_eq!(world.core.counters().impostors, 1);
    world.run_for(ms(10));
}

#[test]
fn a_contact_at_a_trunk_is_bound_by_nobody_but_who_is_there() {
    let trunk = "\n[networks.provider]\nlisteners = [{ transport = \"udp\", address = \"10.0.1.1:5060\" }]\nmedia = { address = \"10.0.1.1\", ports = \"20000-20999\" }\n[trunks.carrier]\nnetwork = \"provider\"\ntargets = [\"sip:203.0.113.5\"]\n";
    let mut world = world(&format!("{DOCUMENT}{trunk}"));
    let past_all_routes = register("bob", DESK, 1).set("Contact", "<sip:+1900666@203.0.113.5:5070>");
    let refused = answered_as(&mut world, DESK, &past_all_routes, "bob");
    assert!(start(&refused).starts_with("403 Contact Is at a Trunk"), "{refused}");
    assert_eq!(world.gauges().bindings, 0);
}
