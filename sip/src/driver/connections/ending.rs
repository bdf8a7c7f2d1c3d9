//! The end of connections, and when it comes.

use super::Table;
use super::wire::Wires;
use crate::action::TransmitId;
use crate::flow::ConnectionId;
use crate::time::{Mono, Now};
use crate::timers::TimerQueue;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It could not be opened, or not in time.
    NotOpened,
    /// The handshake of TLS or of a WebSocket that the peer began did not come to its end in time.
    Unshaken,
    /// The TLS handshake failed.
    Insecure,
    /// The request to open a WebSocket was refused.
    Refused,
    /// The peer closed it.
    Closed,
    /// It broke.
    Broken,
    /// The peer sends what cannot be followed.
    Unframed,
    /// The peer takes nothing.
    Stalled,
    /// The peer does not finish a message.
    Dawdling,
    /// Nothing travels on it.
    Idle,
    /// It has proved nothing, and another one needs its place.
    Displaced,
    /// The core wants it closed.
    Wanted,
}

impl<W: Wires> Table<W> {
    pub(super) fn end(&mut self, id: ConnectionId, ending: Ending, failed: &mut Vec<TransmitId>) {
        let Some(mut connection) = self.connections.remove(&id) else { return };
        let peer = connection.flow.peer;
        self.connecting.tell(id, false);
        self.directory.remove(id);
        if connection.told {
            self.ends.push(id);
        }
        self.unproven.remove(&id);
        self.census.leave(peer.ip(), &self.limits);
        self.counters.connections.sub(1);
        match ending {
            Ending::NotOpened => self.counters.connect_failures.add(1),
            Ending::Unshaken => self.counters.handshakes_unfinished.add(1),
            Ending::Insecure => self.counters.handshakes_failed.add(1),
            Ending::Refused => self.counters.websockets_refused.add(1),
            Ending::Unframed => self.counters.connections_unframed.add(1),
            Ending::Stalled => self.counters.connections_stalled.add(1),
            Ending::Dawdling => self.counters.connections_dawdling.add(1),
            Ending::Idle => self.counters.connections_idle.add(1),
            Ending::Displaced => self.counters.connections_displaced.add(1),
            Ending::Closed | Ending::Broken | Ending::Wanted => {}
        }
        connection.say_goodbye();
        failed.extend(connection.unsent());
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.timers.next()
    }

    /// Ends what has come to its deadline.
    pub fn handle_timeout(&mut self, now: Now, failed: &mut Vec<TransmitId>) {
        while let Some(id) = self.timers.pop_due(now) {
            self.deadline_heard(now, id, failed);
        }
    }

    fn deadline_heard(&mut self, now: Now, id: ConnectionId, failed: &mut Vec<TransmitId>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        // An earlier one than the last that was set was heard before.
        if connection.armed.is_some_and(|at| at > now.mono) {
            return;
        }
        connection.armed = None;
        match connection.deadline(&self.limits) {
            (at, ending) if at <= now.mono => self.end(id, ending, failed),
            _ => self.rearm(now, id),
        }
    }

    /// Sets the timer of a connection, unless it will be heard early enough.
    pub(super) fn rearm(&mut self, now: Now, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (at, _) = connection.deadline(&self.limits);
        let heard = at.min(now.mono + TimerQueue::<ConnectionId>::HOP);
        if connection.armed.is_none_or(|armed| heard < armed) {
            connection.armed = Some(heard);
            self.timers.arm_at(now, heard, id);
        }
    }
}

impl<W: Wires> Drop for Table<W> {
    /// A shard is lost: its connections count no longer.
    fn drop(&mut self) {
        for connection in self.connections.values() {
            self.census.leave(connection.flow.peer.ip(), &self.limits);
            self.counters.connections.sub(1);
        }
    }
}
