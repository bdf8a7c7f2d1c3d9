//! What becomes of transactions with their targets: given up for another one, or out of reach.

use super::{Client, ClientMachine, Clients, Matched};
use crate::flow::ListenerId;
use crate::io::Io;
use crate::time::Now;
use crate::transaction::{ClientId, client, invite_client};
use sip_types::Fields;
use std::net::SocketAddr;

impl Clients {
    /// Leaves a request to itself: its target has been silent for too long. It is not repeated any more. A provisional
    /// response to an INVITE is answered with CANCEL for that reason (RFC 3261 §9.1); a 2xx comes out as
    /// [`Matched::Late`].
    pub(crate) fn abandon(&mut self, id: ClientId, reason: Fields) {
        if let Some(client) = self.table.get_mut(id) {
            client.abandoned = Some(reason);
            client.retransmit_at = None;
        }
    }

    /// A response to an INVITE whose target was given up.
    pub(super) fn late_response(
        &mut self,
        io: &mut Io,
        now: Now,
        id: ClientId,
        act: invite_client::Act,
        reason: &Fields,
    ) -> Matched {
        use invite_client::{Act, State};
        let Some(client) = self.table.get(id) else { return Matched::Stray };
        let (session, seq, given_up) = (client.session, client.seq, client.given_up);
        match (client.machine, act) {
            (ClientMachine::Invite(State::Accepted), _) => Matched::Late(session),
            (_, Act::AckAndDeliver) => {
                self.send(io, id);
                Matched::Ended(session, seq)
            }
            (_, Act::Ack) => {
                self.send(io, id);
                Matched::Absorbed
            }
            _ => {
                if !given_up {
                    self.cancel(io, now, id, reason);
                }
                Matched::Absorbed
            }
        }
    }

    /// Requests to that address by datagrams of that listener that have had no response.
    pub(crate) fn unanswered(&self, listener: ListenerId, peer: SocketAddr) -> Vec<ClientId> {
        let silent = |client: &Client| {
            matches!(
                client.machine,
                ClientMachine::Invite(invite_client::State::Calling)
                    | ClientMachine::Other(client::State::Trying)
            )
        };
        let there = |client: &Client| {
            !client.reliable && client.to.listener() == listener && client.to.peer() == peer
        };
        self.table.iter().filter(|(_, c)| silent(c) && there(c)).map(|(id, _)| id).collect()
    }
}
