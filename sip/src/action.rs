//! What an endpoint asks of its shell.

use crate::dialog::DialogNo;
use crate::event::Event;
use crate::flow::{ConnectionId, Destination, Domain, ListenerId};
use crate::home::ShardNo;
use crate::location::{ConnectId, Query};
use crate::session::SessionId;
use crate::transaction::{ClientId, ServerId};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};

/// One thing for the shell to do, in the order given.
#[derive(Debug)]
pub enum Action {
    /// Send these bytes.
    Transmit(Transmit),
    /// Ask the name servers, and answer with `handle_resolved`.
    Resolve(Query),
    /// Open a connection, and answer with `handle_connected`.
    Connect(Connect),
    /// Nobody waits for that connection any more: it is given up unless it is open or has something to carry.
    Disconnect(ConnectId),
    /// Close a connection: its peer sent what cannot be a message.
    CloseConnection(ConnectionId),
    /// Send a ping on a connection, and tell of the next pong on it with `handle_pong` (RFC 5626 §4.4.1).
    Ping(ConnectionId),
    /// The peer asks for requests to its address and this port to come on the connection (RFC 5923 §8.2). Only a
    /// connection whose peer has proved who it is takes part.
    Alias {
        /// The connection that the request came on.
        connection: ConnectionId,
        /// The port of its topmost Via.
        port: u16,
    },
    /// A request of ours was challenged: answer with `handle_secret`.
    SecretNeeded(SecretNeeded),
    /// Something that the owner of the endpoint should know.
    Event(Box<Event>),
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// Comes back in `handle_send_failed`.
    pub id: TransmitId,
    /// Where to.
    pub to: Destination,
    /// The whole message.
    pub bytes: Bytes,
}

/// Names the sender of a [`Transmit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransmitId {
    pub(crate) sender: Sender,
    /// The shard that the sender lives in; `None` for the one that it is in now.
    pub(crate) home: Option<ShardNo>,
}

impl TransmitId {
    /// A sender of this shard.
    pub(crate) fn of(sender: Sender) -> Self {
        Self { sender, home: None }
    }
}

/// Who is told when a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A client transaction.
    Client(ClientId),
    /// The ACK of a 2xx in that dialog.
    Ack(SessionId, DialogNo),
    /// A server transaction; it does not change state (RFC 6026 §7.1).
    Server(ServerId),
    /// Nobody: a stateless response.
    Nobody,
}

/// A connection to open, or to find open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    /// Comes back in `handle_connected`.
    pub id: ConnectId,
    /// The listener of ours whose network and transport are used.
    pub listener: ListenerId,
    /// The address to reach.
    pub peer: SocketAddr,
    /// Over TLS: whom it must lead to.
    pub domain: Option<Domain>,
}

/// Names a pending [`SecretNeeded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretId(pub(crate) u64);

/// A challenge that credentials are wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretNeeded {
    /// Comes back in `handle_secret`.
    pub id: SecretId,
    /// The session whose request was challenged.
    pub session: SessionId,
    /// What the owner calls the session's peer.
    pub label: u32,
    /// The addresses that the next hop of the session's INVITE, or of its last request outside a dialog, had, where it was
    /// a name.
    pub resolved: Vec<IpAddr>,
    /// The protection spaces that ask (RFC 3261 §22.1), each once.
    pub realms: Vec<Box<str>>,
    /// Where the challenged request was sent: credentials are bound to realm and peer.
    pub peer: SocketAddr,
    /// Over TLS: the domain that the peer there has proved to be.
    pub domain: Option<Domain>,
    /// The connection that the challenged request went on, where it went on one that was there.
    pub connection: Option<ConnectionId>,
}
