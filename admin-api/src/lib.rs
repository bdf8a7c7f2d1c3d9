//! The REST admin API of Liaison, and the port that it needs of the process behind it.
//!
//! [`serve`] answers HTTP/1.1 on a listener until it is told to stop; what the answers say comes from an
//! implementation of [`Control`]. This crate knows nothing of SIP: it carries read models and commands.
//!
//! A request passes, from the outside in: the envelope (request id, tracing span, counters, the last touch on
//! problem documents), the deadline, admission (bounded concurrency and request content), authentication, its
//! resource. Health and readiness skip admission and authentication, so that an overloaded process is not
//! taken for a dead one. Every error is an RFC 9457 problem document; its kinds are the variants of one enum,
//! and `docs/admin-api.md` has a section for each.
#![forbid(unsafe_code)]

pub mod control;
pub mod metrics;
pub mod token;

mod auth;
mod envelope;
mod ledger;
mod limits;
mod openapi;
mod options;
mod problem;
mod resources;
mod router;
mod server;
mod stall;
mod stats;
#[cfg(test)]
mod tests;

pub use control::{Answer, Control, ControlError};
pub use openapi::openapi_json;
pub use options::{MetricsAccess, Options};
pub use router::router;
pub use server::serve;
pub use token::{Token, TokenError};
