//! What comes on a connection.

use super::super::counters::Counters;
use super::super::framer::Unframed;
use super::super::settings::Limits;
use super::super::websocket::Close;
use super::connection::Connection;
use super::ending::Ending;
use super::framing::Answers;
use super::wire::Wire;
use crate::time::Mono;
use bytes::Bytes;
use sip_types::FrameError;
use std::io;
use std::task::Poll;

/// Reads of one connection before the others have their turn.
const READS: usize = 4;

/// What reading needs of the table.
pub(super) struct Reader<'a> {
    pub(super) scratch: &'a mut [u8],
    pub(super) message: &'a sip_types::Limits,
    pub(super) limits: &'a Limits,
    pub(super) counters: &'a Counters,
}

impl<W: Wire> Connection<W> {
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
            if self.outbox.queued() >= room {
                self.held = Some(room);
                return Ok(());
            }
            let Some(most) = room.checked_sub(self.outbox.queued() + came).filter(|most| *most > 0) else {
                break;
            };
            match self.read(now, reader, most, inbox)? {
                0 => return Ok(()),
                read => came += read,
            }
        }
        self.wire.requeue();
        Ok(())
    }

    /// Whether a pong has come since the last ping, told once.
    pub(super) fn take_pong(&mut self) -> bool {
        std::mem::take(&mut self.ponged)
    }

    /// Reads once, so many bytes at most, and tells how many; 0 if there is nothing to go on with.
    fn read(
        &mut self,
        now: Mono,
        reader: &mut Reader<'_>,
        most: usize,
        inbox: &mut Vec<Bytes>,
    ) -> Result<usize, Ending> {
        let Reader { scratch, message, limits, counters } = reader;
        let most = most.min(scratch.len());
        let read = match self.wire.poll_read(scratch.get_mut(..most).unwrap_or_default()) {
            Poll::Pending => return Ok(0),
            // Over TLS: the peer closed without saying so.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(Ending::Closed);
            }
            Poll::Ready(Err(_)) => return Err(Ending::Broken),
            Poll::Ready(Ok(0)) => return Err(self.ending.map_or(Ending::Closed, |(_, ending)| ending)),
            Poll::Ready(Ok(read)) => read,
        };
        self.heard = now;
        if self.proven {
            self.last = now;
        }
        counters.bytes_in.bytes(read);
        if self.ending.is_some() {
            return Ok(read);
        }
        let bytes = scratch.get(..read).unwrap_or_default();
        let more = self.take(now, bytes, message, limits, counters, inbox)?;
        Ok(if more { read } else { 0 })
    }

    /// Takes bytes as they came: messages, and what the connection answers by itself. Tells whether more may follow.
    fn take(
        &mut self,
        now: Mono,
        bytes: &[u8],
        message: &sip_types::Limits,
        limits: &Limits,
        counters: &Counters,
        inbox: &mut Vec<Bytes>,
    ) -> Result<bool, Ending> {
        let before = inbox.len();
        let mut answers = Answers::new();
        let fed = self.framing.feed(bytes, message, inbox, &mut answers);
        let messages = inbox.get(before..).unwrap_or_default();
        let (came, asks) = (messages.len(), messages.iter().any(|message| !message.starts_with(b"SIP/2.0 ")));
        counters.stream_messages_in.bytes(came);
        self.used |= asks || self.proven && came > 0;
        if asks {
            self.last = now;
        }
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
                return Ok(true);
            }
        };
        for answer in answers {
            // A peer that does not take its answers gets none.
            self.outbox.offer(answer, limits.write_queue);
        }
        counters.pings.add(u64::from(fed.pinged));
        counters.websockets.add(u64::from(fed.opened));
        self.ponged |= fed.ponged;
        self.leaving = fed.close.map(|close| match close {
            Close::Refused => Ending::Refused,
            Close::Left => Ending::Closed,
            Close::Fault => Ending::Unframed,
        });
        Ok(self.leaving.is_none())
    }
}
