//! Connections that we open, for a message or before the core has anything to send on them: those of a race
//! (RFC 8305 §5).

use super::connection::{Start, Stream};
use super::directory::Leads;
use super::ending::Ending;
use super::socket::{self, bound_socket};
use super::{Listener, Tcp};
use crate::action::{Connect, TransmitId};
use crate::flow::{ConnectionId, Domain, ListenerId, Transport};
use crate::location::ConnectId;
use crate::time::Now;
use std::net::SocketAddr;

/// Who waits for which connection, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Connecting {
    /// One for each rival of a race; the core bounds them.
    waiting: Vec<(ConnectId, ConnectionId)>,
    told: Vec<(ConnectId, bool)>,
}

impl Connecting {
    /// A connection is open, or has ended.
    pub(super) fn tell(&mut self, id: ConnectionId, open: bool) {
        if !self.waiting.is_empty() {
            let ours = self.waiting.extract_if(.., |(_, connection)| *connection == id);
            self.told.extend(ours.map(|(connect, _)| (connect, open)));
        }
    }
}

impl Tcp {
    /// Opens a connection, unless there is one. It counts as open once messages can travel on it: over TLS, after the
    /// handshake.
    pub(crate) fn connect(&mut self, now: Now, connect: &Connect) {
        match self.towards(now, connect.listener, connect.peer, connect.domain.as_ref()) {
            None => self.connecting.told.push((connect.id, false)),
            Some(id) if self.connections.get(&id).is_some_and(|c| c.is_open()) => {
                self.connecting.told.push((connect.id, true));
            }
            Some(id) => self.connecting.waiting.push((connect.id, id)),
        }
    }

    /// Gives a connection up that is still being opened, if nobody else waits for it and nothing is to be sent on it.
    pub(crate) fn disconnect(&mut self, connect: ConnectId, failed: &mut Vec<TransmitId>) {
        let Some(at) = self.connecting.waiting.iter().position(|(waiting, _)| *waiting == connect) else {
            return;
        };
        let (_, id) = self.connecting.waiting.swap_remove(at);
        let shared = self.connecting.waiting.iter().any(|(_, waiting)| *waiting == id);
        if !shared && self.connections.get(&id).is_some_and(|c| !c.is_open() && c.is_unused()) {
            self.end(id, Ending::Wanted, failed);
        }
    }

    /// What has become of the connections that were wanted.
    pub(crate) fn connected(&mut self) -> Vec<(ConnectId, bool)> {
        std::mem::take(&mut self.connecting.told)
    }

    /// The connection to use for an address, which is opened if need be.
    pub(super) fn towards(
        &mut self,
        now: Now,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<ConnectionId> {
        if let Some(id) = self.usable(listener, peer, domain) {
            return Some(id);
        }
        let Listener { local, network, transport, .. } = *self.listeners.get(&listener)?;
        // Nobody is called over a WebSocket; over TLS there is a domain and a client.
        let secure = match (transport, domain, self.security.tls.client(network)) {
            (Transport::Tls, Some(domain), Some(client)) => Some((client.clone(), domain.clone())),
            (Transport::Tcp, _, _) => None,
            (Transport::Udp | Transport::Tls | Transport::Ws | Transport::Wss, _, _) => return None,
        };
        if !self.enter(peer) {
            return None;
        }
        let Ok(socket) = bound_socket(local, peer) else {
            self.census.leave(peer.ip());
            self.counters.connect_failures.add(1);
            return None;
        };
        let (opening, leads) = match secure {
            Some((client, domain)) => {
                let leads = Leads::Towards(domain.clone());
                (socket::connect_securely(socket, peer, client, domain), leads)
            }
            None => (socket::connect(socket, peer), Leads::Anyone),
        };
        let stream = Stream::Opening(opening);
        let start = Start { id: self.name(), listener, peer, stream, accepted: false, websocket: None };
        Some(self.insert(now, start, leads))
    }
}
