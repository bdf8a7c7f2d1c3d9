//! Datagrams, received and sent many at a time.

use super::counters::Counters;
use super::ready::{Kind, ReadyList, Source};
use crate::action::TransmitId;
use crate::flow::{Flow, ListenerId};
use bytes::Bytes;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::io::Interest;
use tokio::net::UdpSocket;

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
    socket: UdpSocket,
    source: Arc<Source>,
    waker: Waker,
    outbox: VecDeque<Datagram>,
    headers: MultiHeaders<SockaddrStorage>,
    longest_outbox: usize,
}

impl Udp {
    /// Registers a bound socket with the runtime; it is on the list from the start.
    pub(crate) fn register(
        socket: std::net::UdpSocket,
        id: ListenerId,
        list: &Arc<ReadyList>,
        longest_outbox: usize,
    ) -> io::Result<Self> {
        let source = Source::new(Kind::Listener(id), list);
        source.requeue();
        let waker = Waker::from(Arc::clone(&source));
        let socket = UdpSocket::from_std(socket)?;
        let headers = MultiHeaders::preallocate(OUT, None);
        let outbox = VecDeque::new();
        Ok(Self { id, socket, source, waker, outbox, headers, longest_outbox })
    }

    /// Hands on what the socket holds, at most one batch of it. If there can be more, it goes on the list again.
    pub(crate) fn receive(
        &mut self,
        receiver: &mut Receiver,
        counters: &Counters,
        mut datagram: impl FnMut(Flow, Bytes),
    ) {
        let listener = self.id;
        let mut datagram = |peer, bytes| datagram(Flow { listener, peer, connection: None }, bytes);
        match self.socket.poll_recv_ready(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => return,
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return counters.receive_failures.add(1),
        }
        let fd = self.socket.as_raw_fd();
        let mut all = false;
        // An error of kind WouldBlock tells the runtime to wait for the next datagram.
        let result = self.socket.try_io(Interest::READABLE, || {
            all = receive_batch(fd, receiver, counters, &mut datagram)? < IN;
            if all { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.await_more(counters),
            Err(_) => {
                counters.receive_failures.add(1);
                self.source.requeue();
            }
            Ok(()) => self.source.requeue(),
        }
    }

    fn await_more(&self, counters: &Counters) {
        match self.socket.poll_recv_ready(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => self.source.requeue(),
            Poll::Ready(Err(_)) => counters.receive_failures.add(1),
        }
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
        while let Some(first) = self.outbox.front() {
            let sent = match self.outbox.len() {
                1 => self.socket.try_send_to(&first.bytes, first.peer).map(|_| 1),
                _ => self.send_batch(),
            };
            match sent {
                Ok(sent) => {
                    for datagram in self.outbox.drain(..sent.min(self.outbox.len())) {
                        counters.datagrams_out.add(1);
                        counters.bytes_out.bytes(datagram.bytes.len());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.socket.poll_send_ready(&mut Context::from_waker(&self.waker)).is_pending() {
                        return;
                    }
                }
                Err(_) => failed.extend(self.outbox.pop_front().map(|d| d.id)),
            }
        }
    }

    fn send_batch(&mut self) -> io::Result<usize> {
        let Self { socket, outbox, headers, .. } = self;
        let bytes = |n| outbox.get(n).map(|d| d.bytes.as_ref()).unwrap_or_default();
        let slices: [_; OUT] = std::array::from_fn(|n| [IoSlice::new(bytes(n))]);
        // As many are sent as there are addresses.
        let peers: SmallVec<[Option<SockaddrStorage>; OUT]> =
            outbox.iter().take(OUT).map(|d| Some(d.peer.into())).collect();
        let fd = socket.as_raw_fd();
        socket.try_io(Interest::WRITABLE, || {
            Ok(sendmmsg(fd, headers, &slices, &peers, [], MsgFlags::empty())?.count())
        })
    }
}

fn receive_batch(
    fd: i32,
    receiver: &mut Receiver,
    counters: &Counters,
    datagram: &mut impl FnMut(SocketAddr, Bytes),
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

fn address(storage: SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|a| SocketAddr::V4((*a).into()));
    v4.or_else(|| storage.as_sockaddr_in6().map(|a| SocketAddr::V6((*a).into())))
}
