//! A pair of ports behind a NAT, as its relay thread sees it: which peers are reached by way of a TURN server, what of its packets is for
//! the desk, and what the desk answers. On the way of a packet four octets are put before it or taken off, and nothing else.

use std::io::{self, IoSlice};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg_addr, sendto};

use super::context::Component;
use super::control::ToControl;
use super::pool::{Pair, Pool};
use super::worker::Clock;
use crate::ContextId;
use crate::PairId;
pub(super) use crate::ice::desk::Input;
use crate::ice::desk::Output;
use crate::ice::full::Via;
use crate::ice::reach::Reach;
use crate::turn::client::{HEAD, head, indication, unwrapped};

pub(super) type ToPaths = ToControl<Input, Output>;

/// Peers of one port that are, or may be, reached by way of its relayed address: of more, those that came last.
const MOST_WAYS: usize = 64;

/// By what the server of a relayed address is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    /// There is no relayed address.
    #[default]
    Nowhere,
    /// From the port itself.
    Port(SocketAddr),
    /// By a connection of the desk's.
    Connection,
}

/// A peer.
#[derive(Debug, Clone, Copy)]
struct Way {
    peer: SocketAddr,
    channel: Option<u16>,
    /// What is sent to it goes by the server; it is not sent at all before there is a channel.
    outward: bool,
}

/// The relayed address of one port.
#[derive(Debug, Default)]
pub(super) struct Tunnel {
    at: At,
    ways: Vec<Way>,
}

/// Where something is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// To the peer.
    Direct,
    /// To the server, with that channel's head.
    Channel(u16, SocketAddr),
    /// By the desk's connection, with that channel's head.
    Connection(u16),
    /// Not at all, yet.
    Closed,
}

impl Tunnel {
    fn way(&mut self, peer: SocketAddr) -> Option<&mut Way> {
        let known = self.ways.iter().position(|way| way.peer == peer);
        if known.is_none() {
            if self.ways.len() >= MOST_WAYS {
                // One that nothing goes by, else the first.
                let least = self.ways.iter().position(|way| !way.outward).unwrap_or_default();
                self.ways.remove(least);
            }
            self.ways.push(Way { peer, channel: None, outward: false });
        }
        let last = self.ways.len().checked_sub(1);
        self.ways.get_mut(known.or(last)?)
    }

    /// How a peer is reached.
    pub(super) fn route(&self, to: SocketAddr) -> Route {
        let way = self.ways.iter().find(|way| way.peer == to && way.outward);
        match (way, self.at) {
            (None, _) | (_, At::Nowhere) => Route::Direct,
            (Some(Way { channel: Some(channel), .. }), At::Port(server)) => Route::Channel(*channel, server),
            (Some(Way { channel: Some(channel), .. }), At::Connection) => Route::Connection(*channel),
            (Some(Way { channel: None, .. }), _) => Route::Closed,
        }
    }

    fn peer(&self, channel: u16) -> Option<SocketAddr> {
        self.ways.iter().find(|way| way.channel == Some(channel)).map(|way| way.peer)
    }
}

/// What a pair has that is behind a NAT.
#[derive(Debug)]
pub(super) struct Paths {
    pub(super) id: PairId,
    /// The shard that it is gathered for.
    pub(super) waiting: Option<(usize, usize)>,
    tunnels: [Tunnel; 2],
}

/// Where something has come from, and where in the buffer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) source: SocketAddr,
    pub(super) via: Via,
    pub(super) length: usize,
    /// The peer has no channel yet.
    pub(super) unknown: bool,
}

impl Paths {
    pub(super) fn new(id: PairId, waiting: (usize, usize)) -> Self {
        Self { id, waiting: Some(waiting), tunnels: Default::default() }
    }

    pub(super) fn tunnel(&self, component: Component) -> &Tunnel {
        let [rtp, rtcp] = &self.tunnels;
        match component {
            Component::Rtp => rtp,
            Component::Rtcp => rtcp,
        }
    }

    fn tunnel_mut(&mut self, component: Component) -> &mut Tunnel {
        let [rtp, rtcp] = &mut self.tunnels;
        match component {
            Component::Rtp => rtp,
            Component::Rtcp => rtcp,
        }
    }

    /// Takes what a server has sent on out of what it has put around it; `None` for what leads nowhere.
    pub(super) fn unwrap(
        &self,
        component: Component,
        source: SocketAddr,
        buffer: &mut [u8],
        length: usize,
    ) -> Option<Came> {
        let tunnel = self.tunnel(component);
        let came = Came { source, via: Via::Direct, length, unknown: false };
        if tunnel.at != At::Port(source) {
            return Some(came);
        }
        let datagram = buffer.get(..length)?;
        if let Some((channel, length)) = unwrapped(datagram) {
            buffer.copy_within(HEAD..HEAD + length, 0);
            return Some(Came { source: tunnel.peer(channel)?, via: Via::Relayed, length, ..came });
        }
        if let Some((peer, range)) = indication(datagram) {
            let length = range.len();
            buffer.copy_within(range, 0);
            return Some(Came { source: peer, via: Via::Relayed, length, unknown: true });
        }
        Some(came)
    }
}

/// Sends something from a port by a route that the thread has itself.
pub(super) fn send(socket: &UdpSocket, packet: &[u8], to: SocketAddr, route: Route) -> io::Result<usize> {
    match route {
        Route::Direct => Ok(sendto(socket, packet, SendFlags::empty(), &to)?),
        Route::Channel(number, server) => {
            let head = head(number, packet.len());
            let parts = [IoSlice::new(&head), IoSlice::new(packet)];
            let mut none = SendAncillaryBuffer::default();
            let sent = sendmsg_addr(socket, &server, &parts, &mut none, SendFlags::empty())?;
            Ok(sent.saturating_sub(HEAD))
        }
        Route::Connection(_) | Route::Closed => Err(io::ErrorKind::NotConnected.into()),
    }
}

/// Sends something of ours that whoever waits for it asks for again.
pub(super) fn say(pair: &Pair, component: Component, packet: &[u8], to: SocketAddr) -> Option<Input> {
    let route = pair.route(component, to);
    if let (Route::Connection(number), Some(paths)) = (route, &pair.paths) {
        return Some(Input::Wrapped(paths.id, component, wrapped(number, packet)));
    }
    let _ = send(pair.socket(component), packet, to, route);
    None
}

/// A packet for a connection.
pub(super) fn wrapped(number: u16, packet: &[u8]) -> Box<[u8]> {
    crate::turn::client::wrap(number, packet, true).into_boxed_slice()
}

/// Has the desk begin, change and end what a remote's settings say.
pub(super) fn settle(pair: &mut Pair, remote: u8, paths: &mut ToPaths) {
    let (Some(own), contexts) = (&mut pair.paths, &mut pair.contexts) else { return };
    let Some(context) = contexts.iter_mut().find(|context| context.remote == remote) else { return };
    let id = ContextId { pair: own.id, remote };
    let terms = context.full_terms().cloned();
    let begun = context.begun.as_ref().map(|(_, terms)| terms);
    match terms {
        Some(terms) if begun != Some(&terms) => {
            let serial = paths.serial();
            context.begun = Some((serial, Arc::clone(&terms)));
            paths.order(Input::Begin(id, serial, terms));
        }
        Some(_) => {}
        None => {
            if context.begun.take().is_some() {
                paths.order(Input::End(id));
            }
            for (component, peer) in context.described() {
                want(own, component, peer, paths);
                // The server takes what comes from there by the address alone (RFC 8656 §9).
                if let Some(ip) = context.only().filter(|ip| *ip != peer.ip()) {
                    want(own, component, SocketAddr::new(ip, peer.port()), paths);
                }
            }
        }
    }
}

/// A peer without ICE has been told the relayed address, where there is one, and so what it gets comes from there.
fn want(own: &mut Paths, component: Component, peer: SocketAddr, paths: &mut ToPaths) {
    let (id, tunnel) = (own.id, own.tunnel_mut(component));
    if tunnel.at == At::Nowhere {
        return;
    }
    let Some(way) = tunnel.way(peer) else { return };
    if !way.outward {
        way.outward = true;
        paths.order(Input::Reach(id, component, peer));
    }
}

/// Has the desk end what a remote has.
pub(super) fn end(pair: &mut Pair, remote: u8, paths: &mut ToPaths) {
    let Some(own) = &pair.paths else { return };
    let its = |context: &&mut super::context::Context| context.remote == remote;
    if pair.contexts.iter_mut().find(its).is_some_and(|context| context.begun.take().is_some()) {
        paths.order(Input::End(ContextId { pair: own.id, remote }));
    }
}

/// Something was taken. A peer that it came from by way of the server, `without` a channel, gets one.
pub(super) fn meet(
    pair: &mut Pair,
    (component, peer): (Component, SocketAddr),
    without: bool,
    paths: &mut ToPaths,
) {
    let Some(own) = pair.paths.as_mut().filter(|_| without) else { return };
    let id = own.id;
    // Where ICE decides, it says which way is taken.
    let led = pair.contexts.iter().any(|context| context.full_terms().is_some());
    let Some(way) = own.tunnel_mut(component).way(peer) else { return };
    let fresh = way.channel.is_none() && !way.outward;
    way.outward |= !led;
    if fresh && !led {
        paths.order(Input::Reach(id, component, peer));
    }
}

/// What the desk has to do beside this.
pub(super) enum Told {
    /// A pair may be lent.
    Lend(PairId, Arc<Reach>),
    /// A packet came from there by a connection.
    Packet(PairId, Component, SocketAddr, Box<[u8]>),
    /// Media of a pair goes elsewhere, or nowhere: handshakes, too.
    Moved(PairId),
    Nothing,
}

/// Does what the desk says.
pub(super) fn obey(pool: &mut Pool, output: Output, clock: Clock) -> Told {
    match output {
        Output::Gathered(id, reach) => return Told::Lend(id, reach),
        Output::Arrived(id, component, source, octets) => {
            return Told::Packet(id, component, source, octets);
        }
        Output::Released(id) => drop(pool.release(id, clock.millis)),
        Output::Datagram(id, component, to, octets) => {
            if let Some(pair) = pool.lent(id) {
                let _ = pair.socket(component).send_to(&octets, to);
            }
        }
        Output::Tunnel(id, component, server) => {
            let at = server.map_or(At::Connection, At::Port);
            change(pool, id, component, at);
        }
        Output::NoTunnel(id, component) => change(pool, id, component, At::Nowhere),
        Output::Channel(id, component, number, peer) => {
            let own = pool.lent(id).and_then(|pair| pair.paths.as_mut());
            if let Some(way) = own.and_then(|own| own.tunnel_mut(component).way(peer)) {
                way.channel = Some(number);
            }
        }
        Output::Barred(id, component, peer) => {
            // What goes there is counted as not sent from now on.
            let own = pool.lent(id).and_then(|pair| pair.paths.as_mut());
            let ways = own.map(|own| &mut own.tunnel_mut(component).ways);
            let way = ways.and_then(|ways| ways.iter_mut().find(|way| way.peer == peer));
            if let Some(way) = way {
                way.channel = None;
            }
        }
        Output::Valid(id, serial, component, source) => {
            with(pool, id, serial, |context| context.found(component, source, clock.millis));
        }
        Output::Selected(id, serial, component, selected) => {
            if with(pool, id, serial, |context| context.selected(component, selected, clock.millis))
                && let Some(own) = pool.lent(id.pair).and_then(|pair| pair.paths.as_mut())
                && let Some(way) = own.tunnel_mut(component).way(selected.remote)
            {
                way.outward = selected.via == Via::Relayed;
            }
            return Told::Moved(id.pair);
        }
        Output::Lost(id, serial, component) => {
            with(pool, id, serial, |context| context.lost(component));
            return Told::Moved(id.pair);
        }
        Output::Progress(id, serial, progress) => {
            with(pool, id, serial, |context| context.progressed(progress));
        }
    }
    Told::Nothing
}

fn change(pool: &mut Pool, id: PairId, component: Component, at: At) {
    let Some(own) = pool.lent(id).and_then(|pair| pair.paths.as_mut()) else { return };
    let tunnel = own.tunnel_mut(component);
    tunnel.at = at;
    // Channels are those of one allocation.
    tunnel.ways.iter_mut().for_each(|way| way.channel = None);
}

/// Tells a remote something of the session that it has; false where that is another one by now.
fn with(pool: &mut Pool, id: ContextId, serial: u32, act: impl FnOnce(&mut super::context::Context)) -> bool {
    let context = pool.lent(id.pair).and_then(|pair| pair.context(id.remote));
    let its =
        |context: &&mut super::context::Context| context.begun.as_ref().is_some_and(|(of, _)| *of == serial);
    context.filter(its).map(act).is_some()
}
