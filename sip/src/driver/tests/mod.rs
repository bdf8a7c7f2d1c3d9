//! The driver on real sockets of the loopback interface.

mod connections;
mod datagrams;
mod endpoint;
mod lab;
mod names;
mod secure;
mod secure_shards;
mod shards;
mod streams;
mod wakes;
mod websockets;
