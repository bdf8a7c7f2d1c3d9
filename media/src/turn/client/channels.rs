//! Channels (RFC 8656 §12).

use std::net::SocketAddr;
use std::ops::Range;

use super::{Ask, Client, Event, State};
use crate::stun::{Attributes, header, unmask};
use crate::turn::{DATA, DATA_INDICATION, XOR_PEER_ADDRESS};

/// The first number and the last (RFC 8656 §12), and how many peers one allocation of ours has at a time.
pub(super) const FIRST: u16 = 0x4000;
const LAST: u16 = 0x4fff;
const MOST: usize = 48;
/// A permission lasts 5 minutes, a channel 10 (RFC 8656 §9, §12): both go on if it is bound again that soon.
const AGAIN_MILLIS: u64 = 240_000;
/// How many octets head what is sent by a channel.
pub(crate) const HEAD: usize = 4;

/// A channel.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) number: u16,
    pub(super) peer: SocketAddr,
    pub(super) bound: bool,
    pub(super) barred: bool,
    again: Option<u64>,
    /// The last that was to be sent before it was bound.
    waiting: Option<Vec<u8>>,
}

impl Channel {
    pub(super) fn due(&self) -> Option<u64> {
        self.again
    }
}

impl Client {
    /// Has a peer reached, from whom packets are taken then.
    pub(crate) fn reach(&mut self, peer: SocketAddr, now: u64) {
        let fits = self.relayed().is_some_and(|relayed| relayed.is_ipv6() == peer.is_ipv6());
        let known = self.channels.iter().any(|channel| channel.peer == peer);
        if !fits || known || self.next_channel > LAST {
            return;
        }
        if self.channels.len() >= MOST {
            // One that is of no use; none that may be in use, whoever else comes.
            let Some(useless) = self.channels.iter().position(|channel| channel.barred) else { return };
            self.channels.remove(useless);
        }
        let number = self.next_channel;
        self.next_channel += 1;
        self.channels.push(Channel { number, peer, bound: false, barred: false, again: None, waiting: None });
        self.ask(Ask::Bind(number, peer), now);
    }

    /// Sends something to a peer by way of the server: at once, or once its channel is bound.
    pub(crate) fn send(&mut self, peer: SocketAddr, octets: &[u8], now: u64) {
        self.reach(peer, now);
        let Some(channel) = self.channels.iter_mut().find(|channel| channel.peer == peer) else { return };
        let wrapped = wrap(channel.number, octets, self.reliable);
        if channel.bound {
            self.out.push_back(wrapped);
        } else if !channel.barred {
            channel.waiting = Some(wrapped);
        }
    }

    /// Whom a channel leads to.
    pub(crate) fn peer(&self, number: u16) -> Option<SocketAddr> {
        self.channels.iter().find(|channel| channel.number == number).map(|channel| channel.peer)
    }

    /// The server has bound a channel.
    pub(super) fn bound(&mut self, number: u16, now: u64) {
        let Some(channel) = self.channels.iter_mut().find(|channel| channel.number == number) else { return };
        channel.again = Some(now + AGAIN_MILLIS);
        if !channel.bound {
            channel.bound = true;
            self.events.push_back(Event::Bound(number, channel.peer));
            self.out.extend(channel.waiting.take());
        }
    }

    /// A peer cannot be reached.
    pub(super) fn barred(&mut self, peer: SocketAddr) {
        let Some(channel) = self.channels.iter_mut().find(|channel| channel.peer == peer) else { return };
        (channel.bound, channel.barred) = (false, true);
        (channel.again, channel.waiting) = (None, None);
        self.events.push_back(Event::Barred(peer));
    }

    pub(super) fn bind_again(&mut self, now: u64) {
        if self.state != State::Standing {
            return;
        }
        let mut due = Vec::new();
        for channel in &mut self.channels {
            if channel.again.is_some_and(|again| again <= now) {
                channel.again = None;
                due.push(Ask::Bind(channel.number, channel.peer));
            }
        }
        due.into_iter().for_each(|ask| self.ask(ask, now));
    }
}

/// Something to be sent by a channel (RFC 8656 §12.4); padded on connections (§12.5).
pub(crate) fn wrap(number: u16, octets: &[u8], padded: bool) -> Vec<u8> {
    let mut wrapped = Vec::with_capacity(HEAD + octets.len() + 3);
    wrapped.extend(head(number, octets.len()));
    wrapped.extend(octets);
    if padded {
        wrapped.resize(wrapped.len().next_multiple_of(4), 0);
    }
    wrapped
}

/// What heads so many octets.
pub(crate) fn head(number: u16, length: usize) -> [u8; HEAD] {
    let [n0, n1] = number.to_be_bytes();
    let [l0, l1] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    [n0, n1, l0, l1]
}

/// The number of a channel, and how many octets come by it: those after the head.
pub(crate) fn unwrapped(datagram: &[u8]) -> Option<(u16, usize)> {
    let ([n0, n1, l0, l1], data) = datagram.split_first_chunk::<HEAD>()?;
    let (number, length) = (u16::from_be_bytes([*n0, *n1]), usize::from(u16::from_be_bytes([*l0, *l1])));
    ((0x4000..=0x4fff).contains(&number) && length <= data.len()).then_some((number, length))
}

/// Whom an indication has something of (RFC 8656 §11.4), and where in it that is.
pub(crate) fn indication(datagram: &[u8]) -> Option<(SocketAddr, Range<usize>)> {
    let (_, id) = header(datagram).filter(|(kind, _)| *kind == DATA_INDICATION)?;
    let (mut peer, mut data) = (None, None);
    for attribute in Attributes::of(datagram) {
        let (kind, value, at) = attribute.ok()?;
        match kind {
            XOR_PEER_ADDRESS => peer = unmask(id, value),
            DATA => data = Some(at + HEAD..at + HEAD + value.len()),
            _ => {}
        }
    }
    peer.zip(data)
}
