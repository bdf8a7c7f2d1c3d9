//! A second socket at a port of RTP, connected to whom a stream goes.
//!
//! By a connected socket the kernel sends without looking for the way of each packet, and what comes from its peer is found at once; what comes
//! from elsewhere still comes to the first socket, to be counted or answered. It is made for what lasts, not at the set-up of a call, and stays
//! until the pair is given back: when the stream goes elsewhere for as long, it is connected to there.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use rustix::net::{connect, sockopt};

use super::super::marks;
use super::super::sockets::{self, Place, Poller};
use super::Pool;
use crate::{Marks, PairId};

/// Packets to one address after which there is a socket for it: by then it has saved what it costs, and the call has been set up for a while.
pub(in crate::relay) const LASTING: u8 = 64;
/// Sockets connected before packets get their turn again: one takes some 10 µs.
const CONNECTED_PER_TURN: usize = 4;
/// Pairs that wait for theirs; others ask again with one of their next packets.
const MOST_WAITING: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Connected {
    socket: Option<UdpSocket>,
    /// Where that is connected to.
    to: Option<SocketAddr>,
    /// Where the last packet went, and so many before it in a row.
    last: Option<SocketAddr>,
    streak: u8,
}

impl Connected {
    pub(super) fn socket(&self) -> Option<&UdpSocket> {
        self.socket.as_ref()
    }

    /// A packet goes there. Whether it has gone there for long enough to have a socket for it.
    pub(super) fn goes(&mut self, to: SocketAddr) -> bool {
        if self.to == Some(to) {
            return false;
        }
        if self.last == Some(to) {
            self.streak = self.streak.saturating_add(1);
        } else {
            (self.last, self.streak) = (Some(to), 0);
        }
        self.streak >= LASTING
    }

    /// The socket, if it is connected to there.
    pub(super) fn leads(&self, to: SocketAddr) -> Option<&UdpSocket> {
        self.socket.as_ref().filter(|_| self.to == Some(to))
    }

    /// Connects it to where the last packet went, beside the first socket at the port; true when it is a new one.
    fn connect(&mut self, first: &UdpSocket, (marks, reads): (Marks, bool)) -> io::Result<bool> {
        self.streak = 0;
        let Some(to) = self.last else { return Ok(false) };
        if let Some(socket) = &self.socket {
            self.to = None;
            connect(socket, &to)?;
            self.to = Some(to);
            return Ok(false);
        }
        let socket = beside(first)?;
        marks::begin(&socket, marks, reads)?;
        connect(&socket, &to)?;
        (self.socket, self.to) = (Some(socket), Some(to));
        Ok(true)
    }
}

/// A socket at the address of another one. That they share it is forbidden again at once: nobody else gets in.
fn beside(first: &UdpSocket) -> io::Result<UdpSocket> {
    let address = first.local_addr()?;
    sockopt::set_socket_reuseport(first, true)?;
    let second = sockets::bind_with(address, true);
    sockopt::set_socket_reuseport(first, false)?;
    let second = second?;
    sockopt::set_socket_reuseport(&second, false)?;
    Ok(second)
}

impl Pool {
    /// A stream of that pair has gone to one address for long.
    pub(in crate::relay) fn lasts(&mut self, id: PairId) {
        if self.lasting.len() < MOST_WAITING {
            self.lasting.push(id);
        }
    }

    /// Connects sockets for some of those that have lasted; true when more are left.
    pub(in crate::relay) fn connect_lasting(&mut self, poller: &Poller) -> bool {
        for _ in 0..CONNECTED_PER_TURN {
            let Some(id) = self.lasting.pop() else { return false };
            let is_room = self.files_left() > self.spare_files();
            let marks = self.lent(id).map(|pair| pair.network).and_then(|network| self.reserves.get(network));
            let Some(marks) = marks.map(super::Reserve::marks) else { continue };
            let reads = self.reads;
            let Some(pair) = self.lent(id) else { continue };
            if !is_room && pair.connected.socket.is_none() {
                pair.connected.streak = 0;
                continue;
            }
            // Asked for several times in one turn.
            if pair.connected.streak < LASTING {
                continue;
            }
            // Where it fails the stream goes on by the first socket.
            let Ok(true) = pair.connected.connect(&pair.rtp, (marks, reads)) else { continue };
            pair.marking.begin_connected();
            let Some(socket) = pair.connected.socket() else { continue };
            match poller.add(socket, id.slot, Place::Connected) {
                Ok(()) => self.connected += 1,
                Err(_) => pair.connected = Connected::default(),
            }
            self.gauges.connected(self.connected);
        }
        !self.lasting.is_empty()
    }

    /// The pair in that slot has no such socket any more.
    pub(super) fn disconnect(&mut self, slot: u32) -> bool {
        let pair = self.slots.get_mut(slot as usize).and_then(|entry| entry.pair.as_mut());
        let Some(pair) = pair.filter(|pair| pair.connected.socket.is_some()) else { return false };
        pair.connected = Connected::default();
        self.connected -= 1;
        self.gauges.connected(self.connected);
        true
    }

    /// Room for another pair where these sockets have taken it: they give way.
    pub(super) fn give_way(&mut self) {
        while self.files_left() < 2 && self.connected > 0 {
            let slots = self.slots.len();
            let next = (0..slots).map(|step| (self.next_to_give_way + step) % slots.max(1));
            let holds = |slot: &usize| {
                self.slots
                    .get(*slot)
                    .and_then(|entry| entry.pair.as_ref())
                    .is_some_and(|pair| pair.connected.socket.is_some())
            };
            let Some(slot) = next.into_iter().find(holds) else { break };
            self.next_to_give_way = slot + 1;
            self.disconnect(u32::try_from(slot).unwrap_or(u32::MAX));
        }
    }

    /// Sockets that may still be opened.
    fn files_left(&self) -> u32 {
        (2 * self.max_bound).saturating_sub(2 * self.bound + self.connected)
    }

    /// Sockets that are kept for pairs.
    fn spare_files(&self) -> u32 {
        self.max_bound / 4
    }
}
