//! The user agent of a telephone, as `sip::driver` drives it.

use super::description::{audio_address, describe};
use super::line;
use super::trace::Trace;
use bytes::Bytes;
use sip::dialog::DialogNo;
use sip::driver::{Core, IoAction};
use sip::session::{Body, Invite, Parts, Patience, Reply, SessionId};
use sip::time::{Mono, Now};
use sip::{
    Action, Answer, ConnectId, End, Endpoint, Event, Failure, Flow, ListenerId, NetworkId, QueryId,
    TransmitId,
};
use sip_types::{Fields, Message, Response, StatusCode, Uri};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::mpsc::SyncSender;
use tokio::sync::mpsc;

/// What a telephone is told to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Call somebody.
    Call(Box<Dial>),
    /// Take the call that rings.
    Answer,
    /// End the call.
    HangUp,
    /// End the telephone.
    Stop,
}

/// A call to make.
#[derive(Debug)]
pub(super) struct Dial {
    /// The Request-URI, which is also where it is sent.
    pub(super) uri: Uri,
    /// From, without tag.
    pub(super) from: Box<str>,
    /// To.
    pub(super) to: Box<str>,
    /// Further header fields.
    pub(super) fields: Fields,
}

/// What a telephone tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A call came in, and it rings.
    Rings,
    /// The other side rings.
    OtherRings,
    /// The call stands: the ACK was sent or came.
    Established,
    /// The call is over, as it should be.
    Ended,
    /// The call is over, or none came about, because of this.
    Failed(String),
}

/// One user agent with at most one call.
pub(super) struct Agent {
    pub(super) name: &'static str,
    pub(super) endpoint: Endpoint,
    /// Where its line hears, and the way to it.
    pub(super) audio: SocketAddr,
    pub(super) line: SyncSender<line::Order>,
    pub(super) trace: Trace,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) tell: mpsc::Sender<Happened>,
    /// Its call; the dialog that rings, if it does.
    pub(super) session: Option<(SessionId, Option<DialogNo>)>,
    /// Where the other side hears.
    pub(super) remote: Option<SocketAddr>,
    pub(super) io: VecDeque<IoAction>,
}

impl Agent {
    fn obey(&mut self, now: Now, order: Order) -> Result<(), sip::session::IntentError> {
        match (order, self.session) {
            (Order::Call(dial), None) => {
                let parts = Parts { fields: dial.fields, body: Some(self.description()), ..Parts::default() };
                let session = self.endpoint.invite(
                    now,
                    Invite {
                        label: 0,
                        conduct: None,
                        network: NetworkId(0),
                        request_uri: dial.uri.clone(),
                        next_hop: dial.uri,
                        routes: Box::default(),
                        flow: None,
                        outbound: false,
                        gruu: None,
                        speaks_for: None,
                        from: dial.from,
                        to: dial.to,
                        max_forwards: 70,
                        patience: Patience::default(),
                        parts,
                    },
                )?;
                self.session = Some((session, None));
            }
            (Order::Answer, Some((session, Some(dialog)))) => {
                let parts = Parts { body: Some(self.description()), ..Parts::default() };
                self.endpoint.answer(now, session, dialog, parts)?;
            }
            (Order::HangUp, Some((session, _))) => self.endpoint.end(now, session, Fields::default())?,
            // Nothing to call, answer or end.
            (Order::Call(_) | Order::Answer | Order::HangUp | Order::Stop, _) => {}
        }
        Ok(())
    }

    fn description(&self) -> Body {
        describe(self.name, self.audio)
    }

    /// Tells what happened. Nobody who listens has let this many wait.
    fn tell(&self, happened: Happened) {
        let _ = self.tell.try_send(happened);
    }

    /// Lets the line talk to the other side.
    fn talk(&self) {
        match self.remote {
            // A line that has ended is told nothing; its silence shows at the other end.
            Some(remote) => drop(self.line.try_send(line::Order::Talk(remote))),
            None => self.tell(Happened::Failed("the other side takes no audio".to_owned())),
        }
    }

    fn settle(&mut self, now: Now) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Transmit(transmit) => {
                    self.trace.note(now.mono, true, &transmit.bytes);
                    self.io.push_back(IoAction::Transmit(transmit));
                }
                Action::Resolve(query) => self.io.push_back(IoAction::Resolve(query)),
                Action::Connect(connect) => self.io.push_back(IoAction::Connect(connect)),
                Action::Disconnect(id) => self.io.push_back(IoAction::Disconnect(id)),
                Action::CloseConnection(id) => self.io.push_back(IoAction::CloseConnection(id)),
                Action::Ping(id) => self.io.push_back(IoAction::Ping(id)),
                Action::Alias { connection, port } => {
                    self.io.push_back(IoAction::Alias { connection, port });
                }
                // It has no credentials.
                Action::SecretNeeded(needed) => self.endpoint.handle_secret(now, needed.id, Vec::new()),
                Action::Event(event) => {
                    if let Err(error) = self.react(now, *event) {
                        self.tell(Happened::Failed(error.to_string()));
                    }
                }
            }
        }
    }

    fn react(&mut self, now: Now, event: Event) -> Result<(), sip::session::IntentError> {
        match event {
            Event::Invited { session, .. } if self.session.is_some() => {
                self.endpoint.reject(now, session, &Reply::new(StatusCode::BUSY_HERE))?;
            }
            Event::Invited { session, request } => {
                self.remote = audio_address(request.request.body());
                let dialog = self.endpoint.open_dialog(session)?;
                self.session = Some((session, Some(dialog)));
                self.endpoint.progress(now, session, dialog, &Reply::new(StatusCode::RINGING))?;
                self.tell(Happened::Rings);
            }
            Event::Progress { response, .. } if response.status() == StatusCode::RINGING => {
                self.tell(Happened::OtherRings);
            }
            Event::Answered { session, response, .. } => {
                self.remote = audio_address(response.body());
                self.endpoint.acknowledge(now, session, Parts::default())?;
                self.talk();
                self.tell(Happened::Established);
            }
            Event::Acknowledged { .. } => {
                self.talk();
                self.tell(Happened::Established);
            }
            Event::Reinvited { session, .. } => {
                self.endpoint.reject_reinvite(now, session, &Reply::new(StatusCode::NOT_ACCEPTABLE_HERE))?;
            }
            Event::Updated { session, id, request, .. } => {
                let described = !request.request.body().is_empty();
                let status = if described { StatusCode::NOT_ACCEPTABLE_HERE } else { StatusCode::OK };
                self.endpoint.respond(now, session, id, &Reply::new(status))?;
            }
            Event::Requested { session, id, .. } | Event::Referred { session, id, .. } => {
                self.endpoint.respond(now, session, id, &Reply::new(StatusCode::NOT_IMPLEMENTED))?;
            }
            Event::EarlyBye { session, .. } => {
                self.endpoint.reject(now, session, &Reply::new(StatusCode::REQUEST_TERMINATED))?;
            }
            Event::Strayed(stray) => self.endpoint.admit(now, *stray),
            Event::Ended { why, .. } => {
                self.session = None;
                let _ = self.line.try_send(line::Order::Silence);
                self.tell(ended(why));
            }
            Event::Asked { .. }
            | Event::Overload(_)
            | Event::Progress { .. }
            | Event::Pracked { .. }
            | Event::ReinviteProgress { .. }
            | Event::ReinviteCancelled { .. }
            | Event::ReinviteAnswered { .. }
            | Event::ReinviteFailed { .. }
            | Event::RefreshDue { .. }
            | Event::EarlyDialogEnded { .. }
            | Event::EarlyDialogLost { .. }
            | Event::FlowProven { .. }
            | Event::FlowLost { .. }
            | Event::ReferNotified { .. }
            | Event::Responded { .. } => {}
        }
        Ok(())
    }
}

fn ended(why: End) -> Happened {
    Happened::Failed(match why {
        End::Bye(_) => return Happened::Ended,
        End::HungUp(Some(response)) if response.status().is_success() => return Happened::Ended,
        End::HungUp(Some(response)) => format!("BYE was answered {}", status(&response)),
        End::HungUp(None) => "BYE was not answered".to_owned(),
        End::Cancelled(_) => "the call was cancelled".to_owned(),
        End::Expired => "the call expired".to_owned(),
        End::Rejected(failure) => format!("the call was refused: {}", reason(&failure)),
        End::Left => "the caller has left".to_owned(),
        End::Lost(failure) => format!("the call was lost: {}", reason(&failure)),
        End::SessionExpired => "the session expired".to_owned(),
        End::NoAck => "the answer was never acknowledged".to_owned(),
        End::NoPrack => "the ringing was never acknowledged".to_owned(),
    })
}

fn reason(failure: &Failure) -> String {
    match failure {
        Failure::Response(response) | Failure::Challenged(response) => status(response),
        Failure::Timeout => "nobody answered".to_owned(),
        Failure::Unreachable(why) => why.to_string(),
        Failure::Full => "the telephone is at a limit".to_owned(),
    }
}

fn status(response: &Response) -> String {
    format!("{} {}", response.status().as_u16(), response.reason())
}

impl Core for Agent {
    fn handle_input(&mut self, now: Now, flow: Flow, bytes: Bytes) {
        self.trace.note(now.mono, false, &bytes);
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

    fn handle_unreachable(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) {
        self.endpoint.handle_unreachable(now, listener, peer);
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now);
        self.settle(now);
    }

    fn handle_wake(&mut self, now: Now) -> ControlFlow<()> {
        while let Ok(order) = self.orders.try_recv() {
            if matches!(order, Order::Stop) {
                return ControlFlow::Break(());
            }
            if let Err(error) = self.obey(now, order) {
                self.tell(Happened::Failed(error.to_string()));
            }
            self.settle(now);
        }
        ControlFlow::Continue(())
    }

    fn poll_io(&mut self) -> Option<IoAction> {
        self.io.pop_front()
    }

    fn poll_timeout(&self) -> Option<Mono> {
        self.endpoint.poll_timeout()
    }

    fn flush(&mut self, _now: Now) {}
}

/// What a message is called in a ladder: its method, or its status and reason.
pub(crate) fn title(message: &Message) -> String {
    match message {
        Message::Request(request) => request.method().as_str().to_owned(),
        Message::Response(response) => status(response),
    }
}
