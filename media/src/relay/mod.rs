//! The relay: threads that own the sockets media flows through.
//!
//! Each thread binds pairs of ports ahead and lends them to the shards through one bounded ring per shard and network
//! ([`Link`]); a shard's orders come back through another. A packet is read, checked against the latch of its remote,
//! counted and sent on by the one thread that owns both ends: nothing is allocated, locked or handed over on that way.
//! Counters are shared with the shards as atomics that only the relay thread writes, so no event has to find its call.
//!
//! Full rings: orders wait in the shard, in order and unlost, and while many do no new ports are lent
//! ([`crate::PortsError::Overloaded`]); free pairs stay with the thread.

mod bundle;
mod coding;
mod command;
mod config;
mod context;
mod control;
mod demux;
mod dtls;
mod dtmf;
mod following;
mod gauges;
mod handshake;
mod keying;
mod latch;
mod led;
mod link;
mod marks;
mod own;
mod pathfinder;
mod paths;
mod pool;
mod secure;
mod securing;
mod senders;
mod sockets;
mod spiral;
mod start;
mod stun;
mod taking;
mod tcp;
#[cfg(test)]
mod tests;
mod uplink;
mod worker;

#[cfg(feature = "fuzz")]
pub(crate) use bundle::fuzzed;
pub use bundle::{Share, Tags};
pub use command::{Command, IceSettings, Report, Settings, Sources, Srtp};
pub use config::{Config, Notify, Roots, StartError};
pub use gauges::{DtlsGauges, Gauges, Refused, StunGauges};
pub use link::Link;
pub use pathfinder::Watched;
pub use start::{Relay, check, start};
pub use tcp::{Opening, Order as TcpOrder, Stream as TcpStream, TcpGauges};
