//! RTCP (RFC 3550 §6), read and changed in place, without I/O and without allocating.
//!
//! What a packet says of sources and of their numbers has to be true where it arrives: where a stream goes on under other names or
//! numbers than it came with, [`translate`] goes through a compound packet, packet type by packet type (RFC 8079 §3.2, RFC 3550 §7.2),
//! and asks [`Names`] for each. Where nothing is changed nobody calls it, and not an octet is another one. [`reports`] tells what a
//! peer says of the quality of what it gets. What is not known is carried as it is, but for the source that it is from.

mod feedback;
#[cfg(any(test, feature = "fuzz"))]
mod fuzz;
mod packets;
mod reports;
mod sdes;
#[cfg(test)]
mod tests;
mod translate;
mod xr;

#[cfg(feature = "fuzz")]
pub(crate) use fuzz::fuzzed;
pub(crate) use packets::is_compound;
pub(crate) use reports::{Block, Reported, VoiceMetrics, reports};
pub(crate) use sdes::{CNAME_LENGTH, hide};
pub(crate) use translate::{Names, Whose, translate};

/// Packet types (IANA, RTP parameters).
pub(crate) mod kind {
    pub(crate) const SENDER_REPORT: u8 = 200;
    pub(crate) const RECEIVER_REPORT: u8 = 201;
    pub(crate) const SOURCE_DESCRIPTION: u8 = 202;
    pub(crate) const BYE: u8 = 203;
    /// RFC 4585 §6.2
    pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
    /// RFC 4585 §6.3
    pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;
    /// RFC 3611 §2
    pub(crate) const EXTENDED_REPORT: u8 = 207;
    /// RFC 5760 §7.1
    pub(crate) const RECEIVER_SUMMARY: u8 = 209;
    /// RFC 6284 §7
    pub(crate) const PORT_MAPPING: u8 = 210;
    /// Has no source (RFC 5450 §4).
    pub(crate) const JITTER: u8 = 195;
}
