//! The thread of the TURN servers.

use super::connection::accept;
use super::outbox::Outbox;
use super::sockets::{Bound, Sockets};
use super::{Connections, Order, Service};
use media::turn::{Client, Counters, HEADROOM, Now, Server};
use sip::driver::tls::Acceptor;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Notify, mpsc};
use tokio::task::{LocalSet, spawn_local, yield_now};
use tokio::time::MissedTickBehavior;

/// Datagrams that are taken from a socket before others have their turn.
const BATCH: usize = 32;
/// The longest datagram, with room for what is written around it.
const ROOM: usize = HEADROOM + 65_535 + 4;

/// A server that is about to run.
pub(super) struct Prepared {
    pub(super) service: Service,
    pub(super) bound: Vec<Bound>,
    pub(super) key: [u8; 32],
    pub(super) counters: Arc<Counters>,
    pub(super) connections: Arc<Connections>,
    pub(super) most: (usize, usize),
}

/// A server with its sockets.
pub(super) struct Network {
    server: RefCell<Server>,
    sockets: RefCell<Sockets>,
    acceptors: RefCell<Vec<Option<Acceptor>>>,
    /// Where datagrams are received into.
    room: RefCell<Box<[u8]>>,
    epoch: Instant,
    pub(super) counts: Arc<Connections>,
    most: (usize, usize),
    /// Connections by where they are from; see [`whose`].
    from: RefCell<BTreeMap<IpAddr, usize>>,
    numbered: Cell<u64>,
}

impl Network {
    /// Has the server do something.
    #[expect(clippy::disallowed_methods, reason = "the shell is where time comes from")]
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Server, Now, &mut Sockets) -> T) -> T {
        let millis = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        let unix =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        work(&mut self.server.borrow_mut(), Now { millis, unix }, &mut self.sockets.borrow_mut())
    }

    /// How a listener takes connections over TLS, as of now.
    pub(super) fn acceptor(&self, listener: u16) -> Option<Acceptor> {
        self.acceptors.borrow().get(usize::from(listener)).cloned().flatten()
    }

    /// Opens a way to a connection that has been accepted.
    pub(super) fn connect(&self, listener: u16, address: SocketAddr) -> (Client, Rc<Outbox>) {
        let number = self.numbered.get();
        self.numbered.set(number.wrapping_add(1));
        let outbox = Rc::new(Outbox::default());
        self.sockets.borrow_mut().connections.insert(number, Rc::clone(&outbox));
        (Client { listener, connection: Some(number), address }, outbox)
    }

    /// Forgets a connection, with all that its client had.
    pub(super) fn disconnect(&self, client: Client) {
        self.with(|server, now, sockets| server.closed(client, now, sockets));
        if let Some(number) = client.connection {
            self.sockets.borrow_mut().connections.remove(&number);
        }
    }

    /// A place for one more connection from there, as long as it is held.
    pub(super) fn admit(self: &Rc<Self>, ip: IpAddr) -> Option<Place> {
        let ip = whose(ip);
        let mut from = self.from.borrow_mut();
        let (all, each) = self.most;
        let open = usize::try_from(self.counts.open.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let its = from.get(&ip).copied().unwrap_or_default();
        if open >= all || its >= each {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        from.insert(ip, its + 1);
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        Some(Place { network: Rc::clone(self), ip })
    }
}

/// The first address of those that somebody has who has this one: of IPv6 a /64.
fn whose(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
    }
}

/// The place of a connection among those that there may be.
pub(super) struct Place {
    network: Rc<Network>,
    ip: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.network.counts.open.fetch_sub(1, Ordering::Relaxed);
        let mut from = self.network.from.borrow_mut();
        let left = from.get(&self.ip).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            from.remove(&self.ip);
        } else {
            from.insert(self.ip, left);
        }
    }
}

/// Serves until it is told to stop.
pub(super) fn run(prepared: Vec<Prepared>, orders: mpsc::Receiver<Order>, stop: &Notify) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the TURN servers did not start"),
    };
    let local = LocalSet::new();
    local.block_on(&runtime, serve(prepared, orders, stop));
}

#[expect(clippy::disallowed_methods, reason = "the shell is where time comes from")]
async fn serve(prepared: Vec<Prepared>, mut orders: mpsc::Receiver<Order>, stop: &Notify) {
    let epoch = Instant::now();
    let mut networks = Vec::new();
    for one in prepared {
        let name = one.service.network.clone();
        match network(one, epoch) {
            Ok(network) => networks.push((name, network)),
            Err(error) => tracing::error!(%error, network = %name, "a TURN server did not start"),
        }
    }
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let order = tokio::select! {
            order = orders.recv() => order,
            () = stop.notified() => return,
            _ = seconds.tick() => {
                for (_, network) in &networks {
                    network.with(|server, now, sockets| server.pass_time(now, sockets));
                }
                continue;
            }
        };
        match order {
            Some(Order::Adopt(services)) => {
                for service in services {
                    let known = networks.iter().find(|(name, _)| *name == service.network);
                    let Some((_, network)) = known else { continue };
                    *network.acceptors.borrow_mut() = service.acceptors;
                    network.with(|server, now, _| server.adopt(service.settings, now));
                }
            }
            Some(Order::Show(answer)) => {
                let views = networks.iter().flat_map(|(name, network)| {
                    let views = network.with(|server, now, _| server.views(now));
                    views.into_iter().map(|view| (name.clone(), view))
                });
                // Nobody waits any more, perhaps.
                let _ = answer.send(views.collect());
            }
            None => return,
        }
    }
}

fn network(prepared: Prepared, epoch: Instant) -> io::Result<Rc<Network>> {
    let Prepared { service, bound, key, counters, connections, most } = prepared;
    let bind = service.settings.relayed.bind;
    let network = Rc::new_cyclic(|network| Network {
        server: RefCell::new(Server::new(service.settings, &key, counters)),
        sockets: RefCell::new(Sockets::new(network.clone(), bind)),
        acceptors: RefCell::new(service.acceptors),
        room: RefCell::new(vec![0; ROOM].into_boxed_slice()),
        epoch,
        counts: connections,
        most,
        from: RefCell::new(BTreeMap::new()),
        numbered: Cell::new(0),
    });
    for (listener, bound) in (0..=u16::MAX).zip(bound) {
        match bound {
            Bound::Udp(socket) => {
                let socket = Rc::new(UdpSocket::from_std(socket)?);
                network.sockets.borrow_mut().listeners.insert(listener, Rc::clone(&socket));
                spawn_local(listen(Rc::clone(&network), listener, socket));
            }
            Bound::Tcp(socket) => {
                let socket = TcpListener::from_std(socket)?;
                spawn_local(accept(Rc::clone(&network), listener, socket));
            }
        }
    }
    Ok(network)
}

/// Takes the datagrams of clients.
async fn listen(network: Rc<Network>, listener: u16, socket: Rc<UdpSocket>) {
    let mut received = |network: &Network, room: &mut [u8], length: usize, address| {
        let client = Client { listener, connection: None, address };
        let message = room.get(HEADROOM..HEADROOM + length).unwrap_or_default();
        network.with(|server, now, sockets| {
            server.receive(client, message, now, sockets);
        });
    };
    read(&network, &socket, &mut received).await;
}

/// Takes what comes to a relayed port.
pub(super) async fn relay(network: Rc<Network>, port: u16, socket: Rc<UdpSocket>) {
    let mut received = |network: &Network, room: &mut [u8], length: usize, source| {
        network.with(|server, now, sockets| server.arrived((port, source), room, length, now, sockets));
    };
    read(&network, &socket, &mut received).await;
}

async fn read(
    network: &Network,
    socket: &UdpSocket,
    received: &mut impl FnMut(&Network, &mut [u8], usize, SocketAddr),
) {
    while socket.readable().await.is_ok() {
        for _ in 0..BATCH {
            let mut room = network.room.borrow_mut();
            let Some(place) = room.get_mut(HEADROOM..HEADROOM + 65_535) else { return };
            match socket.try_recv_from(place) {
                Ok((length, address)) => received(network, &mut room, length, address),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What ICMP says of a datagram before.
                Err(_) => {}
            }
        }
        yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_one_address_of_ipv6_has_a_64_of_them() {
        let whose = |text: &str| whose(text.parse().unwrap()).to_string();
        assert_eq!(whose("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(whose("2001:db8:1:2::"), whose("2001:db8:1:2:ffff::1"));
        assert_ne!(whose("2001:db8:1:3::1"), whose("2001:db8:1:2::1"));
        assert_eq!((whose("192.0.2.7"), whose("192.0.2.8")), ("192.0.2.7".into(), "192.0.2.8".into()));
    }
}
