//! The load of one endpoint, and what it refuses of it.

use super::Change;
use super::control::{Control, FLOOR};
use super::measure::Measure;
use super::rank::{Mix, Rank};
use super::settings::Settings;
use super::shared::Shared;
use crate::time::Now;
use std::time::Duration;

/// How much an endpoint works, and what it takes because of that.
#[derive(Debug, Default)]
pub(crate) struct Load {
    measure: Measure,
    control: Control,
    /// What clients offer that take no part in overload control.
    mix: Mix,
}

impl Load {
    /// The endpoint has worked for that long, up to now.
    pub(crate) fn worked(&mut self, time: Duration) {
        self.measure.worked(time);
    }

    /// Looks at how it is, if it is time to, and tells everybody (RFC 7415 §3.4: periodically).
    pub(crate) fn review(
        &mut self,
        now: Now,
        endpoint: u16,
        settings: &Settings,
        shared: &Shared,
    ) -> Option<Change> {
        let (share, windows) = self.measure.window(now)?;
        let before = self.control.is_overloaded();
        if settings.protects {
            // One stall is one measurement, however long: only calm goes on by the clock.
            let steps = if share < f64::from(settings.target) { windows } else { 1 };
            (0..steps).for_each(|_| self.control = self.control.step(share, settings));
        } else {
            self.control = Control::default();
        }
        let after = self.control.is_overloaded();
        shared.publish(now, endpoint, after.then(|| self.control.taken()), share);
        match (before, after) {
            (false, true) => Some(Change::Began),
            (true, false) => Some(Change::Ended),
            (false, false) | (true, true) => None,
        }
    }

    pub(crate) fn is_overloaded(&self) -> bool {
        self.control.is_overloaded()
    }

    /// Whether a request is refused, for 64 bits of chance. Who takes part leaves out by himself what we ask for, and is
    /// spared until there is nothing left to ask for.
    pub(crate) fn refuses(&mut self, now: Now, takes_part: bool, rank: Rank, chance: u64) -> bool {
        if takes_part && self.control.taken() > FLOOR {
            return false;
        }
        self.mix.count(now, rank);
        // Rounded up, so that it agrees with what the others are told.
        let left_out = (100 - super::clients::scaled(100, self.control.taken())).min(100);
        self.is_overloaded() && self.mix.leaves_out(left_out, rank, chance)
    }
}
