//! The way from a shard to its media.

use media::relay::{Command, Link, Report};
use media::{Ports, VirtualPorts};
use std::sync::Arc;

/// Lends ports and carries commands out: the relay, or nothing at all in a simulation.
pub trait MediaLink: Ports {
    /// Gives an order to the relay.
    fn carry_out(&mut self, command: Command);

    /// Wakes the relay if it has something to do. Called once after each batch of orders.
    fn flush(&mut self);

    /// How many pairs of ports are lent.
    fn lent(&self) -> usize;

    /// How many directions of streams are transcoded, by all shards together.
    fn transcoded(&self) -> usize {
        0
    }

    /// Has the shard woken by that when there is something to report.
    fn wake_by(&mut self, wake: Arc<dyn Fn() + Send + Sync>) {
        let _ = wake;
    }

    /// The next key that was heard in a stream.
    fn poll_report(&mut self) -> Option<Report> {
        None
    }
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

    fn transcoded(&self) -> usize {
        Link::transcoded(self)
    }

    fn wake_by(&mut self, wake: Arc<dyn Fn() + Send + Sync>) {
        Link::wake_by(self, move || wake());
    }

    fn poll_report(&mut self) -> Option<Report> {
        Link::poll_report(self)
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
