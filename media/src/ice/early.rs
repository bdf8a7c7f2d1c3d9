//! Checks that come before the answer says whom they are from (RFC 8445 §7.3).

use std::net::SocketAddr;

use super::responder::Check;
use super::session::{Component, Session};

/// So many are remembered; the peer repeats them all the same (RFC 8445 §14.3).
const ROOM: usize = 16;
/// Longer username fragments than may be sent (RFC 8839 §5.4) are answered and not remembered.
const LONGEST: usize = 32;

#[derive(Debug, Clone, Copy)]
struct Entry {
    user: [u8; LONGEST],
    length: usize,
    component: Component,
    source: SocketAddr,
    priority: u32,
    nominates: bool,
    millis: u64,
}

impl Entry {
    fn user(&self) -> &[u8] {
        self.user.get(..self.length).unwrap_or_default()
    }
}

/// The early checks of one pair of ports.
#[derive(Debug, Default)]
pub(super) struct Early {
    entries: Vec<Entry>,
}

impl Early {
    pub(super) fn remember(
        &mut self,
        check: &Check<'_>,
        component: Component,
        source: SocketAddr,
        millis: u64,
    ) {
        let mut user = [0; LONGEST];
        let Some(place) = user.get_mut(..check.remote.len()) else { return };
        place.copy_from_slice(check.remote);
        let known = self.entries.iter_mut().find(|entry| {
            entry.user() == check.remote && entry.component == component && entry.source == source
        });
        if let Some(entry) = known {
            entry.nominates |= check.nominates;
            (entry.priority, entry.millis) = (check.priority, millis);
        } else if self.entries.len() < ROOM {
            self.entries.reserve_exact(1);
            self.entries.push(Entry {
                user,
                length: check.remote.len(),
                component,
                source,
                priority: check.priority,
                nominates: check.nominates,
                millis,
            });
        }
    }

    /// Gives a session the checks that were for it.
    pub(super) fn hand_over(&mut self, session: &mut Session) {
        self.entries.retain(|entry| {
            let its = entry.user() == session.remote().as_bytes();
            if its {
                session.checked(entry.component, entry.source, entry.priority, entry.nominates, entry.millis);
            }
            !its
        });
        self.entries.shrink_to_fit();
    }
}
