//! One connection.

use super::super::counters::Counters;
use super::super::framer::Unframed;
use super::super::ready::{Kind, ReadyList, Source};
use super::super::settings::Limits;
use super::super::tls::Peer;
use super::super::websocket::{self, Close, Rules};
use super::ending::Ending;
use super::framing::{Answers, Framing, PING};
use super::socket::{OpenError, Opening, Socket};
use crate::action::TransmitId;
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::time::Mono;
use bytes::Bytes;
use sip_types::FrameError;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::ReadBuf;

/// Reads of one connection before the others have their turn.
const READS: usize = 4;
/// Messages written with one system call.
const OUT: usize = 32;

/// A stream, or what will be one.
pub(super) enum Stream {
    Opening(Opening),
    Open(Socket),
}

struct Outgoing {
    /// `None` for a pong.
    id: Option<TransmitId>,
    bytes: Bytes,
}

/// What a connection begins with.
pub(super) struct Start {
    pub(super) id: ConnectionId,
    pub(super) listener: ListenerId,
    pub(super) peer: SocketAddr,
    pub(super) stream: Stream,
    /// Whether the peer opened it.
    pub(super) accepted: bool,
    /// On a WebSocket: who may open it.
    pub(super) websocket: Option<Arc<Rules>>,
}

pub(super) struct Connection {
    pub(super) flow: Flow,
    stream: Stream,
    waker: Waker,
    source: Arc<Source>,
    framing: Framing,
    /// Whether the peer opened it.
    pub(super) accepted: bool,
    /// The core was told whom it leads to.
    pub(super) told: bool,
    /// It ends once the outbox is written.
    leaving: Option<Ending>,
    /// The stream may hold what was written to it.
    unflushed: bool,
    outbox: VecDeque<Outgoing>,
    /// Bytes of the first in the outbox that are written.
    written: usize,
    /// Bytes in the outbox.
    queued: usize,
    /// The outbox waits for a turn to be written.
    pub(super) dirty: bool,
    /// When the timer of the connection will be heard.
    pub(super) armed: Option<Mono>,
    since: Mono,
    /// When something last travelled.
    last: Mono,
    /// When something last came.
    heard: Mono,
    /// How long nothing may come (RFC 5626 §5.4).
    silence: Option<Duration>,
    /// The pong to a ping of ours has come, and the core was not told (RFC 5626 §4.4.1).
    ponged: bool,
    /// A message has travelled: it is not only a connection.
    used: bool,
    /// Since when a message is incomplete.
    partial: Option<Mono>,
    /// It is not read until the outbox has been written to below that.
    held: Option<usize>,
    /// Since when the peer takes nothing.
    blocked: Option<Mono>,
    /// Since when it is ending, and why: what comes is passed over until the peer closes its side. A socket closed on
    /// unread bytes would reset the connection, and the peer might never read what it was refused with
    /// (RFC 9112 §9.6 tells of the same).
    ending: Option<(Mono, Ending)>,
    /// Nothing more is sent than what is in the outbox; then our side is closed.
    closing: bool,
}

impl Connection {
    pub(super) fn new(start: Start, list: &Arc<ReadyList>, now: Mono) -> Self {
        let source = Source::new(Kind::Connection(start.id), list);
        source.requeue();
        let framing = Framing::new(start.websocket);
        Self {
            flow: Flow { listener: start.listener, peer: start.peer, connection: Some(start.id) },
            stream: start.stream,
            accepted: start.accepted,
            told: false,
            framing,
            leaving: None,
            unflushed: false,
            waker: Arc::clone(&source).into(),
            source,
            outbox: VecDeque::new(),
            written: 0,
            queued: 0,
            dirty: false,
            armed: None,
            since: now,
            last: now,
            heard: now,
            silence: None,
            ponged: false,
            used: false,
            partial: None,
            held: None,
            blocked: None,
            ending: None,
            closing: false,
        }
    }

    /// Closes it once the outbox is written and the peer has closed its side too, or has had time to.
    pub(super) fn close(&mut self, now: Mono) {
        self.closing = true;
        self.pass_over(now, Ending::Wanted);
    }

    /// Takes nothing more from the peer; the first reason stands.
    fn pass_over(&mut self, now: Mono, ending: Ending) {
        self.ending.get_or_insert((now, ending));
        self.partial = None;
    }

    /// Its end is told, and it may be silent for that long.
    pub(super) fn watch(&mut self, silence: Option<Duration>) {
        (self.told, self.silence) = (true, silence);
    }

    /// Whether it takes messages to write.
    pub(super) fn is_usable(&self) -> bool {
        !self.closing
    }

    /// Whether it is still being opened.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.stream, Stream::Opening(_))
    }

    /// Puts a message into the outbox, or says that it is full.
    pub(super) fn enqueue(&mut self, id: TransmitId, bytes: Bytes, limit: usize) -> Result<(), TransmitId> {
        if self.queued.saturating_add(bytes.len()) > limit {
            return Err(id);
        }
        if let Framing::WebSocket(websocket) = &self.framing {
            if !websocket.is_open() {
                return Err(id);
            }
            self.push(None, websocket::header(&bytes));
        }
        self.used = true;
        self.push(Some(id), bytes);
        Ok(())
    }

    /// Sends a ping, between messages. One that finds no room has no pong; nor has one on a WebSocket, which we never open.
    pub(super) fn ping(&mut self, limit: usize) {
        let room = self.queued.saturating_add(PING.len()) <= limit;
        if room && !self.closing && self.framing.pings() {
            self.push(None, Bytes::from_static(PING));
        }
    }

    /// Whether a pong has come since the last ping, told once.
    pub(super) fn take_pong(&mut self) -> bool {
        std::mem::take(&mut self.ponged)
    }

    fn push(&mut self, id: Option<TransmitId>, bytes: Bytes) {
        self.queued += bytes.len();
        self.outbox.push_back(Outgoing { id, bytes });
    }

    /// Makes progress with opening, and tells what the handshake has proved, or why it failed.
    pub(super) fn open(&mut self, now: Mono, counters: &Counters) -> Result<Option<Peer>, Unopened> {
        let Stream::Opening(opening) = &mut self.stream else { return Ok(None) };
        match opening.as_mut().poll(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => Ok(None),
            Poll::Ready(Err(OpenError::Connect)) => Err((Ending::NotOpened, None)),
            Poll::Ready(Err(OpenError::Handshake(why))) => Err((Ending::Insecure, Some(why))),
            Poll::Ready(Ok((socket, peer))) => {
                counters.connections_opened.add(u64::from(!self.accepted));
                self.stream = Stream::Open(socket);
                self.last = now;
                Ok(peer)
            }
        }
    }

    /// Reads; the messages that have come are appended to `inbox`. Their answers have to find room in the outbox: no more
    /// is read than what half of it is free for, and nothing from a peer that takes nothing.
    pub(super) fn proceed(
        &mut self,
        now: Mono,
        reader: &mut Reader<'_>,
        inbox: &mut Vec<Bytes>,
    ) -> Result<(), Ending> {
        let room = reader.limits.write_queue / 2;
        let mut came = 0;
        for _ in 0..READS {
            if self.queued >= room {
                self.held = Some(room);
                return Ok(());
            }
            let Some(most) = room.checked_sub(self.queued + came).filter(|most| *most > 0) else { break };
            match self.read(now, reader, most, inbox)? {
                0 => return Ok(()),
                read => came += read,
            }
        }
        self.source.requeue();
        Ok(())
    }

    /// Reads once, so many bytes at most, and tells how many; 0 if there is nothing to go on with.
    fn read(
        &mut self,
        now: Mono,
        reader: &mut Reader<'_>,
        most: usize,
        inbox: &mut Vec<Bytes>,
    ) -> Result<usize, Ending> {
        let Stream::Open(stream) = &mut self.stream else { return Ok(0) };
        let Reader { scratch, message, limits, counters } = reader;
        let most = most.min(scratch.len());
        let mut buffer = ReadBuf::new(scratch.get_mut(..most).unwrap_or_default());
        match stream.poll_read(&mut Context::from_waker(&self.waker), &mut buffer) {
            Poll::Pending => return Ok(0),
            // Over TLS: the peer closed without saying so.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Ending::Closed);
            }
            Poll::Ready(Err(_)) => return Err(Ending::Broken),
            Poll::Ready(Ok(())) => {}
        }
        let bytes = buffer.filled();
        if bytes.is_empty() {
            return Err(self.ending.map_or(Ending::Closed, |(_, ending)| ending));
        }
        (self.last, self.heard) = (now, now);
        counters.bytes_in.bytes(bytes.len());
        let read = bytes.len();
        if self.ending.is_some() {
            return Ok(read);
        }
        let before = inbox.len();
        let mut answers = Answers::new();
        let fed = self.framing.feed(bytes, message, inbox, &mut answers);
        let came = inbox.len() - before;
        counters.stream_messages_in.bytes(came);
        self.used |= came > 0;
        if !self.framing.is_partial() {
            self.partial = None;
        } else if came > 0 || self.partial.is_none() {
            self.partial = Some(now);
        }
        let fed = match fed {
            Ok(fed) => fed,
            Err(Unframed { error: FrameError::StartLine, .. }) => return Err(Ending::Unframed),
            Err(Unframed { rest, .. }) => {
                // The core can tell from it what is wrong, refuse it, and then close the connection.
                inbox.push(rest);
                self.pass_over(now, Ending::Unframed);
                return Ok(read);
            }
        };
        for answer in answers {
            // A peer that does not take its answers gets none.
            if self.queued.saturating_add(answer.len()) <= limits.write_queue {
                self.push(None, answer);
            }
        }
        counters.pings.add(u64::from(fed.pinged));
        counters.websockets.add(u64::from(fed.opened));
        self.ponged |= fed.ponged;
        self.leaving = fed.close.map(|close| match close {
            Close::Refused => Ending::Refused,
            Close::Left => Ending::Closed,
            Close::Fault => Ending::Unframed,
        });
        Ok(if self.leaving.is_none() { read } else { 0 })
    }

    /// Writes the outbox as far as the peer takes it.
    pub(super) fn flush(&mut self, now: Mono, counters: &Counters) -> Result<(), Ending> {
        let Stream::Open(stream) = &mut self.stream else { return Ok(()) };
        while !self.outbox.is_empty() {
            let mut slices: SmallVec<[IoSlice<'_>; OUT]> = SmallVec::new();
            for (n, outgoing) in self.outbox.iter().take(OUT).enumerate() {
                let from = if n == 0 { self.written } else { 0 };
                slices.push(IoSlice::new(outgoing.bytes.get(from..).unwrap_or_default()));
            }
            let mut context = Context::from_waker(&self.waker);
            match stream.poll_write_vectored(&mut context, &slices) {
                Poll::Pending => {
                    self.blocked.get_or_insert(now);
                    return Ok(());
                }
                Poll::Ready(Ok(0) | Err(_)) => return Err(Ending::Broken),
                Poll::Ready(Ok(written)) => {
                    drop(slices);
                    (self.blocked, self.last, self.unflushed) = (None, now, true);
                    counters.bytes_out.bytes(written);
                    self.written += written;
                    while let Some(first) = self.outbox.front().filter(|o| o.bytes.len() <= self.written) {
                        self.written -= first.bytes.len();
                        self.queued -= first.bytes.len();
                        counters.stream_messages_out.add(u64::from(first.id.is_some()));
                        self.outbox.pop_front();
                    }
                    if self.held.is_some_and(|room| self.queued < room) {
                        self.held = None;
                        self.source.requeue();
                    }
                }
            }
        }
        if self.outbox.capacity() > OUT {
            self.outbox = VecDeque::new();
        }
        if self.unflushed {
            match stream.poll_flush(&mut Context::from_waker(&self.waker)) {
                Poll::Pending => {
                    self.blocked.get_or_insert(now);
                    return Ok(());
                }
                Poll::Ready(Err(_)) => return Err(Ending::Broken),
                Poll::Ready(Ok(())) => (self.blocked, self.unflushed) = (None, false),
            }
        }
        if self.closing {
            // It fails where the peer has closed already, which the next read tells.
            stream.shut_down(&mut Context::from_waker(&self.waker));
        }
        self.leaving.map_or(Ok(()), Err)
    }

    /// Tells the peer of the end, as far as that needs no waiting.
    pub(super) fn say_goodbye(&mut self) {
        if let Stream::Open(stream) = &mut self.stream {
            stream.shut_down(&mut Context::from_waker(&self.waker));
        }
    }

    /// Whether messages can travel on it.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stream, Stream::Open(_))
    }

    /// Whether no message has travelled on it, or is to.
    pub(super) fn is_unused(&self) -> bool {
        !self.used
    }

    /// Whether there is something to write, and the stream to write it to.
    pub(super) fn wants_flush(&self) -> bool {
        let waiting = !self.outbox.is_empty() || self.unflushed || self.leaving.is_some();
        waiting && matches!(self.stream, Stream::Open(_))
    }

    /// What ends the connection if nothing changes, and when.
    pub(super) fn deadline(&self, limits: &Limits) -> (Mono, Ending) {
        let shaken = match &self.framing {
            Framing::Length(_) => !matches!(self.stream, Stream::Opening(_)),
            Framing::WebSocket(socket) => socket.is_open(),
        };
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
            self.silence.map(|silence| (self.heard + silence, Ending::Idle)),
        ];
        others
            .into_iter()
            .flatten()
            .fold(silence, |first, other| if other.0 < first.0 { other } else { first })
    }

    /// The messages that were not written.
    pub(super) fn unsent(self) -> impl Iterator<Item = TransmitId> {
        self.outbox.into_iter().filter_map(|o| o.id)
    }
}

/// Why a connection did not open, with what TLS says.
pub(super) type Unopened = (Ending, Option<io::Error>);

/// What reading needs of the table.
pub(super) struct Reader<'a> {
    pub(super) scratch: &'a mut [u8],
    pub(super) message: &'a sip_types::Limits,
    pub(super) limits: &'a Limits,
    pub(super) counters: &'a Counters,
}
