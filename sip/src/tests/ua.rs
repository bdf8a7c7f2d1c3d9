//! One endpoint and a peer whose part the test plays.

use super::message::{Msg, start};
use crate::flow::{ConnectionId, Destination, Flow, ListenerId, NetworkId, Transport};
use crate::ids::tests::Seeded;
use crate::session::{Invite, OutgoingId, Parts, Patience, Reply, RequestId, SessionId};
use crate::settings::{Carrying, Listener, Settings};
use crate::time::{Mono, Now};
use crate::{Action, Connect, ConnectId, Endpoint, Event, Gauges, Query, SecretNeeded, TransmitId};
use bytes::Bytes;
use sip_types::StatusCode;
use std::net::SocketAddr;
use std::time::Duration;

/// The peer's address.
pub(super) const PEER: &str = "198.51.100.9:5060";

/// 64*T1 in milliseconds.
pub(super) const T64: u64 = 32_000;

/// A message that the endpoint sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) at: u64,
    pub(super) id: TransmitId,
    pub(super) to: Destination,
    pub(super) text: String,
}

impl Sent {
    /// The start line without the version.
    pub(super) fn what(&self) -> &str {
        let line = start(&self.text);
        line.strip_prefix("SIP/2.0 ").unwrap_or_else(|| line.split(' ').next().unwrap())
    }
}

/// The endpoint at 192.0.2.1 and all that it did.
pub(super) struct Ua {
    pub(super) endpoint: Endpoint,
    pub(super) ms: u64,
    pub(super) sent: Vec<Sent>,
    pub(super) events: Vec<Event>,
    pub(super) queries: Vec<Query>,
    pub(super) connects: Vec<Connect>,
    pub(super) disconnects: Vec<ConnectId>,
    pub(super) secrets: Vec<SecretNeeded>,
    pub(super) closed: Vec<ConnectionId>,
    pub(super) aliases: Vec<(ConnectionId, u16)>,
    pub(super) pings: Vec<ConnectionId>,
    /// Datagrams of STUN, with when they were sent.
    pub(super) stun: Vec<(u64, Bytes)>,
}

/// A listener at 192.0.2.1.
pub(crate) fn listener(transport: Transport) -> Listener {
    Listener {
        carrying: Carrying::All { transparent: vec!["norefersub".into()] },
        provenance: crate::session::Provenance::Peer,
        ..Listener::new(NetworkId(0), transport, "192.0.2.1:5060".parse().unwrap())
    }
}

/// The peer's flow to our first listener, over a stream if it has a connection.
pub(super) fn flow(connection: Option<u64>) -> Flow {
    let peer = PEER.parse().unwrap();
    Flow { listener: ListenerId(0), peer, connection: connection.map(ConnectionId) }
}

impl Ua {
    /// With one UDP listener.
    pub(super) fn udp() -> Self {
        Self::of(&[Transport::Udp])
    }

    /// With one TCP listener.
    pub(super) fn tcp() -> Self {
        Self::of(&[Transport::Tcp])
    }

    /// With those listeners.
    pub(super) fn of(transports: &[Transport]) -> Self {
        let listeners = transports.iter().map(|t| listener(*t)).collect();
        Self::with(Settings { listeners, ..Settings::default() })
    }

    /// With those settings.
    pub(super) fn with(settings: Settings) -> Self {
        let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
        Self {
            endpoint: Endpoint::new(settings, Box::new(Seeded(1)), hasher),
            ms: 0,
            sent: Vec::new(),
            events: Vec::new(),
            queries: Vec::new(),
            connects: Vec::new(),
            disconnects: Vec::new(),
            secrets: Vec::new(),
            closed: Vec::new(),
            aliases: Vec::new(),
            pings: Vec::new(),
            stun: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_millis(self.ms)), ..Now::default() }
    }

    /// Carries all actions out.
    pub(super) fn drain(&mut self) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Transmit(t) if crate::stun::is_stun(&t.bytes) => self.stun.push((self.ms, t.bytes)),
                Action::Transmit(t) => self.sent.push(Sent {
                    at: self.ms,
                    id: t.id,
                    to: t.to,
                    text: String::from_utf8(t.bytes.to_vec()).unwrap(),
                }),
                Action::Resolve(query) => self.queries.push(query),
                Action::Connect(connect) => self.connects.push(connect),
                Action::Ping(connection) => self.pings.push(connection),
                Action::Disconnect(connect) => self.disconnects.push(connect),
                Action::CloseConnection(connection) => self.closed.push(connection),
                Action::Alias { connection, port } => self.aliases.push((connection, port)),
                Action::SecretNeeded(needed) => self.secrets.push(needed),
                Action::Event(event) => self.events.push(*event),
            }
        }
    }

    /// Does something and carries out what follows from it.
    pub(super) fn act<R>(&mut self, act: impl FnOnce(&mut Endpoint, Now) -> R) -> R {
        let now = self.now();
        let result = act(&mut self.endpoint, now);
        self.drain();
        result
    }

    /// Lets time pass, each deadline at its time.
    pub(super) fn wait(&mut self, ms: u64) {
        let end = self.ms + ms;
        while let Some(due) = self.endpoint.poll_timeout().filter(|d| d.as_nanos() <= end * 1_000_000) {
            self.ms = self.ms.max(due.as_nanos().div_ceil(1_000_000));
            self.act(|e, now| e.handle_timeout(now));
        }
        self.ms = end;
    }

    /// The peer sends a message.
    pub(super) fn hear(&mut self, msg: &Msg) {
        self.hear_on(flow(None), &msg.text());
    }

    /// Bytes come on a flow.
    pub(super) fn hear_on(&mut self, flow: Flow, text: &str) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        self.act(|e, now| e.handle_input(now, flow, bytes));
    }

    /// What was sent since the last look.
    pub(super) fn take(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    /// The one message that was sent since the last look.
    pub(super) fn one(&mut self) -> Sent {
        let mut sent = self.take();
        assert_eq!(sent.len(), 1, "{sent:#?}");
        sent.remove(0)
    }

    /// Time and start of each message that was sent since the last look.
    pub(super) fn log(&mut self) -> Vec<String> {
        self.take().iter().map(|s| format!("{} {}", s.at, s.what())).collect()
    }

    /// Times of the messages since the last look that start so; there are no others.
    pub(super) fn times(&mut self, what: &str) -> Vec<u64> {
        self.take()
            .iter()
            .map(|s| {
                assert_eq!(s.what(), what);
                s.at
            })
            .collect()
    }

    /// The one event since the last look.
    pub(super) fn event(&mut self) -> Event {
        let mut events = std::mem::take(&mut self.events);
        assert_eq!(events.len(), 1, "{events:#?}");
        events.remove(0)
    }

    pub(super) fn gauges(&self) -> Gauges {
        self.endpoint.gauges()
    }

    /// Nothing is left after 64*T1 + 5 s, and no deadline, given-up ones included, after a minute.
    pub(super) fn must_forget(&mut self) {
        self.wait(T64 + 5_000);
        let gauges = self.gauges();
        assert_eq!(Gauges { timers: 0, ..gauges }, Gauges::default());
        self.wait(64_000);
        assert_eq!(self.gauges(), Gauges::default());
        assert!(self.endpoint.by_tag.is_empty());
    }

    /// Calls bob at the peer's address.
    pub(super) fn call(&mut self) -> (SessionId, String) {
        let sid = self.invite(&format!("sip:bob@{PEER}"), Parts::default());
        (sid, self.one().text)
    }

    /// The name server answers what is asked, from that zone.
    pub(super) fn resolve(&mut self, zone: &str) {
        while !self.queries.is_empty() {
            let query = self.queries.remove(0);
            let answer = super::zone::answer(zone, &query.question);
            self.act(|e, now| e.handle_resolved(now, query.id, answer));
        }
    }

    /// Calls bob by that next hop.
    pub(super) fn invite(&mut self, next_hop: &str, parts: Parts) -> SessionId {
        self.invite_with(next_hop, parts, Patience::default())
    }

    /// Calls bob by that next hop, with that patience.
    pub(super) fn invite_with(&mut self, next_hop: &str, parts: Parts, patience: Patience) -> SessionId {
        let invite = Invite {
            patience,
            label: 0,
            conduct: None,
            network: NetworkId(0),
            request_uri: "sip:bob@example.com".parse().unwrap(),
            next_hop: next_hop.parse().unwrap(),
            routes: Box::default(),
            flow: None,
            outbound: false,
            gruu: None,
            speaks_for: None,
            from: "<sip:alice@example.net>".into(),
            to: "<sip:bob@example.com>".into(),
            max_forwards: 69,
            parts,
        };
        self.act(|e, now| e.invite(now, invite)).unwrap()
    }

    /// A call of ours that bob has answered and we have acknowledged, and its INVITE.
    pub(super) fn called(&mut self) -> (SessionId, String) {
        let (sid, invite) = self.call();
        self.hear(&Msg::response(&invite, 200, "b1").contact(PEER));
        assert!(matches!(self.event(), Event::Answered { .. }));
        self.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
        assert_eq!(self.one().what(), "ACK");
        (sid, invite)
    }

    /// Bob's INVITE has come, and had its 100.
    pub(super) fn invited(&mut self) -> SessionId {
        self.invited_by(&Msg::request("INVITE", 1).sdp())
    }

    /// That INVITE has come, and had its 100.
    pub(super) fn invited_by(&mut self, invite: &Msg) -> SessionId {
        self.hear(invite);
        assert_eq!(self.one().what(), "100 Trying");
        match self.event() {
            Event::Invited { session, .. } => session,
            other => panic!("{other:?}"),
        }
    }

    /// We answer bob's INVITE; the 200.
    pub(super) fn answer(&mut self, sid: SessionId) -> String {
        let no = self.endpoint.open_dialog(sid).unwrap();
        self.act(|e, now| e.answer(now, sid, no, Parts::default())).unwrap();
        self.one().text
    }

    /// A call of bob's that we have answered and he has acknowledged, and our 200.
    pub(super) fn answered(&mut self) -> (SessionId, String) {
        let sid = self.invited();
        let ok = self.answer(sid);
        self.hear(&Msg::inside("ACK", 1, &ok));
        assert!(matches!(self.event(), Event::Acknowledged { .. }));
        (sid, ok)
    }

    /// Ends the session.
    pub(super) fn end(&mut self, sid: SessionId) {
        self.act(|e, now| e.end(now, sid, sip_types::Fields::default())).unwrap();
    }

    /// The re-INVITE that waits, refused or answered.
    pub(super) fn reply(status: u16) -> Reply {
        Reply::new(StatusCode::new(status).unwrap())
    }

    /// The request that was told of.
    pub(super) fn requested(&mut self) -> RequestId {
        match self.event() {
            Event::Requested { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    /// Sends INFO in the dialog.
    pub(super) fn info(&mut self, sid: SessionId) -> (OutgoingId, String) {
        let method = sip_types::Method::Info;
        let id = self.act(|e, now| e.request(now, sid, method, 70, Parts::default())).unwrap();
        (id, self.one().text)
    }
}

/// The address of that text.
pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}
