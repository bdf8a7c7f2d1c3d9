//! The clocks of the process.

use crate::time::{Mono, Now, Wall};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where [`Now`] comes from. Threads that exchange points in time use copies of one clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// A clock whose epoch is this moment.
    #[expect(clippy::disallowed_methods, reason = "the driver is where time enters")]
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// The time. A wall clock set before 1970 reads 0.
    #[expect(clippy::disallowed_methods, reason = "the driver is where time enters")]
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            mono: Mono::from_epoch(self.epoch.elapsed()),
            wall: Wall(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// The same point as the runtime's timers know it.
    pub(crate) fn instant(&self, at: Mono) -> tokio::time::Instant {
        let elapsed = Duration::from_nanos(at.as_nanos());
        // A deadline past the range of the system's clock is as good as one in a year.
        let far = Duration::from_secs(365 * 86_400);
        self.epoch.checked_add(elapsed).or_else(|| self.epoch.checked_add(far)).unwrap_or(self.epoch).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_is_the_same_for_the_runtime() {
        let clock = Clock::start();
        let (earlier, later) = (clock.now(), clock.now());
        assert!(earlier.mono <= later.mono);
        assert!(earlier.wall.0 > 1_577_836_800_000, "after 2020");
        let step = Duration::from_millis(7);
        assert_eq!(clock.instant(earlier.mono + step) - clock.instant(earlier.mono), step);
        let _ = clock.instant(Mono::from_epoch(Duration::MAX));
    }
}
