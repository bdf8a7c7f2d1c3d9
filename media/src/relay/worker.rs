//! A relay thread.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer};
use rustix::net::{SendFlags, send};

use super::coding::{self, ToCoder};
use super::context::{Component, Context, Onward};
use super::demux::{Kind, kind};
use super::dtls;
use super::dtmf::{Bell, Keys};
use super::gauges::Shared;
use super::keying::ToDesk;
use super::marks::Reading;
use super::own::Own;
use super::paths::{self, Came, Paths, Route, ToPaths};
use super::pool::{Pool, Want, Way};
use super::sockets::{Place, Poller, Ready, Waker};
use super::spiral;
use super::stun;
use super::taking::{self, Arrived, Taken, Untaken};
use super::{Command, Report};
use crate::ice::full::Via;
use crate::quality::{Dropped, Tally};
use crate::srtp::MAX_OVERHEAD;
use crate::{ContextId, PortPair};

/// The largest UDP payload.
pub(super) const LARGEST_PACKET: usize = 65_535;
/// Orders carried out before packets get their turn again.
const COMMANDS_PER_TURN: usize = 256;
/// Answers of the desk carried out before packets get their turn again.
pub(super) const ANSWERS_PER_TURN: usize = 64;
/// Pairs lent before packets get their turn again: binding one takes some 20 µs.
const LOANS_PER_TURN: usize = 32;

/// Packets that go by connections to TURN servers in one turn; more are dropped.
const MOST_WRAPPED: usize = 256;

/// The time of one turn of the loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) since_epoch: Duration,
    pub(super) millis: u64,
}

/// A shard's end of things.
pub(super) struct Shard {
    pub(super) commands: Consumer<Command>,
    /// Free pairs, for each network.
    pub(super) free: Vec<Stock>,
    /// Keys that were heard.
    pub(super) reports: Producer<Report>,
    pub(super) bell: Arc<Bell>,
}

/// A shard's free pairs in one network: filled up once they fall below low water.
pub(super) struct Stock {
    pub(super) pairs: Producer<PortPair>,
    pub(super) filling: bool,
    /// Pairs that it gets once their addresses beyond a NAT are known.
    pub(super) gathering: usize,
}

pub(super) struct Worker {
    pub(super) pool: Pool,
    pub(super) poller: Poller,
    pub(super) waker: Arc<Waker>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) gauges: Arc<Shared>,
    pub(super) shards: Vec<Shard>,
    pub(super) epoch: Instant,
    pub(super) low_water: usize,
    pub(super) move_after: u64,
    pub(super) buffer: Vec<u8>,
    /// For copies of what is in there.
    pub(super) copy: Vec<u8>,
    /// The media ports of all networks.
    pub(super) own: Own,
    /// Where handshakes are made.
    pub(super) desk: ToDesk,
    /// Whose keys have something due.
    pub(super) keys: Keys,
    /// Where streams are transcoded.
    pub(super) coder: ToCoder,
    /// Where ways through NATs are looked for.
    pub(super) paths: ToPaths,
    /// What reads packets.
    pub(super) reading: Reading,
    /// For each network that is behind a NAT, the address of its ports.
    pub(super) hosts: Vec<Option<IpAddr>>,
}

impl Worker {
    pub(super) fn buffer() -> Vec<u8> {
        vec![0; LARGEST_PACKET + MAX_OVERHEAD]
    }

    /// Fills all stocks before the first call.
    pub(super) fn stock_up(&mut self) {
        while self.lend(0) {}
    }

    /// Runs until it is stopped.
    pub(super) fn run(mut self) {
        let mut unfinished = false;
        while !self.stop.load(Ordering::Acquire) {
            self.waker.about_to_sleep();
            let busy = unfinished
                || self.desk.has_answers()
                || self.coder.has_outputs()
                || self.paths.has_answers()
                || self.shards.iter().any(|shard| !shard.commands.is_empty());
            let timeout = if busy { Some(Duration::ZERO) } else { self.until_deadline() };
            self.poller.wait(timeout);
            self.waker.awake();
            let clock = self.clock();
            unfinished = self.carry_out(clock) | self.obey(clock) | self.follow(clock);
            for index in 0..self.poller.len() {
                match self.poller.ready(index) {
                    Some(Ready::Waker) => self.waker.clear(),
                    Some(Ready::Socket(slot, place)) => self.relay(slot, place, clock),
                    None => {}
                }
            }
            self.pass_keys(clock);
            self.send_coded(clock);
            self.coder.flush();
            self.pool.pass_time(clock.millis);
            unfinished |= self.lend(clock.millis) | self.pool.connect_lasting(&self.poller);
            self.desk.flush();
            for input in self.pool.wrapped.drain(..) {
                self.paths.offer(|| input);
            }
            self.paths.flush();
        }
    }

    /// Does what the desk says; true when there may be more.
    fn obey(&mut self, clock: Clock) -> bool {
        for _ in 0..ANSWERS_PER_TURN {
            let Some(answer) = self.desk.answer() else { return false };
            dtls::obey(&mut self.pool, answer, clock);
        }
        true
    }

    #[expect(clippy::disallowed_methods, reason = "the relay is where time comes from; once a turn")]
    fn clock(&self) -> Clock {
        let since_epoch = self.epoch.elapsed();
        let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Clock { since_epoch, millis }
    }

    fn until_deadline(&self) -> Option<Duration> {
        let deadline = [self.pool.next_deadline(), self.keys.deadline()].into_iter().flatten().min()?;
        Some(Duration::from_millis(deadline.saturating_sub(self.clock().millis) + 1))
    }

    /// Fills up the stocks of free pairs that are low; true when there is more to do.
    fn lend(&mut self, now_millis: u64) -> bool {
        let mut budget = LOANS_PER_TURN;
        for network in 0..self.pool.networks() {
            for (number, shard) in self.shards.iter_mut().enumerate() {
                let Some(stock) = shard.free.get_mut(network) else { continue };
                let room = stock.pairs.slots().saturating_sub(stock.gathering);
                let capacity = stock.pairs.buffer().capacity();
                let low_water = self.low_water.min(capacity);
                stock.filling |= capacity - room < low_water;
                for at_hand in capacity - room..if stock.filling { capacity } else { 0 } {
                    if budget == 0 {
                        return true;
                    }
                    let want = if at_hand < low_water { Want::Need } else { Want::Spare };
                    let Some(pair) = self.pool.take(network, want, &self.poller, now_millis) else { break };
                    budget -= 1;
                    if let Some(Some(host)) = self.hosts.get(network) {
                        let port = pair.port;
                        let hosts = [port, port.saturating_add(1)].map(|port| SocketAddr::new(*host, port));
                        if let Some(lent) = self.pool.lent(pair.id) {
                            lent.paths = Some(Box::new(Paths::new(pair.id, (number, network))));
                        }
                        stock.gathering += 1;
                        self.paths.order(paths::Input::Gather(pair.id, network, hosts));
                        continue;
                    }
                    // There is room: this is the only producer.
                    let _ = stock.pairs.push(pair);
                }
                stock.filling &= stock.pairs.slots() > stock.gathering;
            }
        }
        false
    }

    /// Carries out orders; true when some may be left.
    fn carry_out(&mut self, clock: Clock) -> bool {
        let mut left = false;
        for number in 0..self.shards.len() {
            for turn in 0.. {
                if turn == COMMANDS_PER_TURN {
                    left = true;
                    break;
                }
                let Some(shard) = self.shards.get_mut(number) else { break };
                let Ok(command) = shard.commands.pop() else { break };
                let done = match command {
                    Command::Set { context, mut settings, unlatch, counters } => {
                        self.own.settle(&mut settings);
                        counters.changed(self.epoch, clock.millis);
                        let movable_until = unlatch.then_some(clock.millis + self.move_after);
                        let set = set(&mut self.pool, context, movable_until, (*settings, counters));
                        if let Some(pair) = self.pool.lent(context.pair).filter(|_| set) {
                            let now = (clock, self.move_after);
                            paths::settle(pair, context.remote, &mut self.paths);
                            dtls::settle(pair, context.remote, now, (&mut self.desk, &self.gauges));
                            coding::settle(pair, context.remote, &mut self.coder);
                            if let Some(context) = pair.context(context.remote) {
                                context.shard = u16::try_from(number).unwrap_or(u16::MAX);
                            }
                        }
                        spiral::settle(&mut self.pool, context, &self.own);
                        set
                    }
                    Command::Expect { pair, local } => {
                        let pair = self.pool.lent(pair);
                        pair.map(|pair| match &pair.paths {
                            Some(paths) => self.paths.order(paths::Input::Expect(paths.id, local)),
                            None => stun::expect(pair, &local),
                        })
                        .is_some()
                    }
                    // It goes elsewhere.
                    Command::Tcp(_) => true,
                    Command::Say { context, digit, millis } => self.say(context, digit, millis, clock),
                    Command::Clear { context } => {
                        if let Some(pair) = self.pool.lent(context.pair) {
                            paths::end(pair, context.remote, &mut self.paths);
                        }
                        clear(&mut self.pool, context, (&mut self.desk, &mut self.coder))
                    }
                    Command::Release { pair: id } => {
                        if let Some(pair) = self.pool.lent(id) {
                            dtls::end(pair, None, &mut self.desk);
                            coding::end(pair, None, &mut self.coder);
                        }
                        // What it has at servers is given back first, from its own ports.
                        match self.pool.lent(id).filter(|pair| pair.paths.is_some()) {
                            Some(pair) => {
                                pair.silence();
                                self.paths.order(paths::Input::Release(id));
                                true
                            }
                            None => self.pool.release(id, clock.millis),
                        }
                    }
                };
                if !done {
                    self.gauges.late_command();
                }
            }
        }
        left
    }

    /// Reads one packet and sends it on.
    fn relay(&mut self, slot: u32, place: Place, clock: Clock) {
        let Some(pair) = self.pool.pair(slot) else { return };
        let room = self.buffer.get_mut(..LARGEST_PACKET).unwrap_or_default();
        let Some(socket) = pair.socket_at(place) else { return };
        let Ok((length, source, octet)) = self.reading.receive(socket, room) else { return };
        let component = place.component();
        let source = SocketAddr::new(source.ip(), source.port());
        let mut came = Came { source, via: Via::Direct, length, unknown: false };
        if let Some(paths) = &pair.paths {
            let Some(unwrapped) = paths.unwrap(component, source, &mut self.buffer, length) else {
                return self.gauges.stray_packet();
            };
            came = unwrapped;
        }
        self.pool.came = octet;
        self.take_in(slot, component, came, clock);
        self.pool.came = None;
    }

    fn is_spiral(&mut self, slot: u32, remote: u8) -> bool {
        let context = self.pool.pair(slot).and_then(|pair| pair.context(remote));
        context.is_some_and(|context| context.is_spiral())
    }

    /// Takes what has come to a port, or by way of its relayed address.
    pub(super) fn take_in(&mut self, slot: u32, component: Component, came: Came, clock: Clock) {
        let Some(pair) = self.pool.pair(slot) else { return };
        let Came { source, via, length, unknown } = came;
        let datagram = self.buffer.get(..length).unwrap_or_default();
        let kind = kind(datagram);
        if let Some(paths) = pair.paths.as_ref().filter(|_| kind == Kind::Stun) {
            let id = paths.id;
            self.paths.offer(|| paths::Input::Datagram(id, (component, via), source, datagram.into()));
            return;
        }
        if kind == Kind::Stun && stun::hear(pair, (component, source), datagram, clock, &self.gauges) {
            return dtls::direct(pair, clock.millis, &mut self.desk);
        }
        let now = (clock, self.move_after);
        if kind == Kind::Dtls {
            let desk = (&mut self.desk, &*self.gauges);
            if dtls::hear(pair, (component, source), datagram, now, desk) {
                return paths::meet(pair, (component, source), unknown, &mut self.paths);
            }
        }
        let arrived = Arrived { component, source, length, kind };
        let Taken { remote, onward, mut length, others } =
            match taking::take(&mut pair.contexts, &mut self.buffer, arrived, now) {
                Ok(taken) => taken,
                Err(Untaken::Stray) => return self.gauges.stray_packet(),
                Err(Untaken::Dtls) => return self.gauges.dtls_dropped(),
                Err(Untaken::Dropped(why)) => return self.gauges.dropped(why),
            };
        paths::meet(pair, (component, source), unknown, &mut self.paths);
        let own = self.own.has(source) && !self.is_spiral(slot, remote);
        if others != 0 {
            self.send_copies((slot, others), (onward, length), own, clock);
        }
        if onward.translated {
            match self.translate((slot, remote), own, (onward.kind, length), clock) {
                Some(translated) => length = translated,
                None => return,
            }
        }
        if onward.coded {
            return self.code((slot, remote), own, (onward, length));
        }
        // What one leg of ours sends to another is not sent on to a third where it would come back: such calls would feed one another for ever.
        let barred = own.then_some(&self.own);
        match send_on(&mut self.pool, (onward, barred), (&mut self.buffer, length), clock.millis) {
            Ok(()) => {}
            Err(Dropped::NoDestination) => {
                if let Some(context) = self.pool.pair(slot).and_then(|pair| pair.context(remote)) {
                    context.counters.dropped(Dropped::NoDestination);
                }
            }
            Err(why) => self.gauges.dropped(why),
        }
    }
}

/// Sends a packet to the remote that it is for, with which it is counted; [`Dropped::NoDestination`] when there is nobody, or it is at one of
/// the `barred` addresses.
pub(super) fn send_on(
    pool: &mut Pool,
    (onward, barred): (Onward, Option<&Own>),
    (buffer, length): (&mut [u8], usize),
    now_millis: u64,
) -> Result<(), Dropped> {
    let id = onward.peer.ok_or(Dropped::NoDestination)?;
    let (came, may_wrap) = (pool.came, pool.wrapped.len() < MOST_WRAPPED);
    let pair = pool.lent(id.pair).ok_or(Dropped::NoDestination)?;
    let way = pair.way_to(id.remote, onward.kind, now_millis);
    let Way { context, transport, senders, socket, connected, lasts, marking, address, route, component } =
        way.ok_or(Dropped::NoDestination)?;
    if barred.is_some_and(|own| own.has(address) || own.bars(address)) {
        return Err(Dropped::NoDestination);
    }
    let rtcp = onward.kind == Component::Rtcp;
    if rtcp {
        context.tell_back(buffer.get_mut(..length).unwrap_or_default(), now_millis);
    }
    let mut for_connection = None;
    let by = match transport {
        Some(transport) => transport,
        None => &mut *context,
    };
    by.sends(id.remote, onward.kind, buffer);
    let sent = by.protect(onward.kind, buffer, length, (senders, now_millis)).and_then(|length| {
        let packet = buffer.get(..length).unwrap_or_default();
        if let Route::Connection(number) = route {
            if !may_wrap {
                return Err(Dropped::NotSent);
            }
            for_connection = Some((paths::wrapped(number, packet), component));
            return Ok(packet.len());
        }
        if let Some(connected) = connected {
            marking.follow(connected, Place::Connected, came);
            // It is told of what the peer has refused before; the other one is not.
            if let Ok(sent) = send(connected, packet, SendFlags::empty()) {
                return Ok(sent);
            }
        }
        marking.follow(socket, component.into(), came);
        paths::send(socket, packet, address, route).map_err(|_| Dropped::NotSent)
    });
    match sent {
        Ok(bytes) => context.counters.sent(Tally { bytes, rtcp, now_millis }),
        Err(why) => context.counters.dropped(why),
    }
    if lasts {
        pool.lasts(id.pair);
    }
    if let Some((octets, component)) = for_connection {
        pool.wrapped.push(paths::Input::Wrapped(id.pair, component, octets));
    }
    sent.map(|_| ())
}

type Remote = (super::Settings, Arc<crate::Counters>);

fn set(pool: &mut Pool, id: ContextId, movable_until: Option<u64>, (settings, counters): Remote) -> bool {
    let Some(pair) = pool.lent(id.pair) else { return false };
    stun::settle(pair, &settings);
    let (contexts, senders) = (&mut pair.contexts, &mut pair.senders);
    if let Some(context) = contexts.iter_mut().find(|context| context.remote == id.remote) {
        context.change(id, settings, movable_until, senders);
    } else if id.remote >= crate::MAX_CONTEXTS {
        return false;
    } else {
        contexts.reserve_exact(1);
        contexts.push(Context::new(id, settings, counters, senders));
    }
    stun::catch_up(pair, id.remote);
    true
}

fn clear(pool: &mut Pool, id: ContextId, (desk, coder): (&mut ToDesk, &mut ToCoder)) -> bool {
    let Some(pair) = pool.lent(id.pair) else { return false };
    dtls::end(pair, Some(id.remote), desk);
    coding::end(pair, Some(id.remote), coder);
    for context in pair.contexts.extract_if(.., |context| context.remote == id.remote) {
        context.over(&mut pair.senders);
    }
    true
}
