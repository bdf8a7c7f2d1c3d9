//! What responses make of the transactions that they are for.

use super::{ClientMachine, Clients, Matched};
use crate::ids::Branch;
use crate::io::Io;
use crate::session::OutgoingId;
use crate::time::Now;
use crate::transaction::{ClientId, client, derive, invite_client};
use bytes::Bytes;
use sip_types::{Method, Response, StatusCode};
use std::time::Duration;

impl Clients {
    /// Matches a response to its transaction (RFC 3261 §17.1.3). Returns whose it is if it should be handed up.
    pub(crate) fn response(
        &mut self,
        io: &mut Io,
        now: Now,
        branch: Branch,
        method: &Method,
        response: &Response,
    ) -> Matched {
        let key = (branch, *method == Method::Cancel);
        let Some(id) = self.by_branch.get(&key).copied() else { return Matched::Stray };
        let Some(client) = self.table.get(id) else { return Matched::Stray };
        match client.machine {
            ClientMachine::Invite(_) if *method == Method::Invite => {
                self.invite_response(io, now, id, response)
            }
            ClientMachine::Other(_) if *method != Method::Invite => {
                self.other_response(io, now, id, response.status())
            }
            ClientMachine::Invite(_) | ClientMachine::Other(_) => Matched::Stray,
        }
    }

    fn invite_response(&mut self, io: &mut Io, now: Now, id: ClientId, response: &Response) -> Matched {
        use invite_client::{Act, Input, State};
        let Some(client) = self.table.get_mut(id) else { return Matched::Stray };
        let ClientMachine::Invite(state) = client.machine else { return Matched::Stray };
        let status = response.status();
        let input = if status.is_provisional() {
            Input::Provisional
        } else if status.is_success() {
            Input::Success
        } else {
            Input::Failure
        };
        let (next, act) = invite_client::step(state, input);
        let owner = (client.session, client.outgoing);
        if let Some(next) = next {
            client.machine = ClientMachine::Invite(next);
            client.retransmit_at = None;
            match (state, next) {
                (State::Calling, State::Proceeding) if !client.given_up => client.expire_at = None,
                (State::Calling | State::Proceeding, State::Accepted) => {
                    client.bytes = Bytes::new();
                    self.expire_client(io, now, id, |t| t.transaction());
                }
                (State::Calling | State::Proceeding, State::Completed) => {
                    client.bytes = derive::ack(&client.bytes, response).unwrap_or_default();
                    let reliable = client.reliable;
                    self.expire_client(
                        io,
                        now,
                        id,
                        move |t| if reliable { Duration::ZERO } else { t.wait_d() },
                    );
                }
                _ => {}
            }
        }
        let abandoned = self.table.get(id).and_then(|client| client.abandoned.clone());
        if let Some(reason) = abandoned.filter(|_| act != Act::Ignore) {
            return self.late_response(io, now, id, act, &reason);
        }
        match act {
            Act::AckAndDeliver => {
                self.send(io, id);
                Matched::Deliver(owner.0, owner.1)
            }
            Act::Ack => {
                self.send(io, id);
                Matched::Absorbed
            }
            Act::Deliver => Matched::Deliver(owner.0, owner.1),
            Act::Ignore | Act::Resend | Act::ReportTimeout | Act::ReportTransportFailed | Act::ReportEnd => {
                Matched::Absorbed
            }
        }
    }

    fn other_response(&mut self, io: &mut Io, now: Now, id: ClientId, status: StatusCode) -> Matched {
        use client::{Act, Input, State};
        let Some(client) = self.table.get_mut(id) else { return Matched::Stray };
        let ClientMachine::Other(state) = client.machine else { return Matched::Stray };
        let input = if status.is_provisional() { Input::Provisional } else { Input::Final };
        let (next, act) = client::step(state, input);
        let owner = (client.session, client.outgoing);
        let abandoned = client.abandoned.is_some();
        if let Some(next) = next {
            client.machine = ClientMachine::Other(next);
            if next == State::Completed && state != State::Completed {
                client.bytes = Bytes::new();
                client.retransmit_at = None;
                let reliable = client.reliable;
                self.expire_client(io, now, id, move |t| if reliable { Duration::ZERO } else { t.t4 });
            } else if next == State::Proceeding {
                client.interval = client.timers.t2;
            }
        }
        match act {
            Act::Deliver if owner.1 != OutgoingId::CANCEL && !abandoned => Matched::Deliver(owner.0, owner.1),
            Act::Deliver | Act::Ignore | Act::Resend | Act::ReportTimeout | Act::ReportTransportFailed => {
                Matched::Absorbed
            }
        }
    }
}
