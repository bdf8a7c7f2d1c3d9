//! Users register to Liaison, and calls find them.

use super::common::{World, credential, ms, s};
use super::gate::answer_to;
use b2bua::snapshot::{Protected, Secrets};
use config::Config;
use liaison_tests::message::{Msg, audio, field, fields, find, start};
use liaison_tests::network::Fate;

pub const REGISTRAR: &str = "10.0.0.1:5060";
pub const ALICE: &str = "10.0.0.2:5060";
pub const DESK: &str = "10.0.0.3:5060";
pub const MOBILE: &str = "10.0.0.4:5060";
/// Behind this one is Bob's, at an address of its own.
const NAT: &str = "10.0.0.9:40000";

pub const DOCUMENT: &str = r#"
[networks.phones]
listeners = [{ transport = "udp", address = "10.0.0.1:5060" }]
media = { address = "10.0.0.1", ports = "20000-20999" }

[networks.phones.registrar]
domains = ["example.com"]
challenge = { realm = "sbc", users = [
    { username = "alice", password = { env = "X" } }, { username = "bob", password = { env = "X" } },
] }
accounts = [
    { address = "alice@example.com", users = ["alice"] }, { address = "bob@example.com", users = ["bob"] },
]

[[routes]]
name = "users"
called = ["@example.com"]
to = [{ domain = "example.com" }]
"#;

pub fn world(document: &str) -> World {
    on_shards(1, document)
}

pub fn on_shards(shards: u8, document: &str) -> World {
    let config = Config::parse("world.toml", document).unwrap_or_else(|errors| panic!("{errors}"));
    let network = config.networks.keys().next().unwrap().clone();
    let known = ["alice", "bob"].map(|user| (user.into(), credential(user, "wonderland")));
    let mut secrets = Secrets::default();
    secrets.inbound.insert(Protected::Registrar(network), known.into());
    World::sharded(shards, document, secrets, Vec::new(), Box::new(|_| Fate::Arrives), 7)
}

/// A REGISTER of a user's device, before it is challenged.
pub fn register(user: &str, device: &str, seq: u32) -> Msg {
    let aor = format!("<sip:{user}@example.com>");
    Msg::request("REGISTER", "sip:example.com", device, seq)
        .set("From", &format!("{aor};tag=reg"))
        .set("To", &aor)
        .set("Call-ID", &format!("registration-of-{device}"))
}

/// The challenges of a response.
pub(super) fn challenges(asked: &str) -> Vec<String> {
    fields(asked).into_iter().filter(|(n, _)| n == "WWW-Authenticate").map(|(_, v)| v).collect()
}

/// The final response to a request that answers the challenge as that user.
pub fn answered_as(world: &mut World, device: &str, request: &Msg, user: &str) -> String {
    world.post(device, REGISTRAR, request);
    let asked = world.expect(device, "401");
    let text = request.text();
    let mut line = text.split(' ');
    let (method, uri) = (line.next().unwrap(), line.next().unwrap());
    let credentials = answer_to(&challenges(&asked), true, user, "wonderland", method, uri);
    let seq: u32 = request.get("CSeq").split(' ').next().unwrap().parse().unwrap();
    let again = request
        .clone()
        .set("CSeq", &format!("{} {method}", seq + 1))
        .branch(&format!("{method}-{device}-{seq}"))
        .with("Authorization", &credentials);
    world.post(device, REGISTRAR, &again);
    world.expect(device, "")
}

/// Alice calls that URI, as her own user: what she sent last.
pub(super) fn call(world: &mut World, uri: &str) -> Msg {
    let invite = Msg::request("INVITE", uri, ALICE, 1)
        .set("From", "<sip:alice@example.com>;tag=a")
        .sdp(&audio(ALICE, 4000));
    world.post(ALICE, REGISTRAR, &invite);
    let asked = world.expect(ALICE, "401");
    world.post(ALICE, REGISTRAR, &Msg::of_invite("ACK", &invite).set("To", &field(&asked, "To")));
    let credentials = answer_to(&challenges(&asked), true, "alice", "wonderland", "INVITE", uri);
    let again = invite.set("CSeq", "2 INVITE").branch("call-2").with("Authorization", &credentials);
    world.post(ALICE, REGISTRAR, &again);
    again
}

pub fn contact(device: &str, more: &str) -> String {
    format!("<sip:line@{device}>{more}")
}

/// Registers a device of that user's.
pub fn bind(world: &mut World, user: &str, device: &str, more: &str) -> String {
    let request = register(user, device, 1).set("Contact", &contact(device, more));
    let ok = answered_as(world, device, &request, user);
    assert!(start(&ok).starts_with("200"), "{ok}");
    ok
}

/// A device answers a request of Liaison.
pub(super) fn says(world: &mut World, device: &str, request: &str, status: u16) {
    let mut response = Msg::response(request, status, &format!("dev-{}", device.len())).contact(device);
    if status == 200 && request.starts_with("INVITE") {
        response = response.sdp(&audio(device, 6000));
    }
    world.post(device, REGISTRAR, &response);
}

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
        ("bob", desk("").set("To", "<sip:eve@example.com>"), "404", "nobody's address"),
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

/// Where the one behind the NAT believes to be.
const INNER: &str = "192.168.1.5:5060";

/// A message as it leaves a NAT: what it says of its sender is of the inside.
fn inside_out(message: Msg) -> Msg {
    let via = message.get("Via").replace(NAT, INNER).replace(";branch=", ";rport;branch=");
    message.without("Via").with("Via", &via).set("Contact", &contact(INNER, ""))
}

#[test]
fn behind_a_nat_bindings_are_brief_and_calls_and_what_follows_take_the_flow() {
    for mode in ["auto", "on"] {
        let mut world = world(&DOCUMENT.replace("media =", &format!("nat = \"{mode}\"\nmedia =")));
        let ok = answered_as(&mut world, NAT, &inside_out(register("bob", NAT, 1)), "bob");
        assert!(field(&ok, "Contact").contains(";expires=60"), "{ok}");
        call(&mut world, "sip:bob@example.com");
        let invited = world.expect(NAT, "INVITE");
        assert!(invited.starts_with(&format!("INVITE sip:line@{INNER} SIP/2.0")), "{invited}");
        let answer = Msg::response(&invited, 200, "nat").contact(INNER).sdp(&audio(INNER, 6000));
        world.post(NAT, REGISTRAR, &answer);
        let ok = world.expect(ALICE, "200");
        world.expect(NAT, "ACK");
        world.post(ALICE, REGISTRAR, &Msg::inside("ACK", ALICE, 2, &ok));
        world.post(ALICE, REGISTRAR, &Msg::inside("BYE", ALICE, 3, &ok));
        world.expect(NAT, "BYE");
        assert!(world.sent_to(INNER).is_empty());
    }
}

#[test]
fn without_nat_every_contact_is_obeyed() {
    let mut world = world(&DOCUMENT.replace("media =", "nat = \"off\"\nmedia ="));
    let ok = answered_as(&mut world, NAT, &inside_out(register("bob", NAT, 1)), "bob");
    assert!(field(&ok, "Contact").contains(";expires=3600"), "{ok}");
    call(&mut world, "sip:bob@example.com");
    world.run_for(s(1));
    assert!(!world.sent_to(INNER).is_empty());
}

#[test]
fn a_phone_behind_a_nat_that_is_not_registered_hears_of_its_call_on_the_flow_of_it() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, "");
    let uri = "sip:bob@example.com";
    let invite = inside_out(Msg::request("INVITE", uri, NAT, 1))
        .set("From", "<sip:alice@example.com>;tag=a")
        .sdp(&audio(INNER, 4000));
    world.post(NAT, REGISTRAR, &invite);
    let asked = world.expect(NAT, "401");
    world.post(NAT, REGISTRAR, &Msg::of_invite("ACK", &invite).set("To", &field(&asked, "To")));
    let credentials = answer_to(&challenges(&asked), true, "alice", "wonderland", "INVITE", uri);
    let again = invite.set("CSeq", "2 INVITE").branch("call-2").with("Authorization", &credentials);
    world.post(NAT, REGISTRAR, &again);
    let invited = world.expect(DESK, "INVITE");
    says(&mut world, DESK, &invited, 200);
    let ok = world.expect(NAT, "200");
    world.post(NAT, REGISTRAR, &Msg::inside("ACK", NAT, 2, &ok));
    world.run_for(s(1));
    world.post(DESK, REGISTRAR, &Msg::inside("BYE", DESK, 3, &invited).set("From", &tagged(&invited, DESK)));
    world.expect(NAT, "BYE");
    assert!(world.sent_to(INNER).is_empty());
}

/// Our To with the tag that a device gave it.
fn tagged(invited: &str, device: &str) -> String {
    format!("{};tag=dev-{}", field(invited, "To"), device.len())
}

#[test]
fn a_binding_behind_a_nat_is_kept_open_by_options_that_its_user_agent_answers() {
    let document =
        DOCUMENT.replace("accounts =", "nat_expires = \"10m\"\nnat_keepalive = \"30s\"\naccounts =");
    let mut world = world(&document);
    answered_as(&mut world, NAT, &inside_out(register("bob", NAT, 1)), "bob");
    bind(&mut world, "alice", ALICE, "");
    for _ in 0..3 {
        let asked = world.expect_within(NAT, "OPTIONS", s(31));
        assert!(asked.starts_with(&format!("OPTIONS sip:line@{INNER} SIP/2.0")), "{asked}");
        world.post(NAT, REGISTRAR, &Msg::response(&asked, 200, "alive"));
    }
    world.run_for(s(2));
    let counted = |world: &World| {
        let counters = world.cores().next().unwrap().counters();
        (counters.keepalives, counters.keepalives_unanswered)
    };
    let (sent, unanswered) = counted(&world);
    assert_eq!((sent, unanswered), (3, 0));
    world.run_for(s(120));
    assert!(counted(&world).1 > 0, "nobody answers any more");
    assert!(
        !world.sent_to(ALICE).iter().any(|text| start(text).starts_with("OPTIONS")),
        "there is no NAT before her"
    );
    world.run_for(s(600));
    let (at_the_end, _) = counted(&world);
    world.run_for(s(120));
    assert_eq!(counted(&world).0, at_the_end, "the binding is over");
}

#[test]
fn keepalives_rest_in_a_drain_which_would_wait_for_their_answers() {
    let document =
        DOCUMENT.replace("accounts =", "nat_expires = \"10m\"\nnat_keepalive = \"30s\"\naccounts =");
    let mut world = world(&document);
    answered_as(&mut world, NAT, &inside_out(register("bob", NAT, 1)), "bob");
    world.command(b2bua::shard::Command::Drain(s(600)));
    world.run_for(s(120));
    assert!(!world.sent_to(NAT).iter().any(|text| start(text).starts_with("OPTIONS")));
}

// conforms: RFC5626-6-10 RFC5626-7-3 RFC6223-5-2
#[test]
fn rfc5626_5_3_the_flow_of_a_device_with_outbound_is_its_only_way() {
    let mut world = world(DOCUMENT);
    let numbered = ";reg-id=1;+sip.instance=\"<urn:uuid:1>\"";
    let elsewhere = "10.0.0.77:5060";
    let request = register("bob", NAT, 1)
        .set("Contact", &contact(elsewhere, numbered))
        .with("Supported", "path, outbound");
    let ok = answered_as(&mut world, NAT, &request, "bob");
    assert_eq!(field(&ok, "Require"), "outbound");
    // Once more, with an offer of keepalives.
    let again = request.set("CSeq", "7 REGISTER").branch("again");
    world.post(NAT, REGISTRAR, &again);
    let asked = world.expect(NAT, "401");
    let uri = "sip:example.com";
    let credentials = answer_to(&challenges(&asked), true, "bob", "wonderland", "REGISTER", uri);
    let again = again.set("CSeq", "8 REGISTER").branch("keeps").with("Authorization", &credentials);
    let via = format!("{};keep", again.get("Via"));
    world.post(NAT, REGISTRAR, &again.set("Via", &via));
    let ok = world.expect(NAT, "200");
    let timer = field(&ok, "Flow-Timer");
    assert!(field(&ok, "Via").contains(&format!(";keep={timer}")), "{ok}");
    assert!(field(&ok, "Contact").contains(";expires=3600"), "{ok}");
    call(&mut world, "sip:bob@example.com");
    world.expect(NAT, "INVITE");
    assert!(world.sent_to(elsewhere).is_empty());
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

// conforms: RFC5627-6.1-1
#[test]
fn rfc5627_5_4_a_gruu_leads_to_one_device() {
    let mut world = world(DOCUMENT);
    let instance = |n: u8| format!(";q=0.{n};+sip.instance=\"<urn:uuid:{n}>\"");
    bind(&mut world, "bob", DESK, &instance(9));
    bind(&mut world, "bob", MOBILE, &instance(3));
    call(&mut world, "sip:bob@example.com;gr=urn:uuid:3");
    world.expect(MOBILE, "INVITE");
    world.expect_no(DESK, "INVITE");
    let mut world = self::world(DOCUMENT);
    bind(&mut world, "bob", DESK, &instance(9));
    call(&mut world, "sip:bob@example.com;gr=urn:uuid:3");
    world.expect(ALICE, "480");
    world.expect_no(DESK, "INVITE");
}

#[test]
fn rfc5627_4_4_a_device_that_is_called_by_a_gruu_of_ours_hears_the_rest_of_the_dialog() {
    let mut world = world(DOCUMENT);
    bind(&mut world, "bob", DESK, ";+sip.instance=\"<urn:uuid:1>\"");
    call(&mut world, "sip:bob@example.com");
    let invited = world.expect(DESK, "INVITE");
    let gruu = "<sip:bob@example.com;gr=urn:uuid:1>";
    let ok = Msg::response(&invited, 200, "gruu").sdp(&audio(DESK, 6000)).with("Contact", gruu);
    world.post(DESK, REGISTRAR, &ok);
    let ack = world.expect(DESK, "ACK");
    assert!(ack.starts_with("ACK sip:bob@example.com;gr=urn:uuid:1 SIP/2.0"), "{ack}");
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
