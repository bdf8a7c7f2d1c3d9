//! A SIP user agent without I/O, and the driver that gives it sockets.
//!
//! # How an endpoint is driven
//!
//! [`Endpoint`] takes input and the time, and changes nothing but itself:
//! [`handle_input`](Endpoint::handle_input), [`handle_resolved`](Endpoint::handle_resolved),
//! [`handle_connected`](Endpoint::handle_connected), [`handle_send_failed`](Endpoint::handle_send_failed),
//! [`handle_secret`](Endpoint::handle_secret), [`handle_pong`](Endpoint::handle_pong),
//! [`handle_closed`](Endpoint::handle_closed), [`handle_timeout`](Endpoint::handle_timeout) and the intents ([`invite`](Endpoint::invite),
//! [`progress`](Endpoint::progress), [`answer`](Endpoint::answer), …). After every one of them the shell
//! polls [`poll_action`](Endpoint::poll_action) until it is empty, carries the actions out in order, and then
//! asks [`poll_timeout`](Endpoint::poll_timeout) when to call `handle_timeout` next. `now` never goes back.
//!
//! What needs no knowledge of another side the endpoint does by itself: 100, retransmission, 400, 405, 416, 420,
//! 481, 482, 483, 505, OPTIONS, and the release of forks that answer too late. Everything else is an [`Event`].
#![forbid(unsafe_code)]

pub mod auth;
pub mod dialog;
pub mod driver;
pub mod guard;
pub mod home;
pub mod ids;
pub mod keepalive;
pub mod location;
pub mod overload;
pub mod preferences;
pub mod registration;
pub mod session;
pub mod stun;
pub mod subscription;
pub mod time;

mod action;
mod endpoint;
mod event;
mod flow;
mod io;
mod nat;
mod occupancy;
mod received;
mod reply;
mod settings;
mod timers;
mod transaction;

#[cfg(test)]
mod tests;

pub use action::{Action, Connect, SecretId, SecretNeeded, Transmit, TransmitId};
pub use endpoint::{Counters, Endpoint, Gauges, Refusals, Unreadable, unsupported};
pub use event::{End, Event, Failure, Unreachable};
pub use flow::{ConnectionId, Destination, Domain, Flow, ListenerId, NetworkId, Transport};
pub use location::{Answer, ConnectId, Query, QueryId, hop_transport, is_secure_hop, numeric_hop};
pub use nat::{Nat, is_private};
pub use occupancy::Occupancy;
pub use received::{Defect, Received};
pub use settings::{Asked, Carrying, Conduct, Limits, Listener, Settings};
pub use timers::{TimerQueue, Timers};

/// A map whose hasher the shell has seeded.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, ahash::RandomState>;
