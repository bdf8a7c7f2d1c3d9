//! How much is taken of what is offered: the occupancy algorithm (OCC) of Kasera et al., "Fast and Robust Signaling
//! Overload Control" (ICNP 2001), which Hilt and Widjaja, "Controlling Overload in Networks of SIP Servers" (ICNP 2008),
//! compare for SIP. After each window the share f that is taken becomes φf, where φ is the wanted occupancy by that found.
//!
//! ```text
//!              five windows at the onset
//!   ┌──────┐ ─────────────────────────────► ┌────────────┐ f := φf, between FLOOR and 1,
//!   │ Calm │                                │ Overloaded │ φ at most GROWTH
//!   └──────┘ ◄───────────────────────────── └────────────┘
//!              five windows with f = 1
//! ```

use super::settings::Settings;

/// The least that is taken: without any there were nothing to find out by that things are better.
pub(crate) const FLOOR: f64 = 0.05;
/// How fast it may grow, by window.
const GROWTH: f64 = 1.2;
/// Windows in a row that make overload begin, or end.
const PATIENCE: u32 = 5;

/// The state of control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Control {
    /// All is taken; so many windows in a row were at the onset.
    Calm { strained: u32 },
    /// That share is taken; so many windows in a row it was all.
    Overloaded { taken: f64, calm: u32 },
}

impl Default for Control {
    fn default() -> Self {
        Self::Calm { strained: 0 }
    }
}

impl Control {
    /// The share that is taken.
    pub(crate) fn taken(self) -> f64 {
        match self {
            Self::Calm { .. } => 1.0,
            Self::Overloaded { taken, .. } => taken,
        }
    }

    pub(crate) fn is_overloaded(self) -> bool {
        matches!(self, Self::Overloaded { .. })
    }

    /// What follows from a window with that occupancy, in percent.
    #[must_use]
    pub(crate) fn step(self, occupancy: f64, settings: &Settings) -> Self {
        let growth = (f64::from(settings.target) / occupancy.max(1.0)).min(GROWTH);
        match self {
            Self::Calm { .. } if occupancy < f64::from(settings.onset) => Self::Calm { strained: 0 },
            Self::Calm { strained } if strained + 1 < PATIENCE => Self::Calm { strained: strained + 1 },
            Self::Calm { .. } => Self::Overloaded { taken: growth.clamp(FLOOR, 1.0), calm: 0 },
            Self::Overloaded { taken, calm } => match (taken * growth).clamp(FLOOR, 1.0) {
                all if all >= 1.0 && calm + 1 >= PATIENCE => Self::Calm { strained: 0 },
                all if all >= 1.0 => Self::Overloaded { taken: 1.0, calm: calm + 1 },
                taken => Self::Overloaded { taken, calm: 0 },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut control: Control, occupancy: f64, windows: u32) -> Control {
        (0..windows).for_each(|_| control = control.step(occupancy, &Settings::default()));
        control
    }

    #[test]
    fn overload_begins_after_a_second_at_the_onset() {
        let strained = run(Control::default(), 95.0, 4);
        assert_eq!(strained, Control::Calm { strained: 4 });
        assert_eq!(run(strained, 94.9, 1), Control::default(), "it has to be without a break");
        let begun = run(strained, 100.0, 1);
        assert_eq!(begun, Control::Overloaded { taken: 0.85, calm: 0 });
        assert!(!strained.is_overloaded() && begun.is_overloaded());
    }

    #[test]
    fn what_is_taken_falls_to_the_floor_and_grows_back() {
        let worst = run(run(Control::default(), 100.0, 5), 100.0, 100);
        assert_eq!(worst, Control::Overloaded { taken: FLOOR, calm: 0 });
        let better = run(worst, 20.0, 16);
        assert!(better.taken() > 0.9 && better.taken() < 1.0, "{better:?}");
        assert_eq!(run(worst, 20.0, 17), Control::Overloaded { taken: 1.0, calm: 1 });
        assert_eq!(run(worst, 20.0, 21), Control::default());
        let again = run(run(worst, 20.0, 18), 100.0, 1);
        assert_eq!(again, Control::Overloaded { taken: 0.85, calm: 0 });
    }

    #[test]
    fn it_settles_where_the_occupancy_is_the_wanted_one() {
        // Twice as much is offered as can be done.
        let mut control = run(Control::default(), 100.0, 5);
        for _ in 0..50 {
            control = run(control, (control.taken() * 200.0).min(100.0), 1);
        }
        assert!((control.taken() - 0.425).abs() < 0.01, "{control:?}");
    }
}
