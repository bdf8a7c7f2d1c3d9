//! What a load is told to do, and what it tells.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One order. `rate` is per second, by the clock: what is late does not put off what comes after it.
#[derive(Debug, Deserialize)]
#[serde(tag = "order", rename_all = "lowercase")]
pub(crate) enum Order {
    /// Users `from..to` register, each once.
    Register {
        from: usize,
        to: usize,
        rate: f64,
        /// Whether they answer the challenge that they had last, instead of waiting for one.
        again: bool,
    },
    /// Users `from..to` ask what is bound.
    Query { from: usize, to: usize, rate: f64 },
    /// OPTIONS, in turn on so many connections, which are opened before.
    Ping { connections: usize, count: usize, rate: f64 },
    /// Connections are opened, each for one OPTIONS.
    Connect { count: usize, rate: f64 },
}

/// What came of an order.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Outcome {
    /// How many have come to a good end.
    pub(crate) succeeded: usize,
    /// How many were refused, or not answered.
    pub(crate) failed: usize,
    /// 401 among the answers.
    pub(crate) challenges: usize,
    /// Requests that were sent again, because nothing came for half a second.
    pub(crate) retransmissions: usize,
    /// Contacts that the answers had.
    pub(crate) contacts: usize,
    /// Seconds from the first to the last.
    pub(crate) seconds: f64,
    /// How long each took from its turn to its good end, in milliseconds: the median, 99 of 100, the longest.
    pub(crate) median_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) longest_ms: f64,
    /// The first answer that was none to be hoped for.
    pub(crate) complaint: Option<String>,
}

impl Outcome {
    /// Fills in how long each took.
    pub(crate) fn timed(mut self, mut each: Vec<Duration>, all: Duration) -> Self {
        each.sort_unstable();
        let ms = |per_cent: usize| each.get(each.len() * per_cent / 100).or(each.last()).map_or(0.0, millis);
        (self.median_ms, self.p99_ms, self.longest_ms) = (ms(50), ms(99), each.last().map_or(0.0, millis));
        self.seconds = all.as_secs_f64();
        self
    }
}

fn millis(duration: &Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
