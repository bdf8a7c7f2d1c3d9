//! The server, without sockets and under a time of the test's own.

mod allocate;
mod anything;
mod auth;
mod client;
mod data;
mod frames;
pub(crate) mod lab;
mod limits;
mod peers;
mod reach;
mod rest;
