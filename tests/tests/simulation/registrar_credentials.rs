//! Credentials for the TURN server that the 200 to a REGISTER brings (draft-uberti-behave-turn-rest-00 §2.2).

use super::common::{World, s};
use super::gate::answer_to;
use super::users::{DESK, REGISTRAR, challenges, contact, register, secrets};
use liaison_tests::message::{Msg, body, field, find, start};
use liaison_tests::network::Fate;

const OVER_TLS: &str = "10.0.0.1:5061";
const DOCUMENT: &str = r#"
[networks.phones]
listeners = [
    { transport = "udp", address = "10.0.0.1:5060" },
    { transport = "tls", address = "10.0.0.1:5061", tls = { certificates = [{ chain = "/none", key = "/none" }] } },
]
media = { address = "10.0.0.1", ports = "20000-20999" }

[networks.phones.registrar]
domains = ["example.com"]
challenge = { realm = "sbc", users = [
    { username = "alice", password = { env = "X" } }, { username = "bob", password = { env = "X" } },
] }
accounts = [{ address = "bob@example.com", users = ["alice", "bob"] }]
turn_credentials = "WHOSE"

[networks.phones.turn]
realm = "example.com"
secret = { env = "X" }
credential_lifetime = "30m"
listeners = [{ transport = "udp", address = "10.0.0.1:3478" }]
"#;
const SECRET: &str = "a secret of sixteen or more";
const JSON: &str = "text/plain;q=0.1, application/json";

fn world(whose: &str) -> World {
    let document = DOCUMENT.replace("WHOSE", whose);
    let mut secrets = secrets(&document);
    let network =
        config::Config::parse("world.toml", &document).unwrap().networks.keys().next().unwrap().clone();
    secrets.turn.insert(network, vec![SECRET.to_owned().into(), "before".to_owned().into()]);
    World::with_secrets(&document, secrets, Vec::new(), Box::new(|_| Fate::Arrives), 7)
}

/// A REGISTER of Bob's desk phone that is bound for so many seconds.
fn wants(seq: u32, seconds: &str, accept: &str) -> Msg {
    let request = register("bob", DESK, seq).set("Contact", &contact(DESK, "")).with("Expires", seconds);
    if accept.is_empty() { request } else { request.with("Accept", accept) }
}

/// The answer to it as a user who has proved itself.
fn answer(world: &mut World, to: &str, request: &Msg, user: &str) -> String {
    let branch = |request: &Msg, seq: &str| {
        let transport = if to == OVER_TLS { "TLS" } else { "UDP" };
        let via = format!("SIP/2.0/{transport} {DESK};branch=z9hG4bK{seq}");
        let beyond = request.get("Via").contains("192.0.2.7");
        let via = if beyond { format!("{via}, SIP/2.0/TLS 192.0.2.7;branch=z9hG4bKp") } else { via };
        request.clone().set("Via", &via)
    };
    let seq: u32 = request.get("CSeq").split(' ').next().unwrap().parse().unwrap();
    world.post(DESK, to, &branch(request, &seq.to_string()));
    let asked = world.expect(DESK, "401");
    let credentials = answer_to(&challenges(&asked), true, user, "wonderland", "REGISTER", "sip:example.com");
    let again =
        request.clone().set("CSeq", &format!("{} REGISTER", seq + 1)).with("Authorization", &credentials);
    world.post(DESK, to, &branch(&again, &format!("{}", seq + 1)));
    let answered = world.expect(DESK, "");
    assert_eq!(start(&answered), "200 OK");
    answered
}

/// The username, the lifetime, and whether the password is that of the username; `None` without a body.
fn credentials(answered: &str) -> Option<(String, u64)> {
    let kind = find(answered, "Content-Type");
    if body(answered).is_empty() {
        assert_eq!(kind, None);
        return None;
    }
    assert_eq!(kind.as_deref(), Some("application/json"));
    let told: serde_json::Value = serde_json::from_str(body(answered)).unwrap();
    let username = told["username"].as_str().unwrap().to_owned();
    let (ends, user) = username.split_once(':').unwrap();
    let minted = media::turn::mint(SECRET, user, ends.parse().unwrap()).unwrap();
    assert_eq!(told["password"], minted.password.as_str());
    assert_eq!(told["uris"], serde_json::json!(["turn:10.0.0.1:3478?transport=udp"]));
    Some((username, told["ttl"].as_u64().unwrap()))
}

fn ends(username: &str) -> u64 {
    username.split_once(':').unwrap().0.parse().unwrap()
}

#[test]
fn a_registration_hands_out_credentials_that_end_with_it_and_a_refresh_new_ones() {
    let mut world = world("anybody");
    let first = answer(&mut world, REGISTRAR, &wants(1, "600", JSON), "bob");
    let (username, ttl) = credentials(&first).unwrap();
    assert!(username.ends_with(":bob"), "{username}");
    assert_eq!((ttl, field(&first, "Contact")), (600, contact(DESK, ";expires=600")));
    world.run_for(s(300));
    let later = answer(&mut world, REGISTRAR, &wants(11, "600", JSON), "bob");
    let (again, ttl) = credentials(&later).unwrap();
    assert_eq!((ends(&again), ttl), (ends(&username) + 300, 600));
    // `credential_lifetime` is the most.
    let long = answer(&mut world, REGISTRAR, &wants(21, "3600", JSON), "bob");
    assert_eq!(credentials(&long).unwrap().1, 1_800);
    // They are of who has proved itself, not of the address-of-record.
    let other = answer(&mut world, REGISTRAR, &wants(31, "600", JSON), "alice");
    assert!(credentials(&other).unwrap().0.ends_with(":alice"));
    assert_eq!(world.core.counters().turn_credentials, 4);
    let asks = answer(&mut world, REGISTRAR, &wants(41, "600", JSON).without("Contact"), "bob");
    assert_eq!(credentials(&asks), None);
    let gone = answer(&mut world, REGISTRAR, &wants(51, "0", JSON), "bob");
    assert_eq!(credentials(&gone), None);
    assert_eq!(world.core.counters().turn_credentials, 4);
}

#[test]
fn rfc3261_20_1_only_a_user_agent_that_says_so_gets_a_body() {
    let mut world = world("anybody");
    let accepted = ["", "application/sdp", "*/*", "application/*", "application/json;q=0", "text/json"];
    for (nth, accept) in (0..).zip(accepted) {
        let answered = answer(&mut world, REGISTRAR, &wants(1 + 10 * nth, "600", accept), "bob");
        assert_eq!(credentials(&answered), None, "{accept}");
    }
    let capitals = answer(&mut world, REGISTRAR, &wants(101, "600", "Application/JSON;q=0.5"), "bob");
    assert!(credentials(&capitals).is_some());
}

#[test]
fn credentials_are_not_sent_in_the_clear_unless_the_configuration_says_so() {
    let beyond = wants(21, "600", JSON).set("Via", "SIP/2.0/TLS 192.0.2.7;branch=z9hG4bKp");
    for (whose, expected) in
        [("nobody", [false, false, false]), ("protected", [false, true, false]), ("anybody", [true; 3])]
    {
        let mut world = world(whose);
        let clear = answer(&mut world, REGISTRAR, &wants(1, "600", JSON), "bob");
        let tls = answer(&mut world, OVER_TLS, &wants(11, "600", JSON), "bob");
        // Who is beyond a proxy may be reached by it in whatever way.
        let by_proxy = answer(&mut world, OVER_TLS, &beyond, "bob");
        assert_eq!([clear, tls, by_proxy].map(|told| credentials(&told).is_some()), expected, "{whose}");
    }
}
