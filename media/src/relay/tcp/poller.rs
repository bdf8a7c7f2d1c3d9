//! Waiting for connections and what comes by them.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{Timespec, epoll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, sockopt};

use super::super::sockets::Waker;

/// The readiness events taken at a time.
const BATCH: usize = 128;
/// Connections of peers that wait to be taken.
const BACKLOG: i32 = 16;

/// The number of what tells that there are orders.
pub(super) const WAKER: u64 = 0;

pub(super) struct Poller {
    epoll: OwnedFd,
    ready: Vec<(u64, bool)>,
}

/// What something is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Interest {
    pub(super) read: bool,
    pub(super) write: bool,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        let mut flags = epoll::EventFlags::empty();
        flags.set(epoll::EventFlags::IN, self.read);
        flags.set(epoll::EventFlags::OUT, self.write);
        flags
    }
}

impl Poller {
    pub(super) fn new(waker: &Waker) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        waker.add_to(&epoll, WAKER)?;
        Ok(Self { epoll, ready: Vec::with_capacity(BATCH) })
    }

    pub(super) fn add(&self, socket: impl AsFd, number: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(number), interest.flags())?)
    }

    pub(super) fn change(&self, socket: impl AsFd, number: u64, interest: Interest) {
        // It cannot fail for what was added.
        let _ = epoll::modify(&self.epoll, socket, epoll::EventData::new_u64(number), interest.flags());
    }

    /// Waits until something is ready.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) {
        self.ready.clear();
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut events = [const { MaybeUninit::uninit() }; BATCH];
        if let Ok((events, _)) = epoll::wait(&self.epoll, &mut events, timeout.as_ref()) {
            let gone = epoll::EventFlags::HUP | epoll::EventFlags::ERR;
            self.ready
                .extend(events.iter().map(|event| (event.data.u64(), { event.flags }.intersects(gone))));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ready.len()
    }

    /// The number of something that is ready, and whether that is a connection which is no more.
    pub(super) fn ready(&self, index: usize) -> Option<(u64, bool)> {
        self.ready.get(index).copied()
    }
}

fn socket(ip: IpAddr) -> io::Result<OwnedFd> {
    let family = if ip.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    if ip.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    Ok(socket)
}

/// Takes connections at an address.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(address.ip())?;
    // Connections of the last stream that had the port may not be forgotten yet.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// Begins a connection from an address.
pub(super) fn open(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket(from)?;
    rustix::net::bind(&socket, &SocketAddr::new(from, 0))?;
    match rustix::net::connect(&socket, &to) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}
