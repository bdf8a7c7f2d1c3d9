//! Offer/answer (RFC 3264): what a peer's description says of its transport, and how ours is composed from the other
//! leg's.

mod bundle;
mod compose;
mod described;
mod ice;
mod refusal;
mod setup;
mod transport;

pub use bundle::Bundling;
pub(crate) use bundle::{Bundle, Member, apart, can_move, extension, fits, is_extension, tags};
pub(crate) use compose::{Composition, Own, Slot, Text, compose};
pub(crate) use described::{Described, Endpoint, Reach, connected, describe};
pub(crate) use ice::{End, Ends, IceLines, IceSection, Place, has_rtcp, is_mismatch};
pub use refusal::{Misuse, Refusal, Warning};
pub(crate) use setup::{Setup, opening};
pub(crate) use transport::{Transport, is_msrp, is_plain_msrp, is_secure, is_tcp, is_transport, transport};
