//! How much of its time a thread works.

use crate::time::{Mono, Now};
use std::time::Duration;

/// How often that is looked at.
pub(crate) const WINDOW: Duration = Duration::from_millis(200);

/// The windows that one measurement stands for at most: all of what control remembers.
const MOST: u128 = 64;

/// The working time of a thread, window by window.
#[derive(Debug, Default)]
pub(crate) struct Measure {
    began: Mono,
    worked: Duration,
    /// The last share, in percent.
    pub(crate) share: f64,
}

impl Measure {
    /// The thread has worked for that long, up to now.
    pub(crate) fn worked(&mut self, time: Duration) {
        self.worked += time;
    }

    /// The share of the time that was worked, in percent, and for how many windows it stands; `None` while the window is
    /// not over.
    pub(crate) fn window(&mut self, now: Now) -> Option<(f64, u32)> {
        let passed = now.mono.since(self.began);
        if passed < WINDOW {
            return None;
        }
        let windows = u32::try_from((passed.as_nanos() / WINDOW.as_nanos()).min(MOST)).unwrap_or(1);
        self.share = (self.worked.as_secs_f64() / passed.as_secs_f64() * 100.0).min(100.0);
        (self.began, self.worked) = (now.mono, Duration::ZERO);
        Some((self.share, windows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Now {
        Now { mono: Mono::from_epoch(Duration::from_millis(ms)), ..Now::default() }
    }

    #[test]
    fn a_share_is_of_its_window() {
        let mut measure = Measure::default();
        measure.window(at(1_000));
        measure.worked(Duration::from_millis(50));
        assert_eq!(measure.window(at(1_199)), None);
        measure.worked(Duration::from_millis(50));
        assert_eq!(measure.window(at(1_200)), Some((50.0, 1)));
        assert_eq!(measure.window(at(2_250)), Some((0.0, 5)), "nothing was done for five windows");
        measure.worked(Duration::from_millis(900));
        assert_eq!(measure.window(at(2_450)), Some((100.0, 1)), "one turn may be longer than a window");
    }
}
