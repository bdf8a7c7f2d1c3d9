//! Whom allocations reach.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

/// Ports of ours at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The address that peers are told.
    pub told: IpAddr,
    /// The address that the ports are bound on.
    pub bound: IpAddr,
    /// The ports.
    pub ports: RangeInclusive<u16>,
}

impl Own {
    /// Where what is sent to the told address really goes. Behind a static NAT that leads a host to itself by no way, it goes
    /// to the bound one.
    fn actual(&self) -> IpAddr {
        if self.bound.is_unspecified() { self.told } else { self.bound }
    }
}

/// Whom allocations reach: our own media ports, and what the configuration adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Our media ports, in all networks.
    pub own: Vec<Own>,
    /// The relayed ports of all servers.
    pub relayed: Vec<Own>,
    /// Our other addresses: nothing there is reached but media ports, whatever `extra` says.
    pub hosts: Vec<IpAddr>,
    /// Addresses that are reached at every port.
    pub extra: Vec<IpNet>,
}

impl Reach {
    /// Whether anything at that address is reached. Never are loopback, link-local, multicast and unspecified addresses, and those that are
    /// another one in disguise.
    #[must_use]
    pub fn has(&self, ip: IpAddr) -> bool {
        is_proper(ip) && (self.own.iter().any(|own| own.told == ip) || self.is_extra(ip))
    }

    /// Where packets for a peer go; `None` for one that is not reached.
    #[must_use]
    pub fn way_to(&self, peer: SocketAddr) -> Option<SocketAddr> {
        let (ip, port) = (peer.ip(), peer.port());
        if !is_proper(ip) || port == 0 {
            return None;
        }
        let own = self.own.iter().find(|own| own.told == ip && own.ports.contains(&port));
        match own {
            Some(own) => Some(SocketAddr::new(own.actual(), port)),
            None => self.is_extra(ip).then_some(peer),
        }
    }

    /// Who a packet is from, as the client knows it.
    #[must_use]
    pub fn peer_at(&self, source: SocketAddr) -> SocketAddr {
        let (ip, port) = (source.ip(), source.port());
        let own = self.own.iter().find(|own| own.actual() == ip && own.ports.contains(&port));
        own.map_or(source, |own| SocketAddr::new(own.told, port))
    }

    /// Whether packets from there are sent by our media or an allocation. No client is there: what it is sent would come back to us, and from there, perhaps,
    /// to its relayed port.
    #[must_use]
    pub fn is_ours(&self, source: SocketAddr) -> bool {
        let (ip, port) = (source.ip(), source.port());
        self.own.iter().chain(&self.relayed).any(|own| {
            let alike = own.bound.is_ipv4() == ip.is_ipv4();
            let at_any = own.bound.is_unspecified() && alike && self.hosts.contains(&ip);
            own.ports.contains(&port) && (own.told == ip || own.bound == ip || at_any)
        })
    }

    fn is_extra(&self, ip: IpAddr) -> bool {
        let ours = |own: &Own| own.told == ip || own.bound == ip;
        self.extra.iter().any(|net| net.contains(&ip))
            && !self.hosts.contains(&ip)
            && !self.own.iter().any(ours)
    }
}

/// Whether an address is that of one host, as it is written.
fn is_proper(ip: IpAddr) -> bool {
    let none = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast();
    match ip {
        IpAddr::V4(ip) => {
            !none && !ip.is_broadcast() && !ip.is_link_local() && ip.octets().first() != Some(&0)
        }
        IpAddr::V6(ip) => {
            // Teredo and 6to4, which could lead in circles (RFC 8656 §21.4).
            let tunnel = matches!(ip.segments(), [0x2001, 0, ..] | [0x2002, ..]);
            // NAT64 (RFC 6052 §2.1, RFC 8215), mapped and compatible addresses lead to IPv4, where another rule holds; those with a scope mean another host on each link.
            let translated = matches!(ip.segments(), [0x64, 0xff9b, 1, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..]);
            !none && !tunnel && !translated && ip.to_ipv4().is_none() && !ip.is_unicast_link_local()
        }
    }
}
