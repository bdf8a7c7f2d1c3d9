//! The octet of IP that has DSCP and ECN (RFC 2474 §3, RFC 3168 §5): read of what comes where it is to be copied, and set of what goes. A socket
//! keeps the octet that it was given, and is told another one only when it changes, which in a stream it rarely does.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
use rustix::net::{RecvFlags, recvfrom, sockopt};

use super::sockets::Place;
use crate::{Dscp, Marks};

/// The two bits of ECN.
const ECN: u8 = 3;

impl Marks {
    /// Whether something of packets that come is in those that go.
    #[must_use]
    pub(super) fn are_copied(self) -> bool {
        self.ecn || self.dscp == Dscp::Copied
    }

    /// The octet of packets that are made of one that came with that; `before` is what the port has sent last, which is told again where
    /// a packet is made of none.
    fn octet(self, came: Option<u8>, before: u8) -> u8 {
        let dscp = match self.dscp {
            Dscp::Stated(value) => (value & 0x3f) << 2,
            Dscp::Copied => came.unwrap_or(before) & !ECN,
        };
        dscp | if self.ecn { came.unwrap_or_default() & ECN } else { 0 }
    }
}

/// What the ports of a pair mark their packets with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marking {
    marks: Marks,
    octets: [u8; 3],
}

impl Marking {
    /// That of sockets which were bound with it.
    pub(super) fn new(marks: Marks) -> Self {
        Self { marks, octets: [marks.octet(None, 0); 3] }
    }

    /// There is a new second socket at the port of RTP.
    pub(super) fn begin_connected(&mut self) {
        let [.., connected] = &mut self.octets;
        *connected = self.marks.octet(None, 0);
    }

    /// What goes from that socket next was made of a packet that came with that octet.
    pub(super) fn follow(&mut self, socket: &UdpSocket, place: Place, came: Option<u8>) {
        if !self.marks.are_copied() {
            return;
        }
        let [rtp, rtcp, connected] = &mut self.octets;
        let before = match place {
            Place::Rtp => rtp,
            Place::Rtcp => rtcp,
            Place::Connected => connected,
        };
        let octet = self.marks.octet(came, *before);
        if octet != *before && set(socket, octet).is_ok() {
            *before = octet;
        }
    }
}

/// What a socket of that network sends from the beginning.
pub(super) fn begin(socket: &UdpSocket, marks: Marks, reads: bool) -> io::Result<()> {
    let octet = marks.octet(None, 0);
    if octet != 0 {
        set(socket, octet)?;
    }
    if reads {
        match socket.local_addr()? {
            SocketAddr::V4(_) => sockopt::set_ip_recvtos(socket, true)?,
            SocketAddr::V6(_) => sockopt::set_ipv6_recvtclass(socket, true)?,
        }
    }
    Ok(())
}

fn set(socket: &UdpSocket, octet: u8) -> io::Result<()> {
    match socket.local_addr()? {
        SocketAddr::V4(_) => Ok(sockopt::set_ip_tos(socket, octet)?),
        SocketAddr::V6(_) => Ok(sockopt::set_ipv6_tclass(socket, octet.into())?),
    }
}

/// What reads packets, with their octets where a network has some of them copied.
#[derive(Debug)]
pub(super) struct Reading(Option<Vec<u8>>);

impl Reading {
    pub(super) fn new(reads: bool) -> Self {
        Self(reads.then(|| cmsg_space!(i32, i32)))
    }

    /// Reads one packet: its length, where it is from, and its octet.
    pub(super) fn receive(
        &mut self,
        socket: &UdpSocket,
        room: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, Option<u8>)> {
        let Some(control) = &mut self.0 else {
            let (length, _, source) = recvfrom(socket, room, RecvFlags::empty())?;
            let source = source.and_then(|source| SocketAddr::try_from(source).ok());
            return Ok((length, source.ok_or(io::ErrorKind::InvalidData)?, None));
        };
        let mut slices = [IoSliceMut::new(room)];
        let (fd, flags) = (socket.as_raw_fd(), MsgFlags::empty());
        let got = recvmsg::<SockaddrStorage>(fd, &mut slices, Some(control), flags)?;
        let octet = got.cmsgs().into_iter().flatten().find_map(|message| match message {
            ControlMessageOwned::Ipv4Tos(octet) => Some(octet),
            ControlMessageOwned::Ipv6TClass(octet) => u8::try_from(octet).ok(),
            _ => None,
        });
        let source = got.address.as_ref().and_then(address).ok_or(io::ErrorKind::InvalidData)?;
        Ok((got.bytes, source, octet))
    }
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|v4| SocketAddr::new(v4.ip().into(), v4.port()));
    v4.or_else(|| storage.as_sockaddr_in6().map(|v6| SocketAddr::new(v6.ip().into(), v6.port())))
}
