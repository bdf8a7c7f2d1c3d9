//! The thread that finds ways through NATs: ICE and TURN are never done on a relay thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustls::ClientConfig;

use super::config::{Config, Notify};
use super::control::{FromRelay, ends};
use super::paths::ToPaths;
use super::sockets::{Poller, Ready, Waker};
use super::uplink::{Heard, Uplinks};
use crate::ice::aliases::Aliases;
use crate::ice::desk::{Desk, Health, Input, Output, Wire};
use crate::ice::traversal::Traversal;
use crate::{MediaNetwork, NetworkId};

/// Inputs taken from one relay thread before the next has its turn.
const INPUTS_PER_TURN: usize = 64;
/// How soon what found a ring full is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// A server, and what it has shown of itself.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The network that it is for.
    pub network: NetworkId,
    traversal: Arc<Traversal>,
    health: Arc<[Health]>,
    at: usize,
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        (self.network, self.at) == (other.network, other.at)
    }
}

impl Eq for Watched {}

impl Watched {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        self.traversal.servers.get(self.at).map_or("", |server| &server.name)
    }

    /// Whether it has failed, and nothing better was seen since.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.health.get(self.at).is_some_and(Health::is_down)
    }

    /// How often it has failed, and how often an address was got of it.
    #[must_use]
    pub fn counted(&self) -> (u64, u64) {
        self.health.get(self.at).map(Health::counted).unwrap_or_default()
    }
}

/// The thread.
pub(super) struct Pathfinder {
    desk: Desk,
    relays: Vec<FromRelay<Input, Output>>,
    uplinks: Uplinks,
    poller: Poller,
    waker: Arc<Waker>,
    stop: Arc<AtomicBool>,
    watched: Vec<Watched>,
    notify: Notify,
    epoch: Instant,
}

impl Pathfinder {
    pub(super) fn new(
        config: &Config,
        aliases: Arc<Aliases>,
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Self> {
        let (poller, waker) = (Poller::new()?, Arc::new(Waker::new()?));
        poller.add_waker(&waker)?;
        let mut watched = Vec::new();
        let mut networks = Vec::new();
        for network in &config.networks {
            let traversal = network.traversal.as_ref().map(|traversal| {
                let health: Arc<[Health]> = traversal.servers.iter().map(|_| Health::default()).collect();
                watched.extend((0..traversal.servers.len()).map(|at| Watched {
                    network: network.id,
                    traversal: Arc::clone(traversal),
                    health: Arc::clone(&health),
                    at,
                }));
                (Arc::clone(traversal), health)
            });
            networks.push(traversal);
        }
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| std::io::ErrorKind::Other)?;
        let (epoch, unix) = begun();
        Ok(Self {
            desk: Desk::new(networks.into_iter(), aliases, (&seed, unix)),
            relays: Vec::new(),
            uplinks: Uplinks::new(tls(config)?),
            poller,
            waker,
            stop,
            watched,
            notify: config.notify.clone(),
            epoch,
        })
    }

    /// The other end for the next relay thread, that is woken by this.
    pub(super) fn connect(&mut self, relay: &Arc<Waker>) -> ToPaths {
        let (to_paths, from_relay) = ends(relay, &self.waker);
        self.relays.push(from_relay);
        to_paths
    }

    pub(super) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    pub(super) fn watched(&self) -> Vec<Watched> {
        self.watched.clone()
    }

    #[expect(clippy::disallowed_methods, reason = "the relay is where time comes from")]
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Runs until it is stopped.
    pub(super) fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            self.waker.about_to_sleep();
            let timeout = self.until_due();
            self.poller.wait(timeout);
            self.waker.awake();
            for index in 0..self.poller.len() {
                match self.poller.ready(index) {
                    Some(Ready::Waker) => self.waker.clear(),
                    Some(Ready::Socket(slot, _)) => self.hear(slot),
                    None => {}
                }
            }
            for slot in self.uplinks.unread() {
                self.hear(slot);
            }
            self.turn();
        }
    }

    fn until_due(&self) -> Option<Duration> {
        if self.uplinks.has_unread() || self.relays.iter().any(|relay| !relay.inputs.is_empty()) {
            return Some(Duration::ZERO);
        }
        let behind = self.relays.iter().any(FromRelay::is_behind).then_some(RETRY);
        let due = self.desk.deadline().into_iter().chain(self.uplinks.deadline()).min();
        let due = due.map(|due| Duration::from_millis(due.saturating_sub(self.now()) + 1));
        behind.into_iter().chain(due).min()
    }

    fn turn(&mut self) {
        for at in 0..self.relays.len() {
            for taken in 0..INPUTS_PER_TURN {
                let Some(relay) = self.relays.get_mut(at) else { break };
                let Ok(input) = relay.inputs.pop() else { break };
                if taken == 0 {
                    // It may wait for room.
                    relay.waker.wake();
                }
                let now = self.now();
                self.desk.handle(input, now);
                self.deliver();
            }
        }
        let now = self.now();
        self.desk.handle_timeout(now);
        for (pair, component) in self.uplinks.late(now) {
            self.desk.disconnected(pair, component, now);
        }
        self.deliver();
        for relay in &mut self.relays {
            if relay.is_behind() {
                relay.pass_on();
                relay.waker.wake();
            }
        }
    }

    /// A connection has something, or room.
    fn hear(&mut self, slot: u32) {
        let now = self.now();
        let desk = &mut self.desk;
        self.uplinks.serve(slot, |(pair, component), heard| match heard {
            Heard::Connected => desk.connected(pair, component, now),
            Heard::Message(message) => desk.by_connection(pair, component, message, now),
            Heard::Closed => desk.disconnected(pair, component, now),
        });
        self.deliver();
    }

    fn deliver(&mut self) {
        loop {
            while let Some(output) = self.desk.poll() {
                let thread = usize::from(output.pair().thread.0);
                let Some(relay) = self.relays.get_mut(thread) else { continue };
                let may_be_lost = output.may_be_lost();
                relay.send(output, may_be_lost);
                relay.waker.wake();
            }
            while let Some(notice) = self.desk.poll_notice() {
                self.notify.tell(notice);
            }
            let Some(wire) = self.desk.poll_wire() else { return };
            let now = self.now();
            match wire {
                Wire::Connect(pair, component, network, server) => {
                    let server = self.desk.server(network, server).cloned();
                    let made = server.is_some_and(|server| {
                        self.uplinks.connect((pair, component), (network, &server), &self.poller, now)
                    });
                    if !made {
                        self.desk.disconnected(pair, component, now);
                    }
                }
                Wire::Send(pair, component, octets) => self.uplinks.send((pair, component), &octets),
                Wire::Close(pair, component) => self.uplinks.close((pair, component)),
            }
        }
    }
}

/// What TLS goes by in each network that has roots.
fn tls(config: &Config) -> std::io::Result<Vec<Option<Arc<ClientConfig>>>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = |network: &MediaNetwork| {
        let Some((_, roots)) = config.roots.iter().find(|(of, _)| *of == network.id) else { return Ok(None) };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(std::io::Error::other)?;
        Ok(Some(Arc::new(builder.with_root_certificates(roots.store()).with_no_client_auth())))
    };
    config.networks.iter().map(tls).collect()
}

#[expect(clippy::disallowed_methods, reason = "the relay is where time comes from")]
fn begun() -> (Instant, u64) {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (Instant::now(), unix)
}
