//! The flows of bindings: those over UDP are kept open, the ends of the others are heard of.
//!
//! A binding whose user agent is reached on one flow only is worth nothing once that is gone, and ends with it: when its
//! connection does, or when ICMP says that its datagrams do not arrive and it then answers nothing (RFC 5626 §7; `questions`). A way through a NAT over UDP that nobody keeps open from inside is kept by our OPTIONS: its answer comes
//! from inside, which every NAT takes for a sign of life (RFC 4787 REQ-6).

use super::questions::Questions;
use crate::shard::Core;
use crate::snapshot::Snapshot;
use config::Registrar;
use sip::registration::server::{Aor, Binding, BindingId, Change, ContactEvent, Directory};
use sip::session::{Ask, Parts, Patience, SessionId};
use sip::time::{Mono, Now};
use sip::{ConnectionId, Flow, ListenerId, Settings, Transport};
use sip_types::Method;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// What a flow is told by, when its end is heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    /// A connection.
    Connection(ConnectionId),
    /// Datagrams between a listener of ours and an address.
    Datagrams(ListenerId, SocketAddr),
}

/// The flows of a shard's bindings. It grows with the bindings only, which are bounded.
#[derive(Default)]
pub(super) struct Flows {
    /// Which binding is reached on which flow, and how long that may be silent by what its user agent has promised.
    on: BTreeMap<(Line, Aor, BindingId), Option<Duration>>,
    /// The same by binding.
    lines: BTreeMap<(Aor, BindingId), Line>,
    /// When which binding is sent its next keepalive; each has one turn.
    due: BTreeSet<(Mono, Aor, BindingId)>,
    turns: BTreeMap<(Aor, BindingId), Mono>,
    /// Keepalives that wait for their answer.
    sent: BTreeSet<SessionId>,
    /// Flows that were lost while bindings on them were just being changed.
    lost: BTreeSet<Line>,
    /// Flows that may be lost, and are asked.
    pub(super) questions: Questions,
}

impl Flows {
    /// When the next keepalive is due.
    pub(super) fn next(&self) -> Option<Mono> {
        let due = self.due.first().map(|(at, _, _)| *at);
        [due, self.questions.next()].into_iter().flatten().min()
    }

    /// A binding is there, and kept open every so often.
    pub(super) fn learn(&mut self, now: Now, aor: &Aor, binding: &Binding, every: Option<Duration>) {
        let key = (aor.clone(), binding.id);
        let needed = every.filter(|every| now.mono + *every < binding.ends);
        match needed {
            None => self.forget(aor, binding.id),
            Some(_) if self.turns.contains_key(&key) => {}
            Some(every) => self.take_turn(now, key, every),
        }
    }

    /// The next turn comes after four fifths of the time to all of it (as RFC 5626 §4.4 has it), for each binding at another
    /// point: its name is random.
    fn take_turn(&mut self, now: Now, (aor, id): (Aor, BindingId), every: Duration) {
        let percent = u32::try_from(80 + id.0 % 21).unwrap_or(80);
        let at = now.mono + every * percent / 100;
        self.turns.insert((aor.clone(), id), at);
        self.due.insert((at, aor, id));
    }

    fn forget(&mut self, aor: &Aor, id: BindingId) {
        if let Some(at) = self.turns.remove(&(aor.clone(), id)) {
            self.due.remove(&(at, aor.clone(), id));
        }
    }

    /// A binding whose turn it is.
    fn take(&mut self, now: Now) -> Option<(Aor, BindingId)> {
        let (at, ..) = self.due.first()?;
        if *at > now.mono {
            return None;
        }
        let (_, aor, id) = self.due.pop_first()?;
        self.turns.remove(&(aor.clone(), id));
        Some((aor, id))
    }

    /// A binding is reached on that flow only, or on none; the flow that it was reached on before.
    fn reach(
        &mut self,
        (aor, id): (&Aor, BindingId),
        line: Option<Line>,
        silence: Option<Duration>,
    ) -> Option<Line> {
        let key = (aor.clone(), id);
        let before = match line {
            Some(line) => self.lines.insert(key.clone(), line),
            None => self.lines.remove(&key),
        };
        let (aor, id) = key;
        if let Some(before) = before {
            self.on.remove(&(before, aor.clone(), id));
        }
        if let Some(line) = line {
            self.on.insert((line, aor, id), silence);
        }
        before
    }

    /// Those who are reached on a flow.
    pub(super) fn on(&self, line: Line) -> impl Iterator<Item = (&Aor, BindingId, Option<Duration>)> {
        let from = (line, Aor::from_kept(""), BindingId(0));
        let all = self.on.range(from..).take_while(move |((on, ..), _)| *on == line);
        all.map(|((_, aor, id), silence)| (aor, *id, *silence))
    }

    /// How long a connection may be silent: the least of what those who are reached on it have promised.
    pub(super) fn silence(&self, id: ConnectionId) -> Option<Duration> {
        self.on(Line::Connection(id)).filter_map(|(.., silence)| silence).min()
    }
}

/// How often a binding is sent a keepalive: one over UDP of a user agent behind a NAT, which keeps no flow open by itself.
pub(super) fn keepalive(
    snapshot: &Snapshot,
    aor: &Aor,
    settings: &Settings,
    binding: &Binding,
) -> Option<Duration> {
    let listener = settings.listener(binding.flow.listener)?;
    let needs_it = binding.behind_nat && binding.reg_id.is_none() && binding.path.is_empty();
    let sent = needs_it && !listener.transport.is_reliable();
    sent.then(|| registrar_of(snapshot, aor))??.nat_keepalive
}

/// The flow of a binding that is reached on nothing else.
fn only_way(settings: &Settings, binding: &Binding) -> Option<Line> {
    if !binding.path.is_empty() {
        return None;
    }
    let listener = settings.listener(binding.flow.listener)?;
    match binding.flow.connection {
        Some(connection) => {
            let is_only = binding.reg_id.is_some()
                || binding.behind_nat
                || listener.transport.is_websocket()
                || names_connection(binding, listener.transport);
            is_only.then_some(Line::Connection(connection))
        }
        None => {
            let is_only = binding.reg_id.is_some() && !listener.transport.is_reliable();
            is_only.then_some(Line::Datagrams(binding.flow.listener, binding.flow.peer))
        }
    }
}

/// Whether the contact is the far end of the connection itself, which nobody listens at.
pub(super) fn names_connection(binding: &Binding, transport: Transport) -> bool {
    let peer = binding.flow.peer;
    let at = sip::numeric_hop(&binding.uri).map(|ip| (ip.to_canonical(), binding.uri.port()));
    at == Some((peer.ip().to_canonical(), Some(peer.port()))) && peer.port() != transport.default_port()
}

/// The registrar of an address-of-record.
pub(super) fn registrar_of<'s>(snapshot: &'s Snapshot, aor: &Aor) -> Option<&'s Registrar> {
    let network = &snapshot.registrars.account(aor)?.network;
    snapshot.config().networks.get(network)?.registrar.as_ref()
}

impl Core {
    /// Follows what has become of bindings.
    pub(super) fn follow_flows(&mut self, now: Now, change: &Change) {
        let snapshot = self.snapshot.clone();
        for (binding, event) in &change.contacts {
            let flows = &mut self.office.flows;
            if !event.is_active() {
                flows.forget(&change.aor, binding.id);
                self.reach(&change.aor, binding.id, None, None);
                continue;
            }
            let every = keepalive(&snapshot, &change.aor, self.endpoint.settings(), binding);
            flows.learn(now, &change.aor, binding, every);
            self.watch_flow(&change.aor, binding);
        }
    }

    /// Has the flow of a binding watched that is reached on nothing else.
    fn watch_flow(&mut self, aor: &Aor, binding: &Binding) {
        let settings = self.endpoint.settings();
        let line = only_way(settings, binding);
        let timer = settings.listener(binding.flow.listener).map(|l| l.flow_timer).unwrap_or_default();
        let silence = binding.reg_id.map(|_| timer + (timer / 4).max(Duration::from_secs(10)));
        self.reach(aor, binding.id, line, silence);
    }

    /// A binding is reached on that flow only, or on none.
    fn reach(&mut self, aor: &Aor, id: BindingId, line: Option<Line>, silence: Option<Duration>) {
        let before = self.office.flows.reach((aor, id), line, silence);
        let left = before.filter(|before| Some(*before) != line);
        for line in left.into_iter().chain(line) {
            if let Line::Connection(connection) = line {
                self.watch(connection);
            }
        }
    }

    /// A flow is over: so are the bindings that are reached on it only (RFC 5626 §7).
    pub(crate) fn flow_lost(&mut self, now: Now, line: Line) {
        let reached: Vec<(Aor, BindingId)> =
            self.office.flows.on(line).map(|(aor, id, _)| (aor.clone(), id)).collect();
        for (aor, id) in reached {
            if self.office.is_busy(&aor) {
                self.office.flows.lost.insert(line);
                continue;
            }
            self.office.flows.reach((&aor, id), None, None);
            let settings = self.endpoint.settings();
            let ended = self
                .office
                .end(&aor, ContactEvent::Deactivated, |binding| only_way(settings, binding) == Some(line));
            let Some(change) = ended else { continue };
            self.counters.flows_lost += 1;
            self.keep_what_is_left(&change.aor);
            self.tell(now, &change);
        }
    }

    /// Tries again what was lost while bindings were being changed.
    pub(super) fn lost_again(&mut self, now: Now) {
        for line in std::mem::take(&mut self.office.flows.lost) {
            self.flow_lost(now, line);
        }
    }

    /// Sends the keepalives whose time has come.
    pub(super) fn keepalives_due(&mut self, now: Now) {
        while let Some((aor, id)) = self.office.flows.take(now) {
            // A shard that drains is over once nothing waits for an answer.
            if self.drain.is_some() {
                continue;
            }
            let snapshot = self.snapshot.clone();
            let Some(target) = self.common.directory.binding(&aor, id) else { continue };
            let binding = target.binding();
            let every = keepalive(&snapshot, &aor, self.endpoint.settings(), binding);
            self.office.flows.learn(now, &aor, binding, every);
            let Some(ask) = every.and_then(|_| self.keepalive_of(&aor, binding)) else { continue };
            self.send_keepalive(now, ask);
        }
    }

    fn send_keepalive(&mut self, now: Now, ask: Ask) {
        // Where there is no room for a session, the next turn will do.
        match self.endpoint.ask(now, ask) {
            Ok((session, _)) => {
                self.counters.keepalives += 1;
                self.office.flows.sent.insert(session);
            }
            Err(_) => self.counters.keepalives_skipped += 1,
        }
    }

    /// Sends an OPTIONS on a flow, to any of those who are reached on it.
    pub(super) fn ask_flow(&mut self, now: Now, line: Line) {
        let reached = self.office.flows.on(line).next().map(|(aor, id, _)| (aor.clone(), id));
        let Some((aor, id)) = reached else { return };
        let target = self.common.directory.binding(&aor, id);
        let ask = target.and_then(|target| self.keepalive_of(&aor, target.binding()));
        if let Some(ask) = ask {
            self.send_keepalive(now, ask);
        }
    }

    fn keepalive_of(&self, aor: &Aor, binding: &Binding) -> Option<Ask> {
        let Flow { listener, .. } = binding.flow;
        let listener = self.endpoint.settings().listener(listener)?;
        Some(Ask {
            network: listener.network,
            label: 0,
            conduct: None,
            method: Method::Options,
            request_uri: binding.uri.clone(),
            next_hop: binding.uri.clone(),
            routes: Box::default(),
            flow: Some(binding.flow),
            outbound: false,
            keep: false,
            from: format!("<sip:{}>", listener.sent_by).into(),
            to: format!("<{}>", aor.uri()?).into(),
            contact_user: None,
            max_forwards: 70,
            patience: Patience::default(),
            everywhere: false,
            parts: Parts::default(),
        })
    }

    /// A request outside a dialog is answered, or not: whether it was a keepalive.
    pub(crate) fn keepalive_over(&mut self, session: SessionId, answered: bool) -> bool {
        let was = self.office.flows.sent.remove(&session);
        self.counters.keepalives_unanswered += u64::from(was && !answered);
        was
    }
}

/// The bindings that an earlier process has kept are kept open from now on.
pub(super) fn restore(
    flows: &mut Flows,
    now: Now,
    aors: &[Aor],
    directory: &Directory,
    settings: &Settings,
    snapshot: &Snapshot,
) {
    for aor in aors {
        let Some(record) = directory.record(aor) else { continue };
        for binding in &record.bindings {
            let every = keepalive(snapshot, aor, settings, binding);
            flows.learn(now, aor, binding, every);
            // Connections have ended with the process.
            if let Some(line @ Line::Datagrams(..)) = only_way(settings, binding) {
                flows.reach((aor, binding.id), Some(line), None);
            }
        }
    }
}
