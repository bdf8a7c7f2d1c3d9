//! The registrar: users of ours register, and calls find them.
//!
//! ```text
//!   REGISTER ─► who is it ─► what does it ask ─► plan ─► store ─► commit ─► 200, events
//! ```
//! A 200 waits until the bindings are kept. REGISTERs for one address-of-record are served one after the other, in
//! the order that they came (RFC 3261 §10.3).

mod accounts;
mod desk;
mod flows;
mod keeping;
mod row;
mod serve;
pub(crate) mod view;

pub(crate) use accounts::{Account, Registrars};
pub(crate) use desk::{Desk, Outcome, Rules, Served};
pub(crate) use keeping::aor_of;
pub use keeping::{Keeper, Keeping, News};
pub use serve::Ended;
pub(crate) use serve::Office;

#[cfg(test)]
use row::{FlowRow, read, write};

#[cfg(test)]
mod tests;
