//! Targets, and what of them a network can reach.

use crate::flow::{NetworkId, Transport};
use crate::settings::Listener;
use smallvec::SmallVec;
use std::net::SocketAddr;

/// One place to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The transport to try it with.
    pub(crate) transport: Transport,
    /// Its address.
    pub(crate) address: SocketAddr,
    /// Which host of the look-up it is an address of: addresses of one host may change places, those of different
    /// hosts must not (RFC 7984 §4).
    pub(crate) host: u16,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    /// The family of an address.
    pub(crate) fn of(address: SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// The transports that a network has listeners for, each with its address families, all in the order of the listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach(SmallVec<[(Transport, SmallVec<[Family; 2]>); 2]>);

impl Reach {
    /// What the listeners of `network` reach.
    pub(crate) fn of(listeners: &[Listener], network: NetworkId) -> Self {
        let mut reach = Self::default();
        for listener in listeners.iter().filter(|listener| listener.network == network) {
            reach.add(listener.transport, Family::of(listener.address));
        }
        reach
    }

    fn add(&mut self, transport: Transport, family: Family) {
        match self.0.iter_mut().find(|(known, _)| *known == transport) {
            Some((_, families)) if families.contains(&family) => {}
            Some((_, families)) => families.push(family),
            None => self.0.push((transport, SmallVec::from_iter([family]))),
        }
    }

    /// The transports.
    pub(crate) fn transports(&self) -> impl Iterator<Item = Transport> {
        self.0.iter().map(|(transport, _)| *transport)
    }

    /// The families that a transport reaches.
    pub(crate) fn families(&self, transport: Transport) -> &[Family] {
        self.0.iter().find(|(known, _)| *known == transport).map_or(&[], |(_, families)| families.as_slice())
    }
}
