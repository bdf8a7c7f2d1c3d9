//! Liaison between telephones, under virtual time.

use crate::ids::Seeded;
use crate::network::{Datagram, Network, Weather};
use crate::peer::{Manner, Peer};
use crate::ports::CountedPorts;
use b2bua::cdr::Record;
use b2bua::shard::{Command, Core, Gauges, Setup};
use b2bua::snapshot::{Secrets, Snapshot, message_limits, sip_limits, sip_listener};
use config::Config;
use media::VirtualPorts;
use sip::driver::{Core as _, IoAction};
use sip::time::{Mono, Now, Wall};
use sip::{Destination, Flow, ListenerId, NetworkId};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// One side of the border, and the telephone on it, for the configuration that most tests use.
pub const ALICE: &str = "10.0.0.2:5060";
/// The telephone on the other side.
pub const BOB: &str = "10.1.0.2:5060";
/// Liaison, seen from Alice.
pub const OUTSIDE: &str = "10.0.0.1:5060";
/// Liaison, seen from Bob.
pub const INSIDE: &str = "10.1.0.1:5060";

/// Two networks and a route each way.
pub const TWO_SIDES: &str = r#"
[networks.carrier]
listeners = [{ transport = "udp", address = "10.0.0.1:5060" }]
media = { address = "10.0.0.1", ports = "20000-20999" }

[networks.enterprise]
trusted = true
listeners = [{ transport = "udp", address = "10.1.0.1:5060" }]
media = { address = "10.1.0.1", ports = "20000-20999" }

[trunks.provider]
network = "carrier"
targets = ["sip:10.0.0.2:5060"]
from = ["10.0.0.2"]

[trunks.pbx]
network = "enterprise"
targets = ["sip:10.1.0.2:5060"]
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

/// Liaison and its peers.
pub struct World {
    /// What time it is.
    pub now: Now,
    /// The whole core of a shard.
    pub core: Core,
    /// The telephones.
    pub peers: Vec<Peer>,
    /// What is between them.
    pub network: Network,
    /// Call detail records, in order.
    pub records: Arc<Mutex<Vec<Record>>>,
    /// Questions and orders for the shard.
    pub commands: mpsc::Sender<Command>,
    /// What came to addresses where no telephone is: a test plays them by hand.
    pub mail: Vec<Datagram>,
    /// The addresses of host names; others have none.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    listeners: Vec<SocketAddr>,
    lent: Arc<AtomicUsize>,
}

impl World {
    /// Liaison with this configuration, between telephones.
    pub fn new(document: &str, peers: Vec<Peer>, weather: Weather, seed: u64) -> Self {
        Self::with_secrets(document, Secrets::default(), peers, weather, seed)
    }

    /// Liaison with this configuration and the passwords that it refers to, between telephones.
    pub fn with_secrets(
        document: &str,
        secrets: Secrets,
        peers: Vec<Peer>,
        weather: Weather,
        seed: u64,
    ) -> Self {
        let snapshot = snapshot(document, secrets, 1);
        let settings = settings(&snapshot);
        let (ports, lent) = CountedPorts::new(VirtualPorts::new(snapshot.media.iter().flatten()));
        let records = Arc::new(Mutex::new(Vec::new()));
        let (commands, inbox) = mpsc::channel(64);
        let now = Now { mono: Mono::from_epoch(Duration::from_secs(1)), wall: Wall(1_790_000_000_000) };
        let sink = records.clone();
        let listeners = settings.listeners.iter().map(|l| l.address).collect();
        let core = Core::new(Setup {
            sip: settings,
            snapshot,
            link: Box::new(ports),
            sip_ids: Box::new(Seeded(seed)),
            ids: Box::new(Seeded(seed ^ 0xffff)),
            hasher: ahash::RandomState::with_seeds(seed, 5, 6, 7),
            epoch: Instant::now(),
            started: now,
            shard: 0,
            records: Box::new(move |record| sink.lock().unwrap().push(record)),
            commands: inbox,
        });
        let network = Network::new(Duration::from_millis(5), weather);
        Self {
            now,
            core,
            peers,
            network,
            records,
            commands,
            mail: Vec::new(),
            names: BTreeMap::new(),
            listeners,
            lent,
        }
    }

    /// Alice, Liaison, and Bob of that manner.
    pub fn two_sides(manner: Manner, weather: Weather, seed: u64) -> Self {
        let alice = Peer::new(ALICE.parse().unwrap(), Manner::Answers, seed + 1);
        let bob = Peer::new(BOB.parse().unwrap(), manner, seed + 2);
        Self::new(TWO_SIDES, vec![alice, bob], weather, seed)
    }

    /// What the shard holds.
    pub fn gauges(&self) -> Gauges {
        self.core.gauges()
    }

    /// How many pairs of media ports are lent.
    pub fn lent(&self) -> usize {
        self.lent.load(Ordering::Relaxed)
    }

    /// Everybody's pending output goes onto the network.
    pub fn flush(&mut self) {
        while let Some(action) = self.core.poll_io() {
            match action {
                IoAction::Transmit(transmit) => {
                    let from = self.listeners[usize::from(transmit.to.listener().0)];
                    self.network.send(self.now.mono, from, to(&transmit.to), transmit.bytes);
                }
                IoAction::Resolve(query) => {
                    let addresses = self.names.get(&*query.host).map(Vec::as_slice).unwrap_or_default();
                    self.core.handle_resolved(self.now, query.id, addresses);
                }
                IoAction::CloseConnection(_) | IoAction::Alias { .. } | IoAction::Adopt(_) => {}
            }
        }
        for peer in &mut self.peers {
            for transmit in peer.outbox.drain(..) {
                self.network.send(self.now.mono, peer.address, to(&transmit.to), transmit.bytes);
            }
        }
    }

    /// Lets the world run until nothing happens before `until`.
    pub fn run_for(&mut self, length: Duration) {
        let until = self.now.mono + length;
        loop {
            self.flush();
            let next = [self.network.next(), self.core.poll_timeout()]
                .into_iter()
                .chain(self.peers.iter().map(|peer| peer.endpoint.poll_timeout()))
                .flatten()
                .min();
            let Some(next) = next.filter(|at| *at <= until) else { break };
            self.jump(next.max(self.now.mono));
            while let Some(datagram) = self.network.arrive(self.now.mono) {
                self.deliver(datagram);
                self.flush();
            }
            self.core.handle_timeout(self.now);
            let now = self.now;
            self.peers.iter_mut().for_each(|peer| peer.timeout(now));
        }
        self.jump(until);
    }

    fn jump(&mut self, to: Mono) {
        let millis = to.since(self.now.mono).as_millis();
        self.now.wall.0 += u64::try_from(millis).unwrap();
        self.now.mono = to;
    }

    fn deliver(&mut self, datagram: Datagram) {
        let Datagram { from, to, .. } = datagram;
        if let Some(at) = self.listeners.iter().position(|l| *l == to) {
            let listener = ListenerId(u16::try_from(at).unwrap());
            self.core.handle_input(self.now, Flow { listener, peer: from, connection: None }, datagram.bytes);
        } else if let Some(peer) = self.peers.iter_mut().find(|peer| peer.address == to) {
            peer.input(self.now, from, datagram.bytes);
        } else {
            self.mail.push(datagram);
        }
    }
}

/// A configuration with everything that is derived from it.
pub fn snapshot(document: &str, secrets: Secrets, version: u64) -> Arc<Snapshot> {
    let config = Config::parse("world.toml", document).unwrap_or_else(|errors| panic!("{errors}"));
    let networks: Vec<_> = config.networks.keys().cloned().collect();
    Arc::new(Snapshot::new(Arc::new(config), networks, secrets, version))
}

/// The user agents' settings under a configuration.
pub fn settings(snapshot: &Snapshot) -> sip::Settings {
    let config = snapshot.config();
    let mut listeners = Vec::new();
    for (n, name) in snapshot.networks.iter().enumerate() {
        let network = &config.networks[name];
        for listener in &network.listeners {
            let id = NetworkId(u16::try_from(n).unwrap());
            listeners.extend(sip_listener(id, name, &snapshot.policy, listener, listener.address));
        }
    }
    let defaults = sip::Settings::default();
    sip::Settings {
        listeners,
        message: message_limits(&config.limits),
        limits: sip_limits(&config.limits),
        user_agent: Some("Liaison".into()),
        server: Some("Liaison".into()),
        ..defaults
    }
}

fn to(destination: &Destination) -> SocketAddr {
    destination.peer()
}
