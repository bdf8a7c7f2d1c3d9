//! Liaison between telephones, under virtual time.

use crate::ids::Seeded;
use crate::network::{Datagram, Happened, Network, Weather};
use crate::node::Node;
pub use crate::node::gruu_keys;
use crate::peer::{Manner, Peer};
use crate::ports::Seen;
use crate::stations::Stations;
use b2bua::cdr::Record;
use b2bua::registrar::{Keeping, News};
use b2bua::shard::{Command, Common, Core, Gauges};
use b2bua::snapshot::{
    Secrets, Snapshot, location_settings, message_limits, overload_settings, sip_limits, sip_listener,
};
use config::Config;
use sip::driver::{Core as _, IoAction};
use sip::location::{Question, RecordKind, Records};
use sip::registration::server::Directory;
use sip::time::{Mono, Now, Wall};
use sip::{Answer, Destination, Flow, ListenerId, NetworkId, Transport};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// One side of the border, and the telephone on it, for the configuration that most tests use.
pub const ALICE: &str = "10.0.0.2:5060";
/// The telephone on the other side.
pub const BOB: &str = "10.1.0.2:5060";
/// Liaison, seen from Alice.
pub const OUTSIDE: &str = "10.0.0.1:5060";
/// Liaison, seen from Bob.
pub const INSIDE: &str = "10.1.0.1:5060";

/// Liaison's name as an instance, where its configuration gives none.
pub const INSTANCE: &str = "urn:uuid:00000000-0000-4000-8000-00000000002a";

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
    /// The whole core of a shard; of the first one, where there are several.
    pub core: Core,
    /// The other shards behind the same addresses.
    pub others: Vec<Core>,
    /// The telephones.
    pub peers: Vec<Peer>,
    /// What is between them.
    pub network: Network,
    /// Call detail records, in order.
    pub records: Arc<Mutex<Vec<Record>>>,
    /// Questions and orders for the first shard.
    pub commands: mpsc::Sender<Command>,
    /// The same for the others.
    pub orders: Vec<mpsc::Sender<Command>>,
    node: Node,
    common: Arc<Common>,
    /// What tells the first shard what has been kept.
    told: Option<mpsc::Sender<News>>,
    /// Which shard a message comes to.
    chance: Seeded,
    /// What came to addresses where no telephone is: a test plays them by hand.
    pub mail: Vec<Datagram>,
    /// The addresses of host names; others have none.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// Whose connections there are, where they are not played.
    pub stations: Option<Stations>,
    /// Whether what shards tell one another is lost.
    pub letters_are_lost: bool,
    /// The node dies, and another life of it that knows nothing begins, once so many datagrams have been sent.
    pub dies_after: Option<usize>,
    pub(crate) listeners: Vec<(Transport, SocketAddr)>,
    media: Vec<Arc<Seen>>,
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
        Self::sharded(1, document, secrets, peers, weather, seed)
    }

    /// The same with several shards.
    pub fn sharded(
        shards: u8,
        document: &str,
        secrets: Secrets,
        peers: Vec<Peer>,
        weather: Weather,
        seed: u64,
    ) -> Self {
        let now = Now { mono: Mono::from_epoch(Duration::from_secs(1)), wall: Wall(1_790_000_000_000) };
        let node = Node::new(shards, document, secrets, seed);
        let listeners = node.settings.listeners.iter().map(|l| (l.transport, l.address)).collect();
        let (common, mut ids) = node.common(now);
        let (mut cores, mut orders, mut media) = (Vec::new(), Vec::new(), Vec::new());
        for shard in node.homes.shards() {
            let (core, commands, seen) = node.core(shard, &common, &mut ids, Keeping::nothing(now));
            cores.push(core);
            orders.push(commands);
            media.push(seen);
        }
        Self {
            now,
            core: cores.remove(0),
            others: cores,
            peers,
            network: Network::new(Duration::from_millis(5), weather),
            records: node.records.clone(),
            commands: orders.remove(0),
            orders,
            node,
            common,
            told: None,
            chance: Seeded(seed ^ 0xc0de),
            mail: Vec::new(),
            names: BTreeMap::new(),
            stations: None,
            letters_are_lost: false,
            dies_after: None,
            listeners,
            media,
        }
    }

    /// Alice, Liaison, and Bob of that manner.
    pub fn two_sides(manner: Manner, weather: Weather, seed: u64) -> Self {
        let alice = Peer::new(ALICE.parse().unwrap(), Manner::Answers, seed + 1);
        let bob = Peer::new(BOB.parse().unwrap(), manner, seed + 2);
        Self::new(TWO_SIDES, vec![alice, bob], weather, seed)
    }

    /// The node, which has one shard, ends where it stands, and another life of it begins with what was kept. What is on its
    /// way to it arrives.
    pub fn restart(&mut self, open: impl FnOnce(Now) -> (Keeping, mpsc::Sender<News>)) {
        assert!(self.others.is_empty(), "a node of one shard");
        self.node.lives += 1;
        self.network.story.push(Happened::Reborn);
        let (common, mut ids) = self.node.common(self.now);
        let (keeping, told) = open(self.now);
        let shard = self.node.homes.shards().next().unwrap();
        let (core, commands, seen) = self.node.core(shard, &common, &mut ids, keeping);
        (self.core, self.commands, self.media, self.told, self.common) =
            (core, commands, vec![seen], Some(told), common);
        self.flush();
    }

    /// The first shard hears what has become of rows.
    pub fn hear(&mut self, news: Vec<News>) {
        let Some(told) = &self.told else { return };
        news.into_iter().for_each(|news| told.try_send(news).unwrap());
        let _ = self.core.handle_wake(self.now);
        self.flush();
    }

    /// What is registered.
    pub fn directory(&self) -> Arc<Directory> {
        self.common.directory().clone()
    }

    /// All shards.
    pub fn cores(&self) -> impl Iterator<Item = &Core> {
        std::iter::once(&self.core).chain(&self.others)
    }

    /// All shards.
    pub fn cores_mut(&mut self) -> impl Iterator<Item = &mut Core> {
        std::iter::once(&mut self.core).chain(&mut self.others)
    }

    /// What the shards hold.
    pub fn gauges(&self) -> Gauges {
        let all: Vec<Gauges> = self.cores().map(Core::gauges).collect();
        let sum = |of: fn(&Gauges) -> usize| all.iter().map(of).sum();
        Gauges {
            calls: sum(|g| g.calls),
            call_timers: sum(|g| g.call_timers),
            trunks_registering: sum(|g| g.trunks_registering),
            trunks_registered: sum(|g| g.trunks_registered),
            trunk_flows: sum(|g| g.trunk_flows),
            trunk_flows_up: sum(|g| g.trunk_flows_up),
            records: sum(|g| g.records),
            registered: sum(|g| g.registered),
            bindings: sum(|g| g.bindings),
            outside: sum(|g| g.outside),
            registers_waiting: sum(|g| g.registers_waiting),
            subscriptions: sum(|g| g.subscriptions),
            subscriptions_carried: sum(|g| g.subscriptions_carried),
            media_pairs: sum(|g| g.media_pairs),
            sip: sip::Gauges {
                sessions: sum(|g| g.sip.sessions),
                dialogs: sum(|g| g.sip.dialogs),
                client_transactions: sum(|g| g.sip.client_transactions),
                server_transactions: sum(|g| g.sip.server_transactions),
                timers: sum(|g| g.sip.timers),
                questions: sum(|g| g.sip.questions),
                asked: sum(|g| g.sip.asked),
                kept: sum(|g| g.sip.kept),
            },
        }
    }

    /// How many pairs of media ports are lent.
    pub fn lent(&self) -> usize {
        self.media.iter().map(|seen| seen.lent.load(Ordering::Relaxed)).sum()
    }

    /// How many ways media may go: two for a stream both of whose sides are heard.
    pub fn ways(&self) -> usize {
        self.media.iter().map(|seen| seen.ways.load(Ordering::Relaxed)).sum()
    }

    /// Everybody's pending output goes onto the network.
    pub fn flush(&mut self) {
        let (mut doubted, mut told, now) = (Vec::new(), Vec::new(), self.now);
        for core in std::iter::once(&mut self.core).chain(&mut self.others) {
            while let Some(action) = core.poll_io() {
                let action = match &mut self.stations {
                    Some(stations) => stations.carry_out(self.now, 0, action),
                    None => Some(action),
                };
                let Some(action) = action else { continue };
                match action {
                    IoAction::Transmit(transmit) => {
                        let (_, from) = self.listeners[usize::from(transmit.to.listener().0)];
                        self.network.send(self.now.mono, from, to(&transmit.to), transmit.bytes);
                    }
                    IoAction::Resolve(query) => {
                        let answer = answer(&self.names, &query.question);
                        core.handle_resolved(self.now, query.id, answer);
                    }
                    IoAction::Connect(connect) => core.handle_connected(self.now, connect.id, true),
                    IoAction::Doubt(shard, flow) => doubted.push((shard, flow)),
                    IoAction::Tell(..) if self.letters_are_lost => {}
                    IoAction::Tell(shard, letter) => told.push((shard, letter)),
                    IoAction::CloseConnection(_)
                    | IoAction::Disconnect(_)
                    | IoAction::Alias { .. }
                    | IoAction::Ping(_)
                    | IoAction::Watch { .. }
                    | IoAction::Adopt(_) => {}
                }
            }
        }
        let is_over = doubted.is_empty() && told.is_empty();
        for (shard, letter) in told {
            self.cores_mut().nth(shard.0.into()).unwrap().handle_letter(now, letter);
        }
        for (shard, flow) in doubted {
            self.cores_mut().nth(shard.0.into()).unwrap().handle_doubt(now, flow);
        }
        if !is_over {
            return self.flush();
        }
        for (n, peer) in self.peers.iter_mut().enumerate() {
            let aliases = peer.aliases.drain(..);
            let aliases = aliases.map(|(connection, port)| IoAction::Alias { connection, port });
            let actions: Vec<_> = aliases.chain(peer.outbox.drain(..).map(IoAction::Transmit)).collect();
            for action in actions {
                let action = match &mut self.stations {
                    Some(stations) => stations.carry_out(self.now, n + 1, action),
                    None => Some(action),
                };
                if let Some(IoAction::Transmit(transmit)) = action {
                    self.network.send(self.now.mono, peer.address, to(&transmit.to), transmit.bytes);
                }
            }
        }
        if self.dies_after.is_some_and(|count| self.network.log.len() >= count) {
            self.dies_after = None;
            self.restart(|now| (Keeping::nothing(now), mpsc::channel(1).0));
        }
    }

    /// Lets the world run until nothing happens before `until`.
    pub fn run_for(&mut self, length: Duration) {
        let until = self.now.mono + length;
        loop {
            self.flush();
            self.tell();
            let Some(next) = self.coming().filter(|at| *at <= until) else { break };
            self.jump(next.max(self.now.mono));
            let now = self.now;
            if let Some(stations) = &mut self.stations {
                stations.serve(now);
            }
            self.tell();
            while let Some(datagram) = self.network.arrive(self.now.mono) {
                self.deliver(datagram);
                self.flush();
            }
            self.cores_mut().for_each(|core| core.handle_timeout(now));
            self.peers.iter_mut().for_each(|peer| peer.timeout(now));
        }
        self.jump(until);
    }

    /// When something next happens, if nobody does anything before.
    pub fn next_event(&mut self) -> Option<Mono> {
        self.flush();
        self.tell();
        self.coming()
    }

    fn coming(&self) -> Option<Mono> {
        std::iter::once(self.network.next())
            .chain([self.stations.as_ref().and_then(Stations::next)])
            .chain(self.cores().map(|core| core.poll_timeout()))
            .chain(self.peers.iter().map(|peer| peer.endpoint.poll_timeout()))
            .flatten()
            .min()
    }

    fn jump(&mut self, to: Mono) {
        let millis = to.since(self.now.mono).as_millis();
        self.now.wall.0 += u64::try_from(millis).unwrap();
        self.now.mono = to;
    }

    fn deliver(&mut self, datagram: Datagram) {
        let Datagram { from, to, .. } = datagram;
        if let Some(at) = self.listeners.iter().position(|(_, l)| *l == to) {
            let listener = ListenerId(u16::try_from(at).unwrap());
            let flow = Flow { listener, peer: from, connection: None };
            // It comes to any shard, which gives it to its home or takes what has none.
            let shards = u64::try_from(1 + self.others.len()).unwrap();
            let came_to = usize::try_from(self.chance.below(shards)).unwrap();
            let home = self.node.homes.of(&datagram.bytes).map_or(came_to, |home| usize::from(home.0));
            let now = self.now;
            self.cores_mut().nth(home).unwrap().handle_input(now, flow, datagram.bytes);
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
    let mut snapshot = Snapshot::new(Arc::new(config), networks, secrets, version);
    snapshot.instance = Some(INSTANCE.into());
    Arc::new(snapshot)
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
        location: location_settings(config),
        overload: overload_settings(config),
        domains: snapshot.registrar_domains(),
        ..defaults
    }
}

fn to(destination: &Destination) -> SocketAddr {
    destination.peer()
}

/// What the name server says: addresses of those that have some.
fn answer(names: &BTreeMap<String, Vec<IpAddr>>, question: &Question) -> Answer {
    let v4 = match question.kind {
        RecordKind::A => true,
        RecordKind::Aaaa => false,
        RecordKind::Naptr | RecordKind::Srv => return Answer::Absent { ttl: Duration::ZERO },
    };
    let known = names.get(&*question.name).into_iter().flatten();
    let addresses: Vec<_> = known.filter(|address| address.is_ipv4() == v4).copied().collect();
    match addresses.is_empty() {
        true => Answer::Absent { ttl: Duration::ZERO },
        false => Answer::Found { records: Records::Address(addresses), ttl: Duration::from_secs(60) },
    }
}
