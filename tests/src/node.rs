//! The node between the telephones: what its shards are made of.

use crate::ids::Seeded;
use crate::ports::{CountedPorts, Seen};
use crate::world::{settings, snapshot};
use b2bua::cdr::Record;
use b2bua::registrar::Keeping;
use b2bua::shard::{Command, Common, Core, Setup};
use b2bua::snapshot::{Secrets, Snapshot};
use media::VirtualPorts;
use sip::home::{HomeIds, Homes, NodeNo, ShardNo};
use sip::ids::Ids;
use sip::registration::server::GruuKeys;
use sip::time::Now;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::mpsc;

/// What temporary GRUUs are made with, in every life of a node.
pub fn gruu_keys() -> GruuKeys {
    GruuKeys::new(&[1; 16], &[2; 32])
}

/// What makes the shards of a node.
pub(crate) struct Node {
    shards: u8,
    seed: u64,
    /// How often it has begun.
    pub(crate) lives: u64,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) settings: sip::Settings,
    pub(crate) homes: Arc<Homes>,
    /// Call detail records, in order.
    pub(crate) records: Arc<Mutex<Vec<Record>>>,
}

impl Node {
    /// With this configuration.
    pub(crate) fn new(shards: u8, document: &str, secrets: Secrets, seed: u64) -> Self {
        let snapshot = snapshot(document, secrets, 1);
        let settings = settings(&snapshot);
        let hasher = ahash::RandomState::with_seeds(seed, 6, 7, 8);
        let homes = Arc::new(Homes::new(&[3; 16], NodeNo(0), shards, hasher));
        Self { shards, seed, lives: 0, snapshot, settings, homes, records: Arc::default() }
    }

    /// What the shards of a life have in common, and the chance that they are seeded with.
    pub(crate) fn common(&self, now: Now) -> (Arc<Common>, Seeded) {
        let hasher = ahash::RandomState::with_seeds(self.seed, 6, 7, 8);
        let mut ids = Seeded(self.seed ^ 0xffff ^ self.lives << 16);
        let common = Common::new(self.shards, now, 10_000, gruu_keys(), &mut ids, hasher);
        (common, ids)
    }

    /// One shard, where it takes commands, and what is seen of its media.
    pub(crate) fn core(
        &self,
        shard: ShardNo,
        common: &Arc<Common>,
        ids: &mut Seeded,
        keeping: Keeping,
    ) -> (Core, mpsc::Sender<Command>, Arc<Seen>) {
        let (ports, seen) = CountedPorts::new(VirtualPorts::new(self.snapshot.media.iter().flatten()));
        let (commands, inbox) = mpsc::channel(64);
        let mark = u64::from(shard.0) << 32;
        let seed = self.seed ^ mark ^ self.lives << 16;
        let sink = self.records.clone();
        let chance = Seeded(seed);
        let sip_ids: Box<dyn Ids + Send> = match self.shards {
            1 => Box::new(chance),
            _ => Box::new(HomeIds::new(chance, self.homes.clone(), shard)),
        };
        let core = Core::new(Setup {
            sip: self.settings.clone(),
            snapshot: self.snapshot.clone(),
            link: Box::new(ports),
            identity: None,
            sip_ids,
            ids: Box::new(Seeded(ids.0 ^ mark)),
            hasher: ahash::RandomState::with_seeds(seed, 5, 6, 7),
            epoch: Instant::now(),
            shard: u16::from(shard.0),
            common: common.clone(),
            keeping,
            records: Box::new(move |record| sink.lock().unwrap().push(record)),
            commands: inbox,
        });
        (core, commands, seen)
    }
}
