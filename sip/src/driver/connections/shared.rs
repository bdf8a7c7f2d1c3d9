//! What the shards of a process know of each other's connections.

use super::connecting::Way;
use super::directory::Leads;
use crate::flow::{ConnectionId, Domain, ListenerId};
use papaya::{Compute, Operation};
use std::net::SocketAddr;
use std::sync::Arc;

/// A connection as all shards know it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: ConnectionId,
    pub(super) leads: Leads,
    /// Messages can travel on it.
    pub(super) open: bool,
}

/// Which connection of any shard reaches an address and leads to a domain. Read without locks: each message to a peer that
/// this shard has no connection with asks. It changes when a connection is opened, proves something, gets an alias or ends.
pub(in super::super) struct Shared(
    papaya::HashMap<(ListenerId, SocketAddr), Arc<[Known]>, ahash::RandomState>,
);

impl Shared {
    pub(in super::super) fn new(hasher: &ahash::RandomState) -> Self {
        Self(papaya::HashMap::with_hasher(hasher.clone()))
    }

    /// Puts a connection in, in place of what was known of it. The latest is the one to use.
    pub(super) fn enter(&self, listener: ListenerId, address: SocketAddr, known: &Known) {
        self.0.pin().compute((listener, address), |there| {
            let there = there.map(|(_, there)| &**there).unwrap_or_default();
            Operation::<_, ()>::Insert(with(there, known))
        });
    }

    /// As [`enter`](Self::enter), unless there is one that leads to the domain, or over plain TCP to anyone: that one.
    pub(super) fn claim(
        &self,
        listener: ListenerId,
        address: SocketAddr,
        known: &Known,
        domain: Option<&Domain>,
    ) -> Result<(), Way> {
        let map = self.0.pin();
        let claimed = map.compute((listener, address), |there| {
            let there = there.map(|(_, there)| &**there).unwrap_or_default();
            match fitting(there, domain) {
                Some(way) => Operation::Abort(way),
                None => Operation::Insert(with(there, known)),
            }
        });
        match claimed {
            Compute::Aborted(way) => Err(way),
            Compute::Inserted(..) | Compute::Updated { .. } | Compute::Removed(..) => Ok(()),
        }
    }

    /// Forgets a connection.
    pub(super) fn leave(&self, listener: ListenerId, address: SocketAddr, id: ConnectionId) {
        self.0.pin().compute((listener, address), |there| {
            let Some((_, there)) = there else { return Operation::Abort(()) };
            let left: Arc<[Known]> = there.iter().filter(|known| known.id != id).cloned().collect();
            if left.is_empty() { Operation::Remove } else { Operation::Insert(left) }
        });
    }

    /// The latest connection that reaches an address and leads to a domain.
    pub(super) fn find(
        &self,
        listener: ListenerId,
        address: SocketAddr,
        domain: Option<&Domain>,
    ) -> Option<Way> {
        fitting(self.0.pin().get(&(listener, address))?, domain)
    }
}

fn with(there: &[Known], known: &Known) -> Arc<[Known]> {
    there.iter().filter(|other| other.id != known.id).chain([known]).cloned().collect()
}

fn fitting(there: &[Known], domain: Option<&Domain>) -> Option<Way> {
    let known = there.iter().rev().find(|known| known.leads.leads_to(domain))?;
    Some(Way::Elsewhere { id: known.id, open: known.open })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::ShardNo;

    fn hasher() -> ahash::RandomState {
        ahash::RandomState::with_seeds(1, 2, 3, 4)
    }

    fn known(shard: u8, n: u64, leads: Leads) -> Known {
        Known { id: ConnectionId::new(ShardNo(shard), n), leads, open: false }
    }

    fn id(way: Option<Way>) -> Option<ConnectionId> {
        way.map(|way| match way {
            Way::Own(id) | Way::Elsewhere { id, .. } => id,
        })
    }

    #[test]
    fn the_latest_is_the_one_to_use_and_a_late_farewell_leaves_it() {
        let shared = Shared::new(&hasher());
        let (listener, peer) = (ListenerId(1), "10.0.0.1:5060".parse().unwrap());
        let [first, second] = [known(0, 1, Leads::Anyone), known(1, 1, Leads::Anyone)];
        shared.enter(listener, peer, &first);
        shared.enter(listener, peer, &second);
        assert_eq!(id(shared.find(listener, peer, None)), Some(second.id));
        shared.leave(listener, peer, first.id);
        assert_eq!(id(shared.find(listener, peer, None)), Some(second.id));
        assert_eq!(shared.find(ListenerId(0), peer, None), None);
        shared.leave(listener, peer, second.id);
        assert_eq!(shared.find(listener, peer, None), None);
        assert!(shared.0.is_empty());
    }

    #[test]
    fn of_two_that_begin_at_once_one_is_the_others_connection() {
        let shared = Shared::new(&hasher());
        let (listener, peer) = (ListenerId(1), "10.0.0.1:5061".parse().unwrap());
        let (a, b) = (Domain::new("a.example"), Domain::new("b.example"));
        let [first, second] = [(0, 1), (1, 1)].map(|(s, n)| known(s, n, Leads::Towards(a.clone())));
        assert_eq!(shared.claim(listener, peer, &first, Some(&a)), Ok(()));
        let taken = Way::Elsewhere { id: first.id, open: false };
        assert_eq!(shared.claim(listener, peer, &second, Some(&a)), Err(taken));
        let other = known(1, 2, Leads::Towards(b.clone()));
        assert_eq!(shared.claim(listener, peer, &other, Some(&b)), Ok(()), "another domain");
        assert_eq!(shared.find(listener, peer, Some(&a)), Some(taken));
        shared.enter(listener, peer, &Known { open: true, ..first.clone() });
        assert_eq!(shared.find(listener, peer, Some(&a)), Some(Way::Elsewhere { id: first.id, open: true }));
        assert_eq!(shared.find(listener, peer, None), None, "over TLS nobody is anyone");
    }
}
