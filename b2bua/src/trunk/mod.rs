//! Peers that calls are exchanged with: who they are, and what they must prove.

mod demand;
mod gate;

pub(crate) use demand::Demand;
pub(crate) use gate::{Entry, Gate};
