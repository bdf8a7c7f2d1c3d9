//! What overload control is told once.

use super::Algorithm;
use std::sync::Arc;
use std::time::Duration;

/// How overload is met.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Whether an endpoint that is overloaded has its clients send less; else it takes what comes, up to its limits.
    pub protects: bool,
    /// Share of its time, in percent, that an endpoint has to work for a second to count as overloaded; 95.
    pub onset: u8,
    /// The share that it is brought back to; 85.
    pub target: u8,
    /// The algorithm that clients are asked for, of those that know several.
    pub algorithm: Algorithm,
    /// How long clients keep to what they were told last; 500 ms (RFC 7339 §4.3).
    pub validity: Duration,
    /// The longest that we keep to what a server has told us; 1 h.
    pub longest: Duration,
    /// Namespaces of Resource-Priority, or single values, whose requests are left out last, and never refused.
    pub priorities: Arc<[Box<str>]>,
    /// Servers and clients that are remembered, each; beyond, those not heard of for longest are forgotten; 4096.
    pub remembered: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            protects: true,
            onset: 95,
            target: 85,
            algorithm: Algorithm::Loss,
            validity: Duration::from_millis(500),
            longest: Duration::from_secs(3_600),
            priorities: Arc::default(),
            remembered: 4_096,
        }
    }
}
