//! A telephone of the simulation: a user agent, and what it does about each event.

use crate::ids::Seeded;
use crate::whims::Whims;
use bytes::Bytes;
use sip::auth::Credential;
use sip::session::{Ask, Body, Invite, Parts, Patience, Reply, SessionId};
use sip::time::Now;
use sip::{
    Action, Answer, ConnectionId, Endpoint, Event, Failure, Flow, ListenerId, NetworkId, Received, Settings,
    Transmit, TransmitId, Transport,
};
use sip_types::{Fields, HeaderName, Method, Response, StatusCode, Uri};
use std::net::SocketAddr;
use std::sync::Arc;

/// What a telephone offers unless told otherwise.
const AUDIO: &str =
    "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";

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
    /// What it speaks.
    pub transport: Transport,
    /// Its user agent.
    pub endpoint: Endpoint,
    /// What it does when it is called.
    pub manner: Manner,
    /// Everything that it was told.
    pub events: Vec<Event>,
    /// Every session that it began.
    pub sessions: Vec<SessionId>,
    /// Every session in which it was called.
    pub invited: Vec<SessionId>,
    /// Its session, once there is one: the last.
    pub session: Option<SessionId>,
    /// How often it was told that a session ended.
    pub ended: usize,
    /// Messages to send.
    pub outbox: Vec<Transmit>,
    /// Connections to use for another port of their peers too.
    pub aliases: Vec<(ConnectionId, u16)>,
    /// The status of each final response to a request of its own outside a dialog.
    pub responses: Vec<u16>,
    /// The lines of its session description from `m=` on; each offer of its own may have others.
    pub media: String,
    /// Re-INVITEs of its own that were answered.
    pub reinvited: usize,
    /// Re-INVITEs of its own that failed.
    pub refused: usize,
    /// What it gives back for credentials: by realm.
    pub credentials: Vec<(Box<str>, Arc<Credential>)>,
    /// What it does by chance, if anything.
    pub whims: Option<Box<Whims>>,
    version: u64,
    /// Whether its last INVITE had no offer, so that the ACK owes an answer.
    delayed: bool,
}

impl Peer {
    /// A telephone at that address.
    pub fn new(address: SocketAddr, manner: Manner, seed: u64) -> Self {
        Self::over(Transport::Udp, address, manner, seed)
    }

    /// A telephone at that address that speaks that transport; over TLS its connections serve both ways (RFC 5923).
    pub fn over(transport: Transport, address: SocketAddr, manner: Manner, seed: u64) -> Self {
        let own = sip::Listener { transport, alias: transport == Transport::Tls, ..listener(address) };
        let settings = Settings { listeners: vec![own], ..Settings::default() };
        let hasher = ahash::RandomState::with_seeds(seed, 2, 3, 4);
        let endpoint = Endpoint::new(settings, Box::new(Seeded(seed)), hasher);
        Self {
            address,
            transport,
            endpoint,
            manner,
            events: Vec::new(),
            sessions: Vec::new(),
            invited: Vec::new(),
            session: None,
            ended: 0,
            outbox: Vec::new(),
            aliases: Vec::new(),
            responses: Vec::new(),
            media: AUDIO.to_owned(),
            reinvited: 0,
            refused: 0,
            credentials: Vec::new(),
            whims: None,
            version: 0,
            delayed: false,
        }
    }

    /// Calls somebody by way of `proxy`.
    pub fn call(&mut self, now: Now, uri: &str, proxy: SocketAddr, fields: Fields) {
        let offer = Some(self.description());
        self.call_with(now, uri, proxy, fields, offer);
    }

    /// Calls somebody by way of `proxy`, with that offer or none.
    pub fn call_with(&mut self, now: Now, uri: &str, proxy: SocketAddr, fields: Fields, offer: Option<Body>) {
        self.delayed = offer.is_none();
        let invite = Invite {
            label: 0,
            conduct: None,
            network: NetworkId(0),
            request_uri: uri.parse().unwrap(),
            next_hop: self.hop(proxy),
            routes: Box::default(),
            flow: None,
            outbound: false,
            gruu: None,
            speaks_for: None,
            from: format!("\"Alice\" <sip:alice@{}>", self.address).into(),
            to: format!("<{uri}>").into(),
            max_forwards: 70,
            patience: Patience::default(),
            parts: Parts { fields, body: offer, ..Parts::default() },
        };
        let session = self.endpoint.invite(now, invite).unwrap();
        self.sessions.push(session);
        self.session = Some(session);
        self.settle(now);
    }

    /// Calls somebody by way of `proxy`, with an offer as its whims have it.
    pub fn call_at_whim(&mut self, now: Now, uri: &str, proxy: SocketAddr) {
        let Some(whims) = &mut self.whims else { return };
        let Parts { fields, body, .. } = whims.invite();
        self.call_with(now, uri, proxy, fields, body);
    }

    /// Changes its session as its whims have it.
    pub fn change(&mut self, now: Now) {
        if let (Some(whims), Some(session)) = (&mut self.whims, self.session) {
            whims.give_up(now, &mut self.endpoint, session);
        }
        self.settle(now);
        if let (Some(whims), Some(session)) = (&mut self.whims, self.session) {
            whims.change(now, &mut self.endpoint, session);
        }
        self.settle(now);
    }

    /// Answers what its whims have left waiting for long enough.
    pub fn have_whims(&mut self, now: Now) {
        if let (Some(whims), Some(session)) = (&mut self.whims, self.session) {
            whims.act(now, &mut self.endpoint, session);
        }
        self.settle(now);
    }

    /// Hangs up.
    pub fn hang_up(&mut self, now: Now) {
        let session = self.session.unwrap();
        let _ = self.endpoint.end(now, session, Fields::default());
        self.settle(now);
    }

    /// Ends everything that it still has: it hangs up, or stops ringing.
    pub fn leave(&mut self, now: Now) {
        let all: Vec<_> = self.sessions.iter().chain(&self.invited).copied().collect();
        for session in all {
            self.session = Some(session);
            self.stop_ringing(now);
            self.hang_up(now);
        }
    }

    /// Sends a re-INVITE, with an offer of its own or without one; `false` if there can be none now.
    pub fn reinvite(&mut self, now: Now, offers: bool) -> bool {
        let Some(session) = self.session else { return false };
        self.version += u64::from(offers);
        let body = offers.then(|| self.description());
        let sent = self.endpoint.reinvite(now, session, 70, Parts { body, ..Parts::default() }).is_ok();
        if sent {
            self.delayed = !offers;
        }
        self.settle(now);
        sent
    }

    /// Gives its re-INVITE up, if it can.
    pub fn give_up(&mut self, now: Now) {
        let Some(session) = self.session else { return };
        let _ = self.endpoint.cancel_reinvite(now, session);
        self.settle(now);
    }

    /// Stops ringing, if it rings.
    pub fn stop_ringing(&mut self, now: Now) {
        let Some(session) = self.session else { return };
        let gone = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
        // One that is answered or over does not ring.
        let _ = self.endpoint.reject(now, session, &gone);
        self.settle(now);
    }

    /// Binds itself to an address-of-record, by way of `proxy`.
    pub fn register(&mut self, now: Now, aor: &str, domain: &str, proxy: SocketAddr) {
        let ask = Ask {
            label: 0,
            conduct: None,
            network: NetworkId(0),
            method: Method::Register,
            request_uri: format!("sip:{domain}").parse().unwrap(),
            next_hop: self.hop(proxy),
            routes: Box::default(),
            from: format!("<{aor}>").into(),
            to: format!("<{aor}>").into(),
            contact_user: Some("phone".into()),
            flow: None,
            outbound: false,
            keep: false,
            max_forwards: 70,
            patience: Patience::default(),
            everywhere: false,
            parts: Parts::default(),
        };
        self.endpoint.ask(now, ask).unwrap();
        self.settle(now);
    }

    /// The way to a proxy.
    fn hop(&self, proxy: SocketAddr) -> Uri {
        let transport = self.transport.uri_param();
        format!("sip:{proxy};transport={transport}").parse().unwrap()
    }

    /// A message of its own could not be sent.
    pub fn send_failed(&mut self, now: Now, id: TransmitId) {
        self.endpoint.handle_send_failed(now, id);
        self.settle(now);
    }

    /// A datagram came.
    pub fn input(&mut self, now: Now, from: SocketAddr, bytes: Bytes) {
        self.input_on(now, Flow { listener: ListenerId(0), peer: from, connection: None }, bytes);
    }

    /// A message came.
    pub fn input_on(&mut self, now: Now, flow: Flow, bytes: Bytes) {
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

    /// Whether it has no session, or one that is over.
    pub fn is_free(&self) -> bool {
        let view = self.session.and_then(|session| self.endpoint.session(session));
        view.is_none_or(|view| view.stage == sip::session::SessionStage::Over)
    }

    /// A session description of its own.
    pub fn description(&self) -> Body {
        self.describe(&self.media)
    }

    /// Its answer: each stream as it was offered, at a port of its own, with the direction turned round.
    pub fn answer_to(&self, offer: &[u8]) -> Body {
        let offer = String::from_utf8_lossy(offer);
        let mut media = String::new();
        for line in offer.lines().skip_while(|line| !line.starts_with("m=")) {
            let turned = match line {
                "a=sendonly" => "a=recvonly".to_owned(),
                "a=recvonly" => "a=sendonly".to_owned(),
                _ if line.starts_with("m=") => own_port(line),
                _ if line.starts_with("a=rtpmap") || line == "a=inactive" => line.to_owned(),
                _ => continue,
            };
            media.push_str(&turned);
            media.push_str("\r\n");
        }
        self.describe(&media)
    }

    fn describe(&self, media: &str) -> Body {
        let ip = self.address.ip();
        let (id, version) = (self.address.port(), self.version + 1);
        let sdp =
            format!("v=0\r\no=phone {id} {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n{media}");
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
                    if let Event::Invited { session, .. } = &*event {
                        self.session = Some(*session);
                    }
                    let whims = self.whims.as_mut();
                    if !whims.is_some_and(|whims| whims.react(now, &mut self.endpoint, &event)) {
                        self.react(now, &event);
                    }
                    self.events.push(*event);
                }
                Action::SecretNeeded(needed) => {
                    let granted = self.credentials.clone();
                    self.endpoint.handle_secret(now, needed.id, granted);
                }
                Action::Resolve(query) => self.endpoint.handle_resolved(now, query.id, Answer::Silent),
                Action::Connect(connect) => self.endpoint.handle_connected(now, connect.id, true),
                Action::Alias { connection, port } => self.aliases.push((connection, port)),
                Action::CloseConnection(_) | Action::Disconnect(_) | Action::Ping(_) => {}
            }
        }
    }

    fn react(&mut self, now: Now, event: &Event) {
        match event {
            Event::Invited { session, request } => {
                self.session = Some(*session);
                self.invited.push(*session);
                if let Manner::Refuses(status) = self.manner {
                    self.endpoint.reject(now, *session, &Reply::new(status)).unwrap();
                    return;
                }
                let dialog = self.endpoint.open_dialog(*session).unwrap();
                let ringing = Reply::new(StatusCode::RINGING);
                self.endpoint.progress(now, *session, dialog, &ringing).unwrap();
                if let Manner::Answers = self.manner {
                    let parts = self.answer_parts(request);
                    self.endpoint.answer(now, *session, dialog, parts).unwrap();
                }
            }
            Event::Answered { session, response, .. } | Event::ReinviteAnswered { session, response } => {
                self.reinvited += usize::from(matches!(event, Event::ReinviteAnswered { .. }));
                let owes = self.delayed && !response.body().is_empty();
                let body = owes.then(|| self.answer_to(response.body()));
                let _ = self.endpoint.acknowledge(now, *session, Parts { body, ..Parts::default() });
            }
            Event::Reinvited { session, request } => {
                let parts = self.answer_parts(request);
                self.endpoint.answer_reinvite(now, *session, parts).unwrap();
            }
            Event::ReinviteFailed { .. } => self.refused += 1,
            Event::Updated { session, id, request, .. } => {
                let described = !request.request.body().is_empty();
                let parts = if described { self.answer_parts(request) } else { Parts::default() };
                let ok = Reply { parts, ..Reply::new(StatusCode::OK) };
                self.endpoint.respond(now, *session, *id, &ok).unwrap();
            }
            Event::Requested { session, id, .. } | Event::Referred { session, id, .. } => {
                self.endpoint.respond(now, *session, *id, &Reply::new(StatusCode::OK)).unwrap();
            }
            Event::EarlyBye { session, .. } => {
                self.endpoint.reject(now, *session, &Reply::new(StatusCode::REQUEST_TERMINATED)).unwrap();
                self.ended += 1;
            }
            Event::Strayed(stray) => self.endpoint.admit(now, (**stray).clone()),
            Event::Ended { .. } => self.ended += 1,
            Event::Responded { outcome, .. } => self.responses.extend(status_of(outcome)),
            Event::Asked { .. }
            | Event::Overload(_)
            | Event::Progress { .. }
            | Event::Pracked { .. }
            | Event::Acknowledged { .. }
            | Event::ReinviteProgress { .. }
            | Event::ReinviteCancelled { .. }
            | Event::ReferNotified { .. }
            | Event::RefreshDue { .. }
            | Event::EarlyDialogEnded { .. }
            | Event::EarlyDialogLost { .. }
            | Event::FlowProven { .. }
            | Event::FlowLost { .. } => {}
        }
    }
}

impl Peer {
    /// The body of a 2xx: an answer to the offer, or an offer where there is none.
    fn answer_parts(&mut self, request: &Received) -> Parts {
        self.version += 1;
        let offer = request.request.body();
        let body = if offer.is_empty() { self.description() } else { self.answer_to(offer) };
        Parts { body: Some(body), ..Parts::default() }
    }
}

/// The status of a final response; nothing where there was none.
fn status_of(outcome: &Result<Response, Failure>) -> Option<u16> {
    let response = match outcome {
        Ok(response) | Err(Failure::Response(response)) => response,
        Err(_) => return None,
    };
    Some(response.status().as_u16())
}

/// An `m=` line with a port of the telephone's own; a refused stream stays refused.
fn own_port(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    if words[1] != "0" {
        words[1] = "4000";
    }
    words.join(" ")
}

/// A UDP listener at that address.
pub fn listener(address: SocketAddr) -> sip::Listener {
    sip::Listener {
        carrying: sip::Carrying::All { transparent: Vec::new() },
        ..sip::Listener::new(NetworkId(0), Transport::Udp, address)
    }
}
