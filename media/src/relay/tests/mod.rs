//! The relay on real sockets, and its latch without any.

mod carrying;
mod harness;
mod latching;
mod pool;
mod reserve;
