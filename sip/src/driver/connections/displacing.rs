//! Who finds room, and who goes for it: connections cost whoever opens them nothing, and a limit that one host can reach
//! would shut the others out.
//!
//! A connection has proved something once we have opened it, its peer is known by address or certificate, or it has brought
//! a request that was not refused: then a response of 101 to 299, or a request of ours, has gone out on it.

use super::super::exchange::Full;
use super::Table;
use super::ending::Ending;
use super::wire::Wires;
use crate::time::Now;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::sync::Arc;

impl<W: Wires> Table<W> {
    /// From now on these are where known peers are; connections that are there stay what they are.
    pub fn know(&mut self, peers: Arc<[IpNet]>) {
        self.known = peers;
    }

    pub(super) fn knows(&self, peer: SocketAddr) -> bool {
        let ip = peer.ip().to_canonical();
        self.known.iter().any(|net| net.contains(&ip))
    }

    /// Counts a connection in, which may take the place of another; unless a limit refuses it.
    pub(super) fn enter(&mut self, now: Now, peer: SocketAddr, known: bool) -> bool {
        let mut entered = self.census.enter(peer.ip(), known, &self.limits);
        if entered == Err(Full::Node) && self.displace(now, peer) {
            entered = self.census.enter(peer.ip(), known, &self.limits);
        }
        let full = match entered {
            Ok(()) => return true,
            Err(Full::Node) => {
                self.tell_of_limit(now, peer, "refused");
                &self.counters.connections_refused
            }
            Err(Full::Peer) => &self.counters.connections_refused_by_peer,
        };
        full.add(1);
        false
    }

    /// Ends the oldest connection that has proved nothing, for one of somebody else. The oldest, as who keeps many could keep
    /// them busy, and who means well has soon proved to.
    fn displace(&mut self, now: Now, peer: SocketAddr) -> bool {
        let source = self.limits.prefixes.of(peer.ip());
        let prefixes = self.limits.prefixes;
        // Those of one source are bounded, and those that have proved something meanwhile are looked at once.
        let (mut found, mut others) = (None, Vec::new());
        for id in &self.unproven {
            match self.connections.get(id).filter(|connection| !connection.proven) {
                None => others.push(*id),
                Some(connection) if prefixes.of(connection.flow.peer.ip()) == source => {}
                Some(_) => {
                    found = Some(*id);
                    break;
                }
            }
        }
        others.iter().for_each(|id| {
            self.unproven.remove(id);
        });
        let Some(id) = found else { return false };
        let mut lost = std::mem::take(&mut self.lost);
        self.end(id, Ending::Displaced, &mut lost);
        self.lost = lost;
        self.tell_of_limit(now, peer, "has the place of the oldest that has proved nothing");
        true
    }

    fn tell_of_limit(&self, now: Now, peer: SocketAddr, outcome: &'static str) {
        if self.census.is_news(now.mono) {
            let limit = self.limits.connections;
            tracing::warn!(%peer, limit, outcome, "there are as many connections as may be");
        }
    }
}
