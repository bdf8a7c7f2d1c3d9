//! Whose packets are taken, and where to (RFC 7362, RFC 4961). No clock: time is passed in.

use std::net::SocketAddr;

use super::Sources;

/// One address of a remote, for RTP or for RTCP.
///
/// ```text
///              permitted packet            packet from elsewhere: refused
///   Open ─────────────────────────► Locked ◄──┐
///                                     │       │ permitted, and: the description just changed, or the locked
///                                     └───────┘ source fell silent, or it is exactly the described address
/// ```
#[derive(Debug)]
pub(super) struct Latch {
    sources: Sources,
    described: SocketAddr,
    locked: Option<SocketAddr>,
    last_millis: u64,
    /// Until then the lock may move once.
    movable_until: u64,
}

/// How well a packet's source fits; the best of several remotes on one port gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Refused,
    /// Takes the place of another source.
    Moves,
    /// Nobody has come yet.
    First,
    /// Exactly where the description says.
    Described,
    /// Where packets come from already.
    Locked,
}

impl Latch {
    pub(super) fn new(sources: Sources, described: SocketAddr) -> Self {
        Self { sources, described, locked: None, last_millis: 0, movable_until: 0 }
    }

    /// New settings for the same remote; the lock stays until a permitted source moves it.
    pub(super) fn change(&mut self, sources: Sources, described: SocketAddr, movable_until: Option<u64>) {
        (self.sources, self.described) = (sources, described);
        if let Some(until) = movable_until {
            self.movable_until = until;
        }
        if self.locked.is_some_and(|locked| !self.permits(locked)) && movable_until.is_none() {
            self.locked = None;
        }
    }

    fn permits(&self, source: SocketAddr) -> bool {
        match self.sources {
            Sources::Exactly => source == self.described,
            Sources::Described => source.ip() == self.described.ip(),
            Sources::Only(ip) => source.ip() == ip,
            Sources::Any => true,
        }
    }

    /// How a packet's source fits now.
    pub(super) fn fit(&self, source: SocketAddr, now_millis: u64, move_after: u64) -> Fit {
        if self.locked == Some(source) {
            return Fit::Locked;
        }
        if !self.permits(source) {
            return Fit::Refused;
        }
        if source == self.described {
            return Fit::Described;
        }
        let silent = now_millis.saturating_sub(self.last_millis) > move_after;
        match self.locked {
            None => Fit::First,
            Some(_) if silent || now_millis < self.movable_until => Fit::Moves,
            Some(_) => Fit::Refused,
        }
    }

    /// Takes a packet that fits; true when its source is a new one.
    pub(super) fn take(&mut self, source: SocketAddr, now_millis: u64) -> bool {
        self.last_millis = now_millis;
        let moved = self.locked != Some(source);
        if moved {
            if self.locked.is_some() {
                self.movable_until = 0;
            }
            self.locked = Some(source);
        }
        moved
    }

    /// Where packets for the remote go. Behind NAT that is where its own came from; until some have, the described
    /// address is tried only when it could be that, so that nobody directs our media at a third party.
    pub(super) fn destination(&self) -> Option<SocketAddr> {
        match self.sources {
            Sources::Described | Sources::Exactly => Some(self.described),
            Sources::Only(_) | Sources::Any => {
                self.locked.or_else(|| Some(self.described).filter(|described| self.permits(*described)))
            }
        }
        .filter(|destination| !destination.ip().is_unspecified() && destination.port() != 0)
    }

    pub(super) fn locked(&self) -> Option<SocketAddr> {
        self.locked
    }
}
