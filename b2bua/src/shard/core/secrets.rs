//! Challenges of peers, and the credentials that they get.

use super::Core;
use crate::shard::peers::domains;
use sip::time::Now;
use sip::{Domain, SecretNeeded};

impl Core {
    /// A challenge: credentials for the realms that this leg's trunk has some for, at a peer that is the trunk's.
    /// They are live: those of the configuration in force, not of the one that the call began under.
    pub(super) fn on_secret_needed(&mut self, now: Now, needed: &SecretNeeded) {
        let trunk = usize::try_from(needed.label).ok().and_then(|n| self.labels.get(n.checked_sub(1)?));
        let there = needed.connection.and_then(|id| self.peers.get(&id));
        let proven: Vec<&str> = there.into_iter().flat_map(|peer| domains(peer)).collect();
        let proven: Vec<&str> =
            proven.into_iter().chain(needed.domain.as_ref().map(Domain::as_str)).collect();
        let registrant = self.registrants.of_session(needed.session);
        let (snapshot, strayed) = registrant.unwrap_or((&self.snapshot, false));
        // Where a redirection leads is no place of the trunk's.
        let resolved = if strayed { &[] } else { needed.resolved.as_slice() };
        let mut granted = Vec::new();
        for realm in &needed.realms {
            match snapshot.credential(trunk, realm, needed.peer.ip(), resolved, &proven) {
                Ok(credential) => granted.push((realm.clone(), credential)),
                Err(why) => {
                    self.counters.secrets_refused += 1;
                    tracing::debug!(%realm, peer = %needed.peer, %why, "no credentials for a challenge");
                }
            }
        }
        self.endpoint.handle_secret(now, needed.id, granted);
    }
}
