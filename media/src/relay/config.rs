//! What the relay is started with, and why it might not start.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::ice::desk::Notice;
use crate::{MediaNetwork, NetworkId};

/// Settings of the relay. None changes live.
#[derive(Debug, Clone)]
pub struct Config {
    /// The networks that have media ports.
    pub networks: Vec<MediaNetwork>,
    /// Relay threads, at least 1. Default 1: a thread relays some 100,000 packets a second.
    pub threads: u16,
    /// Signalling shards, at least 1; each gets a [`super::Link`]. Default 1.
    pub shards: u16,
    /// Most pairs of ports bound at once, over all networks and threads; a pair is two open files. Default 8,000.
    pub max_pairs: u32,
    /// A shard's stock of free pairs in one network of one thread is filled up when it falls below this. Default 64.
    pub low_water: u16,
    /// …to this, or to its fair share of the range and of `max_pairs` where that is less. Default 256. Also how many
    /// idle pairs a thread keeps bound beside that, for each network; what is idle beyond is closed little by little,
    /// once it was not needed for 30 s.
    pub high_water: u16,
    /// How long a returned pair is not lent again, so that late packets of a call don't reach the next. Default 5 s:
    /// longer than packets live on the way and a peer needs to hear the BYE's retransmission, short against a call.
    /// Where no other pair is to be had, the one that has rested longest is lent earlier, after 1 s at the least.
    pub quarantine: Duration,
    /// How long a latched source must be silent before another permitted one may take its place, and how long after a
    /// new offer or answer it may do so without that. Default 5 s.
    pub move_after: Duration,
    /// Most connections of streams over TCP at once, of both legs; one more is closed when it is taken, or not made. Default 2,000.
    pub max_connections: u32,
    /// How long a connection of a stream stays open by which nothing comes or goes. Default 2 h.
    pub idle_connection: Duration,
    /// Addresses of ours that no media is sent to, such as those of TURN listeners: by way of them it could come back. Default none.
    pub closed: Vec<SocketAddr>,
    /// Whose certificates TURN servers are believed by over TLS, for each network that has such. Default: there are none.
    pub roots: Vec<(NetworkId, Roots)>,
    /// Who is told of STUN and TURN servers that fail, and that are there again. Default nobody.
    pub notify: Notify,
}

/// Root certificates.
#[derive(Debug, Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// Those in a text in PEM; `None` where there are none that can be used.
    #[must_use]
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        Self::from_der(CertificateDer::pem_slice_iter(pem).flatten())
    }

    /// These; `None` where there are none that can be used.
    #[must_use]
    pub fn from_der(certificates: impl Iterator<Item = CertificateDer<'static>>) -> Option<Self> {
        let mut store = RootCertStore::empty();
        let (added, _) = store.add_parsable_certificates(certificates);
        (added > 0).then(|| Self(Arc::new(store)))
    }

    pub(super) fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
    }
}

/// Whom something is told.
#[derive(Clone, Default)]
pub struct Notify(Option<Arc<dyn Fn(Notice) + Send + Sync>>);

impl Notify {
    /// That one, on a thread of the relay's.
    #[must_use]
    pub fn new(told: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(super) fn tell(&self, notice: Notice) {
        if let Some(told) = &self.0 {
            told(notice);
        }
    }
}

impl std::fmt::Debug for Notify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Notify")
    }
}

impl Config {
    /// The defaults for these networks.
    #[must_use]
    pub fn new(networks: Vec<MediaNetwork>) -> Self {
        Self {
            networks,
            threads: 1,
            shards: 1,
            max_pairs: 8_000,
            low_water: 64,
            high_water: 256,
            quarantine: Duration::from_secs(5),
            move_after: Duration::from_secs(5),
            max_connections: 2_000,
            idle_connection: Duration::from_secs(7_200),
            closed: Vec::new(),
            roots: Vec::new(),
            notify: Notify::default(),
        }
    }
}

/// Why the relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The bound and the advertised address of a network are of different families, or the one that descriptions would
    /// state is unspecified.
    #[error("network {} has no media address that descriptions can state", .0.0)]
    Address(NetworkId),
    /// The range of a network has no even port with its odd neighbour for each shard of each thread.
    #[error("network {} has too few media ports for the threads and shards", .0.0)]
    Ports(NetworkId),
    /// The first media ports of a network cannot be bound.
    #[error("media ports cannot be bound at {address}")]
    Bind {
        /// The address of the last port that was tried.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system refused a thread or what one waits with.
    #[error("a relay thread cannot be started")]
    Thread(#[source] io::Error),
}
