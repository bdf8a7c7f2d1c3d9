//! Users of a registrar and their devices, played by hand.

use super::common::{World, credential};
use super::gate::answer_to;
use b2bua::snapshot::{Protected, Secrets};
use config::Config;
use liaison_tests::message::{Msg, audio, field, fields, start};
use liaison_tests::network::Fate;

pub const REGISTRAR: &str = "10.0.0.1:5060";
pub const ALICE: &str = "10.0.0.2:5060";
pub const DESK: &str = "10.0.0.3:5060";
pub const MOBILE: &str = "10.0.0.4:5060";
/// A third device.
pub const TABLET: &str = "10.0.0.5:5060";
/// Whom Alice calls.
pub const BOB: &str = "sip:bob@example.com";

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
    World::sharded(shards, document, secrets(document), Vec::new(), Box::new(|_| Fate::Arrives), 7)
}

/// The passwords of the users in a document.
pub fn secrets(document: &str) -> Secrets {
    let config = Config::parse("world.toml", document).unwrap_or_else(|errors| panic!("{errors}"));
    let network = config.networks.keys().next().unwrap().clone();
    let known = ["alice", "bob"].map(|user| (user.into(), credential(user, "wonderland")));
    let mut secrets = Secrets::default();
    secrets.inbound.insert(Protected::Registrar(network), known.into());
    secrets
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
pub fn challenges(asked: &str) -> Vec<String> {
    fields(asked).into_iter().filter(|(n, _)| n == "WWW-Authenticate").map(|(_, v)| v).collect()
}

/// The final response to a request that answers the challenge as that user.
pub fn answered_as(world: &mut World, device: &str, request: &Msg, user: &str) -> String {
    prove_as(world, device, request, user);
    world.expect(device, "")
}

/// Sends a request, and again with the answer to the challenge as that user.
pub fn prove_as(world: &mut World, device: &str, request: &Msg, user: &str) {
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
}

/// Alice calls that URI, as her own user: what she sent last.
pub fn call(world: &mut World, uri: &str) -> Msg {
    call_with(world, uri, &[])
}

/// The same with other header fields, or more.
pub fn call_with(world: &mut World, uri: &str, more: &[(&str, &str)]) -> Msg {
    let invite = Msg::request("INVITE", uri, ALICE, 1)
        .set("From", "<sip:alice@example.com>;tag=a")
        .sdp(&audio(ALICE, 4000));
    let invite = more.iter().fold(invite, |invite, (name, value)| invite.set(name, value));
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
pub fn says(world: &mut World, device: &str, request: &str, status: u16) {
    let mut response = Msg::response(request, status, &format!("dev-{}", device.len())).contact(device);
    if status == 200 && request.starts_with("INVITE") {
        response = response.sdp(&audio(device, 6000));
    }
    world.post(device, REGISTRAR, &response);
}
