//! A telephone of the simulation: a user agent, and what it does about each event.

use crate::ids::Seeded;
use bytes::Bytes;
use sip::session::{Body, Invite, Parts, Reply, SessionId};
use sip::time::Now;
use sip::{Action, Endpoint, Event, Flow, ListenerId, NetworkId, Settings, Transmit, Transport};
use sip_types::{Fields, HeaderName, StatusCode};
use std::net::SocketAddr;

/// How a telephone behaves when it is called.
#[derive(Clone, Debug)]
pub enum Manner {
    /// It rings, then answers.
    Answers,
    /// It rings for ever.
    Rings,
    /// It refuses.
    Refuses(StatusCode),
}

/// A telephone at one address.
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Its user agent.
    pub endpoint: Endpoint,
    /// What it does when it is called.
    pub manner: Manner,
    /// Everything that it was told.
    pub events: Vec<Event>,
    /// Its session, once there is one.
    pub session: Option<SessionId>,
    /// How often it was told that a session ended.
    pub ended: usize,
    /// Messages to send.
    pub outbox: Vec<Transmit>,
}

impl Peer {
    /// A telephone at that address.
    pub fn new(address: SocketAddr, manner: Manner, seed: u64) -> Self {
        let settings = Settings { listeners: vec![listener(address)], ..Settings::default() };
        let hasher = ahash::RandomState::with_seeds(seed, 2, 3, 4);
        let endpoint = Endpoint::new(settings, Box::new(Seeded(seed)), hasher);
        Self { address, endpoint, manner, events: Vec::new(), session: None, ended: 0, outbox: Vec::new() }
    }

    /// Calls somebody by way of `proxy`.
    pub fn call(&mut self, now: Now, uri: &str, proxy: SocketAddr, fields: Fields) {
        let invite = Invite {
            network: NetworkId(0),
            request_uri: uri.parse().unwrap(),
            next_hop: format!("sip:{proxy}").parse().unwrap(),
            from: format!("\"Alice\" <sip:alice@{}>", self.address).into(),
            to: format!("<{uri}>").into(),
            max_forwards: 70,
            parts: Parts { fields, body: Some(self.description()), ..Parts::default() },
        };
        self.session = Some(self.endpoint.invite(now, invite).unwrap());
        self.settle(now);
    }

    /// Hangs up.
    pub fn hang_up(&mut self, now: Now) {
        let session = self.session.unwrap();
        let _ = self.endpoint.end(now, session, Fields::default());
        self.settle(now);
    }

    /// A datagram came.
    pub fn input(&mut self, now: Now, from: SocketAddr, bytes: Bytes) {
        let flow = Flow { listener: ListenerId(0), peer: from, connection: None };
        self.endpoint.handle_input(now, flow, bytes);
        self.settle(now);
    }

    /// Time has passed.
    pub fn timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now);
        self.settle(now);
    }

    /// Whether its session stands.
    pub fn is_established(&self) -> bool {
        let view = self.session.and_then(|session| self.endpoint.session(session));
        view.is_some_and(|view| view.stage == sip::session::SessionStage::Confirmed)
    }

    /// A session description of its own.
    pub fn description(&self) -> Body {
        let ip = self.address.ip();
        let sdp = format!(
            "v=0\r\no=phone {} 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
            self.address.port(),
        );
        let mut fields = Fields::default();
        fields.push(HeaderName::ContentType, "application/sdp");
        Body { fields, bytes: sdp.into() }
    }

    /// Sends what the user agent wants sent and does what the telephone does about each event.
    pub fn settle(&mut self, now: Now) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Transmit(transmit) => self.outbox.push(transmit),
                Action::Event(event) => {
                    self.react(now, &event);
                    self.events.push(*event);
                }
                Action::SecretNeeded(needed) => self.endpoint.handle_secret(now, needed.id, Vec::new()),
                Action::Resolve(query) => self.endpoint.handle_resolved(now, query.id, &[]),
                Action::CloseConnection(_) => {}
            }
        }
    }

    fn react(&mut self, now: Now, event: &Event) {
        match event {
            Event::Invited { session, .. } => {
                self.session = Some(*session);
                if let Manner::Refuses(status) = self.manner {
                    self.endpoint.reject(now, *session, &Reply::new(status)).unwrap();
                    return;
                }
                let dialog = self.endpoint.open_dialog(*session).unwrap();
                let ringing = Reply::new(StatusCode::RINGING);
                self.endpoint.progress(now, *session, dialog, &ringing).unwrap();
                if let Manner::Answers = self.manner {
                    let parts = Parts { body: Some(self.description()), ..Parts::default() };
                    self.endpoint.answer(now, *session, dialog, parts).unwrap();
                }
            }
            Event::Answered { session, .. } | Event::ReinviteAnswered { session, .. } => {
                let _ = self.endpoint.acknowledge(now, *session, Parts::default());
            }
            Event::Reinvited { session, .. } => {
                let parts = Parts { body: Some(self.description()), ..Parts::default() };
                self.endpoint.answer_reinvite(now, *session, parts).unwrap();
            }
            Event::Requested { session, id, .. } => {
                self.endpoint.respond(now, *session, *id, &Reply::new(StatusCode::OK)).unwrap();
            }
            Event::Ended { .. } => self.ended += 1,
            Event::Progress { .. }
            | Event::Acknowledged { .. }
            | Event::ReinviteCancelled { .. }
            | Event::ReinviteFailed { .. }
            | Event::Responded { .. } => {}
        }
    }
}

/// A UDP listener at that address.
pub fn listener(address: SocketAddr) -> sip::Listener {
    sip::Listener {
        network: NetworkId(0),
        transport: Transport::Udp,
        address,
        sent_by: address.to_string().into(),
        timers: sip::Timers::default(),
        provisional_interval: std::time::Duration::from_secs(60),
        nat: false,
        acceptance: sip::auth::client::Acceptance::default(),
        carrying: sip::Carrying::All { transparent: Vec::new() },
    }
}
