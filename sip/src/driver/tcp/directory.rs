//! Which connection leads to whom: the alias table of RFC 5923 §5, and the same for plain TCP.

use super::super::tls::Peer;
use crate::Map;
use crate::flow::{ConnectionId, Domain, ListenerId};
use smallvec::SmallVec;
use std::net::SocketAddr;
use std::sync::Arc;

/// Addresses besides its own that one connection may be used for.
const ALIASES: usize = 4;

/// Whom a connection leads to.
#[derive(Clone, Debug)]
pub(super) enum Leads {
    /// Over plain TCP: whoever has the address.
    Anyone,
    /// Over TLS, and not open yet: to this domain, or it will not open.
    Towards(Domain),
    /// Over TLS: to the peer that has proved who it is; somebody without a certificate takes no requests by domain.
    To(Arc<Peer>),
    /// To nobody but its own dialogs: a TLS handshake that the peer began, a WebSocket.
    Itself,
}

impl Leads {
    fn leads_to(&self, domain: Option<&Domain>) -> bool {
        match (self, domain) {
            (Self::Anyone, None) => true,
            (Self::Towards(towards), Some(domain)) => towards == domain,
            (Self::To(peer), Some(domain)) => peer.is(domain),
            (Self::Anyone, Some(_)) | (Self::Towards(_) | Self::To(_), None) | (Self::Itself, _) => false,
        }
    }
}

/// One connection as the directory knows it.
struct Entry {
    leads: Leads,
    listener: ListenerId,
    /// Its peer's address first.
    addresses: SmallVec<[SocketAddr; 1]>,
}

/// Every connection by the addresses that it reaches.
pub(super) struct Directory {
    entries: Map<ConnectionId, Entry>,
    by_address: Map<(ListenerId, SocketAddr), SmallVec<[ConnectionId; 1]>>,
}

impl Directory {
    pub(super) fn new(hasher: &ahash::RandomState) -> Self {
        Self { entries: Map::with_hasher(hasher.clone()), by_address: Map::with_hasher(hasher.clone()) }
    }

    pub(super) fn insert(&mut self, id: ConnectionId, listener: ListenerId, peer: SocketAddr, leads: Leads) {
        let entry = Entry { leads, listener, addresses: SmallVec::from_buf([peer]) };
        self.entries.insert(id, entry);
        self.by_address.entry((listener, peer)).or_default().push(id);
    }

    /// The handshake of a connection has shown whom it leads to.
    pub(super) fn prove(&mut self, id: ConnectionId, peer: Arc<Peer>) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.leads = Leads::To(peer);
        }
    }

    /// Uses a connection for another port of its peer too, if the peer has proved who it is: without a certificate
    /// there is no alias (RFC 5923 §9.2).
    pub(super) fn alias(&mut self, id: ConnectionId, port: u16) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Some(own) = entry.addresses.first() else { return };
        let address = SocketAddr::new(own.ip(), port);
        let proven = matches!(&entry.leads, Leads::To(peer) if !peer.identities.is_empty());
        if !proven || entry.addresses.contains(&address) || entry.addresses.len() > ALIASES {
            return;
        }
        entry.addresses.push(address);
        self.by_address.entry((entry.listener, address)).or_default().push(id);
    }

    /// The newest connection that reaches an address and leads to a domain.
    pub(super) fn find(
        &self,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<ConnectionId> {
        let there = self.by_address.get(&(listener, peer))?;
        let leads = |id: &&ConnectionId| self.entries.get(id).is_some_and(|e| e.leads.leads_to(domain));
        there.iter().rev().find(leads).copied()
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        let Some(entry) = self.entries.remove(&id) else { return };
        for address in entry.addresses {
            let key = (entry.listener, address);
            if let Some(there) = self.by_address.get_mut(&key) {
                there.retain(|other| *other != id);
                if there.is_empty() {
                    self.by_address.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tls::{Identity, Source};
    use super::*;

    fn directory() -> Directory {
        Directory::new(&ahash::RandomState::with_seeds(1, 2, 3, 4))
    }

    fn proven(domains: &[&str]) -> Arc<Peer> {
        let identity = |d: &&str| Identity { domain: Domain::new(d), source: Source::Dns };
        Arc::new(Peer { identities: domains.iter().map(identity).collect(), ..Peer::default() })
    }

    fn at(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    const TLS: ListenerId = ListenerId(0);

    // conforms: RFC5923-8.2-6
    #[test]
    fn rfc5923_8_2_an_alias_serves_the_domains_of_the_certificate_only() {
        let mut directory = directory();
        let id = ConnectionId(1);
        directory.insert(id, TLS, at(40_000), Leads::Itself);
        directory.alias(id, 5061);
        let (a, b) = (Domain::new("a.example"), Domain::new("b.example"));
        assert_eq!(directory.find(TLS, at(5061), Some(&a)), None, "before the handshake there is no alias");
        directory.prove(id, proven(&["a.example", "sip.a.example"]));
        directory.alias(id, 5061);
        assert_eq!(directory.find(TLS, at(5061), Some(&a)), Some(id));
        assert_eq!(directory.find(TLS, at(5061), Some(&b)), None, "another domain at the same address");
        assert_eq!(directory.find(TLS, at(5061), None), None);
        assert_eq!(directory.find(ListenerId(1), at(5061), Some(&a)), None);
        directory.remove(id);
        assert_eq!(directory.find(TLS, at(5061), Some(&a)), None);
        assert!(directory.by_address.is_empty());
    }

    #[test]
    fn rfc5923_9_2_without_a_certificate_there_is_no_alias() {
        let mut directory = directory();
        directory.insert(ConnectionId(1), TLS, at(40_000), Leads::Itself);
        directory.prove(ConnectionId(1), proven(&[]));
        directory.alias(ConnectionId(1), 5061);
        assert_eq!(directory.find(TLS, at(5061), Some(&Domain::new("a.example"))), None);
        assert_eq!(directory.by_address.len(), 1);
    }

    #[test]
    fn the_aliases_of_a_connection_are_bounded() {
        let mut directory = directory();
        directory.insert(ConnectionId(1), TLS, at(40_000), Leads::Itself);
        directory.prove(ConnectionId(1), proven(&["a.example"]));
        (1..1000).for_each(|port| directory.alias(ConnectionId(1), port));
        assert_eq!(directory.by_address.len(), 1 + ALIASES);
    }

    // conforms: RFC5923-8.1-5,6,7
    #[test]
    fn a_connection_that_opens_is_shared_by_what_goes_to_its_domain() {
        let mut directory = directory();
        let (a, b) = (Domain::new("a.example"), Domain::new("b.example"));
        directory.insert(ConnectionId(1), TLS, at(5061), Leads::Towards(a.clone()));
        directory.insert(ConnectionId(2), TLS, at(5061), Leads::Towards(b.clone()));
        assert_eq!(directory.find(TLS, at(5061), Some(&a)), Some(ConnectionId(1)));
        assert_eq!(directory.find(TLS, at(5061), Some(&b)), Some(ConnectionId(2)));
        directory.prove(ConnectionId(1), proven(&["a.example", "b.example"]));
        directory.remove(ConnectionId(2));
        assert_eq!(directory.find(TLS, at(5061), Some(&b)), Some(ConnectionId(1)));
    }
}
