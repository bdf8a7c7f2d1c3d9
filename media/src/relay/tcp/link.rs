//! A shard's way to the thread of connections: orders wait, in order and unlost, as many as there are streams.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use rtrb::{Consumer, Producer, PushError, RingBuffer};

use super::super::config::Config;
use super::super::sockets::Waker;
use super::Order;
use super::poller::listen;
use crate::{NetworkId, PairId};

/// Orders that fit into a ring.
const RING: usize = 256;

/// An order, with what it needs.
pub(in crate::relay) struct Errand {
    pub(super) order: Order,
    /// The address that connections are made from.
    pub(super) bind: IpAddr,
    /// The port, where it is the first order for that.
    pub(super) listener: Option<io::Result<TcpListener>>,
}

pub(in crate::relay) struct ToTcp {
    errands: Producer<Errand>,
    waiting: VecDeque<Errand>,
    waker: Arc<Waker>,
    stirred: bool,
    networks: Vec<(NetworkId, IpAddr)>,
    /// Ports at which connections are taken already.
    listening: BTreeSet<PairId>,
}

/// Both ends of a way to the thread that is woken by this.
pub(in crate::relay) fn connect(config: &Config, waker: &Arc<Waker>) -> (ToTcp, Consumer<Errand>) {
    let (errands, taken) = RingBuffer::new(RING);
    let to = ToTcp {
        errands,
        waiting: VecDeque::new(),
        waker: Arc::clone(waker),
        stirred: false,
        networks: config.networks.iter().map(|network| (network.id, network.bind)).collect(),
        listening: BTreeSet::new(),
    };
    (to, taken)
}

impl ToTcp {
    /// Passes an order on. A port takes connections from now on: who is told of it may connect before the thread has had its turn.
    pub(in crate::relay) fn order(&mut self, order: Order) {
        let (mut bind, mut listener) = (IpAddr::from([0; 4]), None);
        match &order {
            Order::Set { context, at: (network, port), .. } => {
                let of = self.networks.iter().find(|(id, _)| id == network);
                let Some((_, address)) = of else { return };
                bind = *address;
                let is_first = self.listening.insert(context.pair);
                listener = is_first.then(|| listen(SocketAddr::new(bind, *port)));
            }
            Order::Release { pair } => _ = self.listening.remove(pair),
            Order::Clear { .. } => {}
        }
        self.waiting.push_back(Errand { order, bind, listener });
        self.stirred = true;
        self.pass_on();
    }

    fn pass_on(&mut self) {
        if self.errands.is_abandoned() {
            return self.waiting.clear();
        }
        while let Some(errand) = self.waiting.pop_front() {
            if let Err(PushError::Full(errand)) = self.errands.push(errand) {
                return self.waiting.push_front(errand);
            }
        }
    }

    /// Wakes the thread if there is something to do.
    pub(in crate::relay) fn flush(&mut self) {
        let waited = self.is_behind();
        self.pass_on();
        if std::mem::take(&mut self.stirred) || waited {
            self.waker.wake();
        }
    }

    pub(in crate::relay) fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }
}
