//! The flows of bindings: those over UDP are kept open, the ends of the others are heard of.
//!
//! A binding whose user agent is reached on a connection only is worth nothing once that is gone, and ends with it
//! (RFC 5626 §7). A way through a NAT over UDP that nobody keeps open from inside is kept by our OPTIONS: its answer comes
//! from inside, which every NAT takes for a sign of life (RFC 4787 REQ-6).

use crate::shard::Core;
use crate::snapshot::Snapshot;
use config::Registrar;
use sip::registration::server::{Aor, Binding, BindingId, Change, Directory};
use sip::session::{Ask, Parts, Patience, SessionId};
use sip::time::{Mono, Now};
use sip::{ConnectionId, Flow, Settings};
use sip_types::Method;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The flows of a shard's bindings. It grows with the bindings only, which are bounded.
#[derive(Default)]
pub(super) struct Flows {
    /// Who is reached on which connection, and how long that may be silent by what its user agent has promised.
    on: BTreeMap<(ConnectionId, Aor), Option<Duration>>,
    /// When which binding is sent its next keepalive; each has one turn.
    due: BTreeSet<(Mono, Aor, BindingId)>,
    turns: BTreeMap<(Aor, BindingId), Mono>,
    /// Keepalives that wait for their answer.
    sent: BTreeSet<SessionId>,
    /// Connections that were lost while bindings on them were just being changed.
    lost: BTreeSet<ConnectionId>,
}

impl Flows {
    /// When the next keepalive is due.
    pub(super) fn next(&self) -> Option<Mono> {
        self.due.first().map(|(at, _, _)| *at)
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

    /// Everybody who is reached on a connection, which is over.
    fn leave(&mut self, id: ConnectionId) -> Vec<Aor> {
        let mut aors = Vec::new();
        while let Some((key, _)) = self.on.range((id, Aor::from_kept(""))..).next() {
            let key = key.clone();
            if key.0 != id {
                break;
            }
            self.on.remove(&key);
            aors.push(key.1);
        }
        aors
    }

    /// How long a connection may be silent: the least of what those who are reached on it have promised.
    fn silence(&self, id: ConnectionId) -> Option<Duration> {
        let all = self.on.range((id, Aor::from_kept(""))..).take_while(|((on, _), _)| *on == id);
        all.filter_map(|(_, silence)| *silence).min()
    }
}

/// How often a binding is sent a keepalive: one over UDP of a user agent behind a NAT, which keeps no flow open by itself.
pub(super) fn keepalive(
    registrar: Option<&Registrar>,
    settings: &Settings,
    binding: &Binding,
) -> Option<Duration> {
    let listener = settings.listener(binding.flow.listener)?;
    let needs_it = binding.behind_nat && binding.reg_id.is_none() && binding.path.is_empty();
    registrar?.nat_keepalive.filter(|_| needs_it && !listener.transport.is_reliable())
}

/// The connection of a binding that is reached on nothing else.
fn only_way(settings: &Settings, binding: &Binding) -> Option<ConnectionId> {
    let connection = binding.flow.connection.filter(|_| binding.path.is_empty())?;
    let is_websocket =
        || settings.listener(binding.flow.listener).is_some_and(|listener| listener.transport.is_websocket());
    (binding.reg_id.is_some() || binding.behind_nat || is_websocket()).then_some(connection)
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
        let registrar = registrar_of(&snapshot, &change.aor);
        for (binding, event) in &change.contacts {
            let flows = &mut self.office.flows;
            if !event.is_active() {
                flows.forget(&change.aor, binding.id);
                self.promise(&change.aor, binding, None);
                continue;
            }
            let every = keepalive(registrar, self.endpoint.settings(), binding);
            flows.learn(now, &change.aor, binding, every);
            self.watch_flow(&change.aor, binding);
        }
    }

    /// Has the connection of a binding watched that is reached on nothing else.
    fn watch_flow(&mut self, aor: &Aor, binding: &Binding) {
        let settings = self.endpoint.settings();
        let Some(connection) = only_way(settings, binding) else {
            return self.promise(aor, binding, None);
        };
        let timer = settings.listener(binding.flow.listener).map(|l| l.flow_timer).unwrap_or_default();
        let silence = binding.reg_id.map(|_| timer + (timer / 4).max(Duration::from_secs(10)));
        self.office.flows.on.entry((connection, aor.clone())).or_default();
        self.promise(aor, binding, silence);
    }

    /// What a user agent promises of its connection, if that is its only way, or takes back.
    fn promise(&mut self, aor: &Aor, binding: &Binding, silence: Option<Duration>) {
        let Some(connection) = binding.flow.connection else { return };
        let Some(promised) = self.office.flows.on.get_mut(&(connection, aor.clone())) else { return };
        *promised = silence;
        let silence = self.office.flows.silence(connection);
        self.watch(connection, silence);
    }

    /// A connection is over: so are the bindings that are reached on it only (RFC 5626 §7).
    pub(crate) fn flow_lost(&mut self, now: Now, id: ConnectionId) {
        for aor in self.office.flows.leave(id) {
            if self.office.is_busy(&aor) {
                self.office.flows.on.insert((id, aor), None);
                self.office.flows.lost.insert(id);
                continue;
            }
            let settings = self.endpoint.settings();
            let ended = self.office.end(&aor, |binding| only_way(settings, binding) == Some(id));
            let Some(change) = ended else { continue };
            self.counters.flows_lost += 1;
            if change.terminated {
                // A row that cannot be taken out now has a connection that no later process knows.
                self.office.forget_row(&change.aor);
            }
            self.tell(now, &change);
        }
    }

    /// Tries again what was lost while bindings were being changed.
    pub(super) fn lost_again(&mut self, now: Now) {
        for id in std::mem::take(&mut self.office.flows.lost) {
            self.flow_lost(now, id);
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
            let every = keepalive(registrar_of(&snapshot, &aor), self.endpoint.settings(), binding);
            self.office.flows.learn(now, &aor, binding, every);
            let Some(ask) = every.and_then(|_| self.keepalive_of(&aor, binding)) else { continue };
            // Where there is no room for a session, the next turn will do.
            match self.endpoint.ask(now, ask) {
                Ok((session, _)) => {
                    self.counters.keepalives += 1;
                    self.office.flows.sent.insert(session);
                }
                Err(_) => self.counters.keepalives_skipped += 1,
            }
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
            let every = keepalive(registrar_of(snapshot, aor), settings, binding);
            flows.learn(now, aor, binding, every);
        }
    }
}
