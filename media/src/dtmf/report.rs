//! Sender reports of a stream of our own: one that nobody else reports, for the side whose stream it would be sends none (RFC 3550 §6.4.1).

use super::lane::Lane;
use super::translator::Turn;
use super::{Plan, speaker};
use crate::rtcp::{CNAME_LENGTH, kind};

/// Between two of them (RFC 3550 §6.2), and half of it before the first.
const INTERVAL_MILLIS: u64 = 5_000;
const _: () = assert!(INTERVAL_MILLIS > speaker::INTERVAL_MILLIS);
/// A sender report without reports of others, and a description of one source.
const LENGTH: usize = 28 + 28;

/// When they are due.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reporter {
    due: Option<u64>,
    /// When one was sent last.
    last: Option<u64>,
}

impl Reporter {
    /// A packet of ours was sent.
    pub(super) fn spoke(&mut self, now_millis: u64) {
        let due = match self.last {
            None => now_millis + INTERVAL_MILLIS / 2,
            Some(last) => (last + INTERVAL_MILLIS).max(now_millis),
        };
        self.due.get_or_insert(due);
    }

    /// When [`report`](Self::report) has one.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.due
    }

    /// The one that is due; `timestamp` is that of now. Where the stream is somebody's by now, that one reports it.
    pub(super) fn report(
        &mut self,
        lane: &Lane,
        plan: &Plan,
        timestamp: u32,
        turn: Turn<'_>,
    ) -> Option<[u8; LENGTH]> {
        self.due.filter(|due| *due <= turn.millis)?;
        self.due = None;
        let (ssrc, packets, octets) = lane.own()?;
        self.last = Some(turn.millis);
        // Without the time of day it is that since some moment (§4), in seconds and parts of them.
        let seconds = u32::try_from(turn.micros / 1_000_000).unwrap_or_default();
        let parts = u32::try_from(((turn.micros % 1_000_000) << 32) / 1_000_000).unwrap_or_default();
        let words = [ssrc, seconds, parts, timestamp, packets, octets];
        let report =
            [0x80, kind::SENDER_REPORT, 0, 6].into_iter().chain(words.into_iter().flat_map(u32::to_be_bytes));
        let described = [0x81, kind::SOURCE_DESCRIPTION, 0, 6].into_iter().chain(ssrc.to_be_bytes());
        const NAME: [u8; 2] = [1, 16];
        const { assert!(CNAME_LENGTH == 16) };
        let described = described.chain(NAME).chain(plan.cname).chain([0, 0]);
        let mut out = [0; LENGTH];
        out.iter_mut().zip(report.chain(described)).for_each(|(place, octet)| *place = octet);
        Some(out)
    }
}
