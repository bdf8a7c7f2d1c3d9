//! Relayed ports: which are free, and which is next.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::Wires;
use crate::chance::Chance;

/// Ports that are tried for one allocation: others of the host may have some.
const TRIES: usize = 16;

/// The ports of a range. One that is given back rests: a call may go on sending to it, and permissions do not tell one call from another.
pub(super) struct Ports {
    first: u16,
    /// Those that somebody has, and those that rest.
    taken: Vec<bool>,
    free: usize,
    /// Where those are that rest, and since when, in milliseconds; first who has rested longest.
    resting: VecDeque<(usize, u64)>,
}

/// Which port is wanted (RFC 8656 §18.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Any,
    Even,
    /// An even one, and the next.
    Pair,
}

impl Ports {
    pub(super) fn new(range: &RangeInclusive<u16>) -> Self {
        let count = usize::from(range.end().saturating_sub(*range.start())) + 1;
        Self { first: *range.start(), taken: vec![false; count], free: count, resting: VecDeque::new() }
    }

    /// Frees those that have rested for so many milliseconds.
    pub(super) fn wake(&mut self, rest: u64, millis: u64) {
        while let Some((at, _)) = self.resting.pop_front_if(|(_, since)| since.saturating_add(rest) <= millis)
        {
            self.set(at, false);
        }
    }

    /// Binds one that nobody foresees (RFC 6056), if there is any.
    pub(super) fn take(&mut self, want: Want, chance: &mut Chance, wires: &mut impl Wires) -> Option<u16> {
        if self.free == 0 {
            return None;
        }
        let count = self.taken.len();
        let start = chance.below(count);
        let places = (start..count).chain(0..start);
        let fits: Vec<usize> = places.filter(|at| self.fits(*at, want)).take(TRIES).collect();
        fits.into_iter().find_map(|at| self.open(at, want, wires))
    }

    /// Whether the port at that place would do.
    fn fits(&self, at: usize, want: Want) -> bool {
        let free = |at: usize| self.taken.get(at) == Some(&false);
        let even = self.port(at).is_some_and(|port| port.is_multiple_of(2));
        free(at) && (want == Want::Any || even) && (want != Want::Pair || free(at + 1))
    }

    fn open(&mut self, at: usize, want: Want, wires: &mut impl Wires) -> Option<u16> {
        let port = self.port(at).filter(|port| wires.open(*port))?;
        if want == Want::Pair {
            let next = self.port(at + 1).filter(|port| wires.open(*port));
            if next.is_none() {
                wires.close(port);
                return None;
            }
            self.set(at + 1, true);
        }
        self.set(at, true);
        Some(port)
    }

    /// Closes one, which rests from now on.
    pub(super) fn give_back(&mut self, port: u16, millis: u64, wires: &mut impl Wires) {
        wires.close(port);
        if let Some(at) = port.checked_sub(self.first) {
            self.resting.push_back((at.into(), millis));
        }
    }

    fn port(&self, at: usize) -> Option<u16> {
        u16::try_from(at).ok().and_then(|at| self.first.checked_add(at))
    }

    fn set(&mut self, at: usize, taken: bool) {
        if let Some(was) = self.taken.get_mut(at).filter(|was| **was != taken) {
            *was = taken;
            self.free = if taken { self.free.saturating_sub(1) } else { self.free + 1 };
        }
    }
}
