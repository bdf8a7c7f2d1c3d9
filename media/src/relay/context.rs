//! A remote on a pair of ports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use super::latch::{Fit, Latch};
use super::worker::Clock;
use crate::ContextId;
use crate::quality::{Counters, Reception, Tally};
use crate::rtp::{self, Header};

/// Which of a pair's two sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Component {
    Rtp,
    Rtcp,
}

pub(super) struct Context {
    /// Its number on the pair.
    pub(super) remote: u8,
    pub(super) counters: Arc<Counters>,
    settings: Settings,
    rtp: Latch,
    rtcp: Latch,
    reception: Reception,
}

/// Where an accepted packet goes on to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Onward {
    pub(super) peer: Option<ContextId>,
    pub(super) kind: Component,
}

impl Context {
    pub(super) fn new(remote: u8, settings: Settings, counters: Arc<Counters>) -> Self {
        let rtp = Latch::new(settings.sources, settings.remote);
        let rtcp = Latch::new(settings.sources, settings.remote_rtcp);
        Self { remote, counters, settings, rtp, rtcp, reception: Reception::default() }
    }

    pub(super) fn change(&mut self, settings: Settings, movable_until: Option<u64>) {
        self.rtp.change(settings.sources, settings.remote, movable_until);
        self.rtcp.change(settings.sources, settings.remote_rtcp, movable_until);
        self.settings = settings;
    }

    pub(super) fn fit(&self, component: Component, source: SocketAddr, clock: Clock, move_after: u64) -> Fit {
        self.latch(component).fit(source, clock.millis, move_after)
    }

    fn latch(&self, component: Component) -> &Latch {
        match component {
            Component::Rtp => &self.rtp,
            Component::Rtcp => &self.rtcp,
        }
    }

    /// Counts a packet whose source fits, and says where it goes on to.
    pub(super) fn accept(
        &mut self,
        component: Component,
        source: SocketAddr,
        packet: &[u8],
        clock: Clock,
    ) -> Onward {
        let latch = match component {
            Component::Rtp => &mut self.rtp,
            Component::Rtcp => &mut self.rtcp,
        };
        if latch.take(source, clock.millis) && component == Component::Rtp {
            self.counters.came_from(self.rtp.locked());
        }
        let shared = self.settings.mux && rtp::is_rtcp(packet);
        let kind = if component == Component::Rtcp || shared { Component::Rtcp } else { Component::Rtp };
        let rtcp = kind == Component::Rtcp;
        self.counters.received(Tally { bytes: packet.len(), rtcp, now_millis: clock.millis });
        if !rtcp && self.settings.rtp {
            self.estimate(packet, clock.since_epoch);
        }
        Onward { peer: self.settings.peer, kind }
    }

    fn estimate(&mut self, packet: &[u8], now: Duration) {
        let Some(header) = Header::read(packet) else { return };
        let clocks = &self.settings.clocks;
        self.reception.packet(header, now, |payload| {
            let stated = clocks.iter().find(|(number, _)| *number == payload).map(|(_, clock)| *clock);
            stated.or_else(|| rtp::static_clock(payload))
        });
        self.counters.quality(self.reception.lost(), self.reception.jitter_micros());
    }

    /// The socket and the address by which a packet reaches this remote.
    pub(super) fn destination(&self, kind: Component) -> Option<(Component, SocketAddr)> {
        if !self.settings.send {
            return None;
        }
        let component = if self.settings.mux { Component::Rtp } else { kind };
        self.latch(component).destination().map(|address| (component, address))
    }
}
