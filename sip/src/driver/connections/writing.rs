//! What goes out on a connection.

use super::super::counters::Counters;
use super::super::websocket;
use super::connection::Connection;
use super::ending::Ending;
use super::framing::{Framing, PING};
use super::wire::Wire;
use crate::action::TransmitId;
use crate::time::Mono;
use bytes::Bytes;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::task::Poll;

/// Messages written with one system call.
const OUT: usize = 32;

struct Outgoing {
    /// `None` for what no transaction waits for: a pong, a header.
    id: Option<TransmitId>,
    bytes: Bytes,
}

/// What waits to be written.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Outgoing>,
    /// Bytes of the first that are written.
    written: usize,
    /// Bytes in all.
    queued: usize,
    /// The wire may hold what was written to it.
    unflushed: bool,
}

impl Outbox {
    /// Bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Puts something in that nobody waits for, if there is room.
    pub(super) fn offer(&mut self, bytes: Bytes, limit: usize) {
        if self.queued.saturating_add(bytes.len()) <= limit {
            self.push(None, bytes);
        }
    }

    fn push(&mut self, id: Option<TransmitId>, bytes: Bytes) {
        self.queued += bytes.len();
        self.waiting.push_back(Outgoing { id, bytes });
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn slices(&self) -> SmallVec<[IoSlice<'_>; OUT]> {
        let mut slices = SmallVec::new();
        for (n, outgoing) in self.waiting.iter().take(OUT).enumerate() {
            let from = if n == 0 { self.written } else { 0 };
            slices.push(IoSlice::new(outgoing.bytes.get(from..).unwrap_or_default()));
        }
        slices
    }

    /// So many bytes were taken; tells how many messages are whole with them.
    fn advance(&mut self, written: usize) -> u64 {
        let mut messages = 0;
        self.written += written;
        while let Some(first) = self.waiting.front().filter(|o| o.bytes.len() <= self.written) {
            self.written -= first.bytes.len();
            self.queued -= first.bytes.len();
            messages += u64::from(first.id.is_some());
            self.waiting.pop_front();
        }
        messages
    }

    /// The messages that were not written.
    pub(super) fn unsent(self) -> impl Iterator<Item = TransmitId> {
        self.waiting.into_iter().filter_map(|o| o.id)
    }
}

impl<W: Wire> Connection<W> {
    /// Puts a message into the outbox, or says that it is full.
    pub(super) fn enqueue(&mut self, id: TransmitId, bytes: Bytes, limit: usize) -> Result<(), TransmitId> {
        if self.outbox.queued.saturating_add(bytes.len()) > limit {
            return Err(id);
        }
        if let Framing::WebSocket(websocket) = &self.framing {
            if !websocket.is_open() {
                return Err(id);
            }
            self.outbox.push(None, websocket::header(&bytes));
        }
        self.used = true;
        self.proven |= tells_of_use(&bytes);
        self.outbox.push(Some(id), bytes);
        Ok(())
    }

    /// Sends a ping, between messages. One that finds no room has no pong; nor has one on a WebSocket, which we never open.
    pub(super) fn ping(&mut self, limit: usize) {
        let room = self.outbox.queued.saturating_add(PING.len()) <= limit;
        if room && !self.closing && self.framing.pings() {
            self.outbox.push(None, Bytes::from_static(PING));
        }
    }

    /// Whether there is something to write, and the wire to write it to.
    pub(super) fn wants_flush(&self) -> bool {
        let waiting = !self.outbox.is_empty() || self.outbox.unflushed || self.leaving.is_some();
        waiting && self.is_open()
    }

    /// Writes the outbox as far as the peer takes it.
    pub(super) fn flush(&mut self, now: Mono, counters: &Counters) -> Result<(), Ending> {
        if !self.is_open() || !self.write(now, counters)? || !self.hand_over(now)? {
            return Ok(());
        }
        if self.closing {
            // It fails where the peer has closed already, which the next read tells.
            self.wire.shut_down();
        }
        self.leaving.map_or(Ok(()), Err)
    }

    /// Gives the outbox to the wire. Tells whether the wire has taken all.
    fn write(&mut self, now: Mono, counters: &Counters) -> Result<bool, Ending> {
        while !self.outbox.is_empty() {
            let polled = self.wire.poll_write(&self.outbox.slices());
            match polled {
                Poll::Pending => {
                    self.blocked.get_or_insert(now);
                    return Ok(false);
                }
                Poll::Ready(Ok(0) | Err(_)) => return Err(Ending::Broken),
                Poll::Ready(Ok(written)) => {
                    (self.blocked, self.outbox.unflushed) = (None, true);
                    counters.bytes_out.bytes(written);
                    let messages = self.outbox.advance(written);
                    counters.stream_messages_out.add(messages);
                    // A pong keeps nobody.
                    if self.proven || messages > 0 {
                        self.last = now;
                    }
                    if self.held.is_some_and(|room| self.outbox.queued < room) {
                        self.held = None;
                        self.wire.requeue();
                    }
                }
            }
        }
        if self.outbox.waiting.capacity() > OUT {
            self.outbox.waiting = VecDeque::new();
        }
        Ok(true)
    }

    /// Has the wire give to the network what it holds. Tells whether it holds nothing any more.
    fn hand_over(&mut self, now: Mono) -> Result<bool, Ending> {
        if !self.outbox.unflushed {
            return Ok(true);
        }
        match self.wire.poll_flush() {
            Poll::Pending => {
                self.blocked.get_or_insert(now);
                Ok(false)
            }
            Poll::Ready(Err(_)) => Err(Ending::Broken),
            Poll::Ready(Ok(())) => {
                (self.blocked, self.outbox.unflushed) = (None, false);
                Ok(true)
            }
        }
    }
}

/// Whether somebody has use for a connection on which this goes out: a request, or a response of 101 to 299.
fn tells_of_use(message: &[u8]) -> bool {
    let Some(response) = message.strip_prefix(b"SIP/2.0 ") else { return true };
    match response.get(..3) {
        Some(b"100") => false,
        Some([b'1' | b'2', ..]) => true,
        Some(_) | None => false,
    }
}
