//! Calls over connections: TCP, and TLS that serves both ways (RFC 3261 §18, RFC 5923).

use super::common::{World, credential, ms, s};
use b2bua::snapshot::{Protected, Secrets};
use config::Config;
use liaison_tests::ids::Seeded;
use liaison_tests::lines::Line;
use liaison_tests::network::Fate;
use liaison_tests::peer::{Manner, Peer};
use sip::driver::Limits;
use sip::time::{Mono, Now};
use sip::{End, Event, Transport};
use sip_types::{Fields, StatusCode};
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
    between(DOCUMENT, Transport::Tcp, seed, limits)
}

/// Alice, and Bob over that transport.
fn between(document: &str, transport: Transport, seed: u64, limits: Limits) -> World {
    let config = Config::parse("world.toml", document).unwrap_or_else(|errors| panic!("{errors}"));
    let network = config.networks.keys().find(|name| name.as_str() == "enterprise").unwrap().clone();
    let known = credential("bob", "wonderland");
    let mut secrets = Secrets::default();
    secrets.inbound.insert(Protected::Registrar(network), BTreeMap::from([("bob".into(), known.clone())]));
    let alice = Peer::over(Transport::Tls, address("10.0.0.2:5061"), Manner::Answers, seed + 1);
    let mut bob = Peer::over(transport, address("10.1.0.2:5060"), Manner::Answers, seed + 2);
    bob.credentials = vec![("sbc".into(), known)];
    let peers = vec![alice, bob];
    let mut world = World::with_secrets(document, secrets, peers, Box::new(|_| Fate::Arrives), seed);
    world.connect(seed, &["10.0.0.1"], limits);
    world
}

/// Something that a telephone does, or has done to it.
fn act(world: &mut World, chance: &mut Seeded, calls: &mut [usize; 2]) {
    let (now, who) = (world.now, usize::try_from(chance.below(2)).unwrap());
    let proxy = address([OUTSIDE, INSIDE][who]);
    let peer = &mut world.peers[who];
    match chance.below(12) {
        0..=4 if peer.is_free() => {
            calls[who] += 1;
            peer.call(now, &format!("sip:+4930@{proxy}"), proxy, Fields::default());
        }
        5 if peer.session.is_some() => peer.hang_up(now),
        6 if peer.is_established() => {
            peer.reinvite(now, true);
        }
        7 | 8 => peer.manner = Manner::Answers,
        9 => peer.manner = Manner::Refuses(StatusCode::BUSY_HERE),
        10 => peer.manner = Manner::Rings,
        11 => world.peers[1].register(now, "sip:bob@example.com", "example.com", address(INSIDE)),
        _ => {}
    }
}

/// Ends all that it has begun and was called for: a telephone that is called in a call has two.
fn end_all(peer: &mut Peer, now: Now) {
    let called = peer.events.iter().filter_map(|event| match event {
        Event::Invited { session, .. } => Some(*session),
        _ => None,
    });
    let all: Vec<_> = called.chain(peer.sessions.iter().copied()).collect();
    for session in all {
        peer.session = Some(session);
        peer.stop_ringing(now);
        peer.hang_up(now);
    }
}

/// No two of these stood at one time.
fn apart<'a>(lines: impl Iterator<Item = &'a Line>, what: &str) {
    let mut over: Option<Mono> = Some(Mono::default());
    for line in lines {
        assert!(over.is_some_and(|over| over <= line.begun), "{what}: another at {:?}: {line:?}", line.begun);
        over = line.over;
    }
}

fn ips(line: &Line) -> (IpAddr, IpAddr) {
    (line.from.ip(), line.to.ip())
}

/// An hour of calls both ways, long and short, answered and refused and given up, with re-INVITEs and registrations, over
/// connections that are idle for too long now and then, and in two of the runs one of them is lost every tenth minute. Over TLS one
/// serves both ways; where a lost one is replaced for a response, which asks for no alias, the other side may open its own.
#[test]
fn for_an_hour_of_mixed_calls_there_is_one_connection_a_direction_and_pair() {
    for (seed, lossy) in [(1, true), (2, true), (3, false), (4, false)] {
        let limits = Limits { idle_time: s(90), ..Limits::default() };
        let mut world = world(seed, limits);
        let (mut chance, mut calls, mut lost) = (Seeded(seed), [0; 2], 0);
        let end = world.now.mono + s(3600);
        let mut next_loss = world.now.mono + s(600);
        while world.now.mono < end {
            act(&mut world, &mut chance, &mut calls);
            // Now and then nobody does anything for longer than a connection may be idle.
            let pause = if chance.below(60) == 0 { 200_000 } else { chance.below(12_000) };
            world.run_for(ms(200 + pause));
            let lines = &world.stations.as_ref().unwrap().lines;
            if lossy
                && world.now.mono >= next_loss
                && let Some(line) = lines.standing().first()
            {
                lines.cut(*line);
                lost += 1;
                next_loss = world.now.mono + s(600);
            }
        }
        let lines = world.stations.as_ref().unwrap().lines.all();
        assert!(calls.iter().all(|calls| *calls > 10), "seed {seed}: {calls:?}");
        assert_eq!(lost >= 4, lossy, "seed {seed}: {lost} lost");
        let answered = world.records.lock().unwrap().iter().filter(|r| r.answered.is_some()).count();
        assert!(answered > 5, "seed {seed}: {answered} answered");
        assert!(world.peers[1].responses.contains(&200), "registered");
        let mut directions: BTreeMap<_, Vec<&Line>> = BTreeMap::new();
        for line in &lines {
            directions.entry(ips(line)).or_default().push(line);
        }
        for (pair, of_direction) in &directions {
            apart(of_direction.iter().copied(), &format!("seed {seed}, {pair:?}"));
        }
        let carrier: IpAddr = "10.0.0.1".parse().unwrap();
        let both_ways = lines.iter().filter(|line| line.from.ip() == carrier || line.to.ip() == carrier);
        if !lossy {
            apart(both_ways, &format!("seed {seed}: TLS serves both ways"));
        }
        println!(
            "seed {seed}: {calls:?} calls, {answered} answered, on {} connections, {lost} cut",
            lines.len()
        );
        let now = world.now;
        world.peers.iter_mut().for_each(|peer| end_all(peer, now));
        world.must_forget(&format!("seed {seed}"));
        assert!(world.network.log.is_empty(), "nothing has gone as a datagram");
    }
}

const WEB: &str = "10.1.0.1:8080";

/// Bob is in a browser, and reached as who he has registered as.
fn in_a_browser() -> String {
    let listeners = format!("listeners = [{{ transport = \"ws\", address = \"{WEB}\", websocket = {{}} }}, ");
    let (carrier, enterprise) = DOCUMENT.split_once("[networks.enterprise]").unwrap();
    let enterprise = enterprise
        .replacen("listeners = [", &listeners, 1)
        .replace("domains = ", "require_outbound = \"none\"\ndomains = ")
        .replace("to = [\"pbx\"]", "to = [{ domain = \"example.com\" }]");
    format!("{carrier}[networks.enterprise]{enterprise}")
}

/// An hour of calls both ways between a carrier over TLS and a browser, which registers, is idle, and loses its connection now and
/// then. Nobody but the browser opens connections of its own, one at a time; what is for it comes there, BYEs included (RFC 7118 §5).
#[test]
fn for_an_hour_a_browser_is_called_and_hung_up_on_the_one_connection_that_it_has_opened() {
    for seed in [1, 2, 3] {
        let limits = Limits { idle_time: s(90), ..Limits::default() };
        let mut world = between(&in_a_browser(), Transport::Ws, seed, limits);
        let (mut chance, mut calls, mut lost) = (Seeded(seed), [0; 2], 0);
        let end = world.now.mono + s(3600);
        let mut next_loss = world.now.mono + s(400);
        while world.now.mono < end {
            let (now, who) = (world.now, usize::try_from(chance.below(2)).unwrap());
            let way = [(OUTSIDE, "sip:bob@example.com"), (WEB, "sip:+4930@10.1.0.1")][who];
            let peer = &mut world.peers[who];
            match chance.below(10) {
                0..=3 if peer.is_free() => {
                    calls[who] += 1;
                    peer.call(now, way.1, address(way.0), Fields::default());
                }
                4 | 5 if peer.session.is_some() => peer.hang_up(now),
                6 if peer.is_established() => {
                    peer.reinvite(now, true);
                }
                7 | 8 => world.peers[1].register(now, "sip:bob@example.com", "example.com", address(WEB)),
                _ => {}
            }
            let pause = if chance.below(60) == 0 { 200_000 } else { chance.below(12_000) };
            world.run_for(ms(200 + pause));
            let lines = &world.stations.as_ref().unwrap().lines;
            if world.now.mono >= next_loss
                && let Some(line) =
                    lines.standing().iter().find(|line| lines.all()[**line].to == address(WEB))
            {
                lines.cut(*line);
                lost += 1;
                next_loss = world.now.mono + s(400);
            }
        }
        let lines = world.stations.as_ref().unwrap().lines.all();
        let browser: IpAddr = "10.1.0.2".parse().unwrap();
        let of_browser: Vec<&Line> = lines.iter().filter(|line| line.from.ip() == browser).collect();
        assert!(
            lines.iter().all(|line| line.to.ip() != browser),
            "seed {seed}: nobody opens a connection to it"
        );
        assert!(of_browser.iter().all(|line| line.to == address(WEB)), "seed {seed}");
        assert!(of_browser.len() > lost && lost >= 4, "seed {seed}: {lost} lost of {}", of_browser.len());
        apart(of_browser.iter().copied(), &format!("seed {seed}: of the browser"));
        let events = &world.peers[1].events;
        let called = events.iter().filter(|event| matches!(event, Event::Invited { .. })).count();
        let byes =
            events.iter().filter(|event| matches!(event, Event::Ended { why: End::Bye(_), .. })).count();
        assert!(
            calls[1] > 10 && called > 10 && byes > 5,
            "seed {seed}: {calls:?}, {called} came, {byes} BYEs"
        );
        println!(
            "seed {seed}: {calls:?} calls, {called} came to the browser, {byes} BYEs, {} connections, {lost} cut",
            of_browser.len()
        );
        let now = world.now;
        world.peers.iter_mut().for_each(|peer| end_all(peer, now));
        world.must_forget(&format!("seed {seed}"));
        assert!(world.network.log.is_empty(), "nothing has gone as a datagram");
    }
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
