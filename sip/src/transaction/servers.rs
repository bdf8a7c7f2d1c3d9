//! The server transactions in being.

use super::{ServerId, TransactionTimer, invite_server, server};
use crate::Map;
use crate::action::{Action, Sender, Transmit, TransmitId};
use crate::flow::Destination;
use crate::io::Io;
use crate::occupancy::Share;
use crate::session::SessionId;
use crate::time::{Mono, Now};
use crate::timers::Timers;
use bytes::Bytes;
use sip_types::StatusCode;
use slotmap::SlotMap;
use std::time::Duration;

/// A request that came.
pub(crate) struct ServerSpec<'a> {
    pub(crate) key: &'a str,
    /// A keyed hash of From tag, Call-ID and CSeq, for a request without a To tag (RFC 3261 §8.2.2.2).
    pub(crate) merge: Option<u64>,
    pub(crate) invite: bool,
    pub(crate) to: Destination,
    pub(crate) reliable: bool,
    pub(crate) timers: Timers,
}

#[derive(Clone, Copy)]
enum ServerMachine {
    Invite(invite_server::State),
    Other(server::State),
}

struct Server {
    machine: ServerMachine,
    /// The session that an INVITE made, for its CANCEL.
    session: Option<SessionId>,
    key: Box<str>,
    merge: Option<u64>,
    to: Destination,
    reliable: bool,
    timers: Timers,
    /// The last response; empty before the first.
    bytes: Bytes,
    interval: Duration,
    retransmit_at: Option<Mono>,
    expire_at: Option<Mono>,
}

/// All server transactions of an endpoint.
pub(crate) struct Servers {
    table: SlotMap<ServerId, Server>,
    by_key: Map<Box<str>, ServerId>,
    by_merge: Map<u64, ServerId>,
    limit: usize,
    share: Share,
}

impl Servers {
    /// An empty table for at most `limit` transactions.
    pub(crate) fn new(limit: usize, hasher: &ahash::RandomState) -> Self {
        Self {
            table: SlotMap::with_key(),
            by_key: Map::with_hasher(hasher.clone()),
            by_merge: Map::with_hasher(hasher.clone()),
            limit,
            share: Share::default(),
        }
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

    /// Whether another transaction may be made.
    pub(crate) fn has_room(&self) -> bool {
        self.share.total(self.table.len()) < self.limit
    }

    /// Whether there is room in the quarter beyond the limit that is for requests of sessions.
    pub(crate) fn has_reserve(&self) -> bool {
        self.share.total(self.table.len()) < self.limit.saturating_add(self.limit.div_ceil(4))
    }

    /// The server transaction with this key.
    pub(crate) fn find(&self, key: &str) -> Option<ServerId> {
        self.by_key.get(key).copied()
    }

    /// Whether an ongoing transaction has the same From tag, Call-ID and CSeq (RFC 3261 §8.2.2.2).
    pub(crate) fn is_merged(&self, merge: u64) -> bool {
        self.by_merge.contains_key(&merge)
    }

    /// A new server transaction. The caller has asked [`has_room`](Self::has_room).
    pub(crate) fn admit(&mut self, spec: &ServerSpec<'_>) -> ServerId {
        let machine = if spec.invite {
            ServerMachine::Invite(invite_server::State::Proceeding)
        } else {
            ServerMachine::Other(server::State::Trying)
        };
        let id = self.table.insert(Server {
            machine,
            session: None,
            key: spec.key.into(),
            merge: spec.merge,
            to: spec.to.clone(),
            reliable: spec.reliable,
            timers: spec.timers,
            bytes: Bytes::new(),
            interval: spec.timers.t1,
            retransmit_at: None,
            expire_at: None,
        });
        self.by_key.insert(spec.key.into(), id);
        self.share.enter();
        if let Some(merge) = spec.merge {
            self.by_merge.insert(merge, id);
        }
        id
    }

    /// Ties an INVITE's transaction to the session that it made.
    pub(crate) fn bind(&mut self, id: ServerId, session: SessionId) {
        if let Some(server) = self.table.get_mut(id) {
            server.session = Some(session);
        }
    }

    /// The session that an INVITE's transaction belongs to.
    pub(crate) fn session(&self, id: ServerId) -> Option<SessionId> {
        self.table.get(id).and_then(|s| s.session)
    }

    /// The request of a transaction came again, or the ACK of its failure. `false` for an ACK after a 2xx, which
    /// is the dialog's even if its sender has used the branch of the INVITE.
    pub(crate) fn repeated(&mut self, io: &mut Io, now: Now, id: ServerId, ack: bool) -> bool {
        let Some(server) = self.table.get_mut(id) else { return false };
        if ack && matches!(server.machine, ServerMachine::Invite(invite_server::State::Accepted)) {
            return false;
        }
        let resend = match server.machine {
            ServerMachine::Invite(state) => {
                let input = if ack { invite_server::Input::Ack } else { invite_server::Input::Invite };
                let (next, act) = invite_server::step(state, input);
                if let Some(next) = next {
                    server.machine = ServerMachine::Invite(next);
                    if next == invite_server::State::Confirmed && state != next {
                        server.bytes = Bytes::new();
                        server.retransmit_at = None;
                        let wait = if server.reliable { Duration::ZERO } else { server.timers.t4 };
                        server.expire_at = Some(now.mono + wait);
                        io.timers.arm(now, wait, TransactionTimer::ServerExpire(id).into());
                    }
                }
                act == invite_server::Act::Resend
            }
            ServerMachine::Other(state) => {
                server::step(state, server::Input::Request).1 == server::Act::Resend
            }
        };
        if resend {
            self.repeat(io, id);
        }
        true
    }

    /// Sends a response of the user agent. A second final response is not sent.
    pub(crate) fn respond(&mut self, io: &mut Io, now: Now, id: ServerId, status: StatusCode, bytes: Bytes) {
        let Some(server) = self.table.get_mut(id) else { return };
        let (send, expire) = match server.machine {
            ServerMachine::Invite(state) => {
                use invite_server::{Act, Input, State};
                let input = if status.is_provisional() {
                    Input::SendProvisional
                } else if status.is_success() {
                    Input::SendSuccess
                } else {
                    Input::SendFailure
                };
                let (next, act) = invite_server::step(state, input);
                let entered = next.filter(|next| *next != state);
                if let Some(next) = entered {
                    server.machine = ServerMachine::Invite(next);
                    if next == State::Completed && !server.reliable {
                        server.retransmit_at = Some(now.mono + server.interval);
                        io.timers.arm(now, server.interval, TransactionTimer::ServerRetransmit(id).into());
                    }
                }
                (
                    act == Act::Send,
                    entered.is_some_and(|n| n != State::Proceeding).then(|| server.timers.transaction()),
                )
            }
            ServerMachine::Other(state) => {
                let input = if status.is_provisional() {
                    server::Input::SendProvisional
                } else {
                    server::Input::SendFinal
                };
                let (next, act) = server::step(state, input);
                let completed = next == Some(server::State::Completed) && state != server::State::Completed;
                if let Some(next) = next {
                    server.machine = ServerMachine::Other(next);
                }
                let wait = if server.reliable { Duration::ZERO } else { server.timers.transaction() };
                (act == server::Act::Send, completed.then_some(wait))
            }
        };
        if let Some(after) = expire {
            server.expire_at = Some(now.mono + after);
            io.timers.arm(now, after, TransactionTimer::ServerExpire(id).into());
        }
        if send {
            server.bytes = bytes;
            self.repeat(io, id);
        }
    }

    /// Sends the last response again: how a session repeats its 2xx (RFC 3261 §13.3.1.4), or a provisional one.
    pub(crate) fn repeat(&self, io: &mut Io, id: ServerId) {
        self.send(io, id, self.last(id));
    }

    /// The last response; empty before the first.
    pub(crate) fn last(&self, id: ServerId) -> Bytes {
        self.table.get(id).map(|server| server.bytes.clone()).unwrap_or_default()
    }

    /// Sends a response that it has sent before: a reliable one need not be its last.
    pub(crate) fn send(&self, io: &mut Io, id: ServerId, bytes: Bytes) {
        if let Some(server) = self.table.get(id).filter(|_| !bytes.is_empty()) {
            let id = TransmitId::of(Sender::Server(id));
            io.push(Action::Transmit(Transmit { id, to: server.to.clone(), bytes }));
        }
    }

    /// Lets a transaction go whose response nobody is to be sent again.
    pub(crate) fn forget(&mut self, id: ServerId) {
        self.remove(id);
    }

    fn remove(&mut self, id: ServerId) {
        let Some(server) = self.table.remove(id) else { return };
        self.by_key.remove(&server.key);
        self.share.leave();
        if let Some(merge) = server.merge
            && self.by_merge.get(&merge) == Some(&id)
        {
            self.by_merge.remove(&merge);
        }
    }

    /// Timer G has come.
    pub(crate) fn retransmit(&mut self, io: &mut Io, now: Now, id: ServerId) {
        let Some(server) = self.table.get_mut(id) else { return };
        let Some(at) = server.retransmit_at else { return };
        if at > now.mono {
            return io.timers.arm_at(now, at, TransactionTimer::ServerRetransmit(id).into());
        }
        let ServerMachine::Invite(state) = server.machine else { return };
        let (_, act) = invite_server::step(state, invite_server::Input::Retransmit);
        let resend = act == invite_server::Act::Resend;
        server.interval = server.interval.saturating_mul(2).min(server.timers.t2);
        server.retransmit_at = resend.then(|| now.mono + server.interval);
        if resend {
            io.timers.arm(now, server.interval, TransactionTimer::ServerRetransmit(id).into());
            self.repeat(io, id);
        }
    }

    /// Timer H, I, J or L has come. `true` for timer H: a failure of ours was never acknowledged.
    pub(crate) fn expire(&mut self, io: &mut Io, now: Now, id: ServerId) -> bool {
        let Some(server) = self.table.get(id) else { return false };
        let Some(at) = server.expire_at else { return false };
        if at > now.mono {
            io.timers.arm_at(now, at, TransactionTimer::ServerExpire(id).into());
            return false;
        }
        let failed = matches!(server.machine, ServerMachine::Invite(invite_server::State::Completed));
        let over = match server.machine {
            ServerMachine::Invite(state) => {
                invite_server::step(state, invite_server::Input::Expire).0.is_none()
            }
            ServerMachine::Other(state) => server::step(state, server::Input::Expire).0.is_none(),
        };
        if over {
            self.remove(id);
        }
        over && failed
    }
}
