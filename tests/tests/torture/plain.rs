//! A plain user agent of RFC 3261: the endpoint with carrying off, and an application that takes whatever comes.

use bytes::Bytes;
use sip::driver::{Core, IoAction};
use sip::session::{Body, Invite, Parts, Patience, Reply, SessionId};
use sip::time::{Mono, Now};
use sip::{Action, Answer, ConnectId, Endpoint, Event, Failure, Flow, NetworkId, QueryId, TransmitId};
use sip_types::{Fields, HeaderName, Method, StatusCode};
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// The endpoint and its application.
pub struct Plain {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Methods of the requests that were handed up.
    pub handed: Vec<String>,
    /// Final responses that were handed up.
    pub answers: Vec<u16>,
    session: Option<SessionId>,
    io: VecDeque<IoAction>,
}

impl Plain {
    /// An application on that endpoint.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, handed: Vec::new(), answers: Vec::new(), session: None, io: VecDeque::new() }
    }

    /// Calls somebody.
    pub fn invite(&mut self, now: Now, next_hop: &str, offer: &str) {
        let invite = Invite {
            label: 0,
            conduct: None,
            network: NetworkId(0),
            request_uri: "sip:callee@example.edu".parse().unwrap(),
            next_hop: next_hop.parse().unwrap(),
            routes: Box::default(),
            flow: None,
            outbound: false,
            gruu: None,
            speaks_for: None,
            from: "<sip:caller@example.com>".into(),
            to: "<sip:callee@example.edu>".into(),
            max_forwards: 70,
            patience: Patience::default(),
            parts: Parts { body: Some(description(offer)), ..Parts::default() },
        };
        self.session = Some(self.endpoint.invite(now, invite).unwrap());
        self.settle(now);
    }

    /// Sends a request within the call.
    pub fn request(&mut self, now: Now, method: &Method) {
        let session = self.session.unwrap();
        self.endpoint.request(now, session, method.clone(), 70, Parts::default()).unwrap();
        self.settle(now);
    }

    /// Hangs up.
    pub fn hang_up(&mut self, now: Now) {
        let _ = self.endpoint.end(now, self.session.unwrap(), Fields::default());
        self.settle(now);
    }

    fn settle(&mut self, now: Now) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Transmit(transmit) => self.io.push_back(IoAction::Transmit(transmit)),
                Action::Resolve(query) => self.io.push_back(IoAction::Resolve(query)),
                Action::Connect(connect) => self.io.push_back(IoAction::Connect(connect)),
                Action::Disconnect(id) => self.io.push_back(IoAction::Disconnect(id)),
                Action::CloseConnection(id) => self.io.push_back(IoAction::CloseConnection(id)),
                Action::Ping(id) => self.io.push_back(IoAction::Ping(id)),
                Action::Alias { connection, port } => {
                    self.io.push_back(IoAction::Alias { connection, port });
                }
                Action::SecretNeeded(needed) => self.endpoint.handle_secret(now, needed.id, Vec::new()),
                Action::Event(event) => self.on_event(now, *event),
            }
        }
    }

    fn on_event(&mut self, now: Now, event: Event) {
        match event {
            Event::Invited { session, request } => {
                self.handed.push(request.method().to_string());
                let dialog = self.endpoint.open_dialog(session).unwrap();
                let parts = Parts { body: Some(description(super::agent::SDP)), ..Parts::default() };
                self.endpoint.answer(now, session, dialog, parts).unwrap();
            }
            Event::Requested { session, id, request, .. } => {
                self.handed.push(request.method().to_string());
                self.endpoint.respond(now, session, id, &Reply::new(StatusCode::OK)).unwrap();
            }
            Event::Answered { session, response, .. } => {
                self.answers.push(response.status().as_u16());
                self.endpoint.acknowledge(now, session, Parts::default()).unwrap();
            }
            Event::Responded { outcome: Ok(response), .. }
            | Event::Responded { outcome: Err(Failure::Response(response)), .. } => {
                self.answers.push(response.status().as_u16());
            }
            _ => {}
        }
    }
}

fn description(sdp: &str) -> Body {
    let mut fields = Fields::default();
    fields.push(HeaderName::ContentType, "application/sdp");
    Body { fields, bytes: sdp.to_owned().into() }
}

impl Core for Plain {
    fn handle_input(&mut self, now: Now, flow: Flow, bytes: Bytes) {
        self.endpoint.handle_input(now, flow, bytes);
        self.settle(now);
    }

    fn handle_resolved(&mut self, now: Now, query: QueryId, answer: Answer) {
        self.endpoint.handle_resolved(now, query, answer);
        self.settle(now);
    }

    fn handle_connected(&mut self, now: Now, connect: ConnectId, open: bool) {
        self.endpoint.handle_connected(now, connect, open);
        self.settle(now);
    }

    fn handle_send_failed(&mut self, now: Now, id: TransmitId) {
        self.endpoint.handle_send_failed(now, id);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now);
        self.settle(now);
    }

    fn handle_wake(&mut self, _: Now) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn poll_io(&mut self) -> Option<IoAction> {
        self.io.pop_front()
    }

    fn poll_timeout(&self) -> Option<Mono> {
        self.endpoint.poll_timeout()
    }

    fn flush(&mut self, _: Now) {}
}
