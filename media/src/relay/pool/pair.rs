//! A bound pair of sockets, and the place it stands in.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use super::super::context::{Component, Context};
use super::super::dtls::Early;
use super::super::marks::{self, Marking};
use super::super::paths::{Paths, Route};
use super::super::senders::Senders;
use super::super::sockets::{Place, bind};
use super::connected::Connected;
use crate::Marks;
use crate::ice::Responder;

/// A bound pair.
pub(in crate::relay) struct Pair {
    pub(super) rtp: UdpSocket,
    rtcp: UdpSocket,
    pub(super) connected: Connected,
    pub(super) network: usize,
    pub(super) port: u16,
    pub(in crate::relay) contexts: Vec<Context>,
    /// Keys of ours that they have been told.
    pub(in crate::relay) senders: Senders,
    /// What answers connectivity checks, where ICE was offered or accepted.
    pub(in crate::relay) responder: Option<Box<Responder>>,
    /// A ClientHello that came before there was a remote.
    pub(in crate::relay) early: Option<Box<Early>>,
    /// What it has that is behind a NAT.
    pub(in crate::relay) paths: Option<Box<Paths>>,
    pub(super) marking: Marking,
}

impl Pair {
    /// Binds the port of this address and the next one, for packets with those marks; whether it reads those of what comes.
    pub(super) fn bind(network: usize, rtp: SocketAddr, (marks, reads): (Marks, bool)) -> io::Result<Self> {
        let port = rtp.port();
        let next = port.checked_add(1).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let (rtp, rtcp) = (bind(rtp)?, bind(SocketAddr::new(rtp.ip(), next))?);
        for socket in [&rtp, &rtcp] {
            marks::begin(socket, marks, reads)?;
        }
        Ok(Self {
            rtp,
            rtcp,
            connected: Connected::default(),
            network,
            port,
            contexts: Vec::new(),
            senders: Senders::default(),
            responder: None,
            early: None,
            paths: None,
            marking: Marking::new(marks),
        })
    }

    pub(in crate::relay) fn socket(&self, component: Component) -> &UdpSocket {
        match component {
            Component::Rtp => &self.rtp,
            Component::Rtcp => &self.rtcp,
        }
    }

    /// The socket in that place; `None` where it is no more.
    pub(in crate::relay) fn socket_at(&self, place: Place) -> Option<&UdpSocket> {
        match place {
            Place::Rtp => Some(&self.rtp),
            Place::Rtcp => Some(&self.rtcp),
            Place::Connected => self.connected.socket(),
        }
    }

    /// A remote, with the socket and the address that it is reached by; `None` where it cannot be.
    pub(in crate::relay) fn way_to(
        &mut self,
        remote: u8,
        kind: Component,
        now_millis: u64,
    ) -> Option<Way<'_>> {
        let at = self.contexts.iter().position(|context| context.remote == remote)?;
        let by = self.contexts.get(at)?.transport();
        let (context, transport) = if by == remote {
            (self.contexts.get_mut(at)?, None)
        } else {
            let by = self.contexts.iter().position(|context| context.remote == by)?;
            let [context, transport] = self.contexts.get_disjoint_mut([at, by]).ok()?;
            (context, Some(transport))
        };
        let by = transport.as_deref().unwrap_or(context);
        let (component, address) = by.destination(kind, now_millis)?;
        let socket = match component {
            Component::Rtp => &self.rtp,
            Component::Rtcp => &self.rtcp,
        };
        let paths = self.paths.as_ref();
        let route = paths.map_or(Route::Direct, |paths| paths.tunnel(component).route(address));
        let may_last = component == Component::Rtp && matches!(route, Route::Direct);
        let lasts = may_last && self.connected.goes(address);
        let connected = self.connected.leads(address).filter(|_| may_last);
        Some(Way {
            context,
            transport,
            senders: &mut self.senders,
            socket,
            connected,
            lasts,
            marking: &mut self.marking,
            address,
            route,
            component,
        })
    }

    /// The port of RTP.
    pub(in crate::relay) fn port(&self) -> u16 {
        self.port
    }

    /// Nothing is taken or sent any more, though it is not given back yet.
    pub(in crate::relay) fn silence(&mut self) {
        (self.contexts, self.senders) = (Vec::new(), Senders::default());
        (self.responder, self.early) = (None, None);
    }

    /// By what something reaches an address.
    pub(in crate::relay) fn route(&self, component: Component, to: SocketAddr) -> Route {
        self.paths.as_ref().map_or(Route::Direct, |paths| paths.tunnel(component).route(to))
    }

    pub(in crate::relay) fn context(&mut self, remote: u8) -> Option<&mut Context> {
        self.contexts.iter_mut().find(|context| context.remote == remote)
    }
}

/// How a remote is reached.
pub(in crate::relay) struct Way<'a> {
    pub(in crate::relay) context: &'a mut Context,
    /// The remote whose transport it has a share in, where that is another one.
    pub(in crate::relay) transport: Option<&'a mut Context>,
    pub(in crate::relay) senders: &'a mut Senders,
    pub(in crate::relay) socket: &'a UdpSocket,
    /// The one that leads there, and only there.
    pub(in crate::relay) connected: Option<&'a UdpSocket>,
    /// Whether there should be one.
    pub(in crate::relay) lasts: bool,
    pub(in crate::relay) marking: &'a mut Marking,
    pub(in crate::relay) address: SocketAddr,
    pub(in crate::relay) route: Route,
    /// The port that it leaves from.
    pub(in crate::relay) component: Component,
}

/// A place for a pair. The generation goes up each time the pair comes back, so that late orders miss.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) generation: u32,
    pub(super) lent: bool,
    pub(super) pair: Option<Pair>,
}
