//! The desk, with our own TURN server at the other end, under a time of the test's own.

use std::net::SocketAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Desk, Health, Input, Notice, Output, Wire};
use crate::ice::Component;
use crate::ice::aliases::Aliases;
use crate::ice::full::{Progress, Via};
use crate::ice::reach::Reach;
use crate::ice::traversal::{Auth, Server, Transport, Traversal};
use crate::turn::Client;
use crate::turn::client::{head, unwrapped};
use crate::turn::tests::lab::{Lab, SECRET, at};
use crate::{ContextId, PairId, ThreadId};

const HOSTS: [&str; 2] = ["203.0.113.7:30000", "203.0.113.7:30001"];
const SERVER: &str = "192.0.2.1:3478";
const DEAD: &str = "192.0.2.200:3478";
const PAIR: PairId = PairId { thread: ThreadId(0), slot: 3, generation: 1 };

fn server(address: &str, transport: Transport, turn: bool) -> Server {
    let secret = Zeroizing::new(SECRET.to_owned());
    let auth = turn.then(|| Auth::Shared { user: "liaison".into(), secret });
    Server { name: address.into(), host: "turn.example".into(), address: at(address), transport, auth }
}

struct Bench {
    desk: Desk,
    lab: Lab,
    alive: bool,
    now: u64,
    told: Vec<Output>,
    health: Arc<[Health]>,
    aliases: Arc<Aliases>,
}

impl Bench {
    fn new(servers: &[Server]) -> Self {
        let health: Arc<[Health]> = servers.iter().map(|_| Health::default()).collect();
        let traversal = Arc::new(Traversal { servers: servers.into(), ready: 1 });
        let networks = [Some((traversal, health.clone()))];
        let lab = Lab::with(|settings| (settings.limits.per_user, settings.limits.permissions) = (20, 100));
        let aliases = Arc::new(Aliases::new(8, ahash::RandomState::with_seeds(1, 2, 3, 4)));
        let desk = Desk::new(networks.into_iter(), Arc::clone(&aliases), (&[5; 32], lab.now.unix));
        let mut bench = Self { desk, lab, alive: true, now: 0, told: Vec::new(), health, aliases };
        bench.desk.handle(Input::Gather(PAIR, 0, HOSTS.map(at)), 0);
        bench.settle();
        bench
    }

    fn client(component: Component) -> Client {
        let address = at(HOSTS[usize::from(component == Component::Rtcp)]);
        Client { listener: 0, connection: None, address }
    }

    /// Carries datagrams until nothing is left to be said.
    fn settle(&mut self) {
        while let Some(output) = self.desk.poll() {
            let Output::Datagram(pair, component, to, octets) = &output else {
                self.told.push(output);
                continue;
            };
            if *to != at(SERVER) || !self.alive {
                self.told.push(output);
                continue;
            }
            let mut client = Self::client(*component);
            if *pair != PAIR {
                client.address.set_ip([203, 0, 113, 8].into());
            }
            if let Some(answer) = self.lab.give(client, octets) {
                let came = Input::Datagram(*pair, (*component, Via::Direct), at(SERVER), answer.into());
                self.desk.handle(came, self.now);
            }
        }
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        while let Some(due) = self.desk.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.lab.now.millis = 5_000 + self.now;
            self.desk.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    fn reach(&self) -> Option<&Arc<Reach>> {
        self.told.iter().find_map(|output| match output {
            Output::Gathered(PAIR, reach) => Some(reach),
            _ => None,
        })
    }

    fn notices(&mut self) -> Vec<Notice> {
        std::iter::from_fn(|| self.desk.poll_notice()).collect()
    }
}

#[test]
fn a_pair_is_lent_with_its_addresses_and_gives_them_back() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Udp, true)]);
    let [rtp, rtcp] = bench.reach().expect("lent at once").read();
    assert!(rtp.relayed.is_some() && rtcp.relayed.is_some() && rtp.relayed != rtcp.relayed);
    let at_server = [rtp.relayed, rtcp.relayed].map(Option::unwrap);
    assert_eq!(at_server.map(|at| bench.aliases.find(at)), [Some((0, 30_000)), Some((0, 30_001))]);
    // It is behind no NAT here.
    assert_eq!((rtp.reflexive, rtcp.reflexive), (None, None));
    bench.pass(3_600_000);
    for component in [Component::Rtp, Component::Rtcp] {
        assert!(bench.lab.server.serves(Bench::client(component)), "kept for as long as it is lent");
    }
    bench.desk.handle(Input::Release(PAIR), bench.now);
    bench.settle();
    assert!(matches!(bench.told.last(), Some(Output::Released(PAIR))));
    assert!(!bench.lab.server.serves(Bench::client(Component::Rtp)));
    assert_eq!(bench.desk.deadline(), None, "nothing is left of it");
    assert_eq!(at_server.map(|at| bench.aliases.find(at)), [None; 2]);
}

#[test]
fn a_server_that_is_silent_gives_way_to_the_next_and_is_passed_over_then() {
    let servers = [server(DEAD, Transport::Udp, true), server(SERVER, Transport::Udp, true)];
    let mut bench = Bench::new(&servers);
    assert!(bench.reach().is_none());
    bench.pass(3_600);
    assert!(bench.reach().is_some_and(|reach| reach.read()[0].relayed.is_some()));
    assert!(matches!(&bench.notices()[..], [Notice::Down { server, .. }] if **server == *DEAD));
    assert!(bench.health[0].is_down() && !bench.health[1].is_down());
    // The next pair does not wait for it.
    let next = PairId { slot: 4, ..PAIR };
    bench.told.clear();
    bench.lab.wires.to_clients.clear();
    bench.desk.handle(Input::Gather(next, 0, ["203.0.113.8:30000", "203.0.113.8:30001"].map(at)), bench.now);
    let to: Vec<SocketAddr> = std::iter::from_fn(|| bench.desk.poll())
        .filter_map(|output| match output {
            Output::Datagram(_, _, to, _) => Some(to),
            _ => None,
        })
        .collect();
    assert_eq!(to, [at(SERVER), at(SERVER)]);
}

#[test]
fn without_any_server_that_answers_a_pair_is_lent_all_the_same_and_they_are_tried_again() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Udp, true)]);
    bench.alive = false;
    bench.told.clear();
    let late = PairId { slot: 9, ..PAIR };
    let hosts = ["203.0.113.8:30000", "203.0.113.8:30001"].map(at);
    bench.desk.handle(Input::Gather(late, 0, hosts), bench.now);
    bench.pass(4_000);
    let lent = bench.told.iter().any(|output| matches!(output, Output::Gathered(pair, _) if *pair == late));
    assert!(lent);
    // The first pair's server is found dead by and by, and told once.
    bench.pass(20_000);
    assert_eq!(bench.notices().len(), 1);
    bench.alive = true;
    bench.pass(40_000);
    assert!(bench.notices().iter().any(|notice| matches!(notice, Notice::Up { .. })));
}

#[test]
fn a_connection_is_asked_for_and_its_loss_told() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Tls, true)]);
    let wires: Vec<_> = std::iter::from_fn(|| bench.desk.poll_wire()).collect();
    assert!(matches!(
        wires[..],
        [Wire::Connect(PAIR, Component::Rtp, 0, 0), Wire::Connect(PAIR, Component::Rtcp, 0, 0)]
    ));
    bench.desk.connected(PAIR, Component::Rtp, 0);
    let sent = |wire| match wire {
        Wire::Send(PAIR, Component::Rtp, octets) => Some(octets),
        _ => None,
    };
    let client = Client { connection: Some(1), ..Bench::client(Component::Rtp) };
    while let Some(octets) = bench.desk.poll_wire().and_then(sent) {
        let answer = bench.lab.give(client, &octets).unwrap();
        bench.desk.by_connection(PAIR, Component::Rtp, &answer, 0);
    }
    bench.settle();
    assert!(bench.told.iter().any(|output| matches!(output, Output::Tunnel(PAIR, Component::Rtp, None))));
    // A peer that sends is heard by way of its channel.
    let peer = at("198.51.100.9:4000");
    bench.desk.handle(Input::Reach(PAIR, Component::Rtp, peer), 0);
    let bind = bench.desk.poll_wire().and_then(sent).unwrap();
    let bound = bench.lab.give(client, &bind).unwrap();
    bench.desk.by_connection(PAIR, Component::Rtp, &bound, 0);
    let mut data = head(0x4000, 5).to_vec();
    data.extend(b"hello\0\0\0");
    assert_eq!(unwrapped(&data), Some((0x4000, 5)));
    bench.desk.by_connection(PAIR, Component::Rtp, &data, 0);
    bench.settle();
    let came = bench.told.iter().find_map(|output| match output {
        Output::Arrived(PAIR, Component::Rtp, from, octets) => Some((*from, octets.to_vec())),
        _ => None,
    });
    assert_eq!(came, Some((peer, b"hello".to_vec())));
    bench.desk.disconnected(PAIR, Component::Rtp, 0);
    bench.settle();
    assert!(bench.told.iter().any(|output| matches!(output, Output::NoTunnel(PAIR, Component::Rtp))));
    assert_eq!(bench.notices().len(), 1);
}

#[test]
fn checks_before_the_answer_are_for_the_session_that_they_name() {
    use crate::ice::tests::peer::Asking;
    let mut bench = Bench::new(&[server(SERVER, Transport::Udp, true)]);
    let local = crate::Credentials { ufrag: "ours".into(), password: "a password of ours 22ch".into() };
    bench.desk.handle(Input::Expect(PAIR, local.clone()), bench.now);
    let peer = at("198.51.100.9:4000");
    let check =
        Asking { controlling: false, controlled: true, ..Asking::new("ours", "them", &local.password) };
    let came = |octets: Vec<u8>| Input::Datagram(PAIR, (Component::Rtp, Via::Direct), peer, octets.into());
    bench.told.clear();
    bench.desk.handle(came(check.bytes()), bench.now);
    bench.settle();
    assert!(
        matches!(&bench.told[..], [Output::Datagram(_, _, to, octets)] if *to == peer && octets[..2] == [1, 1])
    );
    let terms = crate::ice::full::Terms {
        local,
        remote: crate::Credentials { ufrag: "them".into(), password: "a password of theirs 22".into() },
        controlling: true,
        lite: false,
        two: false,
        candidates: Vec::new(),
    };
    bench.told.clear();
    let context = ContextId { pair: PAIR, remote: 0 };
    bench.desk.handle(Input::Begin(context, 1, Arc::new(terms)), bench.now);
    bench.settle();
    // It has no candidates, but the check has shown one, which is checked in turn.
    let asked = bench.told.iter().any(
        |output| matches!(output, Output::Datagram(_, _, to, octets) if *to == peer && octets[..2] == [0, 1]),
    );
    assert!(asked);
    bench.pass(45_000);
    assert!(bench.told.iter().any(|output| matches!(output, Output::Progress(_, 1, Progress::Failed))));
}

// conforms: RFC8839-4.4.3.1-2,3,4
#[test]
fn a_session_begins_with_its_stream_and_ends_with_it() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Udp, true)]);
    let peer = at("198.51.100.9:4000");
    let credentials = |name: &str| crate::Credentials {
        ufrag: name.into(),
        password: format!("{name}{name}{name}{name}").into(),
    };
    let candidate = crate::ice::full::Candidate {
        component: Component::Rtp,
        kind: crate::CandidateKind::Host,
        address: peer,
        priority: 5,
        foundation: "1".into(),
    };
    let terms = crate::ice::full::Terms {
        local: credentials("our-side"),
        remote: credentials("theirs"),
        controlling: true,
        lite: false,
        two: false,
        candidates: vec![candidate],
    };
    let context = ContextId { pair: PAIR, remote: 0 };
    let checks = |bench: &Bench| {
        bench.told.iter().filter(|told| matches!(told, Output::Datagram(_, _, to, _) if *to == peer)).count()
    };
    bench.desk.handle(Input::Begin(context, 1, Arc::new(terms)), bench.now);
    bench.settle();
    bench.pass(1_000);
    let begun = checks(&bench);
    assert!(begun > 1);
    bench.desk.handle(Input::End(context), bench.now);
    bench.pass(30_000);
    assert_eq!(checks(&bench), begun);
}

#[test]
fn a_pair_that_comes_back_before_its_connections_stand_has_them_closed() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Tls, true)]);
    while bench.desk.poll_wire().is_some() {}
    bench.desk.handle(Input::Release(PAIR), 0);
    bench.settle();
    let closed = std::iter::from_fn(|| bench.desk.poll_wire())
        .filter(|wire| matches!(wire, Wire::Close(PAIR, _)))
        .count();
    assert_eq!(closed, 2);
    assert!(bench.told.iter().any(|output| matches!(output, Output::Released(PAIR))));
}

#[test]
fn what_a_server_refuses_to_one_pair_is_no_sign_for_others() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Udp, true)]);
    // 486: the user has as many as it may have.
    for slot in 10..40u16 {
        let pair = PairId { slot: slot.into(), ..PAIR };
        let hosts = [30_100, 30_101].map(|port| SocketAddr::from(([203, 0, 113, 9], port + 2 * slot)));
        bench.desk.handle(Input::Gather(pair, 0, hosts), bench.now);
        bench.settle();
    }
    assert!(!bench.health[0].is_down());
    assert!(bench.notices().is_empty());
}

#[test]
fn what_a_pair_had_before_is_ended_by_the_login_that_it_was_got_with() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Udp, true)]);
    // Its end was lost, and the credentials of this second are others.
    bench.pass(5_000);
    bench.told.clear();
    bench.desk.handle(Input::Gather(PAIR, 0, HOSTS.map(at)), bench.now);
    bench.settle();
    bench.pass(3_000);
    assert!(bench.reach().is_some_and(|reach| reach.read().iter().all(|beyond| beyond.relayed.is_some())));
}

#[test]
fn a_connection_that_stands_when_its_pair_has_come_back_is_not_used() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Tls, true)]);
    while bench.desk.poll_wire().is_some() {}
    bench.desk.connected(PAIR, Component::Rtp, 0);
    let client = Client { connection: Some(1), ..Bench::client(Component::Rtp) };
    while let Some(Wire::Send(.., octets)) = bench.desk.poll_wire() {
        let answer = bench.lab.give(client, &octets).unwrap();
        bench.desk.by_connection(PAIR, Component::Rtp, &answer, 0);
    }
    bench.desk.handle(Input::Release(PAIR), 0);
    bench.desk.connected(PAIR, Component::Rtcp, 0);
    let wires: Vec<_> = std::iter::from_fn(|| bench.desk.poll_wire()).collect();
    assert!(matches!(wires[..], [Wire::Send(PAIR, Component::Rtp, _)]), "{wires:?}");
}

#[test]
fn a_peer_in_use_keeps_its_channel_however_many_others_come() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Udp, true)]);
    for number in 0..60u16 {
        let peer = SocketAddr::from(([198, 51, 100, 9], 4_000 + number));
        bench.desk.handle(Input::Reach(PAIR, Component::Rtp, peer), bench.now);
        bench.settle();
    }
    let bound = bench.told.iter().filter(|output| matches!(output, Output::Channel(PAIR, ..))).count();
    assert_eq!(bound, 48);
}

#[test]
fn a_channel_that_is_refused_is_told() {
    let mut bench = Bench::new(&[server(SERVER, Transport::Udp, true)]);
    // 403: our server reaches no address of its own hosts.
    let barred = at("127.0.0.1:4000");
    bench.desk.handle(Input::Reach(PAIR, Component::Rtp, barred), bench.now);
    bench.settle();
    let told =
        |output: &Output| matches!(output, Output::Barred(PAIR, Component::Rtp, peer) if *peer == barred);
    assert!(bench.told.iter().any(told));
}
