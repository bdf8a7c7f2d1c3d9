//! The four transactions of RFC 3261 §17 (with RFC 6026), and the table that they live in.
//!
//! Each machine is a pure function from state and input to next state and act, in a file of its own; the
//! table keeps messages and deadlines, and carries the acts out.

mod client;
mod clients;
mod derive;
mod invite_client;
mod invite_server;
pub(crate) mod key;
mod server;
mod servers;

pub(crate) use clients::{ClientSpec, Clients, Matched, Report};
pub(crate) use servers::{ServerSpec, Servers};

/// Names a deadline of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TransactionTimer {
    /// Timer A or E.
    ClientRetransmit(ClientId),
    /// Timer B, D, F, K or M.
    ClientExpire(ClientId),
    /// Timer G.
    ServerRetransmit(ServerId),
    /// Timer H, I, J or L.
    ServerExpire(ServerId),
}

slotmap::new_key_type! {
    /// Names a client transaction.
    pub struct ClientId;
    /// Names a server transaction.
    pub struct ServerId;
}
