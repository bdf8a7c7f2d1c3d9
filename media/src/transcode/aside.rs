//! What goes beside the audio in the same stream: events, noise, tones that we say.

/// Where something of another timeline goes in ours.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// The timestamp that came last, and what it became.
    last: Option<(u32, u32)>,
}

/// What comes so much later than the last, in seconds, has no part in it.
const APART: u32 = 2;

impl Aside {
    /// Our timestamp of one that came, `clock` and `ours` being the rates in Hz; `otherwise` where it begins.
    pub(super) fn timestamp(&mut self, came: u32, (clock, ours): (u32, u32), otherwise: u32) -> u32 {
        let goes = match self.last {
            Some((last, became)) if came.wrapping_sub(last) < APART * clock => {
                became.wrapping_add(scaled(came.wrapping_sub(last), clock, ours))
            }
            _ => otherwise,
        };
        self.last = Some((came, goes));
        goes
    }
}

/// Ticks of one clock in those of another.
pub(super) fn scaled(ticks: u32, from: u32, to: u32) -> u32 {
    let ticks = u64::from(ticks) * u64::from(to) / u64::from(from.max(1));
    u32::try_from(ticks & u64::from(u32::MAX)).unwrap_or_default()
}
