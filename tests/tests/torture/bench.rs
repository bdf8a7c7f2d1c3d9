//! A subject without sockets between a scripted world on its near side and one telephone on its far side. Nothing
//! takes time but timers.

use crate::agent;
use crate::plain::Plain;
use crate::table::Wire;
use b2bua::shard::{Core, MediaLink, Setup};
use b2bua::snapshot::{Secrets, Snapshot, sip_listener};
use bytes::Bytes;
use config::Config;
use liaison_tests::ids::Seeded;
use media::relay::Command;
use media::{NetworkId as MediaNetworkId, PortPair, Ports, PortsError, ThreadId, VirtualPorts};
use sip::driver::IoAction;
use sip::time::{Mono, Now, Wall};
use sip::{
    Carrying, ConnectionId, Destination, Endpoint, Flow, Listener, ListenerId, NetworkId, Timers, Transmit,
    Transport,
};
use sip_types::{Frame, Limits, Message, frame};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The telephone on the far side.
pub const FAR: &str = "203.0.113.2:5060";
/// Where well-behaved callers are; also what names of the near side resolve to.
pub const NEAR: &str = "192.0.2.77:5060";
/// The connection that TCP messages of the near side come on.
pub const STREAM: ConnectionId = ConnectionId(7);
/// The connection that the subject opened to the far side.
const FAR_STREAM: ConnectionId = ConnectionId(900);

const DOCUMENT: &str = r#"
[networks.near]
listeners = [
    { transport = "udp", address = "198.51.100.1:5060" },
    { transport = "udp", address = "[2001:db8::10]:5060" },
    { transport = "tcp", address = "198.51.100.1:5060" },
]
media = { address = "198.51.100.1", ports = "10000-59999" }

[networks.far]
listeners = [
    { transport = "udp", address = "203.0.113.1:5060" },
    { transport = "tcp", address = "203.0.113.1:5060" },
]
media = { address = "203.0.113.1", ports = "10000-59999" }

[[routes]]
name = "all"
networks = ["near"]
to = [{ uri = "sip:203.0.113.2:5060", network = "far" }]
"#;

/// What is tried.
pub enum Subject {
    /// A plain user agent.
    Plain(Box<Plain>),
    /// The whole B2BUA.
    Whole(Box<Core>),
}

impl Subject {
    fn core(&mut self) -> &mut dyn sip::driver::Core {
        match self {
            Self::Plain(plain) => &mut **plain,
            Self::Whole(core) => &mut **core,
        }
    }
}

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

/// What is held: calls, deadlines of calls, records, ports, and what the endpoint holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub calls: usize,
    pub call_timers: usize,
    pub records: usize,
    pub ports: usize,
    pub sip: sip::Gauges,
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
    pub orders: mpsc::Sender<b2bua::shard::Command>,
    pub listeners: Vec<Listener>,
    ports: Arc<Mutex<VirtualPorts>>,
    inbox: VecDeque<(Flow, Bytes)>,
}

impl Bench {
    /// A plain user agent with carrying off.
    pub fn strict() -> Self {
        let listener = |transport, address: &str| Listener {
            network: NetworkId(0),
            transport,
            address: address.parse().unwrap(),
            sent_by: address.into(),
            timers: Timers::default(),
            nat: false,
            acceptance: sip::auth::client::Acceptance::default(),
            carrying: Carrying::Nothing,
            provisional_interval: Duration::from_secs(60),
        };
        let listeners = vec![
            listener(Transport::Udp, "198.51.100.1:5060"),
            listener(Transport::Udp, "[2001:db8::10]:5060"),
            listener(Transport::Tcp, "198.51.100.1:5060"),
        ];
        let settings = sip::Settings { listeners: listeners.clone(), ..sip::Settings::default() };
        let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
        let plain = Plain::new(Endpoint::new(settings, Box::new(Seeded(1)), hasher));
        let (orders, _) = mpsc::channel(1);
        Self::with(Subject::Plain(Box::new(plain)), listeners, Arc::default(), orders)
    }

    /// The whole B2BUA with its default profile, its far side reached over `wire`.
    pub fn whole(wire: Wire, seed: u64) -> Self {
        let far = match wire {
            Wire::Udp => "sip:203.0.113.2:5060",
            Wire::Tcp => "sip:203.0.113.2:5060;transport=tcp",
        };
        let document = DOCUMENT.replace("sip:203.0.113.2:5060", far);
        let config = Config::parse("torture.toml", &document).unwrap_or_else(|errors| panic!("{errors}"));
        let networks: Vec<_> = config.networks.keys().cloned().collect();
        let snapshot = Arc::new(Snapshot::new(Arc::new(config), networks, Secrets::default(), 1));
        let listeners = listeners_of(&snapshot);
        let ports = Arc::new(Mutex::new(VirtualPorts::new(snapshot.media.iter().flatten())));
        let (orders, commands) = mpsc::channel(64);
        let core = Core::new(Setup {
            sip: sip::Settings { listeners: listeners.clone(), ..sip::Settings::default() },
            snapshot,
            link: Box::new(SharedPorts(ports.clone())),
            sip_ids: Box::new(Seeded(seed)),
            ids: Box::new(Seeded(seed ^ 0xffff)),
            hasher: ahash::RandomState::with_seeds(seed, 5, 6, 7),
            epoch: Instant::now(),
            started: start(),
            shard: 0,
            records: Box::new(drop),
            commands,
        });
        Self::with(Subject::Whole(Box::new(core)), listeners, ports, orders)
    }

    fn with(
        subject: Subject,
        listeners: Vec<Listener>,
        ports: Arc<Mutex<VirtualPorts>>,
        orders: mpsc::Sender<b2bua::shard::Command>,
    ) -> Self {
        Self {
            now: start(),
            subject,
            far: Far::default(),
            sent: Vec::new(),
            closed: Vec::new(),
            orders,
            listeners,
            ports,
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
    pub fn held(&self) -> Held {
        match &self.subject {
            Subject::Plain(plain) => Held { sip: plain.endpoint.gauges(), ..Held::default() },
            Subject::Whole(core) => {
                let gauges = core.gauges();
                Held {
                    calls: gauges.calls,
                    call_timers: gauges.call_timers,
                    records: gauges.records,
                    ports: self.ports.lock().unwrap().lent(),
                    sip: gauges.sip,
                }
            }
        }
    }

    /// What is held besides deadlines, given-up ones of which stay until their time.
    pub fn alive(&self) -> Held {
        let held = self.held();
        Held { call_timers: 0, sip: sip::Gauges { timers: 0, ..held.sip }, ..held }
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
        Flow { listener: ListenerId(0), peer: address(FAR), connection: None }
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
                    IoAction::Resolve(query) => {
                        let far = self.listeners.len() == 3 || query.network == NetworkId(0);
                        let ip: IpAddr = address(if far { FAR } else { NEAR }).ip();
                        self.subject.core().handle_resolved(self.now, query.id, &[ip]);
                    }
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
            Destination::Open { listener, peer } => {
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

    /// Lets the subject see its orders.
    pub fn wake(&mut self) {
        let _ = self.subject.core().handle_wake(self.now);
        self.pump();
    }

    /// Everything is over within 64*T1 + 5 s, and deadlines that were given up are a minute later.
    pub fn settle(&mut self) -> Result<(), String> {
        self.run(Duration::from_secs(37));
        let alive = self.alive();
        if alive != Held::default() {
            return Err(format!("64*T1 + 5 s later there is {alive:?}"));
        }
        self.run(Duration::from_secs(64));
        match self.held() {
            held if held == Held::default() => Ok(()),
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

fn start() -> Now {
    Now { mono: Mono::from_epoch(Duration::from_secs(1)), wall: Wall(1_790_000_000_000) }
}

fn listeners_of(snapshot: &Snapshot) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for (n, name) in snapshot.networks.iter().enumerate() {
        let network = &snapshot.config().networks[name];
        let profile = snapshot.policy.profile(name, None, None);
        for listener in &network.listeners {
            let id = NetworkId(u16::try_from(n).unwrap());
            listeners.push(sip_listener(id, network, listener, listener.address, &profile));
        }
    }
    listeners
}

/// A pool of ports that can be looked at while the shard has it.
struct SharedPorts(Arc<Mutex<VirtualPorts>>);

impl Ports for SharedPorts {
    fn take(&mut self, network: MediaNetworkId, thread: Option<ThreadId>) -> Result<PortPair, PortsError> {
        self.0.lock().unwrap().take(network, thread)
    }
}

impl MediaLink for SharedPorts {
    fn carry_out(&mut self, command: Command) {
        self.0.lock().unwrap().carry_out(&command);
    }

    fn flush(&mut self) {}
}
