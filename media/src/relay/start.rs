//! Starting and stopping.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rtrb::RingBuffer;

use super::coding::{self, Coding};
use super::config::{Config, StartError};
use super::dtmf::{Bell, Keys, REPORTS};
use super::gauges::{DtlsGauges, Gauges, Shared};
use super::keying::Keeper;
use super::link::{Link, ToThread};
use super::marks::Reading;
use super::own::Own;
use super::pathfinder::{Pathfinder, Watched};
use super::pool::{Pool, Share, reads};
use super::sockets::{Poller, Waker};
use super::tcp;
use super::worker::{Shard, Stock, Worker};
use crate::dtls::Tallies;
use crate::ports::even_ports;
use crate::{MediaNetwork, ThreadId};

/// Orders that fit between a shard and a thread.
const COMMANDS: usize = 1_024;

/// The running relay. It stops when this is dropped.
#[derive(Debug)]
pub struct Relay {
    threads: Vec<Running>,
    keeper: Keeping,
    pathfinder: Finding,
    connections: Connecting,
}

/// The thread that finds ways through NATs.
#[derive(Debug)]
struct Finding {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
    servers: Vec<Watched>,
    handle: Option<JoinHandle<()>>,
}

/// The thread of connections.
#[derive(Debug)]
struct Connecting {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
    gauges: Arc<tcp::Shared>,
    handle: Option<JoinHandle<()>>,
}

/// The thread of handshakes.
#[derive(Debug)]
struct Keeping {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
    tallies: Arc<Tallies>,
    handle: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Running {
    stop: Arc<AtomicBool>,
    waker: Arc<Waker>,
    gauges: Arc<Shared>,
    coding: Coding,
    handle: Option<JoinHandle<()>>,
}

/// Binds the first ports of each network, starts the threads, and gives one [`Link`] for each shard.
///
/// # Errors
/// What is wrong with the settings, or what the system refused.
pub fn start(config: &Config) -> Result<(Relay, Vec<Link>), StartError> {
    check(config)?;
    let mut links: Vec<Vec<ToThread>> = Vec::new();
    links.resize_with(config.shards.max(1).into(), Vec::new);
    let stop = Arc::new(AtomicBool::new(false));
    // RTP and RTCP of a pair have one each where they do not share a port; a fork has more of them than one.
    let most = usize::try_from(config.max_pairs).unwrap_or(usize::MAX).saturating_mul(2);
    let mut keeper = Keeper::new(most, Arc::clone(&stop)).map_err(StartError::Thread)?;
    let (waker, tallies) = (keeper.waker(), keeper.tallies());
    let keeping = Keeping { stop, waker, tallies, handle: None };
    let stop = Arc::new(AtomicBool::new(false));
    let own = Own::new(config, hashed().map_err(StartError::Thread)?);
    let pathfinder = Pathfinder::new(config, Arc::clone(own.aliases()), Arc::clone(&stop));
    let mut pathfinder = pathfinder.map_err(StartError::Thread)?;
    let (waker, servers) = (pathfinder.waker(), pathfinder.watched());
    let finding = Finding { stop, waker, servers, handle: None };
    let connecting = Connecting {
        stop: Arc::new(AtomicBool::new(false)),
        waker: Arc::new(Waker::new().map_err(StartError::Thread)?),
        gauges: Arc::default(),
        handle: None,
    };
    let (to_tcp, orders): (Vec<_>, Vec<_>) =
        links.iter().map(|_| tcp::connect(config, &connecting.waker)).unzip();
    let ends = (Arc::clone(&connecting.waker), Arc::clone(&connecting.stop));
    let worker = tcp::Worker::new((config, own.clone()), ends, (orders, Arc::clone(&connecting.gauges)));
    let worker = worker.map_err(StartError::Thread)?;
    let mut relay =
        Relay { threads: Vec::new(), keeper: keeping, pathfinder: finding, connections: connecting };
    for number in 0..config.threads.max(1) {
        relay.threads.push(start_thread(
            (config, &own),
            ThreadId(number),
            &mut links,
            (&mut keeper, &mut pathfinder),
        )?);
    }
    let handle = std::thread::Builder::new().name("media-keys".into()).spawn(move || keeper.run());
    relay.keeper.handle = Some(handle.map_err(StartError::Thread)?);
    if config.networks.iter().any(|network| network.traversal.is_some()) {
        let handle = std::thread::Builder::new().name("media-ice".into()).spawn(move || pathfinder.run());
        relay.pathfinder.handle = Some(handle.map_err(StartError::Thread)?);
    }
    let handle = std::thread::Builder::new().name("media-tcp".into()).spawn(move || worker.run());
    relay.connections.handle = Some(handle.map_err(StartError::Thread)?);
    let networks: Vec<_> = config.networks.iter().map(|network| network.id).collect();
    Ok((
        relay,
        links
            .into_iter()
            .zip(to_tcp)
            .map(|(threads, tcp)| Link::new(networks.clone(), threads, tcp))
            .collect(),
    ))
}

/// A hash with a key that nobody else knows.
fn hashed() -> std::io::Result<ahash::RandomState> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| std::io::ErrorKind::Other)?;
    let mut words = seed.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_ne_bytes));
    let mut next = || words.next().unwrap_or_default();
    Ok(ahash::RandomState::with_seeds(next(), next(), next(), next()))
}

/// Whether the settings fit together; nothing is bound.
///
/// # Errors
/// What is wrong with them.
pub fn check(config: &Config) -> Result<(), StartError> {
    for network in &config.networks {
        if network.address().is_unspecified() || network.address().is_ipv6() != network.bind.is_ipv6() {
            return Err(StartError::Address(network.id));
        }
        let sharers = usize::from(config.threads.max(1)) * usize::from(config.shards.max(1));
        if even_ports(network).count() < sharers {
            return Err(StartError::Ports(network.id));
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the relay is where time comes from")]
fn start_thread(
    (config, own): (&Config, &Own),
    thread: ThreadId,
    links: &mut [Vec<ToThread>],
    (keeper, pathfinder): (&mut Keeper, &mut Pathfinder),
) -> Result<Running, StartError> {
    let poller = Poller::new().map_err(StartError::Thread)?;
    let waker = Arc::new(Waker::new().map_err(StartError::Thread)?);
    poller.add_waker(&waker).map_err(StartError::Thread)?;
    let (gauges, stop) = (Arc::new(Shared::default()), Arc::new(AtomicBool::new(false)));
    let high = usize::from(config.high_water.max(1));
    let share = Share {
        thread,
        threads: config.threads,
        max_bound: config.max_pairs / u32::from(config.threads.max(1)),
        keep: high,
        quarantine_millis: millis(config.quarantine),
    };
    let mut pool = Pool::new(&config.networks, &share, Arc::clone(&gauges));
    for network in 0..pool.networks() {
        let bound = pool.bind_first(network, &poller);
        bound.map_err(|error| StartError::Bind { address: error.address, source: error.source })?;
    }
    let (coding, coder) = coding::start(thread.0, &waker).map_err(StartError::Thread)?;
    let low_water = usize::from(config.low_water).clamp(1, high);
    let mut shards = Vec::with_capacity(links.len());
    for link in links {
        let (commands, orders) = RingBuffer::new(COMMANDS);
        let (told, reports) = RingBuffer::new(REPORTS);
        let bell = Arc::<Bell>::default();
        let (lenders, free): (Vec<_>, _) =
            config.networks.iter().map(|network| RingBuffer::new(stock(config, network))).unzip();
        let lenders = lenders.into_iter().map(|pairs| Stock { pairs, filling: true, gathering: 0 }).collect();
        shards.push(Shard { commands: orders, free: lenders, reports: told, bell: Arc::clone(&bell) });
        link.push(ToThread {
            commands,
            waiting: VecDeque::new(),
            free,
            waker: Arc::clone(&waker),
            reports,
            bell,
            coding: Arc::clone(&coding.totals),
            low_water,
            lent: 0,
            stirred: false,
        });
    }
    let mut worker = Worker {
        pool,
        poller,
        waker: Arc::clone(&waker),
        stop: Arc::clone(&stop),
        gauges: Arc::clone(&gauges),
        shards,
        epoch: Instant::now(),
        low_water,
        move_after: millis(config.move_after),
        buffer: Worker::buffer(),
        copy: Worker::buffer(),
        own: own.clone(),
        desk: keeper.connect(&waker),
        keys: Keys::new(),
        coder,
        paths: pathfinder.connect(&waker),
        reading: Reading::new(reads(&config.networks)),
        hosts: config
            .networks
            .iter()
            .map(|network| network.traversal.as_ref().map(|_| network.bind))
            .collect(),
    };
    worker.stock_up();
    let name = format!("media-{}", thread.0);
    let handle =
        std::thread::Builder::new().name(name).spawn(move || worker.run()).map_err(StartError::Thread)?;
    Ok(Running { stop, waker, gauges, coding, handle: Some(handle) })
}

/// How many free pairs of a network a shard may have at hand: high water, but no more than its fair share.
fn stock(config: &Config, network: &MediaNetwork) -> usize {
    let (threads, shards) = (usize::from(config.threads.max(1)), usize::from(config.shards.max(1)));
    let of_range = even_ports(network).count() / (threads * shards);
    let sharers = threads * shards * config.networks.len().max(1);
    let of_limit = usize::try_from(config.max_pairs).unwrap_or(usize::MAX) / sharers;
    let ready = network.traversal.as_ref().map_or(usize::MAX, |traversal| usize::from(traversal.ready));
    usize::from(config.high_water).min(of_range).min(of_limit).min(ready).max(1)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Relay {
    /// What the threads show of themselves.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let mut gauges = Gauges::default();
        for thread in &self.threads {
            thread.gauges.add_to(&mut gauges);
            thread.coding.totals.add_to(&mut gauges.transcoding);
        }
        gauges.tcp = self.connections.gauges.read();
        let unkeyed = gauges.dtls.unkeyed;
        gauges.servers.clone_from(&self.pathfinder.servers);
        gauges.dtls = DtlsGauges { unkeyed, ..self.keeper.tallies.read() };
        gauges
    }

    /// Stops all threads and closes all ports.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for thread in &self.threads {
            thread.stop.store(true, Ordering::Release);
            thread.waker.wake();
            thread.coding.stop();
        }
        self.keeper.stop.store(true, Ordering::Release);
        self.keeper.waker.wake();
        self.pathfinder.stop.store(true, Ordering::Release);
        self.pathfinder.waker.wake();
        self.connections.stop.store(true, Ordering::Release);
        self.connections.waker.wake();
        let handles = self.threads.iter_mut().filter_map(|thread| thread.handle.take());
        let others = [&mut self.keeper.handle, &mut self.pathfinder.handle, &mut self.connections.handle];
        for handle in handles.chain(others.into_iter().filter_map(Option::take)) {
            let _ = handle.join();
        }
        self.threads.iter_mut().for_each(|thread| thread.coding.join());
    }
}
