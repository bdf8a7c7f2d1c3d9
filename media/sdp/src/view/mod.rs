//! Typed views of single lines. A view that cannot be read is `None`; the line itself stays.

mod attribute;
mod connection;
mod ice;
mod media_line;
mod origin;
#[cfg(test)]
mod tests;

pub use attribute::{Attribute, Bandwidth, Direction, Fmtp, Group, RtcpAddress, RtpMap, packet_time};
pub use connection::Connection;
pub use ice::{Candidate, IceCredentials};
pub use media_line::MediaLine;
pub use origin::Origin;
