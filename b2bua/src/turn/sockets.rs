//! The sockets of one TURN server.

use super::outbox::Outbox;
use super::thread::{Network, relay};
use media::turn::{Client, Wires};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Bytes that the system keeps for a listener's datagrams.
const BUFFER: usize = 1 << 20;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 256;

/// A listener that is bound.
pub(super) enum Bound {
    Udp(std::net::UdpSocket),
    Tcp(std::net::TcpListener),
}

impl Bound {
    /// Binds one.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn at(address: SocketAddr, udp: bool) -> io::Result<Self> {
        let (kind, protocol) = if udp { (Type::DGRAM, Protocol::UDP) } else { (Type::STREAM, Protocol::TCP) };
        let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
        socket.set_nonblocking(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        if udp {
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)?;
        } else {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&address.into())?;
        if udp {
            return Ok(Self::Udp(socket.into()));
        }
        socket.listen(BACKLOG)?;
        Ok(Self::Tcp(socket.into()))
    }
}

/// Sends a datagram, unless the system's buffer is full. What the runtime believes of that is not asked: it knows nothing of a socket
/// that was opened just now.
fn send(socket: &UdpSocket, datagram: &[u8], to: SocketAddr) -> bool {
    SockRef::from(socket).send_to(datagram, &to.into()).is_ok_and(|sent| sent == datagram.len())
}

/// A relayed port, with the task that reads it.
struct Relayed {
    socket: Rc<UdpSocket>,
    task: JoinHandle<()>,
}

impl Drop for Relayed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The sockets of one server.
pub(super) struct Sockets {
    network: Weak<Network>,
    bind: IpAddr,
    /// Those over UDP, by number.
    pub(super) listeners: BTreeMap<u16, Rc<UdpSocket>>,
    /// Where what is to be written to each connection goes.
    pub(super) connections: BTreeMap<u64, Rc<Outbox>>,
    relayed: BTreeMap<u16, Relayed>,
}

impl Sockets {
    pub(super) fn new(network: Weak<Network>, bind: IpAddr) -> Self {
        Self {
            network,
            bind,
            listeners: BTreeMap::new(),
            connections: BTreeMap::new(),
            relayed: BTreeMap::new(),
        }
    }
}

impl Wires for Sockets {
    fn open(&mut self, port: u16) -> bool {
        let bound = std::net::UdpSocket::bind(SocketAddr::new(self.bind, port)).and_then(|socket| {
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket)
        });
        let (Ok(socket), Some(network)) = (bound, self.network.upgrade()) else { return false };
        let socket = Rc::new(socket);
        let task = tokio::task::spawn_local(relay(network, port, Rc::clone(&socket)));
        self.relayed.insert(port, Relayed { socket, task });
        true
    }

    fn close(&mut self, port: u16) {
        self.relayed.remove(&port);
    }

    fn to_client(&mut self, client: Client, message: &[u8]) -> bool {
        match client.connection {
            None => {
                let socket = self.listeners.get(&client.listener);
                socket.is_some_and(|socket| send(socket, message, client.address))
            }
            Some(number) => {
                let outbox = self.connections.get(&number);
                outbox.is_some_and(|outbox| outbox.put(message))
            }
        }
    }

    fn to_peer(&mut self, port: u16, peer: SocketAddr, packet: &[u8]) -> bool {
        let relayed = self.relayed.get(&port);
        relayed.is_some_and(|relayed| send(&relayed.socket, packet, peer))
    }
}
