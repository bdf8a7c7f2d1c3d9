//! Where a call borrows its media ports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ice::reach::Reach;
use crate::relay::Command;
use crate::transcode::{Room, Totals};
use crate::{MediaNetwork, NetworkId, PairId, ThreadId};

/// A lent pair of ports: `port` for RTP, the next for RTCP.
#[derive(Debug, Clone)]
pub struct PortPair {
    /// Its name towards the relay.
    pub id: PairId,
    /// The even port.
    pub port: u16,
    /// Where it is reached from beyond the NAT that its network is behind, if it is behind one.
    pub reach: Option<Arc<Reach>>,
}

impl PartialEq for PortPair {
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.port) == (other.id, other.port)
    }
}

impl Eq for PortPair {}

/// Why no ports could be lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PortsError {
    /// The network has no media ports configured.
    #[error("network {} has no media ports", .0.0)]
    NoSuchNetwork(NetworkId),
    /// All pairs of the network, of the relay or of this shard's share are lent or in quarantine.
    #[error("no media port is free in network {}", .0.0)]
    Exhausted(NetworkId),
    /// The relay does not keep up with its commands.
    #[error("the media relay is overloaded")]
    Overloaded,
}

/// Lends pairs of ports; what is lent comes back by [`Command::Release`].
pub trait Ports {
    /// A pair in `network`, of `thread` when the call already has one.
    ///
    /// # Errors
    /// Why there is none.
    fn take(&mut self, network: NetworkId, thread: Option<ThreadId>) -> Result<PortPair, PortsError>;

    /// Room for so many directions of transcoded streams beside `thread`, where the call already has one; `None` where there is none.
    fn room(&mut self, _thread: Option<ThreadId>, directions: usize) -> Option<Room> {
        Some(Room::anywhere(directions))
    }
}

/// Says where the pair of a port is reached.
type Finder = fn(u16) -> Arc<Reach>;

/// Ports without sockets, for simulations and tests: lends the numbers of the configured ranges, lowest first.
#[derive(Debug, Default)]
pub struct VirtualPorts {
    free: BTreeMap<NetworkId, BTreeSet<u16>>,
    lent: BTreeMap<PairId, (NetworkId, u16)>,
    slots: u32,
    /// A network that is behind a NAT, and where its ports are reached.
    beyond: Option<(NetworkId, Finder)>,
    /// What is transcoded, and how many directions may be at the most.
    rooms: Option<(Arc<Totals>, usize)>,
}

impl VirtualPorts {
    /// Ports of these networks.
    #[must_use]
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a MediaNetwork>) -> Self {
        let free = networks.into_iter().map(|network| (network.id, even_ports(network).collect())).collect();
        Self { free, ..Self::default() }
    }

    /// The same with a network behind a NAT: where the pair of each port is reached.
    #[must_use]
    pub fn behind(self, network: NetworkId, beyond: Finder) -> Self {
        Self { beyond: Some((network, beyond)), ..self }
    }

    /// The same with room for so many directions of transcoded streams.
    #[must_use]
    pub fn with_room(self, directions: usize) -> Self {
        Self { rooms: Some((Arc::default(), directions)), ..self }
    }

    /// How many pairs are lent.
    #[must_use]
    pub fn lent(&self) -> usize {
        self.lent.len()
    }

    /// Does what the relay would do for the pool: takes a released pair back, at once.
    pub fn carry_out(&mut self, command: &Command) {
        if let Command::Release { pair } = command
            && let Some((network, port)) = self.lent.remove(pair)
        {
            self.free.entry(network).or_default().insert(port);
        }
    }
}

impl Ports for VirtualPorts {
    fn room(&mut self, _thread: Option<ThreadId>, directions: usize) -> Option<Room> {
        match &self.rooms {
            Some((totals, most)) => Room::take(totals, directions, *most),
            None => Some(Room::anywhere(directions)),
        }
    }

    fn take(&mut self, network: NetworkId, thread: Option<ThreadId>) -> Result<PortPair, PortsError> {
        let free = self.free.get_mut(&network).ok_or(PortsError::NoSuchNetwork(network))?;
        let port = free.pop_first().ok_or(PortsError::Exhausted(network))?;
        self.slots = self.slots.wrapping_add(1);
        let id = PairId { thread: thread.unwrap_or(ThreadId(0)), slot: self.slots, generation: 0 };
        self.lent.insert(id, (network, port));
        let reach = self.beyond.as_ref().filter(|(behind, _)| *behind == network);
        let reach = reach.map(|(_, beyond)| beyond(port));
        Ok(PortPair { id, port, reach })
    }
}

/// The even ports of a network's range whose odd neighbour is in it too.
pub(crate) fn even_ports(network: &MediaNetwork) -> impl Iterator<Item = u16> + use<> {
    let (first, last) = (*network.ports.start(), *network.ports.end());
    (first..last).filter(|port| port % 2 == 0 && *port != 0)
}
