//! A bound pair of sockets, and the place it stands in.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use super::super::context::{Component, Context};
use super::super::sockets::bind;

/// A bound pair.
pub(in crate::relay) struct Pair {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    pub(super) network: usize,
    pub(super) port: u16,
    pub(in crate::relay) contexts: Vec<Context>,
}

impl Pair {
    /// Binds the port of this address and the next one.
    pub(super) fn bind(network: usize, rtp: SocketAddr) -> io::Result<Self> {
        let port = rtp.port();
        let next = port.checked_add(1).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let (rtp, rtcp) = (bind(rtp)?, bind(SocketAddr::new(rtp.ip(), next))?);
        Ok(Self { rtp, rtcp, network, port, contexts: Vec::new() })
    }

    pub(in crate::relay) fn socket(&self, component: Component) -> &UdpSocket {
        match component {
            Component::Rtp => &self.rtp,
            Component::Rtcp => &self.rtcp,
        }
    }

    pub(in crate::relay) fn context(&mut self, remote: u8) -> Option<&mut Context> {
        self.contexts.iter_mut().find(|context| context.remote == remote)
    }
}

/// A place for a pair. The generation goes up each time the pair comes back, so that late orders miss.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) generation: u32,
    pub(super) lent: bool,
    pub(super) pair: Option<Pair>,
}
