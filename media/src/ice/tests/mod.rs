//! The lite agent, without sockets and under a time of the test's own.

mod anything;
pub(crate) mod peer;
mod responder;
mod session;
mod vectors;
