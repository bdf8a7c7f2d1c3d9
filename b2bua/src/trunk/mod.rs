//! Peers that calls are exchanged with: who they are, and what they must prove.

mod gate;

pub(crate) use gate::{Entry, Gate};
