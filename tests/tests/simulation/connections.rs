//! Calls over connections: TCP, and TLS that serves both ways (RFC 3261 §18, RFC 5923).

use super::common::{World, credential, s};
use b2bua::snapshot::{Protected, Secrets};
use config::Config;
use liaison_tests::network::Fate;
use liaison_tests::peer::{Manner, Peer};
use sip::Transport;
use sip::driver::Limits;
use sip_types::Fields;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A provider over mutual TLS, whose connections serve both ways; a PBX over TCP, which also registers.
const DOCUMENT: &str = r#"
[networks.carrier]
listeners = [{ transport = "tls", address = "10.0.0.1:5061", tls = { certificates = [{ chain = "/none", key = "/none" }], clients = "optional" } }]
media = { address = "10.0.0.1", ports = "20000-20999" }
tls = { certificate = { chain = "/none", key = "/none" } }

[networks.enterprise]
trusted = true
listeners = [{ transport = "tcp", address = "10.1.0.1:5060" }]
media = { address = "10.1.0.1", ports = "20000-20999" }

[networks.enterprise.registrar]
domains = ["example.com"]
challenge = { realm = "sbc", users = [{ username = "bob", password = { env = "X" } }] }
accounts = [{ address = "bob@example.com", users = ["bob"] }]

[trunks.provider]
network = "carrier"
targets = ["sip:10.0.0.2:5061;transport=tls"]
from = ["10.0.0.2"]

[trunks.pbx]
network = "enterprise"
targets = ["sip:10.1.0.2:5060;transport=tcp"]
from = ["10.1.0.2"]

[[routes]]
name = "inbound"
networks = ["carrier"]
to = ["pbx"]

[[routes]]
name = "outbound"
networks = ["enterprise"]
to = ["provider"]
"#;

const OUTSIDE: &str = "10.0.0.1:5061";
const INSIDE: &str = "10.1.0.1:5060";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn world(seed: u64, limits: Limits) -> World {
    let config = Config::parse("world.toml", DOCUMENT).unwrap_or_else(|errors| panic!("{errors}"));
    let network = config.networks.keys().find(|name| name.as_str() == "enterprise").unwrap().clone();
    let known = credential("bob", "wonderland");
    let mut secrets = Secrets::default();
    secrets.inbound.insert(Protected::Registrar(network), BTreeMap::from([("bob".into(), known.clone())]));
    let alice = Peer::over(Transport::Tls, address("10.0.0.2:5061"), Manner::Answers, seed + 1);
    let mut bob = Peer::over(Transport::Tcp, address("10.1.0.2:5060"), Manner::Answers, seed + 2);
    bob.credentials = vec![("sbc".into(), known)];
    let peers = vec![alice, bob];
    let mut world = World::with_secrets(DOCUMENT, secrets, peers, Box::new(|_| Fate::Arrives), seed);
    world.connect(seed, &["10.0.0.1"], limits);
    world
}

/// With mutual TLS and `alias`: what the other side begins comes on the connection that is there, whoever opened it.
#[test]
fn rfc5923_a_connection_serves_both_ways_whoever_opened_it() {
    for caller in [0, 1] {
        let mut world = world(9, Limits::default());
        let proxy = address([OUTSIDE, INSIDE][caller]);
        let opener: IpAddr = ["10.0.0.2", "10.0.0.1"][caller].parse().unwrap();
        let now = world.now;
        world.peers[caller].call(now, &format!("sip:+4930@{proxy}"), proxy, Fields::default());
        world.run_for(s(2));
        assert!(world.peers.iter().all(Peer::is_established));
        // Who was called calls back, and who has called hangs up last.
        let now = world.now;
        world.peers[1 - caller].hang_up(now);
        world.run_for(s(2));
        let back = address([INSIDE, OUTSIDE][caller]);
        let now = world.now;
        world.peers[1 - caller].call(now, &format!("sip:+4930@{back}"), back, Fields::default());
        world.run_for(s(2));
        assert!(world.peers.iter().all(Peer::is_established));
        let now = world.now;
        world.peers[caller].hang_up(now);
        world.run_for(s(40));
        let lines = world.stations.as_ref().unwrap().lines.all();
        let carrier: Vec<_> = lines.iter().filter(|line| line.to.port() == 5061).collect();
        assert_eq!(carrier.len(), 1, "{carrier:?}");
        assert_eq!(carrier[0].from.ip(), opener);
        world.must_forget("calls both ways");
    }
}

/// A certificate that does not prove the domain: no message goes there, the call fails.
#[test]
fn rfc5922_7_3_a_server_that_does_not_prove_its_domain_gets_no_call() {
    let mut world = world(3, Limits::default());
    world.stations.as_ref().unwrap().lines.rename(1, &["impostor.example"]);
    let (now, proxy) = (world.now, address(INSIDE));
    world.peers[1].call(now, &format!("sip:+4930@{proxy}"), proxy, Fields::default());
    world.run_for(Duration::from_secs(40));
    assert!(world.peers[0].events.is_empty(), "nothing has come");
    assert_eq!(world.peers[1].ended, 1);
    world.must_forget("an impostor");
}
