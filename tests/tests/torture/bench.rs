//! A subject without sockets between a scripted world on its near side and one telephone on its far side. Nothing
//! takes time but timers.

use crate::agent;
use crate::plain::Plain;
use crate::subject::{self, Subject};
use crate::table::Wire;
use b2bua::shard::Gauges;
use bytes::Bytes;
use sip::driver::IoAction;
use sip::location::{Answer, Question, RecordKind, Records};
use sip::time::{Mono, Now};
use sip::{ConnectionId, Destination, Flow, Listener, ListenerId, Transmit, Transport};
use sip_types::{Frame, Limits, Message, frame};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

/// The telephone on the far side.
pub const FAR: &str = "203.0.113.2:5060";
/// Where well-behaved callers are; also what names of the near side resolve to.
pub const NEAR: &str = "192.0.2.77:5060";
/// The connection that TCP messages of the near side come on.
pub const STREAM: ConnectionId = ConnectionId(7);
/// The connection that the subject opened to the far side.
const FAR_STREAM: ConnectionId = ConnectionId(900);

/// A message that the subject sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub to: Destination,
    pub bytes: Bytes,
}

impl Sent {
    /// Whether it went to the far side.
    pub fn is_far(&self) -> bool {
        self.to.peer().ip() == address(FAR).ip()
    }

    /// The message.
    pub fn message(&self) -> Message {
        agent::read(&self.bytes)
    }
}

/// The telephone on the far side: it answers whatever comes.
#[derive(Default)]
pub struct Far {
    /// It answers nothing but BYE.
    pub mute: bool,
    /// The final status that it gives instead of 200.
    pub answer: Option<u16>,
    /// The requests that reached it, with where they came from.
    pub requests: Vec<(Flow, Bytes)>,
}

/// The subject and what is around it.
pub struct Bench {
    pub now: Now,
    pub subject: Subject,
    pub far: Far,
    /// All that it sent.
    pub sent: Vec<Sent>,
    /// Connections that it, or framing, closed.
    pub closed: Vec<ConnectionId>,
    pub listeners: Vec<Listener>,
    inbox: VecDeque<(Flow, Bytes)>,
}

impl Bench {
    /// That subject on those listeners.
    pub fn new((subject, listeners): (Subject, Vec<Listener>)) -> Self {
        Self {
            now: subject::start(),
            subject,
            far: Far::default(),
            sent: Vec::new(),
            closed: Vec::new(),
            listeners,
            inbox: VecDeque::new(),
        }
    }

    /// The plain user agent.
    pub fn plain(&mut self) -> Option<&mut Plain> {
        match &mut self.subject {
            Subject::Plain(plain) => Some(plain),
            Subject::Whole(_) => None,
        }
    }

    /// What is held.
    pub fn held(&self) -> Gauges {
        match &self.subject {
            Subject::Plain(plain) => Gauges { sip: plain.endpoint.gauges(), ..Gauges::default() },
            Subject::Whole(core) => core.gauges(),
        }
    }

    /// What is held besides the endpoint's deadlines, given-up ones of which stay until their time.
    pub fn alive(&self) -> Gauges {
        let held = self.held();
        Gauges { sip: sip::Gauges { timers: 0, ..held.sip }, ..held }
    }

    /// The flow of somebody on the near side.
    pub fn flow(&self, wire: Wire, source: SocketAddr) -> Flow {
        let transport = if wire == Wire::Tcp { Transport::Tcp } else { Transport::Udp };
        let near = |l: &&Listener| {
            l.transport == transport
                && l.address.is_ipv4() == source.is_ipv4()
                && l.address.ip() != address("203.0.113.1:5060").ip()
        };
        let at = self.listeners.iter().position(|l| near(&l)).unwrap();
        let connection = (wire == Wire::Tcp).then_some(STREAM);
        Flow { listener: ListenerId(u16::try_from(at).unwrap()), peer: source, connection }
    }

    /// The flow of the telephone on the far side.
    pub fn far_flow(&self) -> Flow {
        let address_of_ours = address("203.0.113.1:5060");
        let at =
            self.listeners.iter().position(|l| l.address == address_of_ours && l.transport == Transport::Udp);
        Flow {
            listener: ListenerId(u16::try_from(at.unwrap()).unwrap()),
            peer: address(FAR),
            connection: None,
        }
    }

    /// Whose names are looked up: a plain user agent calls nobody but the far side, and Liaison is given that by its
    /// address.
    fn named(&self) -> SocketAddr {
        let bridged = self.listeners.iter().any(|l| l.address == address("203.0.113.1:5060"));
        address(if bridged { NEAR } else { FAR })
    }

    /// A message as it is, whatever framing would say of it.
    pub fn inject(&mut self, flow: Flow, bytes: Bytes) {
        self.inbox.push_back((flow, bytes));
        self.pump();
    }

    /// Bytes come from the network; those of a stream are framed.
    pub fn deliver(&mut self, flow: Flow, bytes: &Bytes) {
        let Some(connection) = flow.connection else {
            self.inbox.push_back((flow, bytes.clone()));
            return self.pump();
        };
        let mut rest = bytes.clone();
        loop {
            match frame(&rest, &Limits::default()) {
                Frame::NeedMore => break,
                Frame::KeepAlive { len } => drop(rest.split_to(len)),
                Frame::Message { len } => self.inbox.push_back((flow, rest.split_to(len))),
                Frame::Error(_) => {
                    self.closed.push(connection);
                    break;
                }
            }
        }
        self.pump();
    }

    /// Carries out what the subject wants and hands in what comes of it, until nothing is left.
    pub fn pump(&mut self) {
        loop {
            while let Some(action) = self.subject.core().poll_io() {
                match action {
                    IoAction::Transmit(transmit) => self.transmit(transmit),
                    IoAction::CloseConnection(connection) => self.closed.push(connection),
                    IoAction::Alias { .. }
                    | IoAction::Ping(_)
                    | IoAction::Watch { .. }
                    | IoAction::Doubt(..)
                    | IoAction::Tell(..)
                    | IoAction::Adopt(_) => {}
                    IoAction::Resolve(query) => {
                        let answer = answer(&query.question, self.named());
                        self.subject.core().handle_resolved(self.now, query.id, answer);
                    }
                    IoAction::Connect(connect) => {
                        self.subject.core().handle_connected(self.now, connect.id, true);
                    }
                    IoAction::Disconnect(_) => {}
                }
            }
            let Some((flow, bytes)) = self.inbox.pop_front() else { return };
            self.subject.core().handle_input(self.now, flow, bytes);
        }
    }

    fn transmit(&mut self, transmit: Transmit) {
        let sent = Sent { to: transmit.to, bytes: transmit.bytes };
        if sent.is_far() {
            self.reach_far(&sent);
        }
        self.sent.push(sent);
    }

    fn reach_far(&mut self, sent: &Sent) {
        let Message::Request(request) = sent.message() else { return };
        let flow = self.back(&sent.to);
        self.far.requests.push((flow, sent.bytes.clone()));
        let status = match request.method().as_str() {
            "ACK" => return,
            "BYE" | "CANCEL" => 200,
            _ if self.far.mute => return,
            _ => self.far.answer.unwrap_or(200),
        };
        self.inbox.push_back((flow, agent::respond(&request, status, sent.to.peer(), "far")));
    }

    /// The flow of a response to what was sent there.
    pub fn back(&self, to: &Destination) -> Flow {
        match to {
            Destination::Flow(flow) | Destination::FlowOr { flow, .. } => *flow,
            Destination::Open { listener, peer, .. } => {
                let reliable = self.listeners[usize::from(listener.0)].transport.is_reliable();
                Flow { listener: *listener, peer: *peer, connection: reliable.then_some(FAR_STREAM) }
            }
        }
    }

    /// Lets time pass, each deadline at its time.
    pub fn run(&mut self, length: Duration) {
        self.pump();
        let until = self.now.mono + length;
        while let Some(due) = self.subject.core().poll_timeout().filter(|due| *due <= until) {
            self.jump(due);
            self.subject.core().handle_timeout(self.now);
            self.pump();
        }
        self.jump(until);
    }

    fn jump(&mut self, to: Mono) {
        let to = to.max(self.now.mono);
        self.now.wall.0 += u64::try_from(to.since(self.now.mono).as_millis()).unwrap();
        self.now.mono = to;
    }

    /// Everything is over within 64*T1 + 5 s, and deadlines that were given up are a minute later.
    pub fn settle(&mut self) -> Result<(), String> {
        self.run(Duration::from_secs(37));
        let alive = self.alive();
        if alive != Gauges::default() {
            return Err(format!("64*T1 + 5 s later there is {alive:?}"));
        }
        self.run(Duration::from_secs(64));
        match self.held() {
            held if held == Gauges::default() => Ok(()),
            held => Err(format!("two minutes later there is {held:?}")),
        }
    }

    /// Responses on the near side since `mark`, as sent.
    pub fn responses(&self, mark: usize) -> Vec<(Sent, sip_types::Response)> {
        let near = self.sent[mark..].iter().filter(|sent| !sent.is_far());
        near.filter_map(|sent| match sent.message() {
            Message::Response(response) => Some((sent.clone(), response)),
            Message::Request(_) => None,
        })
        .collect()
    }

    /// The final response to this request among those since `mark`.
    pub fn final_to(&self, mark: usize, request: &sip_types::Request) -> Option<sip_types::Response> {
        let cseq = |headers: &sip_types::Headers| {
            headers.first(sip_types::HeaderName::CSeq).map(|c| c.unfolded().into_owned())
        };
        let wanted = cseq(request.headers());
        self.responses(mark)
            .into_iter()
            .map(|(_, response)| response)
            .find(|response| response.status().is_final() && cseq(response.headers()) == wanted)
    }

    /// A call that must succeed, and be gone afterwards.
    pub fn normal_call(&mut self) -> Result<(), String> {
        self.far.mute = false;
        self.far.answer = None;
        let mark = self.sent.len();
        let from = address(NEAR);
        let flow = self.flow(Wire::Udp, from);
        let invite =
            agent::first("INVITE", 1_000_000 + self.sent.len() as u64, from, "UDP", Some(agent::SDP));
        self.deliver(flow, &invite);
        self.run(Duration::from_millis(100));
        let Message::Request(invite) = agent::read(&invite) else { unreachable!() };
        let ok = self.final_to(mark, &invite).ok_or("a normal call is not answered")?;
        if !ok.status().is_success() {
            return Err(format!("a normal call gets {}", ok.status()));
        }
        self.finish_call(flow, &invite, &ok, 2)
    }

    /// Acknowledges a 2xx, waits, hangs up.
    pub fn finish_call(
        &mut self,
        flow: Flow,
        invite: &sip_types::Request,
        ok: &sip_types::Response,
        seq: u32,
    ) -> Result<(), String> {
        let mark = self.sent.len();
        let number = 2_000_000 + mark as u64;
        let ack = agent::inside("ACK", invite, ok, seq - 1, number, flow.peer, None);
        self.deliver(flow, &ack);
        self.run(Duration::from_secs(1));
        let bye = agent::inside("BYE", invite, ok, seq, number, flow.peer, None);
        self.deliver(flow, &bye);
        self.run(Duration::from_secs(1));
        let Message::Request(bye) = agent::read(&bye) else { unreachable!() };
        match self.final_to(mark, &bye) {
            Some(ok) if ok.status().is_success() => Ok(()),
            Some(other) => Err(format!("the BYE gets {}", other.status())),
            None => Err("the BYE gets no answer".to_owned()),
        }
    }
}

/// An address that is written out.
pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Every name has that address.
fn answer(question: &Question, address: SocketAddr) -> Answer {
    let ip = address.ip();
    let ttl = Duration::from_secs(60);
    match question.kind {
        RecordKind::A if ip.is_ipv4() => Answer::Found { records: Records::Address(vec![ip]), ttl },
        RecordKind::Aaaa if ip.is_ipv6() => Answer::Found { records: Records::Address(vec![ip]), ttl },
        _ => Answer::Absent { ttl },
    }
}
