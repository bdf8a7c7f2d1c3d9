//! Stations: those who have connections in the virtual network, each with the table that the driver has.

use crate::lines::{Lines, Next, Plug};
use crate::world::World;
use bytes::Bytes;
use sip::driver::connections::Table;
use sip::driver::counters::Counters;
use sip::driver::{ConnectionEvent, Core as _, IoAction, Limits, WebSocketRules};
use sip::time::{Mono, Now};
use sip::{ConnectId, ConnectionId, Destination, Flow, ListenerId, TransmitId, Transport};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

/// What a station is told.
pub enum Told {
    /// A message has come.
    Input(Flow, Bytes),
    /// What has become of a connection over TLS, or of one that is watched.
    Connection(ConnectionEvent),
    /// A connection that was wanted is open, or not.
    Connected(ConnectId, bool),
    /// A message could not be sent.
    Failed(TransmitId),
}

/// Everybody who has connections.
pub struct Stations {
    /// What they run over.
    pub lines: Lines,
    tables: Vec<Table<Plug>>,
    listeners: Vec<Vec<Transport>>,
    websockets: BTreeMap<(usize, ListenerId), Arc<WebSocketRules>>,
    told: VecDeque<(usize, Told)>,
    inbox: Vec<Bytes>,
    failed: Vec<TransmitId>,
    seed: u64,
}

impl Stations {
    /// Nobody yet.
    pub fn new(seed: u64) -> Self {
        Self {
            lines: Lines::new(seed),
            tables: Vec::new(),
            listeners: Vec::new(),
            websockets: BTreeMap::new(),
            told: VecDeque::new(),
            inbox: Vec::new(),
            failed: Vec::new(),
            seed,
        }
    }

    /// Another station, with its listeners, the domains that its certificate proves, and its limits; its number.
    pub fn join(&mut self, listeners: &[(Transport, SocketAddr)], names: &[&str], limits: Limits) -> usize {
        let plug = self.lines.join(listeners, names);
        let station = self.enter(plug, listeners, limits);
        for (n, (transport, _)) in (0..).zip(listeners) {
            if transport.is_websocket() {
                let rules = WebSocketRules { origins: None, ..WebSocketRules::default() };
                self.websockets.insert((station, ListenerId(n)), Arc::new(rules));
            }
        }
        station
    }

    /// A browser: all that it sends goes by WebSockets that it opens, as does what comes to it.
    pub fn join_browser(&mut self, address: SocketAddr, limits: Limits) -> usize {
        let plug = self.lines.join_browser(address);
        self.enter(plug, &[(Transport::Ws, address)], limits)
    }

    fn enter(&mut self, plug: Plug, listeners: &[(Transport, SocketAddr)], limits: Limits) -> usize {
        let station = self.tables.len();
        let seed = self.seed ^ u64::try_from(station).unwrap();
        let hasher = ahash::RandomState::with_seeds(seed, 9, 10, 11);
        let message = sip_types::Limits::default();
        self.tables.push(Table::new(plug, limits, message, Arc::<Counters>::default(), &hasher));
        self.listeners.push(listeners.iter().map(|(transport, _)| *transport).collect());
        station
    }

    /// How many connections a station has.
    pub fn connections(&self, station: usize) -> usize {
        self.tables[station].len()
    }

    /// Carries out what a station wants of its connections; what is about something else comes back.
    pub fn carry_out(&mut self, now: Now, station: usize, action: IoAction) -> Option<IoAction> {
        self.lines.at(now.mono);
        let (table, failed) = (&mut self.tables[station], &mut self.failed);
        match action {
            IoAction::Transmit(transmit) if carries(&self.listeners[station], &transmit.to) => {
                let elsewhere = table.transmit(now, transmit, failed);
                assert!(elsewhere.is_none(), "there is one shard");
            }
            IoAction::Connect(connect) => table.connect(now, &connect),
            IoAction::Disconnect(id) => table.disconnect(id, failed),
            IoAction::CloseConnection(id) => table.close(now, id, failed),
            IoAction::Alias { connection, port } => table.alias(connection, port),
            IoAction::Ping(id) => table.ping(id),
            IoAction::Watch { connection, silence } => table.watch(now, connection, silence),
            other => return Some(other),
        }
        self.drain(now, station);
        None
    }

    /// When something is to be done next.
    pub fn next(&self) -> Option<Mono> {
        let timeouts = self.tables.iter().map(Table::poll_timeout);
        timeouts.chain([self.lines.next()]).flatten().min()
    }

    /// The next thing that a station is told.
    pub fn told(&mut self) -> Option<(usize, Told)> {
        self.told.pop_front()
    }

    /// Does what is to be done by now.
    pub fn serve(&mut self, now: Now) {
        self.lines.at(now.mono);
        while let Some(next) = self.lines.poll() {
            match next {
                Next::Comes { station, listener, line, peer } => {
                    let rules = self.websockets.get(&(station, listener)).cloned();
                    let table = &mut self.tables[station];
                    table.admit(now, listener, peer, rules, |plug, id| Some(plug.answer(line, id)));
                }
                Next::Look { station, id } => self.look(now, station, id),
            }
        }
        for station in 0..self.tables.len() {
            if self.tables[station].poll_timeout().is_some_and(|at| at <= now.mono) {
                self.tables[station].handle_timeout(now, &mut self.failed);
                self.drain(now, station);
            }
        }
    }

    fn look(&mut self, now: Now, station: usize, id: ConnectionId) {
        let table = &mut self.tables[station];
        let flow = table.proceed(now, id, &mut self.inbox, &mut self.failed);
        self.told.extend(table.events().map(|event| (station, Told::Connection(event))));
        if let Some(flow) = flow {
            self.told.extend(self.inbox.drain(..).map(|bytes| (station, Told::Input(flow, bytes))));
        }
        self.drain(now, station);
    }

    /// Writes what is queued, and gathers what is to be told.
    fn drain(&mut self, now: Now, station: usize) {
        let table = &mut self.tables[station];
        table.flush(now, &mut self.failed);
        self.told
            .extend(table.connected().into_iter().map(|(id, open)| (station, Told::Connected(id, open))));
        self.told.extend(table.ends().map(|end| (station, Told::Connection(end))));
        self.told.extend(self.failed.drain(..).map(|id| (station, Told::Failed(id))));
    }
}

/// Whether what goes there goes by a connection.
fn carries(listeners: &[Transport], to: &Destination) -> bool {
    listeners.get(usize::from(to.listener().0)).is_some_and(|transport| *transport != Transport::Udp)
}

impl World {
    /// Gives Liaison and the telephones connections, for the listeners that take some: what they send no longer travels as
    /// datagrams. Liaison's certificate proves these domains, a telephone's the host of its address.
    pub fn connect(&mut self, seed: u64, names: &[&str], limits: Limits) {
        assert!(self.others.is_empty(), "there is one shard");
        let mut stations = Stations::new(seed);
        stations.join(&self.listeners, names, limits);
        for peer in &self.peers {
            if peer.transport.is_websocket() {
                stations.join_browser(peer.address, limits);
                continue;
            }
            let host = peer.address.ip().to_string();
            stations.join(&[(peer.transport, peer.address)], &[&host], limits);
        }
        self.stations = Some(stations);
    }

    /// Tells everybody what has become of their connections, and what has come on them.
    pub(crate) fn tell(&mut self) {
        let now = self.now;
        while let Some((station, told)) = self.stations.as_mut().and_then(Stations::told) {
            let Some(station) = station.checked_sub(1) else {
                match told {
                    Told::Input(flow, bytes) => self.core.handle_input(now, flow, bytes),
                    Told::Connection(event) => self.core.handle_connection(now, event),
                    Told::Connected(id, open) => self.core.handle_connected(now, id, open),
                    Told::Failed(id) => self.core.handle_send_failed(now, id),
                }
                self.flush();
                continue;
            };
            let peer = &mut self.peers[station];
            match told {
                Told::Input(flow, bytes) => peer.input_on(now, flow, bytes),
                Told::Failed(id) => peer.send_failed(now, id),
                Told::Connection(_) | Told::Connected(..) => {}
            }
            self.flush();
        }
    }
}
