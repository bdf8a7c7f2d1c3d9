//! Offer/answer (RFC 3264): what a peer's description says of its transport, and how ours is composed from the other
//! leg's.

mod compose;
mod described;
mod refusal;
mod transport;

pub(crate) use compose::{Composition, Own, Slot, Text, compose};
pub(crate) use described::{Described, Endpoint, describe};
pub use refusal::{Misuse, Refusal, Warning};
pub(crate) use transport::{Transport, is_secure, transport};
