//! Keepalives that we send: they keep a flow open through NATs, and find out when it fails (RFC 5626 §4.4, RFC 6223).
//!
//! ```text
//!            time                       answer
//!   Resting ──────► Waiting ─────────────────────────► Resting
//!                    │   ▲ STUN: time, again
//!                    │   └──────┘
//!                    ▼ no answer, refusal, another mapped address
//!                  failed
//! ```
//! On a connection a ping is a double CRLF and its answer, the pong, a single one (§4.4.1); over UDP it is a Binding request
//! (§4.4.2). [`Keepalive`] is one flow's, and `Keepalives` are those of an endpoint.

mod machine;
mod table;

pub use machine::{Every, Keepalive, Lost, Step};
pub use table::{KeepId, KeptView};

pub(crate) use table::Keepalives;
