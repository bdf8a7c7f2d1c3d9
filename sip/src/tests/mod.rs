//! The user agent against scripted peers and against itself, in virtual time.

mod message;
mod net;
mod ua;

mod admission;
mod bye;
mod call;
mod cancel;
mod challenge;
mod dialog;
mod fork;
mod loss;
mod mutation;
mod reinvite;
mod request;
mod reserve;
mod timers;
mod transport;
