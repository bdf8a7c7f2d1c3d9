//! Peers that calls are exchanged with: who they are, what they must prove, and whether they are there.

mod demand;
mod gate;
pub(crate) mod overload;
mod probe;
pub(crate) mod registrant;
pub(crate) mod view;

pub(crate) use demand::Demand;
pub(crate) use gate::{Entry, Gate};
pub(crate) use probe::Probes;
pub(crate) use registrant::{FlowStanding, Registered, Registrants, Standings};
