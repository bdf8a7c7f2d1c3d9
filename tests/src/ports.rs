//! Media ports of the simulation, counted where a test can see them.

use b2bua::shard::MediaLink;
use media::relay::Command;
use media::{NetworkId, PortPair, Ports, PortsError, ThreadId, VirtualPorts};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// [`VirtualPorts`] whose number of lent pairs is seen from outside the core.
pub struct CountedPorts {
    ports: VirtualPorts,
    lent: Arc<AtomicUsize>,
}

impl CountedPorts {
    /// Those ports, and where their number will be seen.
    pub fn new(ports: VirtualPorts) -> (Self, Arc<AtomicUsize>) {
        let lent = Arc::new(AtomicUsize::new(0));
        (Self { ports, lent: lent.clone() }, lent)
    }
}

impl Ports for CountedPorts {
    fn take(&mut self, network: NetworkId, thread: Option<ThreadId>) -> Result<PortPair, PortsError> {
        let taken = self.ports.take(network, thread);
        self.lent.store(self.ports.lent(), Ordering::Relaxed);
        taken
    }
}

impl MediaLink for CountedPorts {
    fn carry_out(&mut self, command: Command) {
        self.ports.carry_out(&command);
        self.lent.store(self.ports.lent(), Ordering::Relaxed);
    }

    fn flush(&mut self) {}

    fn lent(&self) -> usize {
        self.ports.lent()
    }
}
