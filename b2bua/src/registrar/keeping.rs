//! How bindings outlive the process.

use super::row::{self, FlowRow};
use crate::snapshot::Snapshot;
use crate::store::{Row, Write};
use sip::registration::server::{Aor, Registrar};
use sip::time::Now;
use sip::{Flow, ListenerId, Settings};
use tokio::sync::mpsc;

/// REGISTERs of one shard that may wait for the store, and so the news from it that may.
pub(crate) const NEWS: usize = 4_096;

/// Whoever keeps rows. News come to [`Keeping::news`], and the shard is woken for them.
pub trait Keeper: Send {
    /// Takes a row, without waiting; what becomes of it is told under that ticket, if there is one. `false` if there is no room.
    fn keep(&mut self, write: Write, ticket: Option<u64>) -> bool;
}

/// Whether the row of a ticket is kept.
pub type News = (u64, bool);

/// What a shard keeps its bindings with.
pub struct Keeping {
    /// `None` where nothing is kept.
    pub keeper: Option<Box<dyn Keeper>>,
    /// What became of its rows.
    pub news: mpsc::Receiver<News>,
    /// The rows of this shard that an earlier process has kept.
    pub rows: Vec<Row>,
    /// The time.
    pub now: Now,
}

impl Keeping {
    /// With whom to keep rows, what was kept, and the way for news.
    #[must_use]
    pub fn with(rows: Vec<Row>, now: Now) -> (Self, mpsc::Sender<News>) {
        let (told, news) = mpsc::channel(NEWS);
        (Self { keeper: None, news, rows, now }, told)
    }

    /// Nothing is kept.
    #[must_use]
    pub fn nothing(now: Now) -> Self {
        Self::with(Vec::new(), now).0
    }
}

/// The address-of-record of a row.
pub(crate) fn aor_of(row: &Row) -> Option<Aor> {
    std::str::from_utf8(&row.0).ok().map(Aor::from_kept)
}

/// Puts back what was kept, but for what the configuration has no account for any more. First those that are bound, then
/// those whose rows can go.
pub(super) fn restore(
    registrar: &mut Registrar,
    now: Now,
    rows: Vec<Row>,
    settings: &Settings,
    snapshot: &Snapshot,
) -> (Vec<Aor>, Vec<Aor>) {
    let (mut bound, mut over) = (Vec::new(), Vec::new());
    for kept in rows {
        let Some(aor) = aor_of(&kept) else { continue };
        if snapshot.registrars.account(&aor).is_none() {
            over.push(aor);
            continue;
        }
        let Some((bindings, instances)) = row::read(now, &kept.1, |flow| flow_of(settings, snapshot, flow))
        else {
            tracing::warn!(%aor, "bindings that were kept cannot be read");
            continue;
        };
        registrar.restore(now, aor.clone(), bindings, &instances);
        match registrar.directory().record(&aor) {
            Some(_) => bound.push(aor),
            None => over.push(aor),
        }
    }
    (bound, over)
}

/// A flow in words that mean the same after a restart.
pub(super) fn flow_row(settings: &Settings, snapshot: &Snapshot, flow: &Flow) -> Option<FlowRow> {
    let listener = settings.listener(flow.listener)?;
    Some(FlowRow {
        network: snapshot.network_name(listener.network)?.as_str().into(),
        transport: listener.transport.uri_param().into(),
        local: listener.address,
        peer: flow.peer,
    })
}

/// The flow that such words mean now: from the same address, or else the first of the network that reaches the peer.
fn flow_of(settings: &Settings, snapshot: &Snapshot, row: &FlowRow) -> Option<Flow> {
    let transport = sip::Transport::from_token(&row.transport)?;
    let network = snapshot.networks.iter().find(|name| name.as_str() == &*row.network)?;
    let network = snapshot.network_id(network)?;
    let same = settings
        .listeners
        .iter()
        .position(|l| (l.network, l.transport, l.address) == (network, transport, row.local));
    let same = same.and_then(|at| u16::try_from(at).ok()).map(ListenerId);
    let listener = same.or_else(|| settings.listener_towards(network, transport, row.peer))?;
    Some(Flow { listener, peer: row.peer, connection: None })
}
