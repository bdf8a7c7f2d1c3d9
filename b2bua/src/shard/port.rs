//! The way from a shard to its media.

use media::relay::{Command, Link};
use media::{Ports, VirtualPorts};

/// Lends ports and carries commands out: the relay, or nothing at all in a simulation.
pub trait MediaLink: Ports {
    /// Gives an order to the relay.
    fn carry_out(&mut self, command: Command);

    /// Wakes the relay if it has something to do. Called once after each batch of orders.
    fn flush(&mut self);

    /// How many pairs of ports are lent.
    fn lent(&self) -> usize;
}

impl MediaLink for Link {
    fn carry_out(&mut self, command: Command) {
        Link::carry_out(self, command);
    }

    fn flush(&mut self) {
        Link::flush(self);
    }

    fn lent(&self) -> usize {
        Link::lent(self)
    }
}

impl MediaLink for VirtualPorts {
    fn carry_out(&mut self, command: Command) {
        VirtualPorts::carry_out(self, &command);
    }

    fn flush(&mut self) {}

    fn lent(&self) -> usize {
        VirtualPorts::lent(self)
    }
}
