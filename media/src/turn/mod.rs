//! A TURN server (RFC 8656) without I/O, for user agents that reach our media no other way.
//!
//! A [`Server`] is told what came, from clients and at relayed ports, and what time it is; what it has to say goes to [`Wires`]:
//! sockets in the node, memory in tests. Whoever drives it calls [`Server::pass_time`] every second.
//!
//! ```text
//!             401, 438                      Refresh                    lifetime over, Refresh with 0,
//!   nobody ──────────────► proven ──Allocate──► allocation ──────────► connection closed: gone
//!                                               │   ▲
//!                             CreatePermission, │   │ data of permitted peers
//!                                   ChannelBind ▼   │
//!                                              permissions, channels
//! ```
//! It is no open relay: peers are our own media ports ([`Reach`]), unless the configuration says more. Users prove themselves by
//! credentials that carry their own end and need no table ([`Minted`]). Nothing is kept of whoever has not proved itself, and
//! in a second so many of such are answered; what an allocation holds, what a user has, and what all have together is limited
//! ([`Limits`]).

mod allocate;
mod allocation;
mod auth;
pub(crate) mod client;
mod counters;
mod credentials;
mod data;
mod frames;
#[cfg(feature = "fuzz")]
mod fuzz;
mod manage;
mod meter;
mod nonce;
mod ports;
mod reach;
mod refusal;
mod request;
mod server;
mod settings;
#[cfg(test)]
pub(crate) mod tests;
mod user;

pub use allocation::{Tally, View};
pub use counters::{Counters, Totals};
pub use credentials::{Minted, mint};
pub use data::HEADROOM;
pub use frames::{Frames, Unframed};
#[cfg(feature = "fuzz")]
pub(crate) use fuzz::fuzzed;
pub use reach::{Own, Reach};
pub use server::{Client, Now, Server, Wires};
pub use settings::{Limits, Relayed, Settings};

/// Types of the requests (RFC 8656 §17), and of what is no request.
const ALLOCATE: u16 = 0x0003;
const REFRESH: u16 = 0x0004;
const CREATE_PERMISSION: u16 = 0x0008;
const CHANNEL_BIND: u16 = 0x0009;
const SEND: u16 = 0x0016;
const DATA_INDICATION: u16 = 0x0017;

/// Attributes (RFC 8656 §18).
const CHANNEL_NUMBER: u16 = 0x000c;
const LIFETIME: u16 = 0x000d;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
const EVEN_PORT: u16 = 0x0018;
const REQUESTED_TRANSPORT: u16 = 0x0019;
const RESERVATION_TOKEN: u16 = 0x0022;
const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
const ADDRESS_ERROR_CODE: u16 = 0x8001;
