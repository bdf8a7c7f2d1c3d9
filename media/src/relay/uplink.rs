//! Connections to TURN servers (RFC 8656 §3.1), of which each media port that needs one has its own.
//!
//! Nothing waits for them: what finds no room is dropped, as a network drops packets.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::context::Component;
use super::sockets::Poller;
use crate::PairId;
use crate::ice::traversal::{Server, Transport};
use crate::turn::Frames;

/// Whose connection it is.
pub(super) type Owner = (PairId, Component);

/// How long one may take to stand, TLS included.
const PATIENCE_MILLIS: u64 = 4_000;
/// What waits to be written at the most, in octets: half a second of one stream of G.711.
const MOST_WAITING: usize = 64 * 1024;
/// What is read before others have their turn; what is left is read in a turn that follows at once.
const PER_TURN: usize = 1024 * 1024;

/// What has come of a connection.
pub(super) enum Heard<'a> {
    Connected,
    Message(&'a [u8]),
    Closed,
}

struct Uplink {
    owner: Owner,
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    frames: Frames,
    /// What the socket had no room for.
    waiting: Vec<u8>,
    /// Until then it must stand.
    until: Option<u64>,
}

/// All of them.
pub(super) struct Uplinks {
    tls: Vec<Option<Arc<ClientConfig>>>,
    links: BTreeMap<u32, Uplink>,
    owners: BTreeMap<Owner, u32>,
    /// Those that were not read to their end.
    unread: Vec<u32>,
    next: u32,
}

impl Uplinks {
    /// With what TLS goes by in each network; without it there is none.
    pub(super) fn new(tls: Vec<Option<Arc<ClientConfig>>>) -> Self {
        Self { tls, links: BTreeMap::new(), owners: BTreeMap::new(), unread: Vec::new(), next: 0 }
    }

    /// Begins one, in place of one that its owner may have; false where it cannot even be begun.
    pub(super) fn connect(
        &mut self,
        owner: Owner,
        (network, server): (usize, &Server),
        poller: &Poller,
        now: u64,
    ) -> bool {
        self.close(owner);
        let tls = match server.transport {
            Transport::Tls => match self.client(network, &server.host) {
                Some(tls) => Some(Box::new(tls)),
                None => return false,
            },
            Transport::Tcp | Transport::Udp => None,
        };
        let Ok(stream) = begin(server.address) else { return false };
        self.next = self.next.wrapping_add(1) & 0x7fff_ffff;
        let slot = self.next;
        if poller.add_stream(&stream, slot).is_err() {
            return false;
        }
        let (frames, waiting, until) = (Frames::default(), Vec::new(), Some(now + PATIENCE_MILLIS));
        self.links.insert(slot, Uplink { owner, stream, tls, frames, waiting, until });
        self.owners.insert(owner, slot);
        true
    }

    fn client(&self, network: usize, host: &str) -> Option<ClientConnection> {
        let name = ServerName::try_from(host.to_owned()).ok()?;
        ClientConnection::new(Arc::clone(self.tls.get(network)?.as_ref()?), name).ok()
    }

    pub(super) fn close(&mut self, owner: Owner) {
        if let Some(slot) = self.owners.remove(&owner) {
            self.links.remove(&slot);
        }
    }

    /// Sends something, or drops it.
    pub(super) fn send(&mut self, owner: Owner, octets: &[u8]) {
        let link = self.owners.get(&owner).and_then(|slot| self.links.get_mut(slot));
        let Some(link) = link.filter(|link| link.until.is_none()) else { return };
        if link.waiting.len() + octets.len() > MOST_WAITING {
            return;
        }
        match &mut link.tls {
            Some(tls) => drop(tls.writer().write_all(octets)),
            None => link.waiting.extend(octets),
        }
        // An error shows again when it is read.
        let _ = link.write();
    }

    /// Those that do not stand in time; they are closed.
    pub(super) fn late(&mut self, now: u64) -> Vec<Owner> {
        let late = self.links.values().filter(|link| link.until.is_some_and(|until| until <= now));
        let late: Vec<Owner> = late.map(|link| link.owner).collect();
        late.iter().for_each(|owner| self.close(*owner));
        late
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.links.values().filter_map(|link| link.until).min()
    }

    /// Those that have more to be read, of which nothing else tells.
    pub(super) fn unread(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.unread)
    }

    /// Whether there are such.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Reads and writes what can be, and tells what has come.
    pub(super) fn serve(&mut self, slot: u32, mut told: impl FnMut(Owner, Heard<'_>)) {
        let Some(link) = self.links.get_mut(&slot) else { return };
        let owner = link.owner;
        let stood = link.until.is_none();
        let mut messages: Vec<Vec<u8>> = Vec::new();
        let exchanged = link.exchange(&mut messages);
        if let Ok(true) = exchanged {
            self.unread.push(slot);
        }
        let alive = exchanged.is_ok();
        let link_stands = alive && link.stands();
        if link_stands && !stood {
            link.until = None;
            told(owner, Heard::Connected);
        }
        messages.iter().for_each(|message| told(owner, Heard::Message(message)));
        if !alive {
            self.close(owner);
            told(owner, Heard::Closed);
        }
    }
}

impl Uplink {
    /// Whether what is sent now gets there.
    fn stands(&self) -> bool {
        let connected = self.stream.peer_addr().is_ok();
        connected && self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking())
    }

    /// Reads and writes what can be; true where more is left to be read.
    fn exchange(&mut self, messages: &mut Vec<Vec<u8>>) -> io::Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        if self.stream.peer_addr().is_err() {
            return Ok(false);
        }
        self.write()?;
        let mut room = [0; 4_096];
        let mut total = 0;
        // The readiness is told once.
        let mut left = true;
        while total < PER_TURN {
            let read = match &mut self.tls {
                Some(tls) => match tls.read_tls(&mut self.stream) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(_) => {
                        tls.process_new_packets().map_err(io::Error::other)?;
                        tls.reader().read(&mut room)
                    }
                    Err(error) => Err(error),
                },
                None => match self.stream.read(&mut room) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    read => read,
                },
            };
            match read {
                Ok(mut length) => loop {
                    total += length;
                    let came = room.get(..length).unwrap_or_default();
                    let framed = self.frames.receive(came, |message| messages.push(message.to_vec()));
                    framed.map_err(io::Error::other)?;
                    // What a record held is taken whole.
                    match self.tls.as_mut().map(|tls| tls.reader().read(&mut room)) {
                        Some(Ok(more)) if more > 0 => length = more,
                        _ => break,
                    }
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // With TLS there may be no plain text in what has come; only the socket says that nothing is left.
                    if self.tls.is_none() || !self.is_readable() {
                        left = false;
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.write()?;
        Ok(left)
    }

    fn is_readable(&self) -> bool {
        self.stream.peek(&mut [0; 1]).is_ok_and(|length| length > 0)
    }

    fn write(&mut self) -> io::Result<()> {
        loop {
            if let Some(tls) = &mut self.tls {
                while tls.wants_write() && self.waiting.len() < MOST_WAITING {
                    tls.write_tls(&mut self.waiting)?;
                }
            }
            if self.waiting.is_empty() {
                return Ok(());
            }
            match self.stream.write(&self.waiting) {
                Ok(written) => drop(self.waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A connection that is being made.
fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    match connect(&socket, &address) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}
