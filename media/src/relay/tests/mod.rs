//! The relay on real sockets, and its latch without any.

mod bundle;
mod carrying;
mod coding;
mod connected;
mod dtls;
mod dtmf;
mod hairpin;
mod harness;
mod ice;
mod latching;
mod marks;
mod openssl;
pub(super) mod phone;
mod police;
mod pool;
mod quality;
mod reserve;
mod srtp;
mod tcp;
mod veil;
