//! The line-preserving session description (RFC 8866).
//!
//! A [`Description`] keeps each line as it came, byte for byte, and is changed by whole lines only. What a line means
//! is read on demand by the typed views ([`Origin`], [`MediaLine`], [`Connection`], [`RtpMap`]…); a view that cannot
//! be read never costs the line. No I/O, no clock.
#![forbid(unsafe_code)]

mod description;
mod error;
mod section;
mod view;

pub use description::{Description, Line};
pub use error::{Limits, LineFault, ParseError};
pub use section::{Media, Section};
pub use view::{
    Attribute, Bandwidth, Candidate, Connection, Direction, Fmtp, Group, IceCredentials, MediaLine, Origin,
    RtcpAddress, RtpMap, packet_time,
};
