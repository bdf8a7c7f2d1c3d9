//! Connections that the core wants before it has anything to send on them: those of a race (RFC 8305 §5).

use super::Tcp;
use super::connection::Ending;
use crate::action::{Connect, TransmitId};
use crate::flow::ConnectionId;
use crate::location::ConnectId;
use crate::time::Now;

/// Who waits for which connection, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Connecting {
    /// One for each rival of a race; the core bounds them.
    waiting: Vec<(ConnectId, ConnectionId)>,
    told: Vec<(ConnectId, bool)>,
}

impl Connecting {
    /// A connection is open, or has ended.
    pub(super) fn tell(&mut self, id: ConnectionId, open: bool) {
        if !self.waiting.is_empty() {
            let ours = self.waiting.extract_if(.., |(_, connection)| *connection == id);
            self.told.extend(ours.map(|(connect, _)| (connect, open)));
        }
    }
}

impl Tcp {
    /// Opens a connection, unless there is one.
    pub(crate) fn connect(&mut self, now: Now, connect: &Connect) {
        match self.towards(now, connect.listener, connect.peer) {
            None => self.connecting.told.push((connect.id, false)),
            Some(id) if self.connections.get(&id).is_some_and(|c| c.is_open()) => {
                self.connecting.told.push((connect.id, true));
            }
            Some(id) => self.connecting.waiting.push((connect.id, id)),
        }
    }

    /// Gives a connection up that is still being opened, if nobody else waits for it and nothing is to be sent on it.
    pub(crate) fn disconnect(&mut self, connect: ConnectId, failed: &mut Vec<TransmitId>) {
        let Some(at) = self.connecting.waiting.iter().position(|(waiting, _)| *waiting == connect) else {
            return;
        };
        let (_, id) = self.connecting.waiting.swap_remove(at);
        let shared = self.connecting.waiting.iter().any(|(_, waiting)| *waiting == id);
        if !shared && self.connections.get(&id).is_some_and(|c| !c.is_open() && c.is_unused()) {
            self.end(id, Ending::Wanted, failed);
        }
    }

    /// What has become of the connections that were wanted.
    pub(crate) fn connected(&mut self) -> Vec<(ConnectId, bool)> {
        std::mem::take(&mut self.connecting.told)
    }
}
