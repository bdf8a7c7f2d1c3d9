//! Who is at the other end of connections over TLS.

use super::Core;
use crate::registrar::Line;
use sip::Domain;
use sip::driver::ConnectionEvent;
use sip::driver::tls::Peer;
use sip::time::Now;

/// The domains that a certificate has proved.
pub(crate) fn domains(peer: &Peer) -> impl Iterator<Item = &str> {
    peer.identities.iter().map(|identity| identity.domain.as_str())
}

impl Core {
    /// A handshake came to its end, or a connection, or a pong on one.
    pub(super) fn on_connection(&mut self, now: Now, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Secured { flow, accepted, peer } => {
                let identities: Vec<String> = peer.identities.iter().map(ToString::to_string).collect();
                let domain = peer.domain.as_ref().map(Domain::as_str);
                let protocol = &peer.protocol;
                // Every shard is told; the one that has the connection says so.
                if flow.connection.is_some_and(|id| u16::from(id.shard().0) == self.shard) {
                    tracing::info!(peer = %flow.peer, accepted, ?identities, domain, protocol, "TLS connection");
                }
                if let Some(id) = flow.connection.filter(|_| !peer.identities.is_empty()) {
                    self.peers.insert(id, peer);
                }
            }
            // Whoever reaches a listener can fail as often as it likes; what we called should not.
            ConnectionEvent::Insecure { peer, accepted: true, why, .. } => {
                tracing::debug!(%peer, %why, "a TLS handshake failed");
            }
            ConnectionEvent::Insecure { peer, accepted: false, why, .. } => {
                tracing::warn!(%peer, %why, "a TLS connection cannot be made");
            }
            ConnectionEvent::Ponged(id) => self.endpoint.handle_pong(now, id),
            ConnectionEvent::Closed(id) => {
                self.peers.remove(&id);
                self.endpoint.handle_closed(id);
                self.legs_cut_off(now, id);
                self.flow_lost(now, Line::Connection(id));
            }
        }
    }
}
