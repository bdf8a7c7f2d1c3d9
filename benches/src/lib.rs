//! Shared pieces of the benches: the messages, a clock, and the adapters that let several SIP parsers do the same work.
#![forbid(unsafe_code)]

pub mod cpu_time;
pub mod endpoint;
pub mod messages;
pub mod parser;
pub mod srtp;
