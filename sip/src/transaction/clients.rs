//! The client transactions in being.

mod responses;
mod targets;

use super::{ClientId, TransactionTimer, client, derive, invite_client};
use crate::Map;
use crate::action::{Action, Sender, Transmit, TransmitId};
use crate::flow::Destination;
use crate::ids::Branch;
use crate::io::Io;
use crate::occupancy::Share;
use crate::session::{OutgoingId, SessionId};
use crate::time::{Mono, Now};
use crate::timers::Timers;
use bytes::Bytes;
use sip_types::{Fields, Method};
use slotmap::SlotMap;
use std::time::Duration;

/// What the table tells the user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// A request had no final response (408, RFC 3261 §8.1.3.1).
    Timeout(SessionId, OutgoingId),
    /// A request had no response at all: another address may give one (RFC 3263 §4.3).
    Silence(SessionId, OutgoingId),
    /// A request could not be sent (503, RFC 3261 §8.1.3.1).
    TransportFailed(SessionId, OutgoingId),
    /// The INVITE with that CSeq number can bring no further 2xx.
    InviteEnded(SessionId, u32),
}

/// A request to send.
pub(crate) struct ClientSpec<'a> {
    pub(crate) session: SessionId,
    pub(crate) outgoing: OutgoingId,
    pub(crate) seq: u32,
    pub(crate) method: &'a Method,
    pub(crate) branch: Branch,
    pub(crate) to: Destination,
    pub(crate) reliable: bool,
    pub(crate) timers: Timers,
    /// Whether it asks for the load of its server.
    pub(crate) heeds: bool,
    pub(crate) bytes: Bytes,
}

/// What became of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matched {
    /// No transaction waits for it; it is dropped (RFC 6026 §7).
    Stray,
    /// The transaction dealt with it.
    Absorbed,
    /// It is for that request of that session.
    Deliver(SessionId, OutgoingId),
    /// It is a 2xx to an INVITE of that session whose target was given up.
    Late(SessionId),
    /// It is the failure of such an INVITE, with that CSeq number.
    Ended(SessionId, u32),
}

#[derive(Clone, Copy)]
enum ClientMachine {
    Invite(invite_client::State),
    Other(client::State),
}

struct Client {
    machine: ClientMachine,
    session: SessionId,
    outgoing: OutgoingId,
    seq: u32,
    key: (Branch, bool),
    to: Destination,
    reliable: bool,
    timers: Timers,
    heeds: bool,
    /// What is retransmitted: the request, or the ACK of a failure. Empty once neither is needed.
    bytes: Bytes,
    interval: Duration,
    retransmit_at: Option<Mono>,
    expire_at: Option<Mono>,
    /// Whether the final response to an INVITE has a deadline even after a provisional one.
    given_up: bool,
    /// Its target was given up for another: nobody waits for what comes, and this is why an INVITE is then cancelled.
    abandoned: Option<Fields>,
}

/// All client transactions of an endpoint.
pub(crate) struct Clients {
    table: SlotMap<ClientId, Client>,
    by_branch: Map<(Branch, bool), ClientId>,
    limit: usize,
    share: Share,
}

impl Clients {
    /// An empty table for at most `limit` transactions.
    pub(crate) fn new(limit: usize, hasher: &ahash::RandomState) -> Self {
        let by_branch = Map::with_hasher(hasher.clone());
        Self { table: SlotMap::with_key(), by_branch, limit, share: Share::default() }
    }

    /// Has the limit hold for all tables of the share.
    pub(crate) fn share(&mut self, share: Share) {
        self.share = share;
    }

    /// Changes how many there may be.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Transactions in being.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Sends a request in a new client transaction; `None` if the table is full.
    pub(crate) fn request(&mut self, io: &mut Io, now: Now, spec: ClientSpec<'_>) -> Option<ClientId> {
        if self.share.total(self.table.len()) >= self.limit {
            return None;
        }
        let machine = if *spec.method == Method::Invite {
            ClientMachine::Invite(invite_client::State::Calling)
        } else {
            ClientMachine::Other(client::State::Trying)
        };
        let key = (spec.branch, *spec.method == Method::Cancel);
        let interval = spec.timers.t1;
        let id = self.table.insert(Client {
            machine,
            session: spec.session,
            outgoing: spec.outgoing,
            seq: spec.seq,
            key,
            to: spec.to,
            reliable: spec.reliable,
            timers: spec.timers,
            heeds: spec.heeds,
            bytes: spec.bytes,
            interval,
            retransmit_at: (!spec.reliable).then(|| now.mono + interval),
            expire_at: Some(now.mono + spec.timers.transaction()),
            given_up: false,
            abandoned: None,
        });
        self.by_branch.insert(key, id);
        self.share.enter();
        if !spec.reliable {
            io.timers.arm(now, interval, TransactionTimer::ClientRetransmit(id).into());
        }
        io.timers.arm(now, spec.timers.transaction(), TransactionTimer::ClientExpire(id).into());
        self.send(io, id);
        Some(id)
    }

    /// Sends a CANCEL for an INVITE that is pending; its own response goes nowhere (RFC 3261 §9.1).
    pub(crate) fn cancel(&mut self, io: &mut Io, now: Now, invite: ClientId, reason: &Fields) {
        let Some(client) = self.table.get(invite) else { return };
        if !matches!(client.machine, ClientMachine::Invite(invite_client::State::Proceeding)) {
            return;
        }
        let Some(bytes) = derive::cancel(&client.bytes, reason) else { return };
        let (branch, to) = (client.key.0, client.to.clone());
        let (reliable, timers, heeds) = (client.reliable, client.timers, client.heeds);
        let spec = ClientSpec {
            session: client.session,
            outgoing: OutgoingId::CANCEL,
            seq: client.seq,
            method: &Method::Cancel,
            branch,
            to,
            reliable,
            timers,
            heeds,
            bytes,
        };
        self.request(io, now, spec);
        self.give_up(io, now, invite);
    }

    /// Waits for the final response to an INVITE no longer than 64*T1: it is cancelled (RFC 3261 §9.1), or its
    /// session is over.
    pub(crate) fn give_up(&mut self, io: &mut Io, now: Now, invite: ClientId) {
        use invite_client::State::{Calling, Proceeding};
        let Some(client) = self.table.get_mut(invite) else { return };
        if client.given_up || !matches!(client.machine, ClientMachine::Invite(Calling | Proceeding)) {
            return;
        }
        client.given_up = true;
        if client.expire_at.is_none() {
            self.expire_client(io, now, invite, Timers::transaction);
        }
    }

    fn forget(&mut self, id: ClientId) {
        if let Some(client) = self.table.remove(id) {
            self.by_branch.remove(&client.key);
            self.share.leave();
        }
    }

    /// The destination of a client transaction: where its challenges come from.
    pub(crate) fn destination(&self, id: ClientId) -> Option<Destination> {
        self.table.get(id).map(|c| c.to.clone())
    }

    /// Where a request went that asks for the load of its server.
    pub(crate) fn heeding(&self, branch: Branch, method: &Method) -> Option<&Destination> {
        let id = self.by_branch.get(&(branch, *method == Method::Cancel))?;
        let client = self.table.get(*id).filter(|client| client.heeds)?;
        let is_invite = matches!(client.machine, ClientMachine::Invite(_));
        (is_invite == (*method == Method::Invite)).then_some(&client.to)
    }

    /// Whether an INVITE has had a provisional response, so that it may be cancelled (RFC 3261 §9.1).
    pub(crate) fn is_proceeding(&self, id: ClientId) -> bool {
        self.table
            .get(id)
            .is_some_and(|c| matches!(c.machine, ClientMachine::Invite(invite_client::State::Proceeding)))
    }

    fn expire_client(&mut self, io: &mut Io, now: Now, id: ClientId, after: impl Fn(&Timers) -> Duration) {
        let Some(client) = self.table.get_mut(id) else { return };
        let after = after(&client.timers);
        client.expire_at = Some(now.mono + after);
        io.timers.arm(now, after, TransactionTimer::ClientExpire(id).into());
    }

    fn send(&self, io: &mut Io, id: ClientId) {
        if let Some(client) = self.table.get(id).filter(|c| !c.bytes.is_empty()) {
            let id = TransmitId::of(Sender::Client(id));
            io.push(Action::Transmit(Transmit { id, to: client.to.clone(), bytes: client.bytes.clone() }));
        }
    }

    /// Timer A or E has come.
    pub(crate) fn retransmit(&mut self, io: &mut Io, now: Now, id: ClientId) {
        let Some(client) = self.table.get_mut(id) else { return };
        let Some(at) = client.retransmit_at else { return };
        if at > now.mono {
            return io.timers.arm_at(now, at, TransactionTimer::ClientRetransmit(id).into());
        }
        let resend = match client.machine {
            ClientMachine::Invite(state) => {
                client.interval = client.interval.saturating_mul(2);
                invite_client::step(state, invite_client::Input::Retransmit).1 == invite_client::Act::Resend
            }
            ClientMachine::Other(state) => {
                client.interval = client.interval.saturating_mul(2).min(client.timers.t2);
                client::step(state, client::Input::Retransmit).1 == client::Act::Resend
            }
        };
        client.retransmit_at = resend.then(|| now.mono + client.interval);
        if resend {
            io.timers.arm(now, client.interval, TransactionTimer::ClientRetransmit(id).into());
            self.send(io, id);
        }
    }

    /// Timer B, D, F, K or M has come.
    pub(crate) fn expire(&mut self, io: &mut Io, now: Now, id: ClientId) -> Option<Report> {
        let at = self.table.get(id)?.expire_at?;
        if at > now.mono {
            io.timers.arm_at(now, at, TransactionTimer::ClientExpire(id).into());
            return None;
        }
        self.end(id, invite_client::Input::Expire, client::Input::Expire)
    }

    /// The transport could not send the request, or the ACK of its failure.
    pub(crate) fn send_failed(&mut self, id: ClientId) -> Option<Report> {
        self.end(id, invite_client::Input::TransportFailed, client::Input::TransportFailed)
    }

    fn end(&mut self, id: ClientId, invite: invite_client::Input, other: client::Input) -> Option<Report> {
        let client = self.table.get(id)?;
        let (session, outgoing, seq) = (client.session, client.outgoing, client.seq);
        let abandoned = client.abandoned.is_some();
        let (gone, report) = match client.machine {
            ClientMachine::Invite(state) => {
                use invite_client::Act;
                let (next, act) = invite_client::step(state, invite);
                let report = match act {
                    // Nobody waits for its end, but for that of its forks.
                    Act::ReportTimeout | Act::ReportTransportFailed if abandoned => {
                        Some(Report::InviteEnded(session, seq))
                    }
                    Act::ReportTimeout if state == invite_client::State::Calling => {
                        Some(Report::Silence(session, outgoing))
                    }
                    Act::ReportTimeout => Some(Report::Timeout(session, outgoing)),
                    Act::ReportTransportFailed => Some(Report::TransportFailed(session, outgoing)),
                    Act::ReportEnd => Some(Report::InviteEnded(session, seq)),
                    Act::Ignore | Act::Resend | Act::Deliver | Act::AckAndDeliver | Act::Ack => None,
                };
                (next.is_none(), report)
            }
            ClientMachine::Other(state) => {
                use client::Act;
                let (next, act) = client::step(state, other);
                let report = match act {
                    _ if abandoned => None,
                    Act::ReportTimeout if state == client::State::Trying => {
                        Some(Report::Silence(session, outgoing))
                    }
                    Act::ReportTimeout => Some(Report::Timeout(session, outgoing)),
                    Act::ReportTransportFailed => Some(Report::TransportFailed(session, outgoing)),
                    Act::Ignore | Act::Resend | Act::Deliver => None,
                };
                (next.is_none(), report)
            }
        };
        if gone {
            self.forget(id);
        }
        report.filter(|_| outgoing != OutgoingId::CANCEL)
    }
}
