//! What a session's timer is, and when it is due.

use super::Refresher;
use super::negotiate::Agreed;
use crate::session::OutgoingId;
use crate::time::Mono;
use std::time::Duration;

/// The longest time before the expiration that the session is ended at (RFC 4028 §10).
const MARGIN: Duration = Duration::from_secs(32);

/// What a session knows of its timer. Most sessions of peers without timers have none of it.
#[derive(Debug, Default)]
pub(crate) struct Timing {
    /// The timer, if there is one.
    pub(crate) stands: Option<Standing>,
    /// The largest Min-SE heard: in 422s to our INVITE before there is a dialog, afterwards in 422s and requests in it
    /// (RFC 4028 §7.4); 0 without any.
    pub(crate) heard: u32,
    /// The peer refuses whatever interval we ask for: we ask for none.
    pub(crate) unasked: bool,
    /// The refresh that is under way.
    pub(crate) refreshing: Option<OutgoingId>,
    /// The earliest deadline that waits.
    pub(crate) armed: Option<Mono>,
}

/// A timer that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) agreed: Agreed,
    /// When the last 2xx came or went.
    since: Mono,
    /// When something is to be done.
    pub(crate) due: Mono,
    /// Refreshes since then that failed.
    pub(crate) failed: u8,
}

impl Standing {
    /// The interval begins.
    pub(crate) fn new(agreed: Agreed, now: Mono) -> Self {
        let mut standing = Self { agreed, since: now, due: now, failed: 0 };
        standing.due = match agreed.refresher {
            // RFC 4028 §7.2, §9: once half of it has elapsed.
            Refresher::Us => now + standing.interval() / 2,
            Refresher::Peer => standing.end(),
        };
        standing
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(self.agreed.interval.into())
    }

    /// When the session is ended without a refresh: slightly before it expires (RFC 4028 §10).
    pub(crate) fn end(&self) -> Mono {
        let interval = self.interval();
        self.since + (interval - MARGIN.min(interval / 3))
    }

    /// When the session expires: until then a refresh that is under way may be answered.
    pub(crate) fn expiration(&self) -> Mono {
        self.since + self.interval()
    }

    /// Something is to be done after that time, or when the session ends if that is sooner.
    pub(crate) fn wait(&mut self, now: Mono, after: Duration) {
        self.due = (now + after).min(self.end());
    }
}

impl Timing {
    /// What has been agreed.
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        self.stands.map(|standing| standing.agreed)
    }
}

/// The timer of a session, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerView {
    /// The session interval, in seconds.
    pub interval: u32,
    /// Who refreshes.
    pub refresher: Refresher,
    /// Whether the peer knows nothing of it.
    pub alone: bool,
    /// When we refresh next, or end the session if the peer does not.
    pub due: Mono,
}

impl Timing {
    pub(crate) fn view(&self) -> Option<TimerView> {
        self.stands.map(|standing| TimerView {
            interval: standing.agreed.interval,
            refresher: standing.agreed.refresher,
            alone: standing.agreed.alone,
            due: standing.due,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::from_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn rfc4028_10_half_of_the_interval_and_slightly_before_its_end() {
        let rows = [(90, 45, 60), (96, 48, 64), (1_800, 900, 1_768)];
        for (interval, half, end) in rows {
            let of = |refresher| Standing::new(Agreed { interval, refresher, alone: false }, at(100));
            assert_eq!(of(Refresher::Us).due, at(100 + half));
            assert_eq!((of(Refresher::Us).end(), of(Refresher::Peer).due), (at(100 + end), at(100 + end)));
        }
        let most = Agreed { interval: u32::MAX, refresher: Refresher::Peer, alone: false };
        assert!(Standing::new(most, at(1)).due > at(1), "the longest that can be said");
    }
}
