//! Bounds and settings of a driver.

use super::clock::Clock;
use super::counters::Counters;
use super::ids::{self, NoEntropy};
use super::security::Security;
use crate::guard::Prefixes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What a driver is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds of the sockets.
    pub limits: Limits,
    /// Limits of one message, for framing.
    pub message: sip_types::Limits,
    /// Whom connections are taken from and made to, at first.
    pub security: Arc<Security>,
    /// How names are looked up.
    pub resolver: ResolverSettings,
    /// How much later than asked `handle_timeout` may be called on an idle driver, so that deadlines that lie
    /// close together cost one wake-up. Default 10 ms.
    pub timer_slack: Duration,
    /// The clock.
    pub clock: Clock,
    /// For the maps whose keys peers choose.
    pub hasher: ahash::RandomState,
    /// Where the driver counts.
    pub counters: Arc<Counters>,
}

impl Settings {
    /// The defaults, with a clock that starts now and a hasher seeded by the system.
    pub fn new() -> Result<Self, NoEntropy> {
        Ok(Self {
            limits: Limits::default(),
            message: sip_types::Limits::default(),
            security: Arc::default(),
            resolver: ResolverSettings::default(),
            timer_slack: Duration::from_millis(10),
            clock: Clock::start(),
            hasher: ids::hasher()?,
            counters: Arc::default(),
        })
    }
}

/// Bounds of what peers can make a driver keep, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections in being, accepted and opened, over all shards. An eighth is for those that we open and those of known
    /// peers. Beyond, the oldest of those that have proved nothing goes for one from elsewhere; where there is none, one
    /// that comes is accepted and closed, and one that is wanted fails. Default 10 000.
    pub connections: usize,
    /// Connections in being with one peer, likewise. Default 256.
    pub connections_per_peer: usize,
    /// What makes one peer of addresses. Default an IPv4 address, or a /64 of IPv6.
    pub prefixes: Prefixes,
    /// Bytes that wait to be written to one connection; a message beyond fails. Default 1 MiB.
    pub write_queue: usize,
    /// Datagrams that wait on one socket whose buffer is full; one beyond is dropped. Default 1024.
    pub datagram_queue: usize,
    /// The longest that opening a connection takes, with its TLS handshake. Default 4 s.
    pub connect_time: Duration,
    /// The longest from the accepting of a connection to the end of its TLS handshake, and of its request for a
    /// WebSocket. Default 10 s.
    pub handshake_time: Duration,
    /// The longest that a peer takes none of what is to be written; then the connection is closed. Default 10 s.
    pub stall_time: Duration,
    /// The longest from the first byte of a message to its last, and from the accepting of a connection to the end
    /// of its first message; then the connection is closed. Default 32 s (64*T1, RFC 3261 §17.1.1.2).
    pub message_time: Duration,
    /// The longest that nothing travels on a connection that has carried a message; then it is closed. Default 1 h.
    pub idle_time: Duration,
    /// Questions to name servers of one shard under way; one beyond is refused. Default 512.
    pub queries: usize,
    /// Binding requests of STUN from one address that are answered in a second; one beyond is dropped. Default 100.
    pub stun_rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_peer: 256,
            prefixes: Prefixes { ipv4: 32, ipv6: 64 },
            write_queue: 1 << 20,
            datagram_queue: 1024,
            connect_time: Duration::from_secs(4),
            handshake_time: Duration::from_secs(10),
            stall_time: Duration::from_secs(10),
            message_time: Duration::from_secs(32),
            idle_time: Duration::from_secs(3600),
            queries: 512,
            stun_rate: 100,
        }
    }
}

/// How names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverSettings {
    /// Name servers; empty for those of the system (resolv.conf(5)). Default empty.
    pub name_servers: Vec<SocketAddr>,
    /// How long one name server may take. Default 1500 ms.
    pub timeout: Duration,
    /// Further attempts after the first. Default 1.
    pub retries: usize,
    /// Whether /etc/hosts comes first. Default true.
    pub hosts_file: bool,
}

impl Default for ResolverSettings {
    fn default() -> Self {
        Self { name_servers: Vec::new(), timeout: Duration::from_millis(1500), retries: 1, hosts_file: true }
    }
}
