//! The registrar: users of ours register, and calls find them.
//!
//! ```text
//!   REGISTER ─► who is it ─► what does it ask ─► plan ─► store ─► commit ─► 200, events
//! ```
//! A 200 waits until the bindings are kept. REGISTERs for one address-of-record are served one after the other, in
//! the order that they came (RFC 3261 §10.3).
//!
//! ```text
//!   SUBSCRIBE ─► who is it ─► whose registrations ─► 200, NOTIFY; every event: NOTIFY
//! ```
//! A subscription is at home in the shard that writes the bindings which it tells of.

mod accounts;
mod credentials;
mod desk;
mod ending;
mod flows;
mod keeping;
mod questions;
mod review;
mod row;
mod serve;
mod subscribe;
pub(crate) mod view;
mod watch;
mod watches;

pub(crate) use accounts::{Account, Registrars};
pub(crate) use desk::{Desk, Outcome, Rules, Served};
pub use ending::Ended;
pub(crate) use flows::Line;
pub(crate) use keeping::aor_of;
pub use keeping::{Keeper, Keeping, News};
pub(crate) use serve::Office;
pub(crate) use subscribe::leads_back;

#[cfg(test)]
use row::{FlowRow, read, write};

#[cfg(test)]
mod tests;
