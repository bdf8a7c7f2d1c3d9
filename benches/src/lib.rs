//! Shared pieces of the benches: the messages, and the adapters that let several SIP parsers do the same work.
#![forbid(unsafe_code)]

pub mod messages;
pub mod parser;
