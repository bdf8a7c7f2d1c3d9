//! Every request that we challenge × every form of credentials (RFC 3261 §22; RFC 7616; RFC 8760).

mod draft;
mod table;

use super::common::{World, credential, ms, s};
use super::gate::parameter;
use super::users::{DESK, MOBILE, REGISTRAR, challenges, register};
use b2bua::snapshot::{Protected, Secrets};
use config::Config;
use draft::Asked;
use liaison_tests::message::{Msg, audio, branch, field, start};
use liaison_tests::network::Fate;
use std::collections::BTreeMap;
use table::{Expected, Form, Profile, forms};

/// Where the trunk is.
const TRUNK: &str = "10.0.0.9:5060";

const DOCUMENT: &str = r#"
[networks.phones]
listeners = [{ transport = "udp", address = "10.0.0.1:5060" }]
media = { address = "10.0.0.1", ports = "20000-20999" }

[networks.phones.registrar]
domains = ["example.com"]
challenge = { realm = "sbc", users = [{ username = "bob", password = { env = "X" } }] }
accounts = [
    { address = "alice@example.com", users = ["bob"] }, { address = "bob@example.com", users = ["bob"] },
]
subscriptions = 16

[trunks.provider]
network = "phones"
targets = ["sip:10.0.0.9:5060"]
from = ["10.0.0.9"]
challenge = { realm = "sbc", users = [{ username = "bob", password = { env = "X" } }] }

[[routes]]
name = "users"
called = ["@example.com"]
to = [{ domain = "example.com" }]
"#;

/// What is asked of us, each behind a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Bob's device registers.
    Register,
    /// Bob watches his registrations.
    Subscribe,
    /// Bob calls Alice, who has no device.
    Invite,
    /// Bob asks whether he could.
    Options,
    /// A trunk calls Alice.
    OfTrunk,
}

const KINDS: [Kind; 5] = [Kind::Register, Kind::Subscribe, Kind::Invite, Kind::Options, Kind::OfTrunk];

impl Kind {
    /// From where it comes.
    fn at(self) -> &'static str {
        match self {
            Kind::Register => DESK,
            Kind::Subscribe | Kind::Invite | Kind::Options => MOBILE,
            Kind::OfTrunk => TRUNK,
        }
    }

    /// Without credentials; `n` tells requests of a test apart.
    fn request(self, n: u32) -> Msg {
        let outside = |method: &str, uri: &str| {
            Msg::request(method, uri, self.at(), 1).set("From", &format!("<sip:bob@example.com>;tag=b{n}"))
        };
        let request = match self {
            Kind::Register => register("bob", DESK, 1).contact(DESK),
            Kind::Subscribe => outside("SUBSCRIBE", "sip:bob@example.com").with("Event", "reg"),
            Kind::Options => outside("OPTIONS", "sip:alice@example.com"),
            Kind::Invite | Kind::OfTrunk => {
                outside("INVITE", "sip:alice@example.com").sdp(&audio(self.at(), 4000))
            }
        };
        request.set("Call-ID", &format!("{self:?}-{n}")).branch(&format!("{self:?}-{n}"))
    }

    /// The status where its user has proved to be Bob.
    fn passes(self) -> &'static str {
        match self {
            Kind::Register | Kind::Subscribe => "200",
            Kind::Invite | Kind::Options | Kind::OfTrunk => "480",
        }
    }
}

fn world(profile: Profile) -> World {
    let text = format!("{DOCUMENT}{}", profile.text());
    let config = Config::parse("credentials.toml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let bob = BTreeMap::from([("bob".into(), credential("bob", "wonderland"))]);
    let mut secrets = Secrets::default();
    let (network, trunk) = (config.networks.keys().next().unwrap(), config.trunks.keys().next().unwrap());
    secrets.inbound.insert(Protected::Registrar(network.clone()), bob.clone());
    secrets.inbound.insert(Protected::Trunk(trunk.clone()), bob);
    World::sharded(1, &text, secrets, Vec::new(), Box::new(|_| Fate::Arrives), 11)
}

/// Sends a request: its final response, which is acknowledged.
fn answer_to(world: &mut World, kind: Kind, request: &Msg) -> String {
    world.post(kind.at(), REGISTRAR, request);
    world.run_for(ms(20));
    let ours = branch(&request.text());
    let is_final = |text: &String| {
        text.starts_with("SIP/2.0 ") && !text.starts_with("SIP/2.0 1") && branch(text) == ours
    };
    let answer = world.sent_to(kind.at()).into_iter().find(is_final);
    let answer = answer.unwrap_or_else(|| panic!("no answer to {}", request.text()));
    if request.text().starts_with("INVITE") {
        let ack = Msg::of_invite("ACK", request).set("To", &field(&answer, "To"));
        world.post(kind.at(), REGISTRAR, &ack);
        world.run_for(ms(10));
    }
    answer
}

/// Request number `n`, challenged: what was asked.
fn asked(world: &mut World, kind: Kind, n: u32) -> Asked {
    let request = kind.request(n);
    let challenge = answer_to(world, kind, &request);
    assert!(start(&challenge).starts_with("401"), "{challenge}");
    Asked::new(challenges(&challenge), &request.text())
}

/// Request number `n` with these fields: its final response.
fn with(world: &mut World, kind: Kind, n: u32, credentials: &[(&str, String)]) -> String {
    let request = kind.request(n);
    let method = request.get("CSeq").split(' ').nth(1).unwrap().to_owned();
    let request = credentials.iter().fold(request, |request, (name, value)| request.with(name, value));
    answer_to(
        world,
        kind,
        &request.set("CSeq", &format!("2 {method}")).branch(&format!("{kind:?}-{n}-again")),
    )
}

/// What has come of requests that got past the challenge.
fn done(world: &World) -> (usize, usize, u64) {
    let gauges = world.gauges();
    (gauges.bindings, gauges.subscriptions, world.core.counters().unregistered)
}

fn check(world: &mut World, kind: Kind, form: &Form) {
    let case = format!("{kind:?}, {}", form.name);
    let asked = asked(world, kind, 1);
    world.run_for(s(form.wait));
    let before = done(world);
    let answer = with(world, kind, 1, &(form.credentials)(&asked));
    let status = start(&answer).split(' ').next().unwrap();
    let counters = world.core.counters();
    let fresh = challenges(&answer);
    let stale: Vec<bool> =
        fresh.iter().map(|one| parameter(one, "stale").as_deref() == Some("true")).collect();
    let (guesses, old) = (counters.guesses, counters.stale_nonces);
    match form.expected {
        Expected::Passes => {
            assert_eq!(status, kind.passes(), "{case}: {answer}");
            assert_eq!((guesses, old), (0, 0), "{case}");
            assert_ne!(done(world), before, "{case}");
            return;
        }
        Expected::Stale => {
            assert_eq!((status, guesses, old), ("401", 0, 1), "{case}: {answer}");
            assert!(stale.iter().all(|stale| *stale), "{case}: {answer}");
        }
        Expected::Guess => {
            assert_eq!((status, guesses, old), ("401", 1, 0), "{case}: {answer}");
        }
        Expected::Asks => assert_eq!((status, guesses, old), ("401", 0, 0), "{case}: {answer}"),
        Expected::Defect => {
            assert_eq!((status, guesses, old), ("400", 0, 0), "{case}: {answer}");
            assert!(fresh.is_empty(), "{case}: {answer}");
        }
    }
    assert_eq!(done(world), before, "{case}: it has done nothing");
    if form.expected == Expected::Defect {
        return;
    }
    assert!(!fresh.is_empty(), "{case}: {answer}");
    assert!(
        form.expected == Expected::Stale || stale.iter().all(|stale| !stale),
        "{case}: it is wrong, not old"
    );
    // Who knows the password goes on with what was asked now.
    let asked = Asked::new(fresh, &kind.request(2).text());
    let answer = with(world, kind, 2, &[("Authorization", asked.right())]);
    assert!(start(&answer).starts_with(kind.passes()), "{case}, and then the right ones: {answer}");
}

// conforms: RFC3261-22-1 RFC3261-22.4-2 RFC7616-3.4-1,3,4 RFC7616-3.4.6-1,2,3 RFC8760-2.6-1,3,4
#[test]
fn every_request_meets_every_form_of_credentials() {
    let mut cases = 0;
    for kind in KINDS {
        for form in forms() {
            check(&mut world(form.profile), kind, form);
            cases += 1;
        }
    }
    assert_eq!(cases, KINDS.len() * forms().count());
}

/// Counts in the order in which they come, and whether each is good: any that was not used before is (RFC 7616 §3.4).
const COUNTS: [(u32, bool); 9] = [
    (1, true),
    (1, false),
    (2, true),
    (6, true),
    (4, true),
    (6, false),
    (4, false),
    (3, true),
    (0xffff_ffff, true),
];

#[test]
fn rfc7616_3_4_every_request_uses_each_count_of_a_nonce_once() {
    for kind in KINDS {
        let mut world = world(Profile::Plain);
        let asked = asked(&mut world, kind, 1);
        let mut replays = 0;
        for (n, (count, good)) in (2..).zip(COUNTS) {
            let text = asked.draft("SHA-256").set("nc", &format!("{count:08x}")).signed();
            let answer = with(&mut world, kind, n, &[("Authorization", text)]);
            let status = start(&answer).split(' ').next().unwrap();
            assert_eq!(status, if good { kind.passes() } else { "401" }, "{kind:?}, count {count}: {answer}");
            replays += u64::from(!good);
            assert_eq!(world.core.counters().stale_nonces, replays, "{kind:?}, count {count}");
        }
    }
}

#[test]
fn a_nonce_is_good_for_every_request_of_its_realm_from_where_it_was_asked_for() {
    let mut world = world(Profile::Plain);
    let first = asked(&mut world, Kind::Subscribe, 1);
    for (n, kind) in (2..).zip(KINDS) {
        let of = first.for_request(&kind.request(n).text());
        let text = of.draft("SHA-256").set("nc", &format!("{n:08x}")).signed();
        let answer = with(&mut world, kind, n, &[("Authorization", text)]);
        let is_there = kind.at() == Kind::Subscribe.at();
        let expected = if is_there { kind.passes() } else { "401" };
        assert!(start(&answer).starts_with(expected), "{kind:?}: {answer}");
    }
}

#[test]
fn rfc3261_22_1_neither_ack_nor_cancel_is_challenged() {
    let mut world = world(Profile::Plain);
    for kind in [Kind::Invite, Kind::OfTrunk] {
        let invite = kind.request(1);
        for method in ["ACK", "CANCEL"] {
            let stray = Msg::of_invite(method, &invite).branch(&format!("stray-{method}-{kind:?}"));
            world.post(kind.at(), REGISTRAR, &stray);
        }
        world.run_for(ms(50));
        assert!(world.sent_to(kind.at()).iter().all(|text| !start(text).starts_with("401")));
    }
    assert_eq!(world.core.counters().challenged, 0);
}
