//! Transcoding: a stream of one codec goes on in another one, of one packet time in another.
//!
//! A [`Plan`] says what becomes of each payload type in one direction of a stream. A `Direction` does it, without clock and I/O: it ends
//! the RTP that comes and makes RTP and RTCP of its own (RFC 3550 §7.2). Its buffers are made with it. A `Coder` has many of them; in the
//! relay it has a thread beside each relay thread, so that no packet of another call waits for a codec. Calls whose legs have a codec in
//! common have none of this.

mod aside;
mod codec;
mod coder;
mod coding;
mod conceal;
mod crossing;
mod direction;
#[cfg(any(test, feature = "fuzz"))]
mod fuzz;
mod g711;
mod g722;
mod l16;
mod noise;
mod opus;
mod out;
mod plan;
mod reception;
mod reorder;
mod report;
mod resample;
mod room;
mod tally;
#[cfg(test)]
mod tests;

pub use crate::dtmf::Law;
pub(crate) use coder::{Coder, Input, Output, Packet, Way};
pub use coding::{Clock, Coding, OpusTerms};
pub use crossing::Crossing;
pub(crate) use direction::Now;
#[cfg(feature = "fuzz")]
pub(crate) use fuzz::fuzzed;
pub use plan::Plan;
pub(crate) use plan::{Fate, Outgoing};
pub use room::Room;
pub(crate) use tally::Totals;
pub use tally::{CodedView, Tally, TranscodingGauges};
