//! The API as a client sees it, with a fake process behind the port.

mod authentication;
mod calls;
mod client;
mod configuration;
mod conformance;
mod contract;
mod errors;
mod fake;
mod health;
mod logs;
mod registrations;
mod trunks;
mod turn;
mod wire;
