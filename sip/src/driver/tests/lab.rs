//! A driver on a thread of its own, and a core that does as it is told and tells what it is told.

use super::super::sockets::{Bind, Sockets};
use super::super::{ConnectionEvent, Core, IoAction, Letter, Place, Security, Settings, Waker, drive};
use crate::action::{Connect, Sender as TransmitSender, Transmit, TransmitId};
use crate::flow::{ConnectionId, Destination, Domain, Flow, ListenerId, NetworkId, Transport};
use crate::home::ShardNo;
use crate::location::{Answer, ConnectId, Query, QueryId, Question, RecordKind};
use crate::time::{Mono, Now};
use crate::transaction::ClientId;
use bytes::Bytes;
use slotmap::KeyData;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longer than anything takes; only a failure waits for it.
pub(super) const GUARD: Duration = Duration::from_secs(20);

/// What the core is told to do.
pub(super) enum Command {
    Send(u64, Destination, Bytes),
    Resolve(u64, RecordKind, &'static str),
    Connect(u64, SocketAddr, Option<Domain>),
    Disconnect(u64),
    Close(ConnectionId),
    Alias(ConnectionId, u16),
    Watch(ConnectionId, Option<Duration>),
    Ping(ConnectionId),
    Doubt(ShardNo, Flow),
    Tell(ShardNo, u64),
    Adopt(Security),
    /// Do nothing until the other end is dropped.
    Pause(Sender<()>, Receiver<()>),
    /// Have a deadline this far ahead.
    Deadline(Duration),
    Stop,
}

/// What the core tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Report {
    Input(Flow, Bytes),
    Failed(TransmitId),
    /// A TLS handshake came to a good end: its flow, whether the peer began, and the identities.
    Secured(Flow, bool, Vec<String>),
    /// One failed: whether the peer began, and why.
    Insecure(bool, String),
    Closed(ConnectionId),
    Ponged(ConnectionId),
    Resolved(u64, Answer),
    Connected(u64, bool),
    Unreachable(SocketAddr),
    Doubted(Flow),
    Told(Option<u64>),
    /// A deadline, and when it was heard.
    Timeout(Mono, Mono),
    Woken,
    Flushed,
}

/// The core.
pub(super) struct Probe {
    commands: Receiver<Command>,
    reports: Sender<Report>,
    io: VecDeque<IoAction>,
    deadline: Option<Mono>,
    /// Whether wakes and flushes are told too.
    verbose: bool,
}

pub(super) fn transmit_id(n: u64) -> TransmitId {
    TransmitId::of(TransmitSender::Client(ClientId::from(KeyData::from_ffi(n))))
}

impl Probe {
    fn tell(&self, report: Report) {
        let _ = self.reports.send(report);
    }
}

impl Core for Probe {
    fn handle_input(&mut self, _: Now, flow: Flow, bytes: Bytes) {
        self.tell(Report::Input(flow, bytes));
    }

    fn handle_connection(&mut self, _: Now, event: ConnectionEvent) {
        self.tell(match event {
            ConnectionEvent::Secured { flow, accepted, peer } => {
                Report::Secured(flow, accepted, peer.identities.iter().map(ToString::to_string).collect())
            }
            ConnectionEvent::Insecure { accepted, why, .. } => Report::Insecure(accepted, why.to_string()),
            ConnectionEvent::Ponged(id) => Report::Ponged(id),
            ConnectionEvent::Closed(id) => Report::Closed(id),
        });
    }

    fn handle_resolved(&mut self, _: Now, query: QueryId, answer: Answer) {
        self.tell(Report::Resolved(query.0, answer));
    }

    fn handle_connected(&mut self, _: Now, connect: ConnectId, open: bool) {
        self.tell(Report::Connected(connect.0, open));
    }

    fn handle_send_failed(&mut self, _: Now, id: TransmitId) {
        self.tell(Report::Failed(id));
    }

    fn handle_unreachable(&mut self, _: Now, _: ListenerId, peer: SocketAddr) {
        self.tell(Report::Unreachable(peer));
    }

    fn handle_doubt(&mut self, _: Now, flow: Flow) {
        self.tell(Report::Doubted(flow));
    }

    fn handle_letter(&mut self, _: Now, letter: Letter) {
        self.tell(Report::Told(letter.open()));
    }

    fn handle_timeout(&mut self, now: Now) {
        if let Some(deadline) = self.deadline.take() {
            self.tell(Report::Timeout(deadline, now.mono));
        }
    }

    fn handle_wake(&mut self, now: Now) -> ControlFlow<()> {
        if self.verbose {
            self.tell(Report::Woken);
        }
        for command in self.commands.try_iter() {
            self.io.push_back(match command {
                Command::Send(n, to, bytes) => IoAction::Transmit(Transmit { id: transmit_id(n), to, bytes }),
                Command::Resolve(n, kind, name) => {
                    IoAction::Resolve(Query { id: QueryId(n), question: Question::new(kind, name) })
                }
                Command::Connect(n, peer, domain) => {
                    IoAction::Connect(Connect { id: ConnectId(n), listener: ListenerId(0), peer, domain })
                }
                Command::Disconnect(n) => IoAction::Disconnect(ConnectId(n)),
                Command::Close(id) => IoAction::CloseConnection(id),
                Command::Alias(connection, port) => IoAction::Alias { connection, port },
                Command::Watch(connection, silence) => IoAction::Watch { connection, silence },
                Command::Ping(connection) => IoAction::Ping(connection),
                Command::Doubt(shard, flow) => IoAction::Doubt(shard, flow),
                Command::Tell(shard, n) => IoAction::Tell(shard, Letter::new(n)),
                Command::Adopt(security) => IoAction::Adopt(security.into()),
                Command::Deadline(after) => {
                    self.deadline = Some(now.mono + after);
                    continue;
                }
                Command::Pause(paused, over) => {
                    let _ = paused.send(());
                    let _ = over.recv();
                    continue;
                }
                Command::Stop => return ControlFlow::Break(()),
            });
        }
        ControlFlow::Continue(())
    }

    fn poll_io(&mut self) -> Option<IoAction> {
        self.io.pop_front()
    }

    fn poll_timeout(&self) -> Option<Mono> {
        self.deadline
    }

    fn flush(&mut self, _: Now) {
        if self.verbose {
            self.tell(Report::Flushed);
        }
    }
}

/// A running driver with a [`Probe`].
pub(super) struct Lab {
    pub(super) waker: Waker,
    pub(super) settings: Settings,
    pub(super) listeners: Vec<Bind>,
    pub(super) reports: Receiver<Report>,
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

pub(super) fn bind(network: u16, transport: Transport, address: &str) -> Bind {
    Bind { network: NetworkId(network), transport, address: address.parse().unwrap(), dscp: 0 }
}

/// A listener on 127.0.0.1.
pub(super) fn local(transport: Transport) -> Bind {
    bind(0, transport, "127.0.0.1:0")
}

impl Lab {
    pub(super) fn new(binds: &[Bind], change: impl FnOnce(&mut Settings)) -> Self {
        Self::start(binds, false, change)
    }

    pub(super) fn verbose(binds: &[Bind]) -> Self {
        Self::start(binds, true, |_| {})
    }

    fn start(binds: &[Bind], verbose: bool, change: impl FnOnce(&mut Settings)) -> Self {
        Self::place(Waker::new().into(), Sockets::bind(binds).unwrap(), verbose, change)
    }

    /// One of several drivers.
    pub(super) fn at(place: Place, sockets: Sockets, change: impl FnOnce(&mut Settings)) -> Self {
        Self::place(place, sockets, false, change)
    }

    fn place(place: Place, sockets: Sockets, verbose: bool, change: impl FnOnce(&mut Settings)) -> Self {
        let listeners = sockets.listeners().copied().collect();
        let (commands, for_core) = channel();
        let (from_core, reports) = channel();
        let mut settings = Settings::new().unwrap();
        change(&mut settings);
        let probe =
            Probe { commands: for_core, reports: from_core, io: VecDeque::new(), deadline: None, verbose };
        let (given, waker) = (settings.clone(), place.waker.clone());
        let body = move || {
            drive(probe, given, sockets, place).unwrap();
        };
        let thread = std::thread::Builder::new().spawn(body).unwrap();
        Self { waker, settings, listeners, reports, commands, thread: Some(thread) }
    }

    pub(super) fn address(&self, listener: usize) -> SocketAddr {
        self.listeners[listener].address
    }

    /// Gives commands that the core takes in one go.
    pub(super) fn tell(&self, commands: impl IntoIterator<Item = Command>) {
        commands.into_iter().for_each(|c| self.commands.send(c).unwrap());
        self.waker.wake();
    }

    /// Has the driver stand still, from now until what is returned is dropped.
    pub(super) fn pause(&self) -> Sender<()> {
        let ((paused, is_paused), (over, is_over)) = (channel(), channel());
        self.tell([Command::Pause(paused, is_over)]);
        is_paused.recv_timeout(GUARD).expect("the driver stands still");
        over
    }

    pub(super) fn next(&self) -> Report {
        self.reports.recv_timeout(GUARD).expect("the core tells something")
    }

    /// The next input: its flow and its text.
    pub(super) fn input(&self) -> (Flow, String) {
        match self.next() {
            Report::Input(flow, bytes) => (flow, String::from_utf8(bytes.into()).unwrap()),
            other => panic!("{other:?} instead of an input"),
        }
    }

    /// Stops the driver and waits for its end.
    pub(super) fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // It may have stopped already.
            let _ = self.commands.send(Command::Stop);
            self.waker.wake();
            thread.join().unwrap();
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

/// The destination of a connection or socket of listener 0.
pub(super) fn open(peer: SocketAddr) -> Destination {
    Destination::Open { listener: ListenerId(0), peer, domain: None }
}

/// A small message with a number in it.
pub(super) fn message(n: u64) -> String {
    format!("OPTIONS sip:{n}@example.com SIP/2.0\r\nContent-Length: 4\r\n\r\nbody")
}

pub(super) fn send(n: u64, to: Destination) -> Command {
    Command::Send(n, to, message(n).into())
}
