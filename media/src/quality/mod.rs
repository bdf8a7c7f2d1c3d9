//! What was counted of a stream.

mod counters;
mod reception;
#[cfg(test)]
mod tests;

pub use counters::{Counters, Flow, IceSnapshot, Snapshot};
pub(crate) use counters::{Dropped, Tally};
pub(crate) use reception::Reception;
