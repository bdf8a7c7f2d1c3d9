//! The user agent against scripted peers and against itself, in virtual time.

mod message;
mod net;
pub(crate) mod ua;
pub(crate) mod zone;

mod admission;
mod asked;
mod bye;
mod call;
mod cancel;
mod category;
mod challenge;
mod challenge_forms;
mod derived;
mod dialog;
mod failover;
mod fork;
mod found;
mod goodput;
mod gruu;
mod keepalive;
mod loss;
mod mutation;
mod outside;
mod overload;
mod race;
mod reinvite;
mod reliable;
mod request;
mod reserve;
mod responses;
mod secure;
mod session_timer;
mod timers;
mod transport;
mod update;
