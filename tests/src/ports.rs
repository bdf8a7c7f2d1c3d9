//! Media ports of the simulation, counted where a test can see them.

use b2bua::shard::MediaLink;
use media::relay::Command;
use media::{ContextId, NetworkId, PortPair, Ports, PortsError, ThreadId, VirtualPorts};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is seen of a core's media from outside it.
#[derive(Default)]
pub struct Seen {
    /// How many pairs of ports are lent.
    pub lent: AtomicUsize,
    /// How many ways media may go: two for a stream both of whose sides are heard.
    pub ways: AtomicUsize,
}

/// [`VirtualPorts`] of which is seen what is lent, and what may flow.
pub struct CountedPorts {
    ports: VirtualPorts,
    open: BTreeSet<ContextId>,
    seen: Arc<Seen>,
}

impl CountedPorts {
    /// Those ports, and where they will be seen.
    pub fn new(ports: VirtualPorts) -> (Self, Arc<Seen>) {
        let seen = Arc::<Seen>::default();
        (Self { ports, open: BTreeSet::new(), seen: seen.clone() }, seen)
    }
}

impl Ports for CountedPorts {
    fn take(&mut self, network: NetworkId, thread: Option<ThreadId>) -> Result<PortPair, PortsError> {
        let taken = self.ports.take(network, thread);
        self.seen.lent.store(self.ports.lent(), Ordering::Relaxed);
        taken
    }
}

impl MediaLink for CountedPorts {
    fn carry_out(&mut self, command: Command) {
        match &command {
            Command::Set { context, settings, .. } if settings.peer.is_some() => {
                self.open.insert(*context);
            }
            Command::Set { context, .. } | Command::Clear { context } => {
                self.open.remove(context);
            }
            Command::Release { pair } => self.open.retain(|context| context.pair != *pair),
            Command::Expect { .. } | Command::Say { .. } | Command::Tcp(_) => {}
        }
        self.ports.carry_out(&command);
        self.seen.lent.store(self.ports.lent(), Ordering::Relaxed);
        self.seen.ways.store(self.open.len(), Ordering::Relaxed);
    }

    fn flush(&mut self) {}

    fn lent(&self) -> usize {
        self.ports.lent()
    }
}
