//! Calls, the bridge between their legs, and everything that the binary `liaison` is made of.
//!
//! [`shard::Core`] is sans-I/O: it is what a shard's thread drives with sockets, and a simulation with none.
#![forbid(unsafe_code)]

mod call;
pub mod cdr;
pub mod cli;
mod control;
mod demo;
mod events;
mod metrics;
pub mod node;
mod out;
pub mod registrar;
mod secrets;
pub mod shard;
pub mod snapshot;
pub mod store;
mod trunk;
mod turn;
