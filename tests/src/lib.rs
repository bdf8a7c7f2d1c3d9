//! Shared pieces of the integration tests: a world without sockets, in which the whole core of Liaison and other
//! user agents exchange datagrams, and messages on connections, under virtual time.
#![forbid(unsafe_code)]

mod browser;
pub mod disk;
pub mod ids;
pub mod judge;
pub mod ladder;
pub mod lines;
pub mod message;
pub mod network;
mod node;
pub mod peer;
pub mod ports;
pub mod script;
pub mod second_srtp;
pub mod stage;
pub mod stations;
pub mod sweep;
pub mod whims;
pub mod world;
