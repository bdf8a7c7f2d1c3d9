//! One connection.

use super::super::counters::Counters;
use super::super::framer::Framer;
use super::super::ready::{Kind, ReadyList, Source};
use super::super::settings::Limits;
use crate::action::TransmitId;
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::time::Mono;
use bytes::Bytes;
use sip_types::FrameError;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Reads of one connection before the others have their turn.
const READS: usize = 4;
/// Messages written with one system call.
const OUT: usize = 32;
/// The answer to a ping (RFC 5626 §3.5.1).
const PONG: &[u8] = b"\r\n";

/// A stream that is being opened.
pub(super) type Opening = Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>;

/// A stream, or what will be one.
pub(super) enum Stream {
    Opening(Opening),
    Open(TcpStream),
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It could not be opened, or not in time.
    NotOpened,
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
    /// The core wants it closed.
    Wanted,
}

struct Outgoing {
    /// `None` for a pong.
    id: Option<TransmitId>,
    bytes: Bytes,
}

pub(super) struct Connection {
    pub(super) flow: Flow,
    stream: Stream,
    waker: Waker,
    source: Arc<Source>,
    framer: Framer,
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
    /// A message has travelled: it is not only a connection.
    used: bool,
    /// Since when a message is incomplete.
    partial: Option<Mono>,
    /// Since when the peer takes nothing.
    blocked: Option<Mono>,
}

impl Connection {
    pub(super) fn new(
        id: ConnectionId,
        listener: ListenerId,
        peer: SocketAddr,
        stream: Stream,
        list: &Arc<ReadyList>,
        now: Mono,
    ) -> Self {
        let source = Source::new(Kind::Connection(id), list);
        source.requeue();
        Self {
            flow: Flow { listener, peer, connection: Some(id) },
            stream,
            waker: Arc::clone(&source).into(),
            source,
            framer: Framer::default(),
            outbox: VecDeque::new(),
            written: 0,
            queued: 0,
            dirty: false,
            armed: None,
            since: now,
            last: now,
            used: false,
            partial: None,
            blocked: None,
        }
    }

    /// Puts a message into the outbox, or says that it is full.
    pub(super) fn enqueue(&mut self, id: TransmitId, bytes: Bytes, limit: usize) -> Result<(), TransmitId> {
        if self.queued.saturating_add(bytes.len()) > limit {
            return Err(id);
        }
        self.used = true;
        self.push(Some(id), bytes);
        Ok(())
    }

    fn push(&mut self, id: Option<TransmitId>, bytes: Bytes) {
        self.queued += bytes.len();
        self.outbox.push_back(Outgoing { id, bytes });
    }

    /// Makes progress with opening and reading; the messages that have come are appended to `inbox`.
    pub(super) fn proceed(
        &mut self,
        now: Mono,
        reader: &mut Reader<'_>,
        inbox: &mut Vec<Bytes>,
    ) -> Result<(), Ending> {
        if let Stream::Opening(opening) = &mut self.stream {
            match opening.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Err(_)) => return Err(Ending::NotOpened),
                Poll::Ready(Ok(stream)) => {
                    reader.counters.connections_opened.add(1);
                    self.stream = Stream::Open(stream);
                    self.last = now;
                }
            }
        }
        for _ in 0..READS {
            if !self.read(now, reader, inbox)? {
                return Ok(());
            }
        }
        self.source.requeue();
        Ok(())
    }

    /// Reads once; false if nothing is there.
    fn read(&mut self, now: Mono, reader: &mut Reader<'_>, inbox: &mut Vec<Bytes>) -> Result<bool, Ending> {
        let Stream::Open(stream) = &mut self.stream else { return Ok(false) };
        let mut buffer = ReadBuf::new(reader.scratch);
        match Pin::new(stream).poll_read(&mut Context::from_waker(&self.waker), &mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Err(_)) => return Err(Ending::Broken),
            Poll::Ready(Ok(())) => {}
        }
        let bytes = buffer.filled();
        if bytes.is_empty() {
            return Err(Ending::Closed);
        }
        self.last = now;
        reader.counters.bytes_in.bytes(bytes.len());
        let before = inbox.len();
        let fed = self.framer.feed(bytes, reader.message, inbox);
        let came = inbox.len() - before;
        reader.counters.stream_messages_in.bytes(came);
        self.used |= came > 0;
        if !self.framer.is_partial() {
            self.partial = None;
        } else if came > 0 || self.partial.is_none() {
            self.partial = Some(now);
        }
        let ping = fed.map_err(|_: FrameError| Ending::Unframed)?;
        if ping && self.queued.saturating_add(PONG.len()) <= reader.limits.write_queue {
            reader.counters.pings.add(1);
            self.push(None, Bytes::from_static(PONG));
        }
        Ok(true)
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
            match Pin::new(&mut *stream).poll_write_vectored(&mut context, &slices) {
                Poll::Pending => {
                    self.blocked.get_or_insert(now);
                    return Ok(());
                }
                Poll::Ready(Ok(0) | Err(_)) => return Err(Ending::Broken),
                Poll::Ready(Ok(written)) => {
                    drop(slices);
                    (self.blocked, self.last) = (None, now);
                    counters.bytes_out.bytes(written);
                    self.written += written;
                    while let Some(first) = self.outbox.front().filter(|o| o.bytes.len() <= self.written) {
                        self.written -= first.bytes.len();
                        self.queued -= first.bytes.len();
                        counters.stream_messages_out.add(u64::from(first.id.is_some()));
                        self.outbox.pop_front();
                    }
                }
            }
        }
        if self.outbox.capacity() > OUT {
            self.outbox = VecDeque::new();
        }
        Ok(())
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
        !self.outbox.is_empty() && matches!(self.stream, Stream::Open(_))
    }

    /// What ends the connection if nothing changes, and when.
    pub(super) fn deadline(&self, limits: &Limits) -> (Mono, Ending) {
        if matches!(self.stream, Stream::Opening(_)) {
            return (self.since + limits.connect_time, Ending::NotOpened);
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

/// What reading needs of the table.
pub(super) struct Reader<'a> {
    pub(super) scratch: &'a mut [u8],
    pub(super) message: &'a sip_types::Limits,
    pub(super) limits: &'a Limits,
    pub(super) counters: &'a Counters,
}
