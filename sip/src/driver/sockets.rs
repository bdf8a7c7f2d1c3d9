//! Binding listeners.

use crate::flow::{ListenerId, NetworkId, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

/// Asked for in bytes; the system grants at most net.core.rmem_max and wmem_max.
const BUFFER: usize = 4 << 20;
/// Connections that wait to be accepted; the system grants at most net.core.somaxconn.
const BACKLOG: i32 = 1024;

/// A listener to bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bind {
    /// The network that it belongs to.
    pub network: NetworkId,
    /// Its transport.
    pub transport: Transport,
    /// Its local address; port 0 lets the system choose one.
    pub address: SocketAddr,
    /// The DSCP of what we send by it (RFC 2474 §3), six bits.
    pub dscp: u8,
}

/// A listener that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} listener {} ({} {address})", listener.0, transport.name())]
pub struct BindError {
    /// Its place in what was to be bound.
    pub listener: ListenerId,
    /// Its transport.
    pub transport: Transport,
    /// The address that was wanted.
    pub address: SocketAddr,
    /// What failed.
    pub step: BindStep,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

/// The steps of binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindStep {
    /// A [`ListenerId`] has 16 bits.
    #[error("number")]
    Number,
    /// Making the socket.
    #[error("create")]
    Create,
    /// Setting its options.
    #[error("configure")]
    Configure,
    /// Taking the address.
    #[error("bind")]
    Bind,
    /// Listening for connections.
    #[error("listen on")]
    Listen,
}

/// Bound sockets; [`ListenerId`] is the index, as in [`Settings::listeners`](crate::Settings).
#[derive(Debug)]
pub struct Sockets {
    pub(crate) bound: Vec<Bound>,
}

/// A bound socket.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) bind: Bind,
    pub(crate) socket: Either,
}

/// A socket for datagrams, or one for connections.
#[derive(Debug)]
pub(crate) enum Either {
    Udp(UdpSocket),
    Tcp(TcpListener),
}

impl Sockets {
    /// Binds all or none. From here on the system queues what arrives; [`drive`](super::drive) takes it.
    pub fn bind(listeners: &[Bind]) -> Result<Self, BindError> {
        let mut sets = Self::bind_for(listeners, 1)?;
        Ok(sets.pop().unwrap_or(Self { bound: Vec::new() }))
    }

    /// The same for several drivers: each gets a socket of its own for every listener, all of one listener at the same
    /// address. The system spreads datagrams and connections over them by their addresses (`SO_REUSEPORT`, socket(7)),
    /// so that each driver takes what it can without asking another.
    pub fn bind_for(listeners: &[Bind], drivers: u8) -> Result<Vec<Self>, BindError> {
        let mut sets: Vec<_> = (0..drivers).map(|_| Self { bound: Vec::new() }).collect();
        for (n, bind) in listeners.iter().enumerate() {
            let id = u16::try_from(n);
            let fail = |step, source| BindError {
                listener: ListenerId(id.unwrap_or(u16::MAX)),
                transport: bind.transport,
                address: bind.address,
                step,
                source,
            };
            id.map_err(|_| fail(BindStep::Number, io::ErrorKind::InvalidInput.into()))?;
            let group = open(bind, drivers).map_err(|(step, source)| fail(step, source))?;
            for (set, (socket, address)) in sets.iter_mut().zip(group) {
                set.bound.push(Bound { bind: Bind { address, ..*bind }, socket });
            }
        }
        Ok(sets)
    }

    /// The listeners with the addresses that they have got, in order.
    pub fn listeners(&self) -> impl Iterator<Item = &Bind> {
        self.bound.iter().map(|b| &b.bind)
    }
}

type Failed = (BindStep, io::Error);

fn at(step: BindStep) -> impl Fn(io::Error) -> Failed {
    move |source| (step, source)
}

/// Binds a listener's sockets, one for each driver, and says where.
///
/// The first of them takes the address for itself and lets others in only afterwards: so it fails where any other
/// process has the address, even one that would share it.
fn open(bind: &Bind, drivers: u8) -> Result<Vec<(Either, SocketAddr)>, Failed> {
    let first = create(bind)?;
    first.bind(&bind.address.into()).map_err(at(BindStep::Bind))?;
    let unusable = || (BindStep::Bind, io::ErrorKind::InvalidData.into());
    let address = first.local_addr().map_err(at(BindStep::Bind))?.as_socket().ok_or_else(unusable)?;
    if drivers > 1 {
        first.set_reuse_port(true).map_err(at(BindStep::Configure))?;
    }
    let mut group = vec![first];
    for _ in 1..drivers {
        let next = create(bind)?;
        next.set_reuse_port(true).map_err(at(BindStep::Configure))?;
        next.bind(&address.into()).map_err(at(BindStep::Bind))?;
        group.push(next);
    }
    group.into_iter().map(|socket| Ok((finish(socket, bind.transport)?, address))).collect()
}

fn create(bind: &Bind) -> Result<Socket, Failed> {
    let (kind, protocol) = match bind.transport {
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
        Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => (Type::STREAM, Protocol::TCP),
    };
    let socket =
        Socket::new(Domain::for_address(bind.address), kind, Some(protocol)).map_err(at(BindStep::Create))?;
    configure(&socket, bind).map_err(at(BindStep::Configure))?;
    Ok(socket)
}

fn finish(socket: Socket, transport: Transport) -> Result<Either, Failed> {
    match transport {
        Transport::Udp => Ok(Either::Udp(socket.into())),
        Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
            socket.listen(BACKLOG).map_err(at(BindStep::Listen))?;
            Ok(Either::Tcp(socket.into()))
        }
    }
}

/// Marks what leaves by a socket, and by those that a listening one accepts, with a DSCP.
pub(super) fn mark(socket: &Socket, is_ipv6: bool, dscp: u8) -> io::Result<()> {
    let octet = u32::from(dscp & 0x3f) << 2;
    match (octet, is_ipv6) {
        (0, _) => Ok(()),
        (octet, true) => socket.set_tclass_v6(octet),
        (octet, false) => socket.set_tos_v4(octet),
    }
}

fn configure(socket: &Socket, bind: &Bind) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    mark(socket, bind.address.is_ipv6(), bind.dscp)?;
    if bind.address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    match bind.transport {
        // No SO_REUSEADDR: a second process on the port would take datagrams away in silence.
        Transport::Udp => {
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)
        }
        Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => socket.set_reuse_address(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(transport: Transport, address: &str) -> Bind {
        Bind { network: NetworkId(0), transport, address: address.parse().unwrap(), dscp: 0 }
    }

    #[test]
    fn port_0_becomes_a_port_and_both_families_share_it() {
        let sockets = Sockets::bind(&[bind(Transport::Udp, "[::]:0")]).unwrap();
        let port = sockets.listeners().next().unwrap().address.port();
        assert_ne!(port, 0);
        let v4 = bind(Transport::Udp, &format!("0.0.0.0:{port}"));
        Sockets::bind(&[v4]).expect("an IPv6 listener takes no IPv4");
    }

    #[test]
    fn an_address_in_use_is_named() {
        for transport in [Transport::Udp, Transport::Tcp] {
            let first = Sockets::bind(&[bind(transport, "127.0.0.1:0")]).unwrap();
            let taken = *first.listeners().next().unwrap();
            let error = Sockets::bind(&[bind(transport, "127.0.0.1:0"), taken]).unwrap_err();
            assert_eq!(error.listener, ListenerId(1));
            assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
            let name = transport.name();
            let text = error.to_string();
            assert!(text.ends_with(&format!("listener 1 ({name} {})", taken.address)), "{text}");
        }
    }

    #[test]
    fn drivers_share_an_address_that_nobody_else_gets() {
        for transport in [Transport::Udp, Transport::Tcp] {
            let sets = Sockets::bind_for(&[bind(transport, "127.0.0.1:0")], 3).unwrap();
            let bound: Vec<Bind> = sets.iter().flat_map(Sockets::listeners).copied().collect();
            assert_eq!((bound.len(), bound[0]), (3, bound[2]));
            for drivers in [1, 3] {
                let error = Sockets::bind_for(&bound[..1], drivers).unwrap_err();
                assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse, "{transport:?} for {drivers}");
            }
        }
    }

    #[test]
    fn an_address_that_is_not_ours_is_refused() {
        let error = Sockets::bind(&[bind(Transport::Udp, "192.0.2.1:0")]).unwrap_err();
        assert_eq!((error.step, error.source.kind()), (BindStep::Bind, io::ErrorKind::AddrNotAvailable));
        assert_eq!(error.to_string(), "cannot bind listener 0 (udp 192.0.2.1:0)");
    }
}
