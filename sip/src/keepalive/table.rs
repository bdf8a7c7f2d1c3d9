//! The keepalives of an endpoint.

use super::machine::{Every, Keepalive, Lost, Step};
use crate::action::{Action, Sender, Transmit, TransmitId};
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::flow::{ConnectionId, Destination, Flow, ListenerId};
use crate::io::Timer;
use crate::stun::{self, Heard, TransactionId};
use crate::time::Now;
use slotmap::SlotMap;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

slotmap::new_key_type! {
    /// Names a flow that keepalives are sent on.
    pub struct KeepId;
}

/// A flow that is kept.
#[derive(Debug)]
struct Kept {
    flow: Flow,
    machine: Keepalive,
    /// The Binding request that waits for its answer.
    bound: Option<TransactionId>,
}

/// The flows that are kept, as many as the owner wants.
#[derive(Debug, Default)]
pub(crate) struct Keepalives {
    all: SlotMap<KeepId, Kept>,
    /// Those on connections, of which several may share one.
    by_connection: BTreeMap<ConnectionId, BTreeSet<KeepId>>,
    by_request: BTreeMap<TransactionId, KeepId>,
}

/// A flow that is kept, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptView {
    /// The flow.
    pub flow: Flow,
    /// Whether a keepalive was answered.
    pub proven: bool,
}

impl Keepalives {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    fn on(&self, connection: ConnectionId) -> Vec<KeepId> {
        self.by_connection.get(&connection).into_iter().flatten().copied().collect()
    }

    fn remove(&mut self, id: KeepId) -> Option<Kept> {
        let kept = self.all.remove(id)?;
        if let Some(connection) = kept.flow.connection {
            let others = self.by_connection.get_mut(&connection).is_some_and(|all| {
                all.remove(&id);
                !all.is_empty()
            });
            if !others {
                self.by_connection.remove(&connection);
            }
        }
        if let Some(request) = kept.bound {
            self.by_request.remove(&request);
        }
        Some(kept)
    }
}

impl Endpoint {
    /// Sends keepalives on a flow, until [`unkeep`](Self::unkeep) or [`Event::FlowLost`]. The owner has the connection of the
    /// flow watched, and knows that who is at its end takes them (RFC 5626 §8, RFC 6223 §4.3).
    pub fn keep(&mut self, now: Now, flow: Flow, every: Every) -> KeepId {
        let datagrams = flow.connection.is_none();
        let machine = Keepalive::new(now, every, datagrams, &mut *self.io.ids);
        let id = self.keepalives.all.insert(Kept { flow, machine, bound: None });
        if let Some(connection) = flow.connection {
            self.keepalives.by_connection.entry(connection).or_default().insert(id);
        }
        self.arm_keepalive(now, id);
        id
    }

    /// Sends keepalives at other times.
    pub fn keep_every(&mut self, now: Now, id: KeepId, every: Every) {
        if let Some(kept) = self.keepalives.all.get_mut(id) {
            kept.machine.adopt(now, every, &mut *self.io.ids);
            self.arm_keepalive(now, id);
        }
    }

    /// Sends a keepalive now, to find out whether the flow works.
    pub fn check_flow(&mut self, now: Now, id: KeepId) {
        if let Some(kept) = self.keepalives.all.get_mut(id) {
            kept.machine.check(now);
            self.arm_keepalive(now, id);
        }
    }

    /// Sends no more keepalives.
    pub fn unkeep(&mut self, id: KeepId) {
        self.keepalives.remove(id);
    }

    /// How a flow is that is kept.
    #[must_use]
    pub fn kept(&self, id: KeepId) -> Option<KeptView> {
        let kept = self.keepalives.all.get(id)?;
        Some(KeptView { flow: kept.flow, proven: kept.machine.is_proven() })
    }

    /// A connection has brought a pong.
    pub fn handle_pong(&mut self, now: Now, connection: ConnectionId) {
        for id in self.keepalives.on(connection) {
            let Some(kept) = self.keepalives.all.get_mut(id) else { continue };
            let before = kept.machine.is_proven();
            if kept.machine.handle_pong(now, &mut *self.io.ids) {
                self.counters.keepalives_answered += 1;
                self.keepalive_answered(now, id, before);
            }
        }
    }

    /// A connection that was watched is over.
    pub fn handle_closed(&mut self, connection: ConnectionId) {
        for id in self.keepalives.on(connection) {
            self.flow_is_lost(id, Lost::Closed);
        }
    }

    /// ICMP says that datagrams to an address do not arrive.
    pub(crate) fn keepalives_unreachable(&mut self, listener: ListenerId, peer: SocketAddr) {
        let is_there =
            |flow: &Flow| flow.connection.is_none() && (flow.listener, flow.peer) == (listener, peer);
        let lost: Vec<KeepId> =
            self.keepalives.all.iter().filter(|(_, kept)| is_there(&kept.flow)).map(|(id, _)| id).collect();
        for id in lost {
            self.flow_is_lost(id, Lost::Unreachable);
        }
    }

    /// A datagram of STUN that asks nothing. What answers no request of ours on its flow is let go.
    pub(crate) fn receive_stun(&mut self, now: Now, flow: Flow, datagram: &[u8]) {
        let Some((request, heard)) = stun::hear(datagram) else { return };
        let Some(id) = self.keepalives.by_request.get(&request).copied() else { return };
        let Some(kept) = self.keepalives.all.get_mut(id).filter(|kept| kept.flow == flow) else { return };
        let before = kept.machine.is_proven();
        let answer = match heard {
            Heard::Mapped(address) => Ok(address),
            Heard::Refused(code) => Err(code),
        };
        let step = kept.machine.handle_bound(now, answer, &mut *self.io.ids);
        kept.bound = None;
        self.keepalives.by_request.remove(&request);
        match step {
            Some(step) => self.keepalive_step(id, step),
            None => {
                self.counters.keepalives_answered += 1;
                self.keepalive_answered(now, id, before);
            }
        }
    }

    /// A deadline of a keepalive has come, one that was replaced, or one that is further away than the queue looks.
    pub(crate) fn keepalive_due(&mut self, now: Now, id: KeepId) {
        let Some(kept) = self.keepalives.all.get_mut(id) else { return };
        if let Some(step) = kept.machine.handle_timeout(now, &mut *self.io.ids) {
            self.keepalive_step(id, step);
        }
        self.arm_keepalive(now, id);
    }

    fn keepalive_answered(&mut self, now: Now, id: KeepId, before: bool) {
        self.arm_keepalive(now, id);
        if !before {
            self.io.tell(Event::FlowProven { keep: id });
        }
    }

    fn keepalive_step(&mut self, id: KeepId, step: Step) {
        let Some(kept) = self.keepalives.all.get_mut(id) else { return };
        match (step, kept.flow.connection) {
            (Step::Fail(why), _) => self.flow_is_lost(id, why),
            (Step::Ping, Some(connection)) => {
                self.counters.keepalives_sent += 1;
                self.io.push(Action::Ping(connection));
            }
            (Step::Bind(request), _) => {
                self.counters.keepalives_sent += 1;
                kept.bound = Some(request);
                let to = Destination::Flow(kept.flow);
                self.keepalives.by_request.insert(request, id);
                let bytes = stun::request(request).into();
                self.io.push(Action::Transmit(Transmit { id: TransmitId::of(Sender::Nobody), to, bytes }));
            }
            // A flow without a connection is one of datagrams, which no CRLF is sent on (RFC 5626 §4.4.1).
            (Step::Ping, None) => {}
        }
    }

    fn flow_is_lost(&mut self, id: KeepId, why: Lost) {
        let Some(kept) = self.keepalives.remove(id) else { return };
        self.counters.flows_lost += 1;
        let proven = kept.machine.is_proven();
        if let Some(connection) = kept.flow.connection.filter(|_| why != Lost::Closed) {
            // Nobody is to use it any more.
            self.io.push(Action::CloseConnection(connection));
        }
        self.io.tell(Event::FlowLost { keep: id, why, proven });
    }

    fn arm_keepalive(&mut self, now: Now, id: KeepId) {
        if let Some(at) = self.keepalives.all.get(id).and_then(|kept| kept.machine.poll_timeout()) {
            self.io.timers.arm_at(now, at, Timer::Keepalive(id));
        }
    }
}
