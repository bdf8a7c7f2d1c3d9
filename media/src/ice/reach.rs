//! Where a pair of ports is reached from beyond the NAT that it is behind.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use super::Component;

/// The addresses of one port beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beyond {
    /// Where a STUN server sees it.
    pub reflexive: Option<SocketAddr>,
    /// Its address at a TURN server.
    pub relayed: Option<SocketAddr>,
}

/// What is known of a pair of ports at the moment: written by the thread that keeps it, read for each description. It lasts as long
/// as the pair is lent.
#[derive(Debug, Default)]
pub struct Reach(Mutex<[Beyond; 2]>);

impl Reach {
    /// As it is found now: the port of RTP, and that of RTCP.
    #[must_use]
    pub fn read(&self) -> [Beyond; 2] {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells something new of one port.
    pub fn write(&self, component: Component, beyond: Beyond) {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [rtp, rtcp] = &mut *both;
        match component {
            Component::Rtp => *rtp = beyond,
            Component::Rtcp => *rtcp = beyond,
        }
    }
}
