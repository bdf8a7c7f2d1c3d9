//! Overload control between neighbours (RFC 7339), by loss and by rate (RFC 7415).
//!
//! ```text
//!   as client   Via ;oc;oc-algo="loss,rate" ──► server
//!               Via ;oc=20;oc-algo="loss"… ◄── server ─► Restrictions ─► what is sent there next
//!   as server   Measure (share of time that the thread works) ─► Control ─► Shared ─► Via of responses,
//!               and what clients that do not take part are refused (503)
//! ```
//! Restrictions and the state of the node are common to all endpoints of a process ([`Shared`]), and read without locks.

mod bucket;
mod clients;
mod control;
mod load;
mod measure;
mod parameters;
mod rank;
mod restrictions;
mod settings;
mod shared;

pub use parameters::{Algorithm, Heed, Report, Seq};
pub use restrictions::{RestrictionView, Server};
pub use settings::Settings;
pub use shared::{EndpointView, Shared};

pub(crate) use load::Load;
#[cfg(test)]
pub(crate) use parameters::OFFER;
pub(crate) use parameters::{Feedback, choose};
pub(crate) use rank::{Rank, is_emergency, prefers};
pub(crate) use restrictions::Heard;

/// Something that the owner may want to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This endpoint is overloaded: clients are asked, or made, to send less.
    Began,
    /// It is no longer.
    Ended,
    /// A server asks for fewer requests.
    Restricted {
        /// Which.
        server: Server,
        /// By which algorithm.
        algorithm: Algorithm,
        /// The value of `oc`: percent to leave out, or requests a second to send at most.
        value: u32,
    },
    /// A server asks for that no longer.
    Unrestricted {
        /// Which.
        server: Server,
    },
}
