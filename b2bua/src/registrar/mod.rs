//! The registrar: users of ours register, and calls find them.
//!
//! ```text
//!   REGISTER ─► who is it ─► what does it ask ─► plan ─► store ─► commit ─► 200, events
//! ```
//! A 200 waits until the bindings are kept. REGISTERs for one address-of-record are served one after the other, in
//! the order that they came (RFC 3261 §10.3).

mod desk;
mod row;

pub(crate) use desk::{Desk, Outcome, Served};
pub(crate) use row::{FlowRow, read, write};

#[cfg(test)]
mod tests;
