//! A trunk that registers with a registrar of Liaison's own, by another network: the GRUUs of the one are those that the other
//! goes by, temporary ones included (RFC 5627).

use super::common::{World, credential, ms, s};
use super::users::{ALICE, REGISTRAR, bind, call};
use b2bua::snapshot::{Protected, Secrets};
use config::Config;
use liaison_tests::message::{Msg, audio, field, seq, start, uri_in};
use liaison_tests::network::Fate;

const PBX: &str = "10.1.0.2:5060";
const OFFICE: &str = "10.1.0.1:5060";
const UPLINK: &str = "10.2.0.1:5060";

const DOCUMENT: &str = r#"
[networks.house]
listeners = [{ transport = "udp", address = "10.0.0.1:5060" }]
media = { address = "10.0.0.1", ports = "20000-20999" }

[networks.house.registrar]
domains = ["example.com"]
challenge = { realm = "sbc", users = [
    { username = "alice", password = { env = "X" } }, { username = "bob", password = { env = "X" } },
] }
accounts = [
    { address = "alice@example.com", users = ["alice"] }, { address = "bob@example.com", users = ["bob"] },
]

[networks.office]
listeners = [{ transport = "udp", address = "10.1.0.1:5060" }]
media = { address = "10.1.0.1", ports = "20000-20999" }

[networks.uplink]
listeners = [{ transport = "udp", address = "10.2.0.1:5060" }]
media = { address = "10.2.0.1", ports = "20000-20999" }

[trunks.carrier]
network = "uplink"
targets = ["sip:example.com"]
credentials = [{ realm = "sbc", username = "bob", password = { env = "X" } }]
register = { address = "bob@example.com", registrars = ["sip:10.0.0.1"], gruu = true }

[trunks.pbx]
network = "office"
targets = ["sip:10.1.0.2:5060"]
from = ["10.1.0.2"]

[[routes]]
name = "users"
networks = ["house"]
called = ["@example.com"]
to = [{ domain = "example.com" }]

[[routes]]
name = "in"
networks = ["uplink"]
to = ["pbx"]

[[routes]]
name = "out"
networks = ["office"]
to = ["carrier"]
"#;

fn secrets() -> Secrets {
    let config = Config::parse("here.toml", DOCUMENT).unwrap_or_else(|errors| panic!("{errors}"));
    let (house, carrier) = (config.networks.keys().next().unwrap(), config.trunks.keys().next().unwrap());
    let known = |user: &str| (user.into(), credential(user, "wonderland"));
    let mut secrets = Secrets::default();
    secrets.inbound.insert(Protected::Registrar(house.clone()), [known("alice"), known("bob")].into());
    let of_carrier = [("sbc".into(), credential("bob", "wonderland"))];
    secrets.outbound.insert(carrier.clone(), of_carrier.into());
    secrets
}

/// The trunk is registered for Bob, and Alice has her telephone.
fn registered() -> World {
    let mut world = World::sharded(1, DOCUMENT, secrets(), Vec::new(), Box::new(|_| Fate::Arrives), 5);
    world.names.insert("example.com".into(), vec!["10.0.0.1".parse().unwrap()]);
    world.run_for(s(1));
    assert_eq!((world.gauges().trunks_registered, world.gauges().bindings), (1, 1));
    bind(&mut world, "alice", ALICE, "");
    world
}

/// The last message from one address to another that begins so.
fn last(world: &World, from: &str, to: &str, begins: &str) -> String {
    let [from, to] = [from, to].map(|at| at.parse::<std::net::SocketAddr>().unwrap());
    let all = world.network.log.iter().filter(|d| d.from == from && d.to == to);
    let found = all.map(|d| d.text()).rfind(|text| text.starts_with(begins));
    found.unwrap_or_else(|| panic!("no {begins}"))
}

/// Bob calls Alice anonymously, and she answers: what Alice got, and the GRUU.
fn call_unknown(world: &mut World, n: u32) -> (String, String) {
    let invite = Msg::request("INVITE", "sip:alice@10.1.0.1", PBX, n).sdp(&audio(PBX, 4000));
    let invite = invite.set("From", "<sip:bob@example.com>;tag=pbx").set("Privacy", "id");
    world.post(PBX, OFFICE, &invite);
    let invited = world.expect(ALICE, "INVITE");
    world.post(
        ALICE,
        REGISTRAR,
        &Msg::response(&invited, 200, "alice").contact(ALICE).sdp(&audio(ALICE, 6000)),
    );
    let ok = world.expect(PBX, "200");
    world.post(PBX, OFFICE, &Msg::inside("ACK", PBX, seq(&ok), &ok));
    world.expect(ALICE, "ACK");
    let gruu = uri_in(&field(&last(world, UPLINK, REGISTRAR, "INVITE"), "Contact"));
    (invited, gruu)
}

fn hangs_up(world: &mut World, invited: &str, n: u32) {
    let bye = Msg::inside("BYE", ALICE, n, invited);
    let from = format!("{};tag=alice", field(invited, "To"));
    world.post(ALICE, REGISTRAR, &bye.set("From", &from).set("To", &field(invited, "From")));
    let bye = world.expect(PBX, "BYE");
    world.ok(PBX, OFFICE, &bye);
    world.run_for(ms(20));
    assert_eq!(world.gauges().calls, 0);
}

#[test]
fn rfc5627_4_4_temporary_gruus_of_our_registrar_lead_to_our_trunk_through_its_refreshes() {
    let mut world = registered();
    let (invited, gruu) = call_unknown(&mut world, 1);
    assert!(gruu.starts_with("sip:tgruu.") && gruu.ends_with("@example.com;gr"), "{gruu}");
    // The registration is refreshed twice within the call.
    world.run_for(s(7000));
    hangs_up(&mut world, &invited, 1);
    let bye = last(&world, REGISTRAR, UPLINK, "BYE");
    assert_eq!(start(&bye), format!("BYE {gruu} SIP/2.0"), "as the registrar sends it to the trunk");
    bind(&mut world, "alice", ALICE, "");
    let (invited, newer) = call_unknown(&mut world, 2);
    assert_ne!(newer, gruu, "each refresh brings another one");
    hangs_up(&mut world, &invited, 2);
    // Whoever was called by one calls back.
    for name in [&gruu, &newer] {
        call(&mut world, name);
        let called = world.expect(PBX, "INVITE");
        assert_eq!(start(&called), "INVITE sip:bob@10.1.0.2:5060 SIP/2.0");
        world.post(PBX, OFFICE, &Msg::response(&called, 486, "pbx"));
        world.expect(ALICE, "486");
        world.run_for(s(40));
    }
}
