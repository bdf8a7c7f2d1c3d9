//! Registrations (RFC 3261 §10): which contacts an address-of-record has.

pub mod client;
pub mod reginfo;
pub mod server;
