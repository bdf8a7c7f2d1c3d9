//! What is done about ICE and TURN off the relay threads: addresses beyond the NAT for each pair of ports, and the sessions on them.
//! No I/O and no clock; the relay threads carry its datagrams, whoever drives it its connections.
//!
//! A pair is gathered for before it is lent, so that no offer has to wait, and what is found of it later counts from then on.
//! Limits: as many pairs as the relay has, [`crate::MAX_CONTEXTS`] sessions on each.

mod base;
mod part;
mod sessions;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Component;
use super::Credentials;
use super::aliases::Aliases;
use super::full::{CandidateKind, Progress, Terms, Via};
use super::reach::Reach;
use super::traversal::Traversal;
use crate::chance::Chance;
use crate::turn::client::{Failure, Login};
use crate::{ContextId, PairId};
use base::Base;

/// What a relay thread tells.
#[derive(Debug)]
pub(crate) enum Input {
    /// A pair of a network, with its two addresses, is to be lent.
    Gather(PairId, usize, [SocketAddr; 2]),
    /// STUN came there, from its source by that way.
    Datagram(PairId, (Component, Via), SocketAddr, Box<[u8]>),
    /// Checks with these credentials are expected.
    Expect(PairId, Credentials),
    /// A session begins, or goes on with other terms.
    Begin(ContextId, u32, Arc<Terms>),
    /// A remote is no more.
    End(ContextId),
    /// A peer without ICE is reached by way of the relayed address.
    Reach(PairId, Component, SocketAddr),
    /// Something for a peer by way of a server's connection, with the channel's head.
    Wrapped(PairId, Component, Box<[u8]>),
    /// A pair comes back.
    Release(PairId),
}

/// What a relay thread is told.
#[derive(Debug)]
pub(crate) enum Output {
    /// To be sent from a port.
    Datagram(PairId, Component, SocketAddr, Box<[u8]>),
    /// A pair may be lent.
    Gathered(PairId, Arc<Reach>),
    /// A component has a relayed address at a server, which is reached from the port itself, or with `None` by a connection.
    Tunnel(PairId, Component, Option<SocketAddr>),
    /// It has none any more.
    NoTunnel(PairId, Component),
    /// A peer has a channel.
    Channel(PairId, Component, u16, SocketAddr),
    /// A peer has none any more, and gets none.
    Barred(PairId, Component, SocketAddr),
    /// A session's peer is at that address, too.
    Valid(ContextId, u32, Component, SocketAddr),
    /// Media of a session goes there.
    Selected(ContextId, u32, Component, Selected),
    /// Nothing is to be sent.
    Lost(ContextId, u32, Component),
    /// How far a session has come.
    Progress(ContextId, u32, Progress),
    /// Something came by a server's connection.
    Arrived(PairId, Component, SocketAddr, Box<[u8]>),
    /// A pair is not needed here any more.
    Released(PairId),
}

impl Output {
    /// The pair that it is about.
    pub(crate) fn pair(&self) -> PairId {
        match self {
            Self::Datagram(pair, ..)
            | Self::Gathered(pair, ..)
            | Self::Tunnel(pair, ..)
            | Self::NoTunnel(pair, ..)
            | Self::Channel(pair, ..)
            | Self::Barred(pair, ..)
            | Self::Arrived(pair, ..)
            | Self::Released(pair) => *pair,
            Self::Valid(context, ..)
            | Self::Selected(context, ..)
            | Self::Lost(context, ..)
            | Self::Progress(context, ..) => context.pair,
        }
    }

    /// Whether whoever has sent it, or waits for it, tries again.
    pub(crate) fn may_be_lost(&self) -> bool {
        matches!(self, Self::Datagram(..) | Self::Arrived(..))
    }
}

/// The pair that media of a component goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selected {
    /// From which of our addresses.
    pub(crate) via: Via,
    /// To which of the peer's.
    pub(crate) remote: SocketAddr,
    /// What the peer sees ours as.
    pub(crate) local_kind: CandidateKind,
    /// What the peer's is.
    pub(crate) remote_kind: CandidateKind,
}

/// What is to be done about connections to servers, each of which is of one port.
#[derive(Debug)]
pub(crate) enum Wire {
    /// One is to be made to that server of a network.
    Connect(PairId, Component, usize, usize),
    Send(PairId, Component, Vec<u8>),
    Close(PairId, Component),
}

/// What a server of a network has shown of itself.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Milliseconds of the desk's time until when it is passed over; 0 for one that has not failed.
    down: AtomicU64,
    /// Failures.
    failures: AtomicU64,
    /// Allocations, or mappings, that were got.
    successes: AtomicU64,
}

impl Health {
    /// Whether it has failed, and nothing better was seen since.
    #[must_use]
    pub(crate) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed) > 0
    }

    /// How often it has failed, and how often an address was got of it.
    #[must_use]
    pub(crate) fn counted(&self) -> (u64, u64) {
        (self.failures.load(Ordering::Relaxed), self.successes.load(Ordering::Relaxed))
    }
}

/// A server that has failed is passed over for so long.
const DOWN_MILLIS: u64 = 30_000;

/// The servers of one network.
pub(crate) struct Servers {
    traversal: Arc<Traversal>,
    health: Arc<[Health]>,
    /// What proves us to each, and since when: all ports go by one, for an allocation that a port had before is ended by nobody else.
    logins: BTreeMap<usize, (Login, u64)>,
}

/// How long credentials are used that last a day.
const LOGIN_LASTS_MILLIS: u64 = 12 * 3_600_000;

impl Servers {
    /// What proves us to a server; `None` where it asks for nothing, or where it cannot be made.
    fn login(&mut self, server: usize, (unix, now): (u64, u64)) -> Option<Login> {
        let fresh = |since: u64| now.saturating_sub(since) < LOGIN_LASTS_MILLIS;
        if let Some((login, _)) = self.logins.get(&server).filter(|(_, since)| fresh(*since)) {
            return Some(login.clone());
        }
        let login = self.traversal.servers.get(server)?.auth.as_ref()?.login(unix)?;
        self.logins.insert(server, (login.clone(), now));
        Some(login)
    }

    fn is_down(&self, server: usize, now: u64) -> bool {
        self.health.get(server).is_some_and(|health| health.down.load(Ordering::Relaxed) > now)
    }

    /// Notes a failure; true when it was not known to be down.
    fn failed(&self, server: usize, now: u64) -> bool {
        let Some(health) = self.health.get(server) else { return false };
        health.failures.fetch_add(1, Ordering::Relaxed);
        health.down.swap(now + DOWN_MILLIS, Ordering::Relaxed) == 0
    }

    /// Notes a failure that concerns one allocation.
    fn refused(&self, server: usize) {
        if let Some(health) = self.health.get(server) {
            health.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes a success; true when it was known to be down.
    fn worked(&self, server: usize) -> bool {
        let Some(health) = self.health.get(server) else { return false };
        health.successes.fetch_add(1, Ordering::Relaxed);
        health.down.swap(0, Ordering::Relaxed) > 0
    }
}

/// Something that an operator wants to know of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It is of no use now, and passed over for a while.
    Down {
        /// Its name in the configuration.
        server: Box<str>,
        /// Why.
        why: Failure,
    },
    /// It is of use again.
    Up {
        /// Its name in the configuration.
        server: Box<str>,
    },
}

/// The desk.
pub(crate) struct Desk {
    servers: Vec<Option<Servers>>,
    bases: BTreeMap<PairId, Base>,
    due: BTreeSet<(u64, PairId)>,
    /// What ports are known by.
    aliases: Arc<Aliases>,
    chance: Chance,
    /// Seconds since 1970 at the beginning of the desk's time.
    unix: u64,
    outputs: VecDeque<Output>,
    wires: VecDeque<Wire>,
    notices: VecDeque<Notice>,
}

/// Notices that wait to be read; more are dropped.
const NOTICES: usize = 64;

/// What the parts of a desk share while one pair is looked at.
struct Shared<'a> {
    servers: &'a mut Servers,
    aliases: &'a Aliases,
    chance: &'a mut Chance,
    outputs: &'a mut VecDeque<Output>,
    wires: &'a mut VecDeque<Wire>,
    notices: &'a mut VecDeque<Notice>,
    unix: u64,
    now: u64,
}

impl Shared<'_> {
    fn login(&mut self, server: usize) -> Option<Login> {
        self.servers.login(server, (self.unix, self.now))
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        let drawn = [self.chance.next(), self.chance.next()].into_iter().flat_map(u128::to_be_bytes);
        seed.iter_mut().zip(drawn).for_each(|(to, from)| *to = from);
        seed
    }

    fn notice(&mut self, server: usize, down: Option<Failure>) {
        let Some(server) = self.servers.traversal.servers.get(server) else { return };
        if self.notices.len() < NOTICES {
            let server = server.name.clone();
            self.notices.push_back(match down {
                Some(why) => Notice::Down { server, why },
                None => Notice::Up { server },
            });
        }
    }
}

impl Desk {
    /// One for networks of which some are behind a NAT. `seed` is of a cryptographic source, `unix` the seconds since 1970 when its
    /// time began.
    pub(crate) fn new(
        networks: impl Iterator<Item = Option<(Arc<Traversal>, Arc<[Health]>)>>,
        aliases: Arc<Aliases>,
        (seed, unix): (&[u8; 32], u64),
    ) -> Self {
        let servers = |(traversal, health)| Servers { traversal, health, logins: BTreeMap::new() };
        Self {
            servers: networks.map(|network| network.map(servers)).collect(),
            bases: BTreeMap::new(),
            due: BTreeSet::new(),
            aliases,
            chance: Chance::new(seed),
            unix,
            outputs: VecDeque::new(),
            wires: VecDeque::new(),
            notices: VecDeque::new(),
        }
    }

    pub(crate) fn handle(&mut self, input: Input, now: u64) {
        match input {
            Input::Gather(pair, network, hosts) => {
                // A pair that is known still came back to the relay without having been released.
                self.with(pair, now, Base::forget);
                self.bases.insert(pair, Base::new(pair, network, hosts, now));
                self.with(pair, now, Base::begin);
            }
            Input::Datagram(pair, place, source, octets) => {
                self.with(pair, now, |base, shared| base.datagram(place, source, &octets, shared));
            }
            Input::Expect(pair, local) => self.with(pair, now, |base, _| base.expect(&local)),
            Input::Begin(context, serial, terms) => {
                self.with(context.pair, now, |base, shared| base.session(context, serial, &terms, shared));
            }
            Input::End(context) => self.with(context.pair, now, |base, _| base.end(context.remote)),
            Input::Reach(pair, component, peer) => {
                self.with(pair, now, |base, shared| base.want(component, peer, shared));
            }
            Input::Wrapped(pair, component, octets) => {
                self.wires.push_back(Wire::Send(pair, component, octets.into_vec()));
            }
            Input::Release(pair) => {
                if self.bases.contains_key(&pair) {
                    self.with(pair, now, Base::release);
                } else {
                    self.outputs.push_back(Output::Released(pair));
                }
            }
        }
    }

    /// A connection to a server stands; false for one that is not wanted any more.
    pub(crate) fn connected(&mut self, pair: PairId, component: Component, now: u64) {
        self.with(pair, now, |base, shared| base.connected(component, shared));
    }

    /// A connection is gone.
    pub(crate) fn disconnected(&mut self, pair: PairId, component: Component, now: u64) {
        self.with(pair, now, |base, shared| base.disconnected(component, shared));
    }

    /// A message came by a connection.
    pub(crate) fn by_connection(&mut self, pair: PairId, component: Component, message: &[u8], now: u64) {
        self.with(pair, now, |base, shared| base.by_connection(component, message, shared));
    }

    fn with(&mut self, pair: PairId, now: u64, act: impl FnOnce(&mut Base, &mut Shared<'_>)) {
        let Some(base) = self.bases.get_mut(&pair) else { return };
        let Some(Some(servers)) = self.servers.get_mut(base.network) else {
            self.bases.remove(&pair);
            return;
        };
        let mut shared = Shared {
            servers,
            aliases: &self.aliases,
            chance: &mut self.chance,
            outputs: &mut self.outputs,
            wires: &mut self.wires,
            notices: &mut self.notices,
            unix: self.unix + now / 1_000,
            now,
        };
        act(base, &mut shared);
        base.deliver(&mut shared);
        let before = base.due;
        if let Some(before) = before {
            self.due.remove(&(before, pair));
        }
        if base.is_released(now) {
            self.bases.remove(&pair);
            self.outputs.push_back(Output::Released(pair));
            return;
        }
        base.due = base.deadline();
        if let Some(due) = base.due {
            self.due.insert((due, pair));
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.due.first().map(|(due, _)| *due)
    }

    pub(crate) fn handle_timeout(&mut self, now: u64) {
        // Those that are due now, each once: one that stays due neither keeps others from their turn nor this from its end.
        let due: Vec<PairId> =
            self.due.iter().take_while(|(due, _)| *due <= now).map(|(_, pair)| *pair).collect();
        for pair in due {
            self.with(pair, now, Base::pass_time);
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn poll_wire(&mut self) -> Option<Wire> {
        self.wires.pop_front()
    }

    pub(crate) fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// A server of a network, for whoever makes connections.
    pub(crate) fn server(&self, network: usize, server: usize) -> Option<&super::traversal::Server> {
        self.servers.get(network)?.as_ref()?.traversal.servers.get(server)
    }
}
