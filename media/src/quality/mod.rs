//! What was counted of a stream.

mod counters;
mod emodel;
mod judged;
mod reception;
mod source;
#[cfg(test)]
mod tests;
mod told;

pub use counters::{Counters, Flow, IceSnapshot, Snapshot};
pub(crate) use counters::{Dropped, Tally};
pub use judged::Quality;
pub(crate) use reception::Reception;
pub(crate) use told::{Moments, ToldCounters};
pub use told::{Told, Voice};
