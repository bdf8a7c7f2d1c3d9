//! ICE as a lite agent (RFC 8445 §2.5): our only candidates are the ports that we relay on, the peer makes the connectivity
//! checks and chooses the pair, and we answer. No I/O, no clock, and nothing allocated for a datagram.
//!
//! ```text
//!                 check that nominates                 the peer restarts
//!   Running ────────────────────────────► Completed ────────────────────► Running (media goes where it went)
//!                                          │     ▲
//!          nothing from it for 30 s        ▼     │ a check
//!                                         Expired ┘
//! ```
//! What all dialogs that answer one offer share is the [`Responder`]: our credentials, and how often is answered. Whom a check
//! is from, the username fragment tells (RFC 8445 §7.2.2), and its [`Session`] keeps the addresses that have shown that they
//! know our password. Media is taken from those alone and sent to the nominated one alone.

pub(crate) mod aliases;
mod budget;
mod credentials;
pub(crate) mod desk;
mod early;
pub(crate) mod full;
pub(crate) mod reach;
mod request;
mod responder;
mod response;
mod session;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod traversal;

pub(crate) use crate::stun::is_stun;
pub(crate) use budget::Budget;
pub use credentials::{Credentials, Secret};
pub(crate) use responder::{Heard, Responder, Unanswered};
pub use session::Component;
pub use session::Standing;
pub(crate) use session::{CONSENT_MILLIS, Known, Session};

/// What is done about ICE towards a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ice {
    /// It is neither offered nor accepted: a peer that offers it is answered as if it had not (RFC 8839 §4.3.2).
    Off,
    /// It is accepted from peers that offer it. The default.
    #[default]
    Accept,
    /// It is offered as well.
    Offer,
}
