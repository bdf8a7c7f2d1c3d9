//! The registrations of RFC 3665 §2, message by message, with the names of the RFC. Its nonces are those of its server, ours are
//! ours; its clients answer challenges with qop, which ours have.

use super::common::{World, credential, s};
use super::gate::{digest, parameter};
use b2bua::snapshot::{Protected, Secrets};
use config::Config;
use insta::assert_snapshot;
use liaison_tests::message::{field, find, start};
use liaison_tests::network::Fate;

const BOB: &str = "192.0.2.201:5061";
const SERVER: &str = "192.0.2.222:5061";
const DOCUMENT: &str = r#"
[networks.biloxi]
listeners = [{ transport = "tls", address = "192.0.2.222:5061", tls = { certificates = [{ chain = "/none", key = "/none" }] } }]
media = { address = "192.0.2.222", ports = "20000-20999" }
nat = "off"

[networks.biloxi.registrar]
domains = ["ss2.biloxi.example.com", "biloxi.example.com"]
challenge = { realm = "atlanta.example.com", users = [{ username = "bob", password = { env = "X" } }] }
accounts = [{ address = "bob@biloxi.example.com", users = ["bob"] }]
"#;

fn world() -> World {
    let config = Config::parse("rfc3665.toml", DOCUMENT).unwrap_or_else(|errors| panic!("{errors}"));
    let network = config.networks.keys().next().unwrap().clone();
    let known = [("bob".into(), credential("bob", "zanzibar"))];
    let mut secrets = Secrets::default();
    secrets.inbound.insert(Protected::Registrar(network), known.into());
    World::with_secrets(DOCUMENT, secrets, Vec::new(), Box::new(|_| Fate::Arrives), 7)
}

/// Bob's REGISTER of that number, with these lines, and what the server answers.
fn register(world: &mut World, number: u32, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let text = format!(
        "REGISTER sips:ss2.biloxi.example.com SIP/2.0\r\n\
         Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds{number}\r\n\
         Max-Forwards: 70\r\n\
         From: Bob <sips:bob@biloxi.example.com>;tag=a73kszlfl\r\n\
         To: Bob <sips:bob@biloxi.example.com>\r\n\
         Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com\r\n\
         CSeq: {number} REGISTER\r\n{lines}Content-Length: 0\r\n\r\n"
    );
    world.post_text(BOB, SERVER, &text);
    world.expect(BOB, "")
}

const CONTACT: &str = "Contact: <sips:bob@client.biloxi.example.com>";

/// The credentials that answer a challenge for the nth time.
fn credentials(asked: &str, nth: u32, password: &str) -> String {
    let nonce = parameter(&field(asked, "WWW-Authenticate"), "nonce").unwrap();
    let start = format!(
        "Digest username=\"bob\", realm=\"atlanta.example.com\", nonce=\"{nonce}\", \
         uri=\"sips:ss2.biloxi.example.com\", algorithm=SHA-256, qop=auth, nc={nth:08x}, cnonce=\"c{nth}\""
    );
    let response = digest(true, &start, password, "REGISTER");
    format!("Authorization: {start}, response=\"{response}\"")
}

fn show(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// Registered as §2.1 has it: the challenge, and the 200.
fn registered(world: &mut World) -> (String, String) {
    let asked = register(world, 1, &[CONTACT]);
    let ok = register(world, 2, &[CONTACT, &credentials(&asked, 1, "zanzibar")]);
    (asked, ok)
}

#[test]
fn rfc3665_2_1_successful_new_registration() {
    let mut world = world();
    let (asked, ok) = registered(&mut world);
    assert_snapshot!(show(&asked), @r#"
    SIP/2.0 401 Unauthorized
    Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds1;received=192.0.2.201
    From: Bob <sips:bob@biloxi.example.com>;tag=a73kszlfl
    To: Bob <sips:bob@biloxi.example.com>;tag=vdx6g2fn72k61
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
    CSeq: 1 REGISTER
    Server: Liaison
    WWW-Authenticate: Digest realm="atlanta.example.com", nonce="000001a0c4506c05edb2772eace87f695737fa36da49c4c73d858f340339442c", qop="auth", algorithm=SHA-256
    WWW-Authenticate: Digest realm="atlanta.example.com", nonce="000001a0c4506c05edb2772eace87f695737fa36da49c4c73d858f340339442c", qop="auth", algorithm=MD5
    Content-Length: 0
    "#);
    assert_snapshot!(show(&ok), @r#"
    SIP/2.0 200 OK
    Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds2;received=192.0.2.201
    From: Bob <sips:bob@biloxi.example.com>;tag=a73kszlfl
    To: Bob <sips:bob@biloxi.example.com>;tag=w56jcw30jetv8
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
    CSeq: 2 REGISTER
    Server: Liaison
    Contact: <sips:bob@client.biloxi.example.com>;expires=3600
    Date: Mon, 21 Sep 2026 14:13:20 GMT
    Content-Length: 0
    "#);
}

#[test]
fn rfc3665_2_2_update_of_contact_list() {
    let mut world = world();
    let (asked, _) = registered(&mut world);
    world.run_for(s(10));
    let mail = "Contact: mailto:bob@biloxi.example.com";
    let ok = register(&mut world, 3, &[mail, &credentials(&asked, 2, "zanzibar")]);
    assert_snapshot!(show(&ok), @r#"
    SIP/2.0 200 OK
    Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds3;received=192.0.2.201
    From: Bob <sips:bob@biloxi.example.com>;tag=a73kszlfl
    To: Bob <sips:bob@biloxi.example.com>;tag=0811bqx1hdq7c
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
    CSeq: 3 REGISTER
    Server: Liaison
    Contact: <sips:bob@client.biloxi.example.com>;expires=3590
    Contact: <mailto:bob@biloxi.example.com>;expires=3600
    Date: Mon, 21 Sep 2026 14:13:30 GMT
    Content-Length: 0
    "#);
}

#[test]
fn rfc3665_2_3_request_for_current_contact_list() {
    let mut world = world();
    let (asked, _) = registered(&mut world);
    let second = "Contact: <sips:bob@office.biloxi.example.com>;q=0.5;expires=600";
    register(&mut world, 3, &[second, &credentials(&asked, 2, "zanzibar")]);
    let ok = register(&mut world, 4, &[&credentials(&asked, 3, "zanzibar")]);
    assert_snapshot!(show(&ok), @r#"
    SIP/2.0 200 OK
    Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds4;received=192.0.2.201
    From: Bob <sips:bob@biloxi.example.com>;tag=a73kszlfl
    To: Bob <sips:bob@biloxi.example.com>;tag=mzarby76dgbc8
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
    CSeq: 4 REGISTER
    Server: Liaison
    Contact: <sips:bob@client.biloxi.example.com>;expires=3600
    Contact: <sips:bob@office.biloxi.example.com>;q=0.5;expires=600
    Date: Mon, 21 Sep 2026 14:13:20 GMT
    Content-Length: 0
    "#);
}

#[test]
fn rfc3665_2_4_cancellation_of_registration() {
    let mut world = world();
    let (asked, _) = registered(&mut world);
    let all = ["Expires: 0", "Contact: *", &credentials(&asked, 2, "zanzibar")];
    let ok = register(&mut world, 3, &all);
    assert_snapshot!(show(&ok), @r#"
    SIP/2.0 200 OK
    Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds3;received=192.0.2.201
    From: Bob <sips:bob@biloxi.example.com>;tag=a73kszlfl
    To: Bob <sips:bob@biloxi.example.com>;tag=0811bqx1hdq7c
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
    CSeq: 3 REGISTER
    Server: Liaison
    Date: Mon, 21 Sep 2026 14:13:20 GMT
    Content-Length: 0
    "#);
    assert_eq!(world.gauges().bindings, 0);
}

#[test]
fn rfc3665_2_5_unsuccessful_registration() {
    let mut world = world();
    let asked = register(&mut world, 1, &[CONTACT]);
    let refused = register(&mut world, 2, &[CONTACT, &credentials(&asked, 1, "incorrect")]);
    assert_snapshot!(show(&refused), @r#"
    SIP/2.0 401 Unauthorized
    Via: SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds2;received=192.0.2.201
    From: Bob <sips:bob@biloxi.example.com>;tag=a73kszlfl
    To: Bob <sips:bob@biloxi.example.com>;tag=w56jcw30jetv8
    Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
    CSeq: 2 REGISTER
    Server: Liaison
    WWW-Authenticate: Digest realm="atlanta.example.com", nonce="000001a0c4506c0f5ff0fb049617107d0db2dc90962ae0abdc22a04dffeff74d", qop="auth", algorithm=SHA-256
    WWW-Authenticate: Digest realm="atlanta.example.com", nonce="000001a0c4506c0f5ff0fb049617107d0db2dc90962ae0abdc22a04dffeff74d", qop="auth", algorithm=MD5
    Content-Length: 0
    "#);
    assert_ne!(field(&asked, "WWW-Authenticate"), field(&refused, "WWW-Authenticate"), "another nonce");
    assert_eq!(world.gauges().bindings, 0);
    let ok = register(&mut world, 3, &[CONTACT, &credentials(&refused, 1, "zanzibar")]);
    assert!(start(&ok) == "200 OK" && find(&ok, "Contact").is_some(), "{ok}");
}
