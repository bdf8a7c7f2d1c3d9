//! One connection.

use super::super::settings::Limits;
use super::super::websocket::Rules;
use super::ending::Ending;
use super::framing::Framing;
use super::wire::{OpenError, Wire};
use super::{Peer, writing::Outbox};
use crate::action::TransmitId;
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::home::ShardNo;
use crate::time::Mono;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// What a connection begins with.
pub(super) struct Start<W> {
    pub(super) id: ConnectionId,
    pub(super) listener: ListenerId,
    pub(super) peer: SocketAddr,
    pub(super) wire: W,
    /// Whether the peer opened it.
    pub(super) accepted: bool,
    /// Whether the peer is known by its address, or it is we who open it.
    pub(super) known: bool,
    /// On a WebSocket: who may open it.
    pub(super) websocket: Option<Arc<Rules>>,
}

pub(super) struct Connection<W> {
    pub(super) flow: Flow,
    pub(super) wire: W,
    /// Messages can travel.
    open: bool,
    pub(super) framing: Framing,
    /// Whether the peer opened it.
    pub(super) accepted: bool,
    /// It is of use to somebody, as far as is known (`displacing`).
    pub(super) proven: bool,
    /// The core was told whom it leads to.
    pub(super) told: bool,
    /// It ends once the outbox is written.
    pub(super) leaving: Option<Ending>,
    pub(super) outbox: Outbox,
    /// The outbox waits for a turn to be written.
    pub(super) dirty: bool,
    /// When the timer of the connection will be heard.
    pub(super) armed: Option<Mono>,
    since: Mono,
    /// When something last travelled; where nothing is proved, when a request came or a message went.
    pub(super) last: Mono,
    /// When something last came.
    pub(super) heard: Mono,
    /// How long nothing may come (RFC 5626 §5.4), by the shard that says so; the least holds. One for each at most.
    silences: Vec<(ShardNo, Duration)>,
    /// The pong to a ping of ours has come, and the core was not told (RFC 5626 §4.4.1).
    pub(super) ponged: bool,
    /// A message has travelled: it is not only a connection. On one that a peer opens, responses do not count, for we have
    /// asked nothing.
    pub(super) used: bool,
    /// Since when a message is incomplete.
    pub(super) partial: Option<Mono>,
    /// It is not read until the outbox has been written to below that.
    pub(super) held: Option<usize>,
    /// Since when the peer takes nothing.
    pub(super) blocked: Option<Mono>,
    /// Since when it is ending, and why: what comes is passed over until the peer closes its side. A socket closed on
    /// unread bytes would reset the connection, and the peer might never read what it was refused with
    /// (RFC 9112 §9.6 tells of the same).
    pub(super) ending: Option<(Mono, Ending)>,
    /// Nothing more is sent than what is in the outbox; then our side is closed.
    pub(super) closing: bool,
}

/// Why a connection did not open, with what TLS says.
pub(super) type Unopened = (Ending, Option<io::Error>);

impl<W: Wire> Connection<W> {
    pub(super) fn new(start: Start<W>, now: Mono) -> Self {
        start.wire.requeue();
        Self {
            flow: Flow { listener: start.listener, peer: start.peer, connection: Some(start.id) },
            wire: start.wire,
            open: false,
            accepted: start.accepted,
            proven: start.known,
            told: false,
            framing: Framing::new(start.websocket),
            leaving: None,
            outbox: Outbox::default(),
            dirty: false,
            armed: None,
            since: now,
            last: now,
            heard: now,
            silences: Vec::new(),
            ponged: false,
            used: false,
            partial: None,
            held: None,
            blocked: None,
            ending: None,
            closing: false,
        }
    }

    /// Makes progress with opening, and tells what the handshake has proved, or why it failed. `true`: it is open.
    pub(super) fn open(&mut self, now: Mono) -> Result<(bool, Option<Peer>), Unopened> {
        match self.wire.poll_open() {
            Poll::Pending => Ok((false, None)),
            Poll::Ready(Err(OpenError::Connect)) => Err((Ending::NotOpened, None)),
            Poll::Ready(Err(OpenError::Handshake(why))) => Err((Ending::Insecure, Some(why))),
            Poll::Ready(Ok(peer)) => {
                (self.open, self.last) = (true, now);
                Ok((true, peer))
            }
        }
    }

    /// Closes it once the outbox is written and the peer has closed its side too, or has had time to.
    pub(super) fn close(&mut self, now: Mono) {
        self.closing = true;
        self.pass_over(now, Ending::Wanted);
    }

    /// Takes nothing more from the peer; the first reason stands.
    pub(super) fn pass_over(&mut self, now: Mono, ending: Ending) {
        self.ending.get_or_insert((now, ending));
        self.partial = None;
    }

    /// Its end is told, and as far as a shard is concerned it may be silent for that long.
    pub(super) fn watch(&mut self, by: ShardNo, silence: Option<Duration>) {
        (self.told, self.proven) = (true, true);
        self.silences.retain(|(shard, _)| *shard != by);
        self.silences.extend(silence.map(|silence| (by, silence)));
    }

    /// How long nothing may come.
    fn silence(&self) -> Option<Duration> {
        self.silences.iter().map(|(_, silence)| *silence).min()
    }

    /// Whether it takes messages to write.
    pub(super) fn is_usable(&self) -> bool {
        !self.closing
    }

    /// Whether messages can travel on it.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether no message has travelled on it, or is to.
    pub(super) fn is_unused(&self) -> bool {
        !self.used
    }

    /// Tells the peer of the end, as far as that needs no waiting.
    pub(super) fn say_goodbye(&mut self) {
        if self.open {
            self.wire.shut_down();
        }
    }

    /// What ends the connection if nothing changes, and when.
    pub(super) fn deadline(&self, limits: &Limits) -> (Mono, Ending) {
        let shaken = self.open && self.framing.is_open();
        match (shaken, self.accepted) {
            (true, _) => {}
            (false, true) => return (self.since + limits.handshake_time, Ending::Unshaken),
            (false, false) => return (self.since + limits.connect_time, Ending::NotOpened),
        }
        if let Some((since, ending)) = self.ending {
            return (since + limits.stall_time, ending);
        }
        let silence = if self.used {
            (self.last + limits.idle_time, Ending::Idle)
        } else {
            (self.since + limits.message_time, Ending::Dawdling)
        };
        let after = |since: Option<Mono>, limit: Duration, ending| since.map(|at| (at + limit, ending));
        let others = [
            after(self.partial, limits.message_time, Ending::Dawdling),
            after(self.blocked, limits.stall_time, Ending::Stalled),
            self.silence().map(|silence| (self.heard + silence, Ending::Idle)),
        ];
        others
            .into_iter()
            .flatten()
            .fold(silence, |first, other| if other.0 < first.0 { other } else { first })
    }

    /// The messages that were not written.
    pub(super) fn unsent(self) -> impl Iterator<Item = TransmitId> {
        self.outbox.unsent()
    }
}
