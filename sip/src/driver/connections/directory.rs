//! Which connection leads to whom: the alias table of RFC 5923 §5, and the same for plain TCP.

use super::super::tls::Peer;
use super::connecting::Way;
use super::shared::{Known, Shared};
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
    pub(super) fn leads_to(&self, domain: Option<&Domain>) -> bool {
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
    open: bool,
    listener: ListenerId,
    /// Its peer's address first.
    addresses: SmallVec<[SocketAddr; 1]>,
}

/// Every connection of a shard by the addresses that it reaches. Where there are several shards, what leads to others than
/// itself is known to all of them.
pub(super) struct Directory {
    entries: Map<ConnectionId, Entry>,
    by_address: Map<(ListenerId, SocketAddr), SmallVec<[ConnectionId; 1]>>,
    shared: Option<Arc<Shared>>,
}

impl Directory {
    pub(super) fn new(hasher: &ahash::RandomState, shared: Option<Arc<Shared>>) -> Self {
        let (entries, by_address) = (Map::with_hasher(hasher.clone()), Map::with_hasher(hasher.clone()));
        Self { entries, by_address, shared }
    }

    pub(super) fn insert(&mut self, id: ConnectionId, listener: ListenerId, peer: SocketAddr, leads: Leads) {
        let entry = Entry { leads, open: false, listener, addresses: SmallVec::from_buf([peer]) };
        self.entries.insert(id, entry);
        self.by_address.entry((listener, peer)).or_default().push(id);
        self.share(id);
    }

    /// As [`insert`](Self::insert) of a connection to that domain, unless a shard has one meanwhile: that one.
    pub(super) fn claim(
        &mut self,
        id: ConnectionId,
        listener: ListenerId,
        peer: SocketAddr,
        leads: Leads,
        domain: Option<&Domain>,
    ) -> Result<(), Way> {
        if let Some(shared) = &self.shared {
            shared.claim(listener, peer, &Known { id, leads: leads.clone(), open: false }, domain)?;
        }
        self.insert(id, listener, peer, leads);
        Ok(())
    }

    /// A connection is open; over TLS its handshake has shown whom it leads to.
    pub(super) fn opened(&mut self, id: ConnectionId, peer: Option<Arc<Peer>>) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.open = true;
        if let Some(peer) = peer {
            entry.leads = Leads::To(peer);
        }
        self.share(id);
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
        self.share(id);
    }

    /// Tells the other shards what is known of a connection.
    fn share(&self, id: ConnectionId) {
        let (Some(shared), Some(entry)) = (&self.shared, self.entries.get(&id)) else { return };
        let leads = match &entry.leads {
            Leads::Itself => return,
            // Somebody without a certificate takes no requests by domain.
            Leads::To(peer) if peer.identities.is_empty() => return,
            leads => leads.clone(),
        };
        let known = Known { id, leads, open: entry.open };
        entry.addresses.iter().for_each(|address| shared.enter(entry.listener, *address, &known));
    }

    /// The newest connection that reaches an address and leads to a domain: one of this shard before those of others.
    pub(super) fn find(
        &self,
        listener: ListenerId,
        peer: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<Way> {
        let own = self.own(listener, peer, domain).map(Way::Own);
        own.or_else(|| self.shared.as_ref()?.find(listener, peer, domain))
    }

    fn own(&self, listener: ListenerId, peer: SocketAddr, domain: Option<&Domain>) -> Option<ConnectionId> {
        let there = self.by_address.get(&(listener, peer))?;
        let leads = |id: &&ConnectionId| self.entries.get(id).is_some_and(|e| e.leads.leads_to(domain));
        there.iter().rev().find(leads).copied()
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        let Some(entry) = self.entries.remove(&id) else { return };
        for address in entry.addresses {
            let key = (entry.listener, address);
            if let Some(shared) = &self.shared {
                shared.leave(entry.listener, address, id);
            }
            if let Some(there) = self.by_address.get_mut(&key) {
                there.retain(|other| *other != id);
                if there.is_empty() {
                    self.by_address.remove(&key);
                }
            }
        }
    }
}

impl Drop for Directory {
    /// A shard is lost: nobody is led to connections that nobody serves any more.
    fn drop(&mut self) {
        let Some(shared) = &self.shared else { return };
        for (id, entry) in &self.entries {
            entry.addresses.iter().for_each(|address| shared.leave(entry.listener, *address, *id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tls::{Identity, Source};
    use super::*;

    fn directory() -> Directory {
        Directory::new(&ahash::RandomState::with_seeds(1, 2, 3, 4), None)
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
        directory.opened(id, Some(proven(&["a.example", "sip.a.example"])));
        directory.alias(id, 5061);
        assert_eq!(directory.find(TLS, at(5061), Some(&a)), Some(Way::Own(id)));
        assert_eq!(directory.find(TLS, at(5061), Some(&b)), None, "another domain at the same address");
        assert_eq!(directory.find(TLS, at(5061), None), None);
        assert_eq!(directory.find(ListenerId(1), at(5061), Some(&a)), None);
        directory.remove(id);
        assert_eq!(directory.find(TLS, at(5061), Some(&a)), None);
        assert!(directory.by_address.is_empty());
    }

    #[test]
    fn what_a_lost_shard_had_leads_nobody_anywhere() {
        let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
        let shared = Arc::new(Shared::new(&hasher));
        let [mut lost, left] = [0, 1].map(|_| Directory::new(&hasher, Some(Arc::clone(&shared))));
        lost.insert(ConnectionId(1), TLS, at(5061), Leads::To(proven(&["a.example"])));
        lost.alias(ConnectionId(1), 5062);
        let found = |port| left.find(TLS, at(port), Some(&Domain::new("a.example")));
        assert!(found(5061).is_some() && found(5062).is_some());
        drop(lost);
        assert_eq!((found(5061), found(5062)), (None, None));
    }

    #[test]
    fn rfc5923_9_2_without_a_certificate_there_is_no_alias() {
        let mut directory = directory();
        directory.insert(ConnectionId(1), TLS, at(40_000), Leads::Itself);
        directory.opened(ConnectionId(1), Some(proven(&[])));
        directory.alias(ConnectionId(1), 5061);
        assert_eq!(directory.find(TLS, at(5061), Some(&Domain::new("a.example"))), None);
        assert_eq!(directory.by_address.len(), 1);
    }

    #[test]
    fn the_aliases_of_a_connection_are_bounded() {
        let mut directory = directory();
        directory.insert(ConnectionId(1), TLS, at(40_000), Leads::Itself);
        directory.opened(ConnectionId(1), Some(proven(&["a.example"])));
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
        assert_eq!(directory.find(TLS, at(5061), Some(&a)), Some(Way::Own(ConnectionId(1))));
        assert_eq!(directory.find(TLS, at(5061), Some(&b)), Some(Way::Own(ConnectionId(2))));
        directory.opened(ConnectionId(1), Some(proven(&["a.example", "b.example"])));
        directory.remove(ConnectionId(2));
        assert_eq!(directory.find(TLS, at(5061), Some(&b)), Some(Way::Own(ConnectionId(1))));
    }
}
