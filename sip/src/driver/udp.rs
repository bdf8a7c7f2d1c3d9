//! Datagrams, received and sent many at a time.

use super::counters::Counters;
use super::icmp;
use super::ready::{Kind, ReadyList, Source};
use crate::action::TransmitId;
use crate::flow::{Flow, ListenerId};
use bytes::Bytes;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Datagrams taken with one system call. Fewer mean that the socket is empty, which saves the call that would say so.
const IN: usize = 32;
/// Datagrams sent with one system call.
const OUT: usize = 16;
/// The longest datagram (RFC 3261 §18.1.1).
const LONGEST: usize = 65_535;

/// Where datagrams are received into, again and again; the system gives memory only to what is touched.
pub(crate) struct Receiver {
    headers: MultiHeaders<SockaddrStorage>,
    buffers: [Box<[u8]>; IN],
}

impl Default for Receiver {
    fn default() -> Self {
        let buffers = std::array::from_fn(|_| vec![0; LONGEST].into_boxed_slice());
        Self { headers: MultiHeaders::preallocate(IN, None), buffers }
    }
}

/// A datagram that waits to be sent.
struct Datagram {
    id: TransmitId,
    peer: SocketAddr,
    bytes: Bytes,
}

/// One UDP listener.
pub(crate) struct Udp {
    id: ListenerId,
    /// Waits for datagrams only: the system tells of room in the socket's buffer whenever a datagram has left it,
    /// which would wake the thread once for each.
    socket: AsyncFd<UdpSocket>,
    /// Waits for room, while there is none.
    full: Option<AsyncFd<UdpSocket>>,
    /// Waits for an ICMP error: of several sockets at one address any may have it, whichever sent the datagram.
    error: Pin<Box<dyn Future<Output = ()>>>,
    errors: Rc<AsyncFd<UdpSocket>>,
    source: Arc<Source>,
    waker: Waker,
    outbox: VecDeque<Datagram>,
    /// Peers that ICMP says are out of reach.
    unreachable: Vec<SocketAddr>,
    headers: MultiHeaders<SockaddrStorage>,
    longest_outbox: usize,
}

impl Udp {
    /// Registers a bound socket with the runtime; it is on the list from the start.
    pub(crate) fn register(
        socket: UdpSocket,
        id: ListenerId,
        list: &Arc<ReadyList>,
        longest_outbox: usize,
    ) -> io::Result<Self> {
        let source = Source::new(Kind::Listener(id), list);
        source.requeue();
        icmp::enable(&socket)?;
        let errors = Rc::new(watch(socket.try_clone()?, Interest::ERROR)?);
        Ok(Self {
            id,
            error: error_of(Rc::clone(&errors)),
            errors,
            socket: watch(socket, Interest::READABLE)?,
            full: None,
            waker: Arc::clone(&source).into(),
            source,
            outbox: VecDeque::new(),
            unreachable: Vec::new(),
            headers: MultiHeaders::preallocate(OUT, None),
            longest_outbox,
        })
    }

    /// Hands on what the socket holds, at most one batch of it. If there can be more, it goes on the list again.
    pub(crate) fn receive(
        &mut self,
        receiver: &mut Receiver,
        counters: &Counters,
        mut input: impl FnMut(Flow, Bytes),
    ) {
        let mut context = Context::from_waker(&self.waker);
        if self.error.as_mut().poll(&mut context).is_ready() {
            self.error = error_of(Rc::clone(&self.errors));
            icmp::take(self.socket.get_ref(), &mut self.unreachable);
            // Whoever comes again waits for the next one.
            self.source.requeue();
        }
        let Poll::Ready(Ok(mut ready)) = self.socket.poll_read_ready(&mut context) else { return };
        let listener = self.id;
        let fd = self.socket.as_raw_fd();
        let received = receive_batch(fd, receiver, counters, |peer, bytes| {
            input(Flow { listener, peer, connection: None }, bytes);
        });
        let empty = match received {
            Ok(received) => received < IN,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
            Err(_) => {
                if !icmp::take(self.socket.get_ref(), &mut self.unreachable) {
                    counters.receive_failures.add(1);
                }
                false
            }
        };
        if empty {
            ready.clear_ready();
            drop(ready);
            if self.socket.poll_read_ready(&mut context).is_pending() {
                return;
            }
        }
        self.source.requeue();
    }

    /// Puts a datagram into the outbox.
    pub(crate) fn enqueue(&mut self, id: TransmitId, peer: SocketAddr, bytes: Bytes, counters: &Counters) {
        if self.outbox.len() < self.longest_outbox {
            self.outbox.push_back(Datagram { id, peer, bytes });
        } else {
            counters.datagrams_dropped.add(1);
        }
    }

    /// Sends what is in the outbox, until the socket's buffer is full; `failed` gets what cannot be sent at all.
    pub(crate) fn flush(&mut self, counters: &Counters, failed: &mut Vec<TransmitId>) {
        // An ICMP error fails one call, and is none of its datagram's: that is sent again.
        let mut again = true;
        while let Some(first) = self.outbox.front() {
            let sent = match self.outbox.len() {
                1 => self.socket.get_ref().send_to(&first.bytes, first.peer).map(|_| 1),
                _ => self.send_batch(),
            };
            match sent {
                Ok(sent) => {
                    again = true;
                    if sent < self.outbox.len().min(OUT) {
                        // The batch was cut short, and the system does not say by what.
                        icmp::take(self.socket.get_ref(), &mut self.unreachable);
                    }
                    for datagram in self.outbox.drain(..sent.min(self.outbox.len())) {
                        counters.datagrams_out.add(1);
                        counters.bytes_out.bytes(datagram.bytes.len());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.await_room() {
                        return;
                    }
                    // The system lacks what it takes to wait; the datagram is as good as lost.
                    counters.datagrams_dropped.add(1);
                    self.outbox.pop_front();
                }
                Err(_) if again && icmp::take(self.socket.get_ref(), &mut self.unreachable) => again = false,
                Err(_) => failed.extend(self.outbox.pop_front().map(|d| d.id)),
            }
        }
        self.full = None;
    }

    /// Peers that have been found out of reach since the last call.
    pub(crate) fn unreachable(&mut self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.unreachable)
    }

    /// Asks to be woken once the socket's buffer has room; false if that cannot be.
    fn await_room(&mut self) -> bool {
        if self.full.is_none() {
            let socket = self.socket.get_ref().try_clone();
            self.full = socket.and_then(|socket| watch(socket, Interest::WRITABLE)).ok();
        }
        let Some(full) = &self.full else { return false };
        let mut context = Context::from_waker(&self.waker);
        match full.poll_write_ready(&mut context) {
            Poll::Pending => true,
            Poll::Ready(Ok(mut ready)) => {
                ready.clear_ready();
                full.poll_write_ready(&mut context).is_pending()
            }
            Poll::Ready(Err(_)) => false,
        }
    }

    fn send_batch(&mut self) -> io::Result<usize> {
        let bytes = |n| self.outbox.get(n).map(|d| d.bytes.as_ref()).unwrap_or_default();
        let slices: [_; OUT] = std::array::from_fn(|n| [IoSlice::new(bytes(n))]);
        // As many are sent as there are addresses.
        let peers: SmallVec<[Option<SockaddrStorage>; OUT]> =
            self.outbox.iter().take(OUT).map(|d| Some(d.peer.into())).collect();
        let fd = self.socket.as_raw_fd();
        Ok(sendmmsg(fd, &mut self.headers, &slices, &peers, [], MsgFlags::MSG_DONTWAIT)?.count())
    }
}

/// The next error of a socket.
fn error_of(socket: Rc<AsyncFd<UdpSocket>>) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        match socket.ready(Interest::ERROR).await {
            Ok(mut ready) => ready.clear_ready(),
            // The runtime is going down.
            Err(_) => std::future::pending().await,
        }
    })
}

/// Registers a socket with the runtime for one kind of event; `tokio::net::UdpSocket` takes both.
#[expect(
    deprecated,
    reason = "the successor is unsafe, asking that the descriptor stays open and the same while registered: a \
              `UdpSocket` owns its descriptor, and nothing here takes or exchanges the socket inside"
)]
fn watch(socket: UdpSocket, interest: Interest) -> io::Result<AsyncFd<UdpSocket>> {
    AsyncFd::with_interest(socket, interest)
}

fn receive_batch(
    fd: i32,
    receiver: &mut Receiver,
    counters: &Counters,
    mut datagram: impl FnMut(SocketAddr, Bytes),
) -> io::Result<usize> {
    let mut slices = receiver.buffers.each_mut().map(|b| [IoSliceMut::new(b)]);
    let flags = MsgFlags::MSG_DONTWAIT;
    let received = recvmmsg(fd, &mut receiver.headers, slices.iter_mut(), flags, None)?;
    let mut count = 0;
    for message in received {
        count += 1;
        counters.datagrams_in.add(1);
        counters.bytes_in.bytes(message.bytes);
        let (Some(peer), Some(bytes)) = (message.address.and_then(address), message.iovs().next()) else {
            continue;
        };
        datagram(peer, Bytes::copy_from_slice(bytes));
    }
    Ok(count)
}

pub(super) fn address(storage: SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|a| SocketAddr::V4((*a).into()));
    v4.or_else(|| storage.as_sockaddr_in6().map(|a| SocketAddr::V6((*a).into())))
}
