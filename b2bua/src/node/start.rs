//! Starting the parts of a node, and ending them.

use super::Loader;
use super::kept::Kept;
use super::shards::{self, Parts};
use super::traversal::{self, TraversalError};
use crate::cdr::{Writer, WriterError};
use crate::control::Switchboard;
use crate::shard::{Command, MediaLink};
use crate::snapshot::{Snapshot, media_networks, message_limits, socket_limits};
use crate::store::StoreError;
use crate::turn::{Turn, TurnError};
use admin_api::control::{Control, ControlError, ReloadMode, ReloadOutcome};
use config::Config;
use media::dtls::{Identity, IdentityError};
use media::relay::{self, Relay};
use sip::driver;
use sip::driver::clock::Clock;
use sip::driver::ids::{NoEntropy, RandomIds};
use sip::driver::sockets::{Bind, BindError, Sockets};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener could not be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The relay did not start.
    #[error("the media relay did not start")]
    Relay(#[from] relay::StartError),
    /// The file of call detail records could not be opened.
    #[error(transparent)]
    Records(#[from] WriterError),
    /// What is to outlive the process could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random bits.
    #[error("the system gives no random bits")]
    Entropy(#[from] NoEntropy),
    /// A TURN server did not start.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// A server that leads through a NAT could not be made out.
    #[error(transparent)]
    Traversal(#[from] TraversalError),
    /// There is no certificate of our own for DTLS-SRTP.
    #[error("no certificate for DTLS-SRTP")]
    Identity(#[from] IdentityError),
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
}

/// A running node.
pub struct Node {
    switchboard: Arc<Switchboard>,
    threads: Vec<JoinHandle<()>>,
    listeners: Vec<Bind>,
    /// Ends after the shards that use it.
    _relay: Option<Arc<Relay>>,
    _records: Arc<Writer>,
    /// Ends after the shards, with what they have handed over.
    _kept: Kept,
}

impl Node {
    /// Binds every listener, starts the relay and the shards. Calls are taken as soon as this returns.
    ///
    /// # Errors
    /// See [`StartError`].
    #[expect(clippy::disallowed_methods, reason = "the node is where threads and clocks are started")]
    pub fn start(mut loader: Loader) -> Result<Self, StartError> {
        let snapshot = loader.current().clone();
        let config = snapshot.config();
        let sockets = Sockets::bind_for(&loader.listeners(), shards::count(config.signalling.shards))?;
        let listeners: Vec<Bind> =
            sockets.first().into_iter().flat_map(Sockets::listeners).copied().collect();
        let sip = loader.bound(listeners.clone());
        let (relay, links) = start_relay(&snapshot, sockets.len())?;
        let records = Arc::new(Writer::start(&config.cdr.path(&config.node), config.limits.cdr_queue)?);
        let clock = Clock::start();
        let kept = Kept::open(config)?;
        loader.keep_cards(kept.cards());
        let identity = Arc::new(Identity::generate()?);
        let parts = Parts {
            sip: &sip,
            snapshot: &snapshot,
            records: &records,
            driver: driver_settings(&snapshot)?,
            kept: &kept,
            identity: &identity,
            clock,
            epoch: shards::epoch(clock),
        };
        let shards::Made { shards: ready, directory, standings, homes } =
            shards::make(&parts, sockets, links)?;
        let turn = Turn::start(config, &snapshot.turn, &mut RandomIds::new()?)?;
        let (lost, gauges) = (records.clone(), relay.clone());
        let names = listeners.iter().map(|l| format!("{} {}", l.transport.name(), l.address));
        let switchboard = Switchboard {
            shards: ready.iter().map(|ready| ready.way.clone()).collect(),
            loader: Mutex::new(loader),
            draining: Arc::new(AtomicBool::new(false)),
            placed: AtomicUsize::new(0),
            started: (Instant::now(), SystemTime::now()),
            listeners: names.chain(turn.iter().flat_map(|turn| turn.listeners.clone())).collect(),
            turn,
            relay: Box::new(move || gauges.as_ref().map(|r| r.gauges()).unwrap_or_default()),
            directory,
            standings,
            homes,
            records_lost: Box::new(move || lost.lost()),
            store: kept.condition(),
            transports: ready.iter().map(|ready| ready.counters.clone()).collect(),
        };
        let mut node = Self {
            switchboard: Arc::new(switchboard),
            threads: Vec::new(),
            listeners,
            _relay: relay,
            _records: records,
            _kept: kept,
        };
        for shard in ready {
            // Where one cannot, those that run already are ended with the node.
            node.threads.push(shard.run()?);
        }
        Ok(node)
    }

    /// What the admin API reaches.
    #[must_use]
    pub fn control(&self) -> Arc<dyn Control> {
        self.switchboard.clone()
    }

    /// The listeners, with the addresses that they have got.
    #[must_use]
    pub fn listeners(&self) -> &[Bind] {
        &self.listeners
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.switchboard.config()
    }

    /// Reads the configuration again and puts it in force, without touching a call.
    ///
    /// # Errors
    /// What is wrong with it; the version in force stays.
    pub fn reload(&self) -> Result<ReloadOutcome, ControlError> {
        self.switchboard.reload_now(ReloadMode::Apply)
    }

    /// Takes no new calls. Those that are left after `patience` are ended.
    ///
    /// # Errors
    /// A shard takes no orders, though it has not ended; the others drain.
    pub fn drain(&self, patience: Duration) -> Result<(), ControlError> {
        self.switchboard.draining.store(true, Ordering::Relaxed);
        self.switchboard.order_all(|| Command::Drain(patience))
    }

    /// Whether a shard has ended. Without a drain, that is none that should have.
    #[must_use]
    pub fn has_lost_shard(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Whether every shard has ended. With `ask`, shards look whether there is anything left to do.
    #[must_use]
    pub fn is_over(&self, ask: bool) -> bool {
        if ask {
            self.switchboard.shards.iter().for_each(|shard| shard.waker.wake());
        }
        self.threads.iter().all(JoinHandle::is_finished)
    }
}

impl Drop for Node {
    /// Ends the shards at once, and waits for them: what they still hold, such as the records, is let go then.
    fn drop(&mut self) {
        for shard in &self.switchboard.shards {
            // A shard that takes no orders has ended, or has so many that it is stuck, and then nothing helps.
            if shard.order(Command::Stop).is_err() {
                tracing::debug!(shard = shard.number, "a shard takes no orders");
            }
        }
        if let Some(turn) = &self.switchboard.turn {
            turn.stop();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a shard has panicked");
            }
        }
    }
}

/// The relay, if any network has media, and each shard's way to it.
type Media = (Option<Arc<Relay>>, Vec<Box<dyn MediaLink + Send>>);

fn start_relay(snapshot: &Snapshot, shards: usize) -> Result<Media, StartError> {
    let mut settings = relay_settings(snapshot.config(), shards);
    traversal::complete(&mut settings, snapshot)?;
    if settings.networks.is_empty() {
        let none = |_| -> Box<dyn MediaLink + Send> { Box::new(media::VirtualPorts::default()) };
        return Ok((None, (0..shards).map(none).collect()));
    }
    let (relay, links) = relay::start(&settings)?;
    let links = links.into_iter().map(|link| -> Box<dyn MediaLink + Send> { Box::new(link) });
    Ok((Some(Arc::new(relay)), links.collect()))
}

/// Where no media goes, whoever describes it: what we listen on ourselves.
fn closed(config: &Config) -> Vec<SocketAddr> {
    let listeners = config.networks.values().flat_map(|network| &network.listeners);
    let listeners = listeners.map(|listener| listener.address).filter(|address| address.port() != 0);
    let mut closed = crate::turn::listeners(config);
    closed.extend(listeners);
    closed.push(config.admin.listen);
    closed
}

/// The relay of a process that starts with this configuration.
pub(super) fn relay_settings(config: &Config, shards: usize) -> relay::Config {
    relay::Config {
        shards: u16::try_from(shards).unwrap_or(u16::MAX),
        threads: config.media.threads.unwrap_or_else(relay_threads),
        quarantine: config.media.quarantine,
        move_after: config.media.latch_silence,
        low_water: config.media.spare_low,
        high_water: config.media.spare_high,
        closed: closed(config),
        max_connections: config.limits.media_connections,
        idle_connection: config.media.idle_connection,
        max_pairs: u32::try_from(config.limits.sockets / 2).unwrap_or(u32::MAX),
        ..relay::Config::new(
            media_networks(config.networks.values().map(Some)).into_iter().flatten().collect(),
        )
    }
}

/// One per two cores: the relay shares them with the shards.
fn relay_threads() -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u16::try_from(cores / 2).unwrap_or(u16::MAX).max(1)
}

fn driver_settings(snapshot: &Snapshot) -> Result<driver::Settings, NoEntropy> {
    let config = snapshot.config();
    let mut settings = driver::Settings::new()?;
    settings.limits = socket_limits(config);
    settings.resolver = driver::ResolverSettings {
        name_servers: config.dns.servers.clone(),
        timeout: config.dns.timeout,
        retries: config.dns.attempts.saturating_sub(1),
        hosts_file: config.dns.hosts_file,
    };
    settings.security = snapshot.security.clone();
    settings.message = message_limits(&config.limits);
    Ok(settings)
}
