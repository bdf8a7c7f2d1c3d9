//! What the core wants is carried out, by this shard or by the one that has the connection.

use super::Shell;
use crate::action::{Transmit, TransmitId};
use crate::driver::letter::Letter;
use crate::driver::trace::{self, Direction};
use crate::driver::{Core, IoAction};
use crate::flow::{ConnectionId, Destination, Flow};
use crate::home::ShardNo;
use crate::time::Now;
use std::time::Duration;

impl<C: Core> Shell<C> {
    /// Carries out what the core wants, until it wants nothing more.
    pub(super) fn carry_out(&mut self, now: Now) {
        loop {
            while let Some(action) = self.core.poll_io() {
                self.carry_out_one(now, action);
            }
            self.flush_datagrams(now);
            self.tcp.table.flush(now, &mut self.failed);
            for (id, open) in self.tcp.table.connected() {
                self.core.handle_connected(now, id, open);
            }
            for end in self.tcp.table.ends() {
                if let Some(exchange) = &mut self.exchange {
                    exchange.spread(&end);
                }
                self.core.handle_connection(now, end);
            }
            for id in self.failed.drain(..) {
                match (id.home, &mut self.exchange) {
                    (Some(home), Some(exchange)) if home != exchange.here() => exchange.send_failed(home, id),
                    _ => {
                        self.counters.send_failures.add(1);
                        self.core.handle_send_failed(now, TransmitId { home: None, ..id });
                    }
                }
            }
            // What was told may have led to more.
            match self.core.poll_io() {
                Some(action) => self.carry_out_one(now, action),
                None => return,
            }
        }
    }

    /// Sends what is in the outboxes, and tells of peers that ICMP says are out of reach.
    fn flush_datagrams(&mut self, now: Now) {
        for id in self.dirty.drain(..) {
            let Some(udp) = self.udp.get_mut(&id) else { continue };
            udp.flush(&self.counters, &mut self.failed);
            for peer in udp.unreachable() {
                self.counters.peers_unreachable.add(1);
                if let Some(exchange) = &mut self.exchange {
                    exchange.unreachable(id, peer);
                }
                self.core.handle_unreachable(now, id, peer);
            }
        }
    }

    fn carry_out_one(&mut self, now: Now, action: IoAction) {
        match action {
            IoAction::Transmit(transmit) => self.transmit(now, transmit),
            IoAction::CloseConnection(id) => self.close(now, id),
            IoAction::Alias { connection, port } => self.alias(connection, port),
            IoAction::Ping(id) => self.ping(id),
            IoAction::Watch { connection, silence } => self.watch(now, connection, silence),
            IoAction::Doubt(shard, flow) => self.doubt(now, shard, flow),
            IoAction::Tell(shard, letter) => self.tell(now, shard, letter),
            IoAction::Adopt(security) => self.tcp.adopt(security),
            IoAction::Resolve(query) => {
                if let Some(answer) = self.resolver.ask(&query, &self.counters) {
                    self.core.handle_resolved(now, query.id, answer);
                }
            }
            IoAction::Connect(connect) => self.tcp.table.connect(now, &connect),
            IoAction::Disconnect(id) => self.tcp.table.disconnect(id, &mut self.failed),
        }
    }

    fn transmit(&mut self, now: Now, transmit: Transmit) {
        let listener = transmit.to.listener();
        trace::message(Direction::Out, &self.listeners, listener, transmit.to.peer(), &transmit.bytes);
        let Some(udp) = self.udp.get_mut(&listener) else {
            return self.transmit_on_stream(now, transmit);
        };
        udp.enqueue(transmit.id, transmit.to.peer(), transmit.bytes, &self.counters);
        if !self.dirty.contains(&listener) {
            self.dirty.push(listener);
        }
    }

    pub(super) fn transmit_on_stream(&mut self, now: Now, transmit: Transmit) {
        if let Some(owner) = self.owner(&transmit.to) {
            return self.send_by(owner, transmit);
        }
        let elsewhere = self.tcp.table.transmit(now, transmit, &mut self.failed);
        let Some((id, transmit)) = elsewhere else { return };
        match self.exchange.as_ref().and_then(|exchange| exchange.owner(id)) {
            Some(owner) => self.send_by(owner, transmit),
            None => self.failed.push(transmit.id),
        }
    }

    /// Has another shard send a message.
    fn send_by(&mut self, owner: ShardNo, transmit: Transmit) {
        let Some(exchange) = &mut self.exchange else { return self.failed.push(transmit.id) };
        if let Err(id) = exchange.send(owner, transmit, &self.counters) {
            self.failed.push(id);
        }
    }

    /// The other shard that has the connection which a destination names.
    fn owner(&self, to: &Destination) -> Option<ShardNo> {
        let connection = match to {
            Destination::Flow(flow) | Destination::FlowOr { flow, .. } => flow.connection?,
            Destination::Open { .. } => return None,
        };
        self.exchange.as_ref()?.owner(connection)
    }

    fn alias(&mut self, id: ConnectionId, port: u16) {
        match &mut self.exchange {
            Some(exchange) if let Some(owner) = exchange.owner(id) => exchange.alias(owner, id, port),
            _ => self.tcp.table.alias(id, port),
        }
    }

    fn ping(&mut self, id: ConnectionId) {
        match &mut self.exchange {
            Some(exchange) if let Some(owner) = exchange.owner(id) => exchange.ping(owner, id),
            _ => self.tcp.table.ping(id),
        }
    }

    fn watch(&mut self, now: Now, id: ConnectionId, silence: Option<Duration>) {
        match &mut self.exchange {
            Some(exchange) if let Some(owner) = exchange.owner(id) => exchange.watch(owner, id, silence),
            _ => self.tcp.table.watch(now, id, silence),
        }
    }

    fn doubt(&mut self, now: Now, shard: ShardNo, flow: Flow) {
        match &mut self.exchange {
            Some(exchange) if exchange.here() != shard => exchange.doubt(shard, flow),
            _ => self.core.handle_doubt(now, flow),
        }
    }

    fn tell(&mut self, now: Now, shard: ShardNo, letter: Letter) {
        match &mut self.exchange {
            Some(exchange) if exchange.here() != shard => exchange.tell(shard, letter, &self.counters),
            _ => self.core.handle_letter(now, letter),
        }
    }

    fn close(&mut self, now: Now, id: ConnectionId) {
        match &mut self.exchange {
            Some(exchange) if let Some(owner) = exchange.owner(id) => exchange.close(owner, id),
            _ => self.tcp.table.close(now, id, &mut self.failed),
        }
    }
}
