//! What location is told once.

use std::time::Duration;

/// How targets are found and remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a target that was silent or out of reach is skipped; 30 s. The first request after that is the probe.
    pub hold: Duration,
    /// The longest that the Retry-After of a 503 is heeded (RFC 3261 §21.5.4); 1 h.
    pub longest_hold: Duration,
    /// How long after their time records are still used while no name server answers (RFC 8767 §4); 1 h.
    pub stale: Duration,
    /// The head start of each connection over the next in a race (RFC 8305 §5, Connection Attempt Delay); 250 ms.
    pub head_start: Duration,
    /// Bounds.
    pub limits: Limits,
}

/// Bounds of what name servers and peers can make location do and keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records of one answer that are looked at; 64.
    pub records: usize,
    /// Hosts of one look-up whose addresses are asked for; 8.
    pub hosts: usize,
    /// Addresses of one host that are used; 8.
    pub addresses: usize,
    /// Targets of one request; 16.
    pub targets: usize,
    /// Answers of name servers that are remembered; beyond, the oldest is forgotten; 4096.
    pub names: usize,
    /// Targets whose state is remembered; beyond, the one not heard of for longest is forgotten; 4096.
    pub remembered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { records: 64, hosts: 8, addresses: 8, targets: 16, names: 4_096, remembered: 4_096 }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(30),
            longest_hold: Duration::from_secs(3_600),
            stale: Duration::from_secs(3_600),
            head_start: Duration::from_millis(250),
            limits: Limits::default(),
        }
    }
}
