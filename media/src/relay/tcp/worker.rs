//! The thread of connections.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rtrb::Consumer;

use super::super::config::Config;
use super::super::own::Own;
use super::super::sockets::Waker;
use super::connection::{Connection, Stage, Taken};
use super::end::End;
use super::gauges::{Shared, add_one};
use super::poller::{Interest, Poller, WAKER, open};
use super::{Errand, Order, Stream};
use crate::quality::Tally;
use crate::{ContextId, Counters, PairId};

/// Orders carried out before connections get their turn again.
const ORDERS_PER_TURN: usize = 64;
/// How long a connection may take to come about.
const OPENING_MILLIS: u64 = 10_000;
/// How often it is looked for what is due, while there are streams.
const TICK: Duration = Duration::from_millis(250);
/// How often one connection is read before others have their turn.
const READS_PER_TURN: usize = 16;
/// What is read at a time.
const ROOM: usize = 16_384;

/// A port that streams have.
struct Port {
    listener: Option<(TcpListener, u64)>,
    bind: IpAddr,
    ends: Vec<End>,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Listener(PairId),
    Connection(ContextId),
}

pub(in crate::relay) struct Worker {
    poller: Poller,
    /// Where nobody is to be led by a description.
    own: Own,
    waker: Arc<Waker>,
    stop: Arc<AtomicBool>,
    gauges: Arc<Shared>,
    orders: Vec<Consumer<Errand>>,
    ports: BTreeMap<PairId, Port>,
    places: BTreeMap<u64, Place>,
    numbers: u64,
    most: usize,
    open: usize,
    idle_millis: u64,
    epoch: Instant,
    buffer: Vec<u8>,
}

impl Worker {
    #[expect(clippy::disallowed_methods, reason = "the relay is where time comes from")]
    pub(in crate::relay) fn new(
        (config, own): (&Config, Own),
        (waker, stop): (Arc<Waker>, Arc<AtomicBool>),
        (orders, gauges): (Vec<Consumer<Errand>>, Arc<Shared>),
    ) -> io::Result<Self> {
        Ok(Self {
            poller: Poller::new(&waker)?,
            own,
            waker,
            stop,
            gauges,
            orders,
            ports: BTreeMap::new(),
            places: BTreeMap::new(),
            numbers: WAKER,
            most: usize::try_from(config.max_connections).unwrap_or(usize::MAX),
            open: 0,
            idle_millis: u64::try_from(config.idle_connection.as_millis()).unwrap_or(u64::MAX),
            epoch: Instant::now(),
            buffer: vec![0; ROOM],
        })
    }

    /// Runs until it is stopped.
    pub(in crate::relay) fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            self.waker.about_to_sleep();
            let busy = self.orders.iter().any(|orders| !orders.is_empty());
            let tick = (!self.ports.is_empty()).then_some(TICK);
            self.poller.wait(if busy { Some(Duration::ZERO) } else { tick });
            self.waker.awake();
            let now = self.now();
            self.obey(now);
            for index in 0..self.poller.len() {
                match self.poller.ready(index) {
                    Some((WAKER, _)) => self.waker.clear(),
                    Some((number, gone)) => match self.places.get(&number).copied() {
                        Some(Place::Listener(pair)) => self.accept(pair, now),
                        Some(Place::Connection(context)) => {
                            self.turn(context, now);
                            if gone {
                                self.lose(context, number);
                            }
                        }
                        None => {}
                    },
                    None => {}
                }
            }
            self.pass_time(now);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the relay is where time comes from; once a turn")]
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn obey(&mut self, now: u64) {
        for shard in 0..self.orders.len() {
            for _ in 0..ORDERS_PER_TURN {
                let Some(Ok(errand)) = self.orders.get_mut(shard).map(Consumer::pop) else { break };
                let Errand { order, bind, listener } = errand;
                match order {
                    Order::Set { context, stream, counters, .. } => {
                        self.listen(context.pair, (bind, listener));
                        self.set(context, stream, (counters, now));
                    }
                    Order::Clear { context } => self.clear(context),
                    Order::Release { pair } => self.release(pair),
                }
            }
        }
    }

    fn listen(&mut self, pair: PairId, (bind, listener): (IpAddr, Option<io::Result<TcpListener>>)) {
        let Some(listener) = listener else { return };
        let number = self.number(Place::Listener(pair));
        let listener = listener.and_then(|listener| {
            self.poller.add(&listener, number, Interest { read: true, write: false })?;
            Ok((listener, number))
        });
        if listener.is_err() {
            self.places.remove(&number);
            add_one(&self.gauges.failed);
        }
        self.ports.insert(pair, Port { listener: listener.ok(), bind, ends: Vec::new() });
    }

    fn set(
        &mut self,
        context: ContextId,
        stream: Option<Box<Stream>>,
        (counters, now): (Arc<Counters>, u64),
    ) {
        let Some(stream) = stream else { return };
        counters.changed(self.epoch, now);
        let Some(port) = self.ports.get_mut(&context.pair) else { return };
        let over = match port.ends.iter_mut().find(|end| end.remote == context.remote) {
            Some(end) => end.change(*stream, now),
            None => {
                port.ends.push(End::new(context.remote, *stream, counters, now));
                false
            }
        };
        if over {
            self.close(context);
        }
        self.open_due(context, now);
        self.turn(context, now);
    }

    fn clear(&mut self, context: ContextId) {
        self.close(context);
        if let Some(port) = self.ports.get_mut(&context.pair) {
            port.ends.retain(|end| end.remote != context.remote);
        }
    }

    fn release(&mut self, pair: PairId) {
        let Some(port) = self.ports.get(&pair) else { return };
        let ends: Vec<_> = port.ends.iter().map(|end| ContextId { pair, remote: end.remote }).collect();
        ends.into_iter().for_each(|context| self.close(context));
        if let Some((_, number)) = self.ports.remove(&pair).and_then(|port| port.listener) {
            self.places.remove(&number);
        }
    }

    fn number(&mut self, place: Place) -> u64 {
        self.numbers += 1;
        self.places.insert(self.numbers, place);
        self.numbers
    }

    fn end(&mut self, context: ContextId) -> Option<&mut End> {
        self.ports.get_mut(&context.pair)?.ends.iter_mut().find(|end| end.remote == context.remote)
    }

    /// Ends the connection of an end at once.
    fn close(&mut self, context: ContextId) {
        let Some(connection) = self.end(context).and_then(|end| end.connection.take()) else { return };
        self.places.remove(&connection.number);
        self.count(-1);
    }

    fn count(&mut self, more: isize) {
        self.open = self.open.saturating_add_signed(more);
        self.gauges.connections.store(self.open as u64, Ordering::Relaxed);
    }

    fn accept(&mut self, pair: PairId, now: u64) {
        let Some(port) = self.ports.get(&pair) else { return };
        let Some((listener, _)) = &port.listener else { return };
        let Ok((stream, source)) = listener.accept() else { return };
        let remote = port.ends.iter().find(|end| end.takes(source)).map(|end| end.remote);
        let remote = remote.filter(|_| self.open < self.most && stream.set_nonblocking(true).is_ok());
        let Some(remote) = remote else { return add_one(&self.gauges.refused) };
        let context = ContextId { pair, remote };
        self.close(context);
        add_one(&self.gauges.accepted);
        self.install(context, (stream, Stage::Open), now);
        self.turn(context, now);
    }

    fn install(&mut self, context: ContextId, (stream, stage): (TcpStream, Stage), now: u64) {
        let _ = stream.set_nodelay(true);
        let number = self.number(Place::Connection(context));
        if self.poller.add(&stream, number, Interest::default()).is_err() {
            self.places.remove(&number);
            return;
        }
        if let Some(end) = self.end(context) {
            let connection = Connection::new(stream, number, stage, end.stream.paths.as_ref(), now);
            (end.connection, end.renews) = (Some(connection), false);
            self.count(1);
        }
    }

    /// Begins a connection that is due.
    fn open_due(&mut self, context: ContextId, now: u64) {
        let (most, open_now) = (self.most, self.open);
        let Some(bind) = self.ports.get(&context.pair).map(|port| port.bind) else { return };
        let Some(remote) = self.end(context).map(|end| end.stream.remote) else { return };
        let barred = self.own.bars_connection(bind, remote);
        let Some(end) = self.end(context) else { return };
        if end.due_millis.is_none_or(|due| due > now) || end.connection.is_some() {
            return;
        }
        end.due_millis = None;
        if barred {
            return add_one(&self.gauges.refused);
        }
        let opened = if open_now < most { open(bind, end.stream.remote).ok() } else { None };
        match opened {
            Some(stream) => self.install(context, (stream, Stage::Opening(now + OPENING_MILLIS)), now),
            None => {
                end.failed(now);
                add_one(&self.gauges.failed);
            }
        }
    }

    /// Does what an end and the one that it goes to can do now.
    fn turn(&mut self, context: ContextId, now: u64) {
        let Some(end) = self.end(context) else { return };
        let peer = end.stream.peer;
        if !self.come_about(context, now) {
            return;
        }
        if let Some(peer) = peer {
            self.carry(peer, context, now);
            self.carry(context, peer, now);
            self.settle(peer);
        }
        self.settle(context);
    }

    /// A connection is no more. What has still come by it is read before that is found out; where nobody takes that now, it is lost.
    fn lose(&mut self, context: ContextId, number: u64) {
        let Some(end) = self.end(context) else { return };
        let peer = end.stream.peer;
        let is_read = |of: &Connection| of.number != number || of.interest.read || !of.is_open();
        if end.connection.as_ref().is_none_or(is_read) {
            return;
        }
        self.close(context);
        peer.into_iter().for_each(|peer| self.close(peer));
    }

    /// Whether a connection is still there; one that we make may have come about, or failed.
    fn come_about(&mut self, context: ContextId, now: u64) -> bool {
        let Some(connection) = self.end(context).and_then(|end| end.connection.as_mut()) else { return true };
        let Stage::Opening(_) = connection.stage else { return true };
        match (connection.stream.take_error(), connection.stream.peer_addr()) {
            (Ok(None), Ok(_)) => {
                connection.stage = Stage::Open;
                add_one(&self.gauges.made);
                true
            }
            (Ok(None), Err(_)) => true,
            (Ok(Some(_)) | Err(_), _) => {
                self.give_up(context, now);
                false
            }
        }
    }

    /// An attempt to connect has come to nothing.
    fn give_up(&mut self, context: ContextId, now: u64) {
        self.close(context);
        add_one(&self.gauges.failed);
        if let Some(end) = self.end(context) {
            end.failed(now);
        }
    }

    /// Carries what has come by one end to the other, as far as that takes it.
    fn carry(&mut self, from: ContextId, to: ContextId, now: u64) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let carried = self.carry_by(&mut buffer, (from, to), now);
        self.buffer = buffer;
        if carried.is_none() {
            // Who is left would wait for ever.
            self.close(from);
            self.close(to);
        }
    }

    /// `None` where the two are to be closed.
    fn carry_by(&mut self, buffer: &mut [u8], (from, to): (ContextId, ContextId), now: u64) -> Option<()> {
        // What is left is there at the next turn: others have theirs before.
        for _ in 0..READS_PER_TURN {
            let room = self.end(to).and_then(|end| end.connection.as_ref()).is_some_and(Connection::has_room);
            let Some(source) = self.end(from).filter(|of| of.stream.peer == Some(to)) else {
                return Some(());
            };
            let Some(connection) = source.connection.as_mut().filter(|of| room && of.is_open() && !of.ended)
            else {
                break;
            };
            let taken = connection.read(buffer);
            if let Taken::Octets(length) = taken {
                connection.last_millis = now;
                source.counters.received(Tally { bytes: length, rtcp: false, now_millis: now });
            }
            let target = self.end(to)?.connection.as_mut()?;
            match taken {
                Taken::Octets(length) => {
                    if target.push(buffer.get(..length)?).is_err() {
                        add_one(&self.gauges.broken);
                        return None;
                    }
                    self.flush(to, now)?;
                }
                Taken::End => {
                    target.close();
                    self.flush(to, now)?;
                    break;
                }
                Taken::Failed => return None,
                Taken::Nothing => break,
            }
        }
        self.flush(to, now)
    }

    fn flush(&mut self, context: ContextId, now: u64) -> Option<()> {
        let Some(end) = self.end(context) else { return Some(()) };
        let Some(connection) = &mut end.connection else { return Some(()) };
        let gone = connection.flush()?;
        if gone > 0 {
            connection.last_millis = now;
            end.counters.sent(Tally { bytes: gone, rtcp: false, now_millis: now });
        }
        Some(())
    }

    /// Waits for what an end can do something about, and ends what is over.
    fn settle(&mut self, context: ContextId) {
        let Some(end) = self.end(context) else { return };
        let Some(connection) = &end.connection else { return };
        if connection.is_over() {
            return self.close(context);
        }
        let peer = end.stream.peer;
        let room =
            peer.and_then(|peer| self.end(peer)?.connection.as_ref()).is_some_and(Connection::has_room);
        let Some(connection) = self.end(context).and_then(|end| end.connection.as_mut()) else { return };
        let wanted = connection.wanted(room);
        if wanted != connection.interest {
            connection.interest = wanted;
            let number = connection.number;
            if let Some(connection) = self.ports.get(&context.pair).and_then(|port| {
                port.ends.iter().find(|end| end.remote == context.remote)?.connection.as_ref()
            }) {
                self.poller.change(&connection.stream, number, wanted);
            }
        }
    }

    /// Makes connections that are due, gives up those that do not come about, and closes those that are idle.
    fn pass_time(&mut self, now: u64) {
        let ends = self.ports.iter().flat_map(|(pair, port)| {
            port.ends.iter().map(|end| (ContextId { pair: *pair, remote: end.remote }, end))
        });
        let (mut due, mut late, mut idle) = (Vec::new(), Vec::new(), Vec::new());
        for (context, end) in ends {
            match &end.connection {
                None if end.due_millis.is_some_and(|due| due <= now) => due.push(context),
                Some(Connection { stage: Stage::Opening(until), .. }) if *until <= now => late.push(context),
                Some(of) if now.saturating_sub(of.last_millis) > self.idle_millis => idle.push(context),
                Some(_) | None => {}
            }
        }
        for context in due {
            self.open_due(context, now);
            self.settle(context);
        }
        late.into_iter().for_each(|context| self.give_up(context, now));
        for context in idle {
            add_one(&self.gauges.idle);
            self.close(context);
        }
    }
}
