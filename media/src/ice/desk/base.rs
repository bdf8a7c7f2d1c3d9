//! A pair of ports: its addresses beyond the NAT, and the sessions on it.

use std::net::SocketAddr;
use std::sync::Arc;

use super::part::{Kind, Part};
use super::sessions::Sessions;
use super::{Output, Shared, Wire};
use crate::PairId;
use crate::ice::Component;
use crate::ice::full::Via;
use crate::ice::reach::{Beyond, Reach};
use crate::ice::traversal::Transport;
use crate::turn::client::{indication, unwrapped};

/// A pair is lent with what was found by then; what comes later counts all the same.
const GATHERING_MILLIS: u64 = 4_000;
/// How long a server may take to confirm that an allocation is over.
const ENDING_MILLIS: u64 = 1_000;

/// A pair.
pub(super) struct Base {
    pub(super) pair: PairId,
    pub(super) network: usize,
    pub(super) parts: [Part; 2],
    reach: Arc<Reach>,
    /// Until when it is waited before it is lent.
    gathering: Option<u64>,
    /// It comes back, at that time at the latest.
    released: Option<u64>,
    pub(super) sessions: Sessions,
    /// When it is looked at again.
    pub(super) due: Option<u64>,
}

impl Base {
    pub(super) fn new(pair: PairId, network: usize, [rtp, rtcp]: [SocketAddr; 2], now: u64) -> Self {
        let part = |component, host| Part::new(pair, network, component, host);
        Self {
            pair,
            network,
            parts: [part(Component::Rtp, rtp), part(Component::Rtcp, rtcp)],
            reach: Arc::default(),
            gathering: Some(now + GATHERING_MILLIS),
            released: None,
            sessions: Sessions::default(),
            due: None,
        }
    }

    /// Asks the servers.
    pub(super) fn begin(&mut self, shared: &mut Shared<'_>) {
        for part in &mut self.parts {
            part.choose(Kind::Stun, shared);
            part.choose(Kind::Turn, shared);
        }
    }

    pub(super) fn part(&mut self, component: Component) -> &mut Part {
        let [rtp, rtcp] = &mut self.parts;
        match component {
            Component::Rtp => rtp,
            Component::Rtcp => rtcp,
        }
    }

    /// STUN came from somewhere.
    pub(super) fn datagram(
        &mut self,
        (component, via): (Component, Via),
        source: SocketAddr,
        octets: &[u8],
        shared: &mut Shared<'_>,
    ) {
        if via == Via::Direct && self.part(component).heard(source, octets, shared.now) {
            return;
        }
        let answer = self.sessions.hear((component, via), source, octets, shared);
        if let Some(octets) = answer {
            self.send((component, via), source, &octets, shared);
        }
    }

    pub(super) fn send(
        &mut self,
        (component, via): (Component, Via),
        to: SocketAddr,
        octets: &[u8],
        shared: &mut Shared<'_>,
    ) {
        match via {
            Via::Direct => {
                shared.outputs.push_back(Output::Datagram(self.pair, component, to, octets.into()));
            }
            Via::Relayed => self.part(component).send_relayed(to, octets, shared.now),
        }
    }

    pub(super) fn want(&mut self, component: Component, peer: SocketAddr, shared: &mut Shared<'_>) {
        self.part(component).want(peer, shared.now);
    }

    pub(super) fn connected(&mut self, component: Component, shared: &mut Shared<'_>) {
        // One that comes back wants no allocation any more; the connection is closed with it.
        if self.released.is_none() {
            self.part(component).connected(shared);
        }
    }

    pub(super) fn disconnected(&mut self, component: Component, shared: &mut Shared<'_>) {
        self.part(component).disconnected(shared);
    }

    /// A message came by the connection to the TURN server: an answer, or something of a peer's.
    pub(super) fn by_connection(&mut self, component: Component, message: &[u8], shared: &mut Shared<'_>) {
        let part = self.part(component);
        let (from, data) = if let Some((number, length)) = unwrapped(message) {
            let data = message.get(4..4 + length).unwrap_or_default();
            (part.peer(number), data)
        } else if let Some((peer, range)) = indication(message) {
            part.want(peer, shared.now);
            (Some(peer), message.get(range).unwrap_or_default())
        } else {
            let client = part.turn.as_mut().and_then(|turn| turn.client.as_mut());
            if let Some(client) = client {
                client.handle(message, shared.now);
            }
            return;
        };
        let Some(from) = from else { return };
        if crate::stun::is_stun(data) {
            self.datagram((component, Via::Relayed), from, data, shared);
        } else {
            shared.outputs.push_back(Output::Arrived(self.pair, component, from, data.into()));
        }
    }

    pub(super) fn pass_time(&mut self, shared: &mut Shared<'_>) {
        for part in &mut self.parts {
            part.pass_time(shared);
        }
        self.sessions.pass_time(shared.now);
        if self.gathering.is_some_and(|until| until <= shared.now) {
            self.gathered(shared);
        }
    }

    fn gathered(&mut self, shared: &mut Shared<'_>) {
        self.gathering = None;
        shared.outputs.push_back(Output::Gathered(self.pair, Arc::clone(&self.reach)));
    }

    /// It is not lent any more.
    pub(super) fn release(&mut self, shared: &mut Shared<'_>) {
        (self.sessions, self.gathering) = (Sessions::default(), None);
        self.released = Some(shared.now + ENDING_MILLIS);
        for part in &mut self.parts {
            part.end(shared.now);
        }
    }

    /// Its ports are known by no address any more.
    pub(super) fn forget(&mut self, shared: &mut Shared<'_>) {
        for part in &mut self.parts {
            part.known_by(Beyond::default(), shared);
        }
    }

    /// Whether nothing is left to be done for it.
    pub(super) fn is_released(&self, now: u64) -> bool {
        self.released.is_some_and(|until| until <= now || self.parts.iter().all(Part::is_over))
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        let parts = self.parts.iter().filter_map(Part::deadline);
        parts.chain(self.sessions.deadline()).chain(self.gathering).chain(self.released).min()
    }

    /// Hands on what everything here has to say.
    pub(super) fn deliver(&mut self, shared: &mut Shared<'_>) {
        while let Some(datagram) = self.sessions.poll_transmit() {
            self.send((datagram.component, datagram.via), datagram.to, &datagram.octets, shared);
        }
        self.sessions.tell(self.pair, shared);
        for part in &mut self.parts {
            part.deliver(shared);
            if std::mem::take(&mut part.news) {
                part.known_by(part.beyond, shared);
                self.reach.write(part.component, part.beyond);
            }
        }
        if self.gathering.is_some() && self.parts.iter().all(Part::is_settled) {
            self.gathered(shared);
        }
        if self.is_released(shared.now) {
            self.forget(shared);
            for part in &self.parts {
                if part.turn.as_ref().is_some_and(|turn| turn.transport != Transport::Udp) {
                    shared.wires.push_back(Wire::Close(self.pair, part.component));
                }
            }
        }
    }
}
