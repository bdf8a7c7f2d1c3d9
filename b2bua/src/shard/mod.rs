//! A shard: the calls that one thread owns, from socket to socket.

mod command;
mod common;
mod core;
mod counters;
mod guard;
mod leaks;
mod peers;
mod port;
mod quality;
mod word;

pub use self::command::{Command, Report};
pub use self::common::Common;
pub(crate) use self::common::Held;
pub(crate) use self::core::listener_in;
pub use self::core::{Core, Setup};
pub(crate) use self::peers::domains;
pub use counters::{Counters, Gauges};
pub use port::MediaLink;
pub use quality::{JITTERS, LOSSES, Qualities, ROUND_TRIPS, SCORES, Spread};
pub(crate) use word::Word;
