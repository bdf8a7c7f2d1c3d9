//! Media ports of ours, as peers may describe them: a call that we have sent on may come back and go through us again (RFC 3261 §16.3 calls
//! that a spiral), and then the leg that it left by and the one that it came by have one another as peers.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::spiral::Steps;
use super::{Config, Settings, Sources};
use crate::ice::aliases::Aliases;

/// The media ports of all networks, and what else of ours media must not come to.
#[derive(Debug, Clone)]
pub(super) struct Own {
    ranges: Arc<[Range]>,
    closed: Arc<[SocketAddr]>,
    /// Where networks are bound, in their order.
    bound: Arc<[IpAddr]>,
    /// Where ports are reached beyond a NAT.
    aliases: Arc<Aliases>,
    /// What goes from leg to leg of ours.
    steps: Arc<Steps>,
}

#[derive(Debug)]
struct Range {
    /// An address that they are known by.
    known: IpAddr,
    bound: IpAddr,
    ports: RangeInclusive<u16>,
}

impl Own {
    pub(super) fn new(config: &Config, hashed: ahash::RandomState) -> Self {
        let mut ranges = Vec::new();
        for network in &config.networks {
            for known in [Some(network.bind), network.advertised].into_iter().flatten() {
                ranges.push(Range { known, bound: network.bind, ports: network.ports.clone() });
            }
        }
        let is_behind = config.networks.iter().any(|network| network.traversal.is_some());
        let pairs = if is_behind { usize::try_from(config.max_pairs).unwrap_or_default() } else { 0 };
        Self {
            ranges: ranges.into(),
            closed: config.closed.as_slice().into(),
            bound: config.networks.iter().map(|network| network.bind).collect(),
            aliases: Arc::new(Aliases::new(pairs, hashed)),
            steps: Arc::default(),
        }
    }

    pub(super) fn aliases(&self) -> &Arc<Aliases> {
        &self.aliases
    }

    pub(super) fn steps(&self) -> &Arc<Steps> {
        &self.steps
    }

    fn range(&self, address: SocketAddr) -> Option<&Range> {
        self.ranges.iter().find(|range| range.known == address.ip() && range.ports.contains(&address.port()))
    }

    /// Where the port of ours is bound that has that address.
    fn bound(&self, address: SocketAddr) -> Option<SocketAddr> {
        if let Some(range) = self.range(address) {
            return Some(SocketAddr::new(range.bound, address.port()));
        }
        let (network, port) = self.aliases.find(address)?;
        Some(SocketAddr::new(*self.bound.get(network)?, port))
    }

    pub(super) fn has(&self, address: SocketAddr) -> bool {
        self.bound(address).is_some()
    }

    /// Whether nothing is sent there, whoever describes it. A listener that is bound anywhere is at each address of our media.
    pub(super) fn bars(&self, address: SocketAddr) -> bool {
        let known = |ip| self.ranges.iter().any(|range| range.known == ip || range.bound == ip);
        self.closed.iter().any(|closed| {
            let there = closed.ip() == address.ip() || closed.ip().is_unspecified() && known(address.ip());
            closed.port() == address.port() && there
        })
    }

    /// Whether no connection is made from `bind` to who describes itself there: to what is ours, for bytes could go round for ever and listeners
    /// of ours take this host for a friend, and to what only this host or this link can mean, unless we are there ourselves.
    pub(super) fn bars_connection(&self, bind: IpAddr, to: SocketAddr) -> bool {
        let is_of_link = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        let ip = to.ip().to_canonical();
        let is_near = ip.is_loopback() && !bind.is_loopback() || is_of_link(ip) && !is_of_link(bind);
        let to = SocketAddr::new(ip, to.port());
        is_near || self.has(to) || self.bars(to)
    }

    /// What holds for a remote that may be a leg of ours: it is reached where it is bound, which is where it sends from, and nobody else is
    /// taken for it. Nothing is sent to one of which half is ours.
    pub(super) fn settle(&self, settings: &mut Settings) {
        let ours = [settings.remote, settings.remote_rtcp].map(|address| self.bound(address));
        match ours {
            [None, None] => {}
            [Some(rtp), Some(rtcp)] => {
                (settings.remote, settings.remote_rtcp) = (rtp, rtcp);
                settings.sources = Sources::Exactly;
            }
            [Some(_), None] | [None, Some(_)] => settings.send = false,
        }
        if self.bars(settings.remote) || self.bars(settings.remote_rtcp) {
            settings.send = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ice::reach::Beyond;
    use crate::ice::traversal::Traversal;
    use crate::relay::tests::phone::settings;
    use crate::{ContextId, Ice, Latching, MediaNetwork, NetworkId, PairId, ThreadId};

    fn network(number: u16) -> MediaNetwork {
        MediaNetwork {
            id: NetworkId(number),
            bind: [192, 0, 2, 10 + u8::try_from(number).unwrap()].into(),
            advertised: None,
            ports: 20_000..=20_099,
            latching: Latching::Described,
            ice: Ice::Off,
            marks: crate::Marks::default(),
            traversal: None,
        }
    }

    #[test]
    fn a_leg_of_ours_that_is_described_beyond_a_nat_is_reached_where_it_is_bound() {
        let traversal = Arc::new(Traversal { servers: [].into(), ready: 1 });
        let mut config =
            Config::new(vec![network(0), MediaNetwork { traversal: Some(traversal), ..network(1) }]);
        config.max_pairs = 8;
        let own = Own::new(&config, ahash::RandomState::with_seeds(1, 2, 3, 4));
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (reflexive, relayed) = (at("203.0.113.1:20002"), at("198.51.100.1:50000"));
        let beyond = |at| Beyond { reflexive: Some(at), relayed: None };
        own.aliases().change(
            (1, 20_002),
            Beyond::default(),
            Beyond { relayed: Some(relayed), ..beyond(reflexive) },
        );
        own.aliases().change((1, 20_003), Beyond::default(), beyond(at("203.0.113.1:20003")));
        let settled = |rtp: SocketAddr, rtcp: SocketAddr| {
            let peer = ContextId { pair: PairId { thread: ThreadId(0), slot: 0, generation: 0 }, remote: 0 };
            let mut settings =
                Settings { remote_rtcp: rtcp, sources: Sources::Described, ..settings(rtp, peer) };
            own.settle(&mut settings);
            (settings.remote, settings.remote_rtcp, settings.sources == Sources::Exactly, settings.send)
        };
        let (rtp, rtcp) = (at("192.0.2.11:20002"), at("192.0.2.11:20003"));
        for there in [reflexive, relayed] {
            assert_eq!(settled(there, at("203.0.113.1:20003")), (rtp, rtcp, true, true));
            assert!(own.has(there) && own.bars_connection([192, 0, 2, 10].into(), there));
        }
        let elsewhere = at("203.0.113.1:20004");
        assert_eq!(settled(reflexive, elsewhere), (reflexive, elsewhere, false, false), "half of it is ours");
        assert_eq!(settled(elsewhere, elsewhere), (elsewhere, elsewhere, false, true));
    }

    #[test]
    fn no_connection_is_made_to_what_is_ours_or_near() {
        let network = network(0);
        let mut config = Config::new(vec![network]);
        config.closed = vec!["192.0.2.10:5060".parse().unwrap(), "0.0.0.0:8080".parse().unwrap()];
        let own = Own::new(&config, ahash::RandomState::with_seeds(1, 2, 3, 4));
        let bars = |bind: &str, to: &str| own.bars_connection(bind.parse().unwrap(), to.parse().unwrap());
        for near in ["127.0.0.1:22", "169.254.1.1:80", "[::1]:22", "[fe80::1]:80", "[::ffff:127.0.0.1]:22"] {
            assert!(bars("192.0.2.10", near), "{near}");
        }
        for ours in ["192.0.2.10:20000", "192.0.2.10:5060", "192.0.2.10:8080"] {
            assert!(bars("192.0.2.10", ours), "{ours}");
        }
        assert!(!bars("192.0.2.10", "198.51.100.1:2855"));
        assert!(!bars("127.0.0.1", "127.0.0.1:2855"));
    }
}
