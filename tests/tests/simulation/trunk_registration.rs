//! Trunks that register: the REGISTERs that the registrar hears, and what becomes of its answers.

use super::common::{OUTSIDE, World, credential, document, ms, s, trunk, with_secrets};
use super::gate::{digest, parameter};
use b2bua::shard::Command;
use b2bua::snapshot::Secrets;
use liaison_tests::message::{Msg, branch, field, fields, find, seq, start, tag};
use liaison_tests::network::Fate;
use liaison_tests::world::INSTANCE;
use std::collections::BTreeMap;
use std::time::Duration;

/// The registrar.
pub const REGISTRAR: &str = "10.0.0.7:5060";
/// Where it redirects to, and the second one.
const OTHER: &str = "10.0.0.8:5060";

/// The trunk `provider` registers, with more settings of that.
pub fn registering(more: &str) -> String {
    let gruu = if more.contains("gruu") { "" } else { ", gruu = true" };
    let register = format!(
        "credentials = [{{ realm = \"carrier\", username = \"u\", password = {{ env = \"X\" }} }}]\n\
         register = {{ address = \"+4930123456@carrier.example\", registrars = [\"sip:10.0.0.7\"]{gruu}{more} }}"
    );
    document(&register, "", "")
}

pub fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    let known = [("carrier".into(), credential("u", "secret"))];
    secrets.outbound.insert(trunk("provider"), BTreeMap::from(known));
    secrets
}

fn world(more: &str) -> World {
    with_secrets(&registering(more), secrets(), 1)
}

/// The 200 to a REGISTER, with its own Contact.
pub fn granted(register: &str) -> Msg {
    Msg::response(register, 200, "r").with("Contact", &field(register, "Contact"))
}

/// Our Contact in a REGISTER.
fn contact(user: &str, expires: u32) -> String {
    format!("<sip:{user}@10.0.0.1:5060>;expires={expires};+sip.instance=\"<{INSTANCE}>\"")
}

pub fn challenge(register: &str, nonce: &str) -> Msg {
    let demand = format!("Digest realm=\"carrier\", nonce=\"{nonce}\", qop=\"auth\", algorithm=SHA-256");
    Msg::response(register, 401, "r").with("WWW-Authenticate", &demand)
}

pub fn check_credentials(register: &str) {
    let credentials = field(register, "Authorization");
    assert_eq!(parameter(&credentials, "uri").as_deref(), Some("sip:carrier.example"));
    let response = digest(true, &credentials, "secret", "REGISTER");
    assert_eq!(parameter(&credentials, "response").unwrap_or_default(), response);
}

/// Waits for the next REGISTER, for so long at most.
fn next(world: &mut World, at: &str, patience: Duration) -> String {
    world.expect_within(at, "REGISTER", patience)
}

/// How long until something comes there.
fn wait(world: &mut World, at: &str, patience: Duration) -> (Duration, String) {
    let before = world.now.mono;
    let message = next(world, at, patience);
    (world.now.mono.since(before), message)
}

// conforms: RFC3261-10.2-3,4,5
#[test]
fn rfc3261_10_2_a_trunk_registers_and_refreshes() {
    let mut world = world("");
    let first = next(&mut world, REGISTRAR, s(1));
    assert_eq!(start(&first), "REGISTER sip:carrier.example SIP/2.0");
    assert!(field(&first, "From").starts_with("<sip:+4930123456@carrier.example>;tag="));
    assert_eq!(field(&first, "To"), "<sip:+4930123456@carrier.example>");
    assert_eq!(field(&first, "Contact"), contact("provider", 3600));
    assert_eq!((field(&first, "Expires"), field(&first, "Supported")), ("3600".into(), "path, gruu".into()));
    assert_eq!(find(&first, "Authorization"), None);
    world.post(REGISTRAR, OUTSIDE, &challenge(&first, "n1"));
    let second = next(&mut world, REGISTRAR, s(1));
    check_credentials(&second);
    world.post(REGISTRAR, OUTSIDE, &granted(&second));
    world.run_for(ms(20));
    assert_eq!((world.gauges().trunks_registering, world.gauges().trunks_registered), (1, 1));
    let (after, third) = wait(&mut world, REGISTRAR, s(3600));
    assert!((s(2700)..=s(3240)).contains(&after), "{after:?}");
    check_credentials(&third);
    assert_eq!((seq(&second), seq(&third)), (seq(&first) + 1, seq(&first) + 2));
    for same in [&second, &third] {
        assert_eq!(field(same, "Call-ID"), field(&first, "Call-ID"));
        assert_eq!(tag(same, "From"), tag(&first, "From"));
        assert_ne!(branch(same), branch(&first));
    }
    // The nonce is stale: the next round is with another.
    world.post(
        REGISTRAR,
        OUTSIDE,
        &challenge(&third, "n2").set(
            "WWW-Authenticate",
            "Digest realm=\"carrier\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256, stale=true",
        ),
    );
    let fourth = next(&mut world, REGISTRAR, s(1));
    check_credentials(&fourth);
    assert_eq!(parameter(&field(&fourth, "Authorization"), "nonce").as_deref(), Some("n2"));
}

// conforms: RFC5630-5.1.1.1-1,2,3,4,5 RFC5630-A-2
#[test]
fn rfc5630_5_1_1_1_the_scheme_of_the_registrar_is_that_of_all_that_is_registered() {
    let tls = "transport = \"tls\", tls = { certificates = [{ chain = \"/none\", key = \"/none\" }] }";
    for (registrar, scheme, contact) in [
        ("sips:10.0.0.7:5060", "sips", "<sips:provider@10.0.0.1:5060>"),
        ("sip:10.0.0.7:5060;transport=tls", "sip", "<sip:provider@10.0.0.1:5060;transport=tls>"),
    ] {
        let document = registering("").replacen("transport = \"udp\"", tls, 1);
        let document = document.replacen("sip:10.0.0.2:5060", "sip:10.0.0.2:5060;transport=tls", 1);
        let mut world =
            with_secrets(&document.replace("\"sip:10.0.0.7\"", &format!("\"{registrar}\"")), secrets(), 1);
        let first = next(&mut world, REGISTRAR, s(1));
        let address = format!("<{scheme}:+4930123456@carrier.example>");
        assert_eq!(start(&first), format!("REGISTER {scheme}:carrier.example SIP/2.0"));
        assert!(field(&first, "From").starts_with(&address), "{first}");
        assert_eq!(field(&first, "To"), address);
        let contacts: Vec<_> = fields(&first).into_iter().filter(|(name, _)| name == "Contact").collect();
        let expected = format!("{contact};expires=3600;+sip.instance=\"<{INSTANCE}>\"");
        assert_eq!(contacts, [("Contact".into(), expected)], "one, and not both");
    }
}

#[test]
fn a_drain_removes_the_binding_unless_it_is_to_stay() {
    for (more, removes) in [("", true), (", unregister = false", false)] {
        let mut world = world(more);
        let first = next(&mut world, REGISTRAR, s(1));
        world.post(REGISTRAR, OUTSIDE, &granted(&first));
        world.run_for(ms(20));
        world.command(Command::Drain(s(60)));
        if !removes {
            world.expect_no(REGISTRAR, "REGISTER");
            continue;
        }
        let last = next(&mut world, REGISTRAR, s(1));
        assert_eq!(field(&last, "Contact"), contact("provider", 0));
        assert_eq!(field(&last, "Expires"), "0");
        world.post(REGISTRAR, OUTSIDE, &Msg::response(&last, 200, "r"));
        world.run_for(ms(20));
        assert_eq!(world.gauges().trunks_registered, 0);
    }
}

#[test]
fn a_drain_does_not_wait_for_a_registrar_beyond_its_end() {
    let mut world = world("");
    let first = next(&mut world, REGISTRAR, s(1));
    world.post(REGISTRAR, OUTSIDE, &granted(&first));
    world.run_for(ms(20));
    world.command(Command::Drain(s(2)));
    next(&mut world, REGISTRAR, s(1));
    world.run_for(s(3));
    assert_eq!(world.gauges().trunks_registering, 0);
    assert_eq!(world.gauges().sip.sessions, 0);
}

#[test]
fn rfc3261_10_2_8_a_lifetime_that_is_too_brief_is_mended_at_once() {
    let mut world = world("");
    let first = next(&mut world, REGISTRAR, s(1));
    world.post(REGISTRAR, OUTSIDE, &Msg::response(&first, 423, "r").with("Min-Expires", "7200"));
    let second = next(&mut world, REGISTRAR, s(1));
    assert_eq!(field(&second, "Expires"), "7200");
    assert_eq!(seq(&second), seq(&first) + 1);
}

#[test]
fn rfc3327_path_is_left_out_where_it_is_refused() {
    let mut world = world("");
    let first = next(&mut world, REGISTRAR, s(1));
    world.post(REGISTRAR, OUTSIDE, &Msg::response(&first, 420, "r").with("Unsupported", "path"));
    let second = next(&mut world, REGISTRAR, s(1));
    assert_eq!(field(&second, "Supported"), "gruu");
}

#[test]
fn a_redirection_is_followed_without_credentials() {
    let mut world = world("");
    let first = next(&mut world, REGISTRAR, s(1));
    let moved = Msg::response(&first, 302, "r").with("Contact", "<sip:10.0.0.8>");
    world.post(REGISTRAR, OUTSIDE, &moved);
    let second = next(&mut world, OTHER, s(1));
    assert_eq!(start(&second), "REGISTER sip:10.0.0.8 SIP/2.0");
    world.post(OTHER, OUTSIDE, &challenge(&second, "n"));
    world.expect_no(OTHER, "REGISTER");
    assert_eq!(world.core.counters().secrets_refused, 1);
}

#[test]
fn refusals_wait_long_and_failures_go_to_the_next_registrar_soon() {
    let mut first_refuses = world("");
    let first = next(&mut first_refuses, REGISTRAR, s(1));
    first_refuses.post(REGISTRAR, OUTSIDE, &Msg::response(&first, 403, "r"));
    let (after, _) = wait(&mut first_refuses, REGISTRAR, s(1000));
    assert!(after >= s(900), "{after:?}");
    let more = registering("").replace("[\"sip:10.0.0.7\"]", "[\"sip:10.0.0.7\", \"sip:10.0.0.8\"]");
    let mut two = with_secrets(&more, secrets(), 2);
    let first = next(&mut two, REGISTRAR, s(1));
    two.post(REGISTRAR, OUTSIDE, &Msg::response(&first, 500, "r"));
    let (after, second) = wait(&mut two, OTHER, s(60));
    assert!(after >= s(30), "{after:?}");
    assert_eq!(field(&second, "Call-ID"), field(&first, "Call-ID"));
    two.post(OTHER, OUTSIDE, &Msg::response(&second, 503, "r").with("Retry-After", "300"));
    let (after, _) = wait(&mut two, REGISTRAR, s(400));
    assert!(after >= s(300), "{after:?}");
    assert_eq!(two.core.counters().trunk_registers_failed, 2);
}

#[test]
fn one_shard_registers_a_trunk() {
    for seed in 0..4 {
        let weather = Box::new(|_: &_| Fate::Arrives);
        let mut world = World::sharded(3, &registering(""), secrets(), Vec::new(), weather, seed);
        let first = next(&mut world, REGISTRAR, s(1));
        world.post(REGISTRAR, OUTSIDE, &granted(&first));
        world.run_for(s(40));
        assert_eq!(world.unread(REGISTRAR), Vec::<String>::new());
        assert_eq!(world.gauges().trunks_registering, 1);
    }
}

#[test]
fn a_reload_goes_on_with_the_same_binding_and_removes_another() {
    let mut world = world("");
    let first = next(&mut world, REGISTRAR, s(1));
    world.post(REGISTRAR, OUTSIDE, &granted(&first));
    world.run_for(ms(20));
    world.reload(&registering(", refused_wait = \"1m\""), secrets());
    world.expect_no(REGISTRAR, "REGISTER");
    world.reload(&registering(", expires = \"30m\""), secrets());
    let sooner = next(&mut world, REGISTRAR, s(1));
    assert_eq!(
        (field(&sooner, "Expires"), field(&sooner, "Call-ID")),
        ("1800".into(), field(&first, "Call-ID"))
    );
    world.post(REGISTRAR, OUTSIDE, &granted(&sooner));
    world.run_for(ms(20));
    // Another contact: that is bound, and this one removed.
    world.reload(&registering(", contact_user = \"other\""), secrets());
    let two = [next(&mut world, REGISTRAR, s(1)), next(&mut world, REGISTRAR, s(1))];
    let of_contact = |wanted: String| two.iter().find(|of| field(of, "Contact") == wanted);
    assert!(of_contact(contact("provider", 0)).is_some(), "{two:?}");
    let made = of_contact(contact("other", 3600)).unwrap();
    assert_ne!(field(made, "Call-ID"), field(&first, "Call-ID"));
    world.post(REGISTRAR, OUTSIDE, &granted(made));
    for gone in two.iter().filter(|of| *of != made) {
        // It is still challenged, and answered with what was known of the trunk.
        world.post(REGISTRAR, OUTSIDE, &challenge(gone, "n"));
        let again = next(&mut world, REGISTRAR, s(1));
        check_credentials(&again);
        world.post(REGISTRAR, OUTSIDE, &Msg::response(&again, 200, "r"));
    }
    world.run_for(ms(20));
    assert_eq!(world.gauges().sip.sessions, 1);
    world.reload(&document("", "", ""), secrets());
    let last = next(&mut world, REGISTRAR, s(1));
    assert_eq!(field(&last, "Expires"), "0");
    world.post(REGISTRAR, OUTSIDE, &Msg::response(&last, 200, "r"));
    world.must_forget("a registration that was removed");
}

#[test]
fn a_reload_tries_again_what_had_failed() {
    let mut world = world("");
    let first = next(&mut world, REGISTRAR, s(1));
    world.post(REGISTRAR, OUTSIDE, &Msg::response(&first, 403, "r"));
    world.run_for(ms(20));
    world.reload(&registering(""), secrets());
    next(&mut world, REGISTRAR, s(1));
}
