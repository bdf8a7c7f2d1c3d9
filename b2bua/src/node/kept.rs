//! What outlives the process: the store, and the way of the shards to it.

use super::cards::{Cards, CardsRef};
use crate::registrar::{Keeper, Keeping, News, aor_of};
use crate::store::{Condition, Embedded, Handle, Row, Store, StoreError, Table, Write};
use config::Config;
use sip::driver::Waker;
use sip::home::{Homes, ShardNo};
use sip::ids::Ids;
use sip::registration::server::GruuKeys;
use sip::time::Now;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Orders that may wait for the store.
const ORDERS: usize = 16_384;

/// The row of the node's table that has the keys of GRUUs.
const GRUU: &[u8] = b"gruu";

/// What outlives the process; nothing where no registrar keeps its bindings, and no trunk has a card.
pub(super) struct Kept {
    /// Goes before the store, which waits for who writes to it.
    cards: Option<Cards>,
    store: Option<Store>,
    registrations: Vec<Row>,
    node: Vec<Row>,
}

impl Kept {
    /// Opens what the configuration keeps.
    pub(super) fn open(config: &Config) -> Result<Self, StoreError> {
        let keeps = config.networks.values().filter_map(|network| network.registrar.as_ref()).any(|r| r.keep);
        let has_cards = config.trunks.values().any(|trunk| !trunk.card_credentials.is_empty());
        let mut kept = Self { cards: None, store: None, registrations: Vec::new(), node: Vec::new() };
        if !keeps && !has_cards {
            return Ok(kept);
        }
        let backend = Embedded::open(&config.node.state_directory.join("registrations.redb"))?;
        let (store, tables) = Store::start(Box::new(backend), ORDERS)?;
        for (table, rows) in tables {
            match table {
                Table::Registrations => kept.registrations = rows,
                Table::Cards => kept.cards = store.handle().map(|handle| Cards::new(handle, &rows)),
                Table::Node => kept.node = rows,
            }
        }
        kept.store = Some(store);
        Ok(kept)
    }

    /// Who keeps the sequence numbers of cards.
    pub(super) fn cards(&self) -> CardsRef {
        self.cards.as_ref().map(Cards::downgrade).unwrap_or_default()
    }

    /// How the store is doing.
    pub(super) fn condition(&self) -> Option<Arc<Condition>> {
        self.store.as_ref().map(|store| store.condition().clone())
    }

    /// The keys of GRUUs: those of the process before, so that temporary ones stay good, or new ones.
    pub(super) fn gruu_keys(&self, ids: &mut dyn Ids) -> GruuKeys {
        let known = self.node.iter().find(|(key, _)| **key == *GRUU);
        let known = known.and_then(|(_, value)| <[u8; 48]>::try_from(&**value).ok());
        let bytes = known.unwrap_or_else(|| {
            let mut fresh = [0; 48];
            fresh.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&ids.next_u64().to_le_bytes()));
            self.keep_for_node(GRUU, &fresh);
            fresh
        });
        let (mut encryption, mut signature) = ([0; 16], [0; 32]);
        let (first, second) = bytes.split_at(16);
        encryption.copy_from_slice(first);
        signature.copy_from_slice(second);
        GruuKeys::new(&encryption, &signature)
    }

    fn keep_for_node(&self, key: &[u8], value: &[u8]) {
        let Some(handle) = self.store.as_ref().and_then(Store::handle) else { return };
        let write = Write { table: Table::Node, key: key.into(), value: Some(value.into()) };
        // The queue is empty: nothing runs yet. A commit that fails is logged by the store.
        let _ = handle.write(vec![write], Box::new(|_| ()));
    }

    /// What a shard keeps its bindings with, and the rows whose home it is.
    pub(super) fn keeping(&self, homes: &Homes, shard: ShardNo, waker: Waker, now: Now) -> Keeping {
        let home = |row: &&Row| aor_of(row).and_then(|aor| homes.of_user(&aor.uri()?)) == Some(shard);
        let rows = self.registrations.iter().filter(home).cloned().collect();
        let (mut keeping, news) = Keeping::with(rows, now);
        keeping.keeper = self
            .store
            .as_ref()
            .and_then(Store::handle)
            .map(|store| -> Box<dyn Keeper> { Box::new(AtStore { store, news, waker }) });
        keeping
    }
}

/// Keeps the rows of one shard.
struct AtStore {
    store: Handle,
    news: mpsc::Sender<News>,
    waker: Waker,
}

impl Keeper for AtStore {
    fn keep(&mut self, write: Write, ticket: Option<u64>) -> bool {
        let (news, waker) = (self.news.clone(), self.waker.clone());
        let done = move |kept| {
            let Some(ticket) = ticket else { return };
            // There is room for as many as a shard lets wait, and none is missed by a shard that has ended.
            let _ = news.try_send((ticket, kept));
            waker.wake();
        };
        self.store.write(vec![write], Box::new(done)).is_ok()
    }
}
