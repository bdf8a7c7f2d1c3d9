//! Binding, waiting and waking.

use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, sockopt};

use super::context::Component;

/// The readiness events taken at a time.
const BATCH: usize = 256;

/// The set of sockets that a thread waits on. Level-triggered: one read for each readiness is enough, which saves the
/// empty read that edges would cost each packet, and it never sleeps while a socket has packets.
pub(super) struct Poller {
    epoll: OwnedFd,
    /// What was ready after the last wait.
    ready: Vec<u64>,
}

/// What is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    Waker,
    Socket(u32, Place),
}

/// Which socket of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Rtp,
    Rtcp,
    /// The second one at the port of RTP.
    Connected,
}

impl Place {
    /// The port that it is at.
    pub(super) fn component(self) -> Component {
        match self {
            Self::Rtp | Self::Connected => Component::Rtp,
            Self::Rtcp => Component::Rtcp,
        }
    }
}

impl From<Component> for Place {
    fn from(component: Component) -> Self {
        match component {
            Component::Rtp => Self::Rtp,
            Component::Rtcp => Self::Rtcp,
        }
    }
}

const WAKER: u64 = u64::MAX;

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?, ready: Vec::with_capacity(BATCH) })
    }

    pub(super) fn add(&self, socket: &UdpSocket, slot: u32, place: Place) -> io::Result<()> {
        let place = match place {
            Place::Rtp => 0,
            Place::Rtcp => 1,
            Place::Connected => 2,
        };
        let data = u64::from(slot) << 2 | place;
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(data), epoll::EventFlags::IN)?)
    }

    /// A connection: readiness of either kind is told once each time that it comes.
    pub(super) fn add_stream(&self, stream: &TcpStream, slot: u32) -> io::Result<()> {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        Ok(epoll::add(&self.epoll, stream, epoll::EventData::new_u64(u64::from(slot) << 2), flags)?)
    }

    pub(super) fn add_waker(&self, waker: &Waker) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, &waker.event, epoll::EventData::new_u64(WAKER), epoll::EventFlags::IN)?)
    }

    /// Waits for readiness, for ever without a timeout.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) {
        self.ready.clear();
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut events = [const { MaybeUninit::uninit() }; BATCH];
        // Interrupted by a signal: as if nothing were ready.
        if let Ok((events, _)) = epoll::wait(&self.epoll, &mut events, timeout.as_ref()) {
            self.ready.extend(events.iter().map(|event| event.data.u64()));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ready.len()
    }

    pub(super) fn ready(&self, index: usize) -> Option<Ready> {
        let data = *self.ready.get(index)?;
        if data == WAKER {
            return Some(Ready::Waker);
        }
        let place = match data & 3 {
            0 => Place::Rtp,
            1 => Place::Rtcp,
            _ => Place::Connected,
        };
        u32::try_from(data >> 2).ok().map(|slot| Ready::Socket(slot, place))
    }
}

/// Wakes a thread from another one; costs a system call only when it sleeps.
#[derive(Debug)]
pub(super) struct Waker {
    event: OwnedFd,
    asleep: AtomicBool,
}

impl Waker {
    pub(super) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, asleep: AtomicBool::new(false) })
    }

    /// To be called after the work is in the ring.
    pub(super) fn wake(&self) {
        // Pairs with the fence of `about_to_sleep`: either we see it asleep, or it sees the work.
        std::sync::atomic::fence(Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst) {
            // The counter of an eventfd overflows at 2^64 - 1 only.
            let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
        }
    }

    /// Has a set of something else woken as well.
    pub(super) fn add_to(&self, epoll: &OwnedFd, number: u64) -> io::Result<()> {
        Ok(epoll::add(epoll, &self.event, epoll::EventData::new_u64(number), epoll::EventFlags::IN)?)
    }

    /// The thread looks for work once more after this, and then sleeps.
    pub(super) fn about_to_sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        std::sync::atomic::fence(Ordering::SeqCst);
    }

    pub(super) fn awake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    pub(super) fn clear(&self) {
        let _ = rustix::io::read(&self.event, &mut [0u8; 8]);
    }
}

/// A bound UDP socket that never blocks.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    bind_with(address, false)
}

/// The same, where `beside` says so at an address that another one has which lets it.
pub(super) fn bind_with(address: SocketAddr, beside: bool) -> io::Result<UdpSocket> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if beside {
        sockopt::set_socket_reuseport(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    Ok(UdpSocket::from(socket))
}
