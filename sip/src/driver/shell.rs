//! The loop: what is ready goes in, what comes out is carried out, then the thread sleeps.

mod out;

use super::clock::Clock;
use super::counters::Counters;
use super::exchange::{Exchange, Parcel, Place};
use super::ready::{Kind, ReadyList, Source};
use super::resolver::Resolver;
use super::settings::Settings;
use super::sockets::{Bind, Either, Sockets};
use super::stun::Desk;
use super::tcp::Tcp;
use super::timer::Alarm;
use super::trace::{self, Direction};
use super::udp::{Receiver, Udp};
use super::{Core, StartError};
use crate::action::{Sender, TransmitId};
use crate::flow::{ConnectionId, ListenerId};
use crate::time::Now;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Rounds before the runtime has its turn, though there be more to do.
const ROUNDS: usize = 4;

/// A core with its sockets, clock, timer and names.
pub(crate) struct Shell<C> {
    core: C,
    clock: Clock,
    counters: Arc<Counters>,
    list: Arc<ReadyList>,
    /// Every listener, by its number.
    listeners: Vec<Bind>,
    udp: BTreeMap<ListenerId, Udp>,
    /// Listeners whose outbox has datagrams.
    dirty: Vec<ListenerId>,
    tcp: Tcp,
    resolver: Resolver,
    /// The other shards; `None` for one that is alone.
    exchange: Option<Box<Exchange>>,
    alarm: Alarm,
    receiver: Receiver,
    stun: Desk,
    // Memory that is used again and again.
    taken: Vec<Arc<Source>>,
    inbox: Vec<Bytes>,
    parcels: Vec<Parcel>,
    failed: Vec<TransmitId>,
}

impl<C: Core> Shell<C> {
    pub(crate) fn start(
        core: C,
        settings: &Settings,
        sockets: Sockets,
        place: Place,
    ) -> Result<Self, StartError> {
        let list = place.waker.list();
        let resolver = Resolver::new(&settings.resolver, settings.limits.queries, list)
            .map_err(|error| StartError::Resolver(Box::new(error)))?;
        let listeners = sockets.bound.iter().map(|bound| bound.bind).collect();
        let (mut udp, mut tcp) = (BTreeMap::new(), Tcp::new(settings, list, place.exchange.as_deref()));
        for (id, bound) in (0..=u16::MAX).map(ListenerId).zip(sockets.bound) {
            let fail = |source| StartError::Register { listener: id, source };
            match bound.socket {
                Either::Udp(socket) => {
                    let socket =
                        Udp::register(socket, id, list, settings.limits.datagram_queue).map_err(fail)?;
                    udp.insert(id, socket);
                }
                Either::Tcp(socket) => tcp.register(id, &bound.bind, socket).map_err(fail)?,
            }
        }
        Ok(Self {
            core,
            clock: settings.clock,
            counters: Arc::clone(&settings.counters),
            list: Arc::clone(list),
            listeners,
            udp,
            dirty: Vec::new(),
            tcp,
            resolver,
            exchange: place.exchange,
            alarm: Alarm::new(settings.clock, settings.timer_slack, list),
            receiver: Receiver::default(),
            stun: Desk::new(settings),
            taken: Vec::new(),
            inbox: Vec::new(),
            parcels: Vec::new(),
            failed: Vec::new(),
        })
    }

    /// The core, once the driver has stopped.
    pub(crate) fn into_core(self) -> C {
        self.core
    }

    /// Before the first input: the core may have actions and deadlines already.
    pub(crate) fn begin(&mut self) {
        let now = self.clock.now();
        self.carry_out(now);
    }

    /// One wake-up.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.counters.wakes.add(1);
        self.list.attend(context.waker());
        let mut now = self.clock.now();
        let mut stop = false;
        let mut rounds = 0;
        while rounds < ROUNDS && !stop {
            let mut taken = std::mem::take(&mut self.taken);
            self.list.take(&mut taken);
            if taken.is_empty() && rounds > 0 {
                self.taken = taken;
                break;
            }
            rounds += 1;
            for source in taken.drain(..) {
                source.taken();
                stop |= self.serve(now, source.kind).is_break();
            }
            self.taken = taken;
            self.expire(now);
            self.carry_out(now);
            if let Some(exchange) = &mut self.exchange {
                exchange.flush();
            }
            let began = now.mono;
            now = self.clock.now();
            self.core.worked(now, now.mono.since(began));
        }
        self.core.flush(now);
        if stop {
            return Poll::Ready(());
        }
        if !self.list.is_empty() {
            // What was put back on the list has woken nobody.
            context.waker().wake_by_ref();
        }
        self.alarm.set([self.core.poll_timeout(), self.tcp.poll_timeout()].into_iter().flatten().min());
        Poll::Pending
    }

    fn serve(&mut self, now: Now, kind: Kind) -> ControlFlow<()> {
        match kind {
            Kind::Outside => return self.core.handle_wake(now),
            Kind::Exchange => self.serve_exchange(now),
            Kind::Alarm => self.alarm.gone_off(),
            Kind::Resolver => {
                while let Some((id, answer)) = self.resolver.answer(&self.counters) {
                    self.core.handle_resolved(now, id, answer);
                }
            }
            Kind::Listener(id) => self.serve_listener(now, id),
            Kind::Connection(id) => self.serve_connection(now, id),
        }
        ControlFlow::Continue(())
    }

    fn serve_listener(&mut self, now: Now, id: ListenerId) {
        let Some(udp) = self.udp.get_mut(&id) else {
            let core = &mut self.core;
            return self.tcp.accept(now, id, |peer| core.takes_connection(now, id, peer));
        };
        let (core, counters, exchange) = (&mut self.core, &*self.counters, &mut self.exchange);
        let (listeners, stun) = (&*self.listeners, &mut self.stun);
        udp.receive(&mut self.receiver, counters, |flow, bytes| {
            if Desk::asks(&bytes) {
                if core.hears_stun(now, &flow) {
                    stun.answer(now, flow.peer, &bytes, counters);
                }
                return;
            }
            let ours = match exchange {
                Some(exchange) => exchange.divert(flow, bytes, counters),
                None => Some(bytes),
            };
            if let Some(bytes) = ours {
                trace::message(Direction::In, listeners, flow.listener, flow.peer, &bytes);
                core.handle_input(now, flow, bytes);
            }
        });
        for (peer, bytes) in self.stun.answers() {
            udp.enqueue(TransmitId::of(Sender::Nobody), peer, bytes, &self.counters);
        }
        // The socket may have become writable, or have told of peers out of reach.
        self.dirty.push(id);
    }

    fn serve_connection(&mut self, now: Now, id: ConnectionId) {
        if self.exchange.as_ref().is_some_and(|exchange| exchange.holds(id)) {
            return self.tcp.table.write_on(id);
        }
        let flow = self.tcp.table.proceed(now, id, &mut self.inbox, &mut self.failed);
        for event in self.tcp.table.events() {
            if let Some(exchange) = &mut self.exchange {
                exchange.spread(&event);
            }
            self.core.handle_connection(now, event);
        }
        let Some(flow) = flow else { return };
        for bytes in self.inbox.drain(..) {
            let ours = match &mut self.exchange {
                Some(exchange) => exchange.divert(flow, bytes, &self.counters),
                None => Some(bytes),
            };
            if let Some(bytes) = ours {
                trace::message(Direction::In, &self.listeners, flow.listener, flow.peer, &bytes);
                self.core.handle_input(now, flow, bytes);
            }
        }
    }

    /// Takes what other shards have given.
    fn serve_exchange(&mut self, now: Now) {
        let Some(exchange) = &mut self.exchange else { return };
        let mut parcels = std::mem::take(&mut self.parcels);
        exchange.take(&mut parcels);
        let released = exchange.pass_on();
        for parcel in parcels.drain(..) {
            match parcel {
                Parcel::Input(flow, bytes) => {
                    trace::message(Direction::In, &self.listeners, flow.listener, flow.peer, &bytes);
                    self.core.handle_input(now, flow, bytes);
                }
                Parcel::Transmit(transmit) => self.transmit_on_stream(now, transmit),
                Parcel::SendFailed(id) => self.failed.push(id),
                Parcel::Close(id) => self.tcp.table.close(now, id, &mut self.failed),
                Parcel::Alias(id, port) => self.tcp.table.alias(id, port),
                Parcel::Ping(id) => self.tcp.table.ping(id),
                Parcel::Watch(id, by, silence) => self.tcp.table.watch_for(now, by, id, silence),
                Parcel::Unreachable(listener, peer) => self.core.handle_unreachable(now, listener, peer),
                Parcel::Doubt(flow) => self.core.handle_doubt(now, flow),
                Parcel::Letter(letter) => self.core.handle_letter(now, letter),
                Parcel::Connection(event) => self.core.handle_connection(now, event),
            }
        }
        self.parcels = parcels;
        for id in released {
            self.serve_connection(now, id);
        }
    }

    fn expire(&mut self, now: Now) {
        if self.core.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.core.handle_timeout(now);
        }
        if self.tcp.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.tcp.handle_timeout(now, &mut self.failed);
        }
    }
}
