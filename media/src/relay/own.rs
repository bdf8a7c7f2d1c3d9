//! Media ports of ours, as peers may describe them: a call that we have sent on may come back and go through us again (RFC 3261 §16.3 calls
//! that a spiral), and then the leg that it left by and the one that it came by have one another as peers.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{Config, Settings, Sources};

/// The media ports of all networks, and what else of ours media must not come to.
#[derive(Debug, Clone)]
pub(super) struct Own {
    ranges: Arc<[Range]>,
    closed: Arc<[SocketAddr]>,
}

#[derive(Debug)]
struct Range {
    /// An address that they are known by.
    known: IpAddr,
    bound: IpAddr,
    ports: RangeInclusive<u16>,
}

impl Own {
    pub(super) fn new(config: &Config) -> Self {
        let mut ranges = Vec::new();
        for network in &config.networks {
            for known in [Some(network.bind), network.advertised].into_iter().flatten() {
                ranges.push(Range { known, bound: network.bind, ports: network.ports.clone() });
            }
        }
        Self { ranges: ranges.into(), closed: config.closed.as_slice().into() }
    }

    fn range(&self, address: SocketAddr) -> Option<&Range> {
        self.ranges.iter().find(|range| range.known == address.ip() && range.ports.contains(&address.port()))
    }

    pub(super) fn has(&self, address: SocketAddr) -> bool {
        self.range(address).is_some()
    }

    /// Whether nothing is sent there, whoever describes it. A listener that is bound anywhere is at each address of our media.
    pub(super) fn bars(&self, address: SocketAddr) -> bool {
        let known = |ip| self.ranges.iter().any(|range| range.known == ip || range.bound == ip);
        self.closed.iter().any(|closed| {
            let there = closed.ip() == address.ip() || closed.ip().is_unspecified() && known(address.ip());
            closed.port() == address.port() && there
        })
    }

    /// What holds for a remote that may be a leg of ours: it is reached where it is bound, which is where it sends from, and nobody else is
    /// taken for it. Nothing is sent to one of which half is ours.
    pub(super) fn settle(&self, settings: &mut Settings) {
        let ours = [settings.remote, settings.remote_rtcp].map(|address| self.range(address));
        match ours {
            [None, None] => {}
            [Some(rtp), Some(rtcp)] => {
                settings.remote.set_ip(rtp.bound);
                settings.remote_rtcp.set_ip(rtcp.bound);
                settings.sources = Sources::Exactly;
            }
            [Some(_), None] | [None, Some(_)] => settings.send = false,
        }
        if self.bars(settings.remote) || self.bars(settings.remote_rtcp) {
            settings.send = false;
        }
    }
}
