//! The shards of a node: how many, and their threads.

use super::StartError;
use crate::cdr::Writer;
use crate::control::Shard;
use crate::shard::{Common, Core, MediaLink, Setup};
use crate::snapshot::Snapshot;
use crate::trunk::Standings;
use config::Auto;
use sip::driver::clock::Clock;
use sip::driver::counters::Counters;
use sip::driver::ids::{NoEntropy, RandomIds, hasher};
use sip::driver::sockets::Sockets;
use sip::driver::{self, Place, Waker};
use sip::home::{HomeIds, Homes, NodeNo, ShardNo};
use sip::ids::Ids;
use sip::registration::server::Directory;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Orders that may wait for a shard.
const COMMANDS: usize = 256;

/// Cores for each shard that the node chooses to have.
const CORES_PER_SHARD: usize = 4;

/// How many shards there are to be. One takes some thousand calls a second, and between several most messages cross a
/// thread, which costs more than it gains while a core is not full. So the node has one per four cores: of those, two
/// are the relay's, whose packets are fifty times the messages of a call, and one is the kernel's.
pub(super) fn count(setting: Auto<u16>) -> u8 {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let count = setting.unwrap_or_else(|| u16::try_from(cores() / CORES_PER_SHARD).unwrap_or(u16::MAX));
    u8::try_from(count).unwrap_or(Homes::MOST).clamp(1, Homes::MOST)
}

/// What all shards are made of.
pub(super) struct Parts<'a> {
    pub(super) sip: &'a sip::Settings,
    pub(super) snapshot: &'a Arc<Snapshot>,
    pub(super) records: &'a Writer,
    pub(super) driver: driver::Settings,
    /// What outlives the process.
    pub(super) kept: &'a super::kept::Kept,
    /// Whom peers of DTLS-SRTP take us for.
    pub(super) identity: &'a Arc<media::dtls::Identity>,
    pub(super) clock: Clock,
    /// When `clock` was at 0.
    pub(super) epoch: Instant,
}

/// A shard that is about to run.
pub(super) struct Ready {
    pub(super) way: Shard,
    pub(super) counters: Arc<Counters>,
    core: Core,
    settings: driver::Settings,
    sockets: Sockets,
    place: Place,
    common: Arc<Common>,
}

/// The shards, and what they have in common that others look at.
pub(super) struct Made {
    pub(super) shards: Vec<Ready>,
    pub(super) directory: Arc<Directory>,
    pub(super) standings: Arc<Standings>,
    pub(super) homes: Arc<Homes>,
}

/// Makes the shards: one for each set of sockets, with one of the links each.
pub(super) fn make(
    parts: &Parts<'_>,
    sockets: Vec<Sockets>,
    links: Vec<Box<dyn MediaLink + Send>>,
) -> Result<Made, NoEntropy> {
    let shards = u8::try_from(sockets.len()).unwrap_or(Homes::MOST);
    let mut ids = RandomIds::new()?;
    let now = parts.clock.now();
    let nonces = parts.snapshot.config().limits.nonces;
    let gruu = parts.kept.gruu_keys(&mut ids);
    let common = Common::new(shards, now, nonces, gruu, &mut ids, hasher()?);
    let key = u128::from(ids.next_u64()) << 64 | u128::from(ids.next_u64());
    let homes = Arc::new(Homes::new(&key.to_le_bytes(), NodeNo(0), shards, hasher()?));
    let wakers: Vec<Waker> = sockets.iter().map(|_| Waker::new()).collect();
    let places = Place::among(&homes, &wakers, &hasher()?);
    let each = homes.shards().zip(sockets).zip(links).zip(wakers).zip(places);
    let ready = each.map(|((((shard, sockets), link), waker), place)| {
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (mut link, bell) = (link, waker.clone());
        link.wake_by(Arc::new(move || bell.wake()));
        let number = u16::from(shard.0);
        let core = Core::new(Setup {
            sip: parts.sip.clone(),
            snapshot: parts.snapshot.clone(),
            link,
            identity: Some(Arc::clone(parts.identity)),
            sip_ids: sip_ids(&homes, shard)?,
            ids: Box::new(RandomIds::new()?),
            hasher: hasher()?,
            epoch: parts.epoch,
            shard: number,
            common: common.clone(),
            keeping: parts.kept.keeping(&homes, shard, waker.clone(), now),
            records: parts.records.handle(),
            commands: inbox,
        });
        let counters = Arc::<Counters>::default();
        let settings = driver::Settings {
            clock: parts.clock,
            hasher: hasher()?,
            counters: counters.clone(),
            ..parts.driver.clone()
        };
        let way = Shard { number, commands, waker };
        Ok(Ready { way, counters, core, settings, sockets, place, common: common.clone() })
    });
    let shards = ready.collect::<Result<_, NoEntropy>>()?;
    let (directory, standings) = (common.directory.clone(), common.standings.clone());
    Ok(Made { shards, directory, standings, homes })
}

/// Identifiers that peers give back; those of a shard that is alone need not say whose they are.
fn sip_ids(homes: &Arc<Homes>, shard: ShardNo) -> Result<Box<dyn Ids + Send>, NoEntropy> {
    let chance = RandomIds::new()?;
    Ok(match homes.shards().count() {
        1 => Box::new(chance),
        _ => Box::new(HomeIds::new(chance, homes.clone(), shard)),
    })
}

/// Tells the other shards, however the thread of one ends.
struct Farewell(Arc<Common>, u16);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.ended(self.1);
    }
}

impl Ready {
    /// Runs the shard on a thread of its own.
    pub(super) fn run(self) -> Result<JoinHandle<()>, StartError> {
        let Self { way, core, settings, sockets, place, common, .. } = self;
        let name = format!("liaison-shard-{}", way.number);
        let body = move || {
            let _farewell = Farewell(common, way.number);
            if let Err(error) = driver::drive(core, settings, sockets, place) {
                tracing::error!(%error, shard = way.number, "a shard did not start");
            }
        };
        std::thread::Builder::new().name(name).spawn(body).map_err(StartError::Thread)
    }
}

/// The instant at which a clock was at 0: media's clock is the system's.
#[expect(clippy::disallowed_methods, reason = "the node is where clocks are started")]
pub(super) fn epoch(clock: Clock) -> Instant {
    Instant::now() - Duration::from_nanos(clock.now().mono.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_s_number_counts_within_bounds() {
        assert_eq!([1, 3, 64, 65, 1000].map(|n| count(Auto::Fixed(n))), [1, 3, 64, 64, 64]);
        assert!((1..=64).contains(&count(Auto::Auto)));
    }
}
