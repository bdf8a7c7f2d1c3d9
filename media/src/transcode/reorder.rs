//! Packets in their order: what comes too early waits for what is missing before it.
//!
//! There is no playout clock: what is in order goes on at once, at the pace of its sender, and whoever plays it has a jitter buffer of
//! its own. Only behind a gap is waited, for as long as packets of this stream were late of late, 20 to 80 ms.

use crate::rtp::Header;

/// Packets that wait at the most; with one more the gap before them is given up.
const MOST: usize = 16;
/// Further ahead than this is another place of the stream, not a gap.
const FARTHEST: u16 = 64;
/// The payload of a packet at the most; longer ones are not taken.
pub(super) const MOST_OCTETS: usize = 1_460;
/// How long a packet waits for one before it, in ms, at the least and at the most.
const PATIENCE: std::ops::RangeInclusive<u64> = 20..=80;
/// After so long without a late one, in ms, the patience becomes less.
const CALM: u64 = 10_000;

/// A packet that has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Came<'a> {
    pub(super) header: Header,
    pub(super) marker: bool,
    pub(super) body: &'a [u8],
    /// How many right before it are lost.
    pub(super) lost: u16,
}

#[derive(Debug)]
struct Waiting {
    header: Header,
    marker: bool,
    length: usize,
    octets: [u8; MOST_OCTETS],
    /// Until when, in ms.
    until: u64,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// It is the next one; so many before it are lost.
    Next(u16),
    /// It waits.
    Waits,
    /// It is none that anybody waits for.
    Late,
}

#[derive(Debug)]
pub(super) struct Reorder {
    waiting: Box<[Waiting]>,
    /// Which of them are free, as a number of bits.
    used: u16,
    expected: Option<u16>,
    patience: u64,
    /// When it has changed, in ms, and when the last gap was given up.
    changed: u64,
    gave_up: u64,
}

impl Reorder {
    pub(super) fn new() -> Self {
        let header = Header { payload: 0, sequence: 0, timestamp: 0, ssrc: 0 };
        let free = || Waiting { header, marker: false, length: 0, octets: [0; MOST_OCTETS], until: 0 };
        let waiting = std::iter::repeat_with(free).take(MOST).collect();
        Self { waiting, used: 0, expected: None, patience: *PATIENCE.start(), changed: 0, gave_up: 0 }
    }

    /// One without room, to stand in the place of another.
    pub(super) fn empty() -> Self {
        let waiting = Box::default();
        Self { waiting, used: 0, expected: None, patience: 0, changed: 0, gave_up: 0 }
    }

    /// Nothing has come, and nothing is waited for.
    pub(super) fn begin_anew(&mut self) {
        (self.used, self.expected) = (0, None);
    }

    pub(super) fn patience(&self) -> u64 {
        self.patience
    }

    /// What waits does so no longer.
    pub(super) fn give_up(&mut self) {
        self.waiting.iter_mut().for_each(|waiting| waiting.until = 0);
    }

    /// Places a packet.
    pub(super) fn place(&mut self, header: Header, marker: bool, body: &[u8], now: u64) -> Placed {
        let number = header.sequence;
        let Some(expected) = self.expected else { return self.next(number, 0) };
        let ahead = number.wrapping_sub(expected);
        if ahead == 0 {
            return self.next(number, 0);
        }
        if ahead >= 0x8000 {
            if number.wrapping_neg().wrapping_add(expected) > FARTHEST {
                // The sender has begun anew.
                self.used = 0;
                return self.next(number, 0);
            }
            self.was_late(now);
            return Placed::Late;
        }
        if ahead >= FARTHEST {
            self.used = 0;
            return self.next(number, ahead);
        }
        if self.in_use().any(|waiting| waiting.header.sequence == number) {
            return Placed::Late;
        }
        self.calm_down(now);
        let until = now + self.patience;
        let free = (!self.used).trailing_zeros();
        let place = usize::try_from(free).ok().and_then(|free| self.waiting.get_mut(free));
        if let Some(waiting) = place
            && let Some(octets) = waiting.octets.get_mut(..body.len())
        {
            octets.copy_from_slice(body);
            (waiting.header, waiting.marker, waiting.length, waiting.until) =
                (header, marker, body.len(), until);
            self.used |= 1 << free;
        }
        Placed::Waits
    }

    fn next(&mut self, number: u16, lost: u16) -> Placed {
        self.expected = Some(number.wrapping_add(1));
        Placed::Next(lost)
    }

    fn was_late(&mut self, now: u64) {
        let lateness = now.saturating_sub(self.gave_up) + self.patience;
        if lateness <= 2 * *PATIENCE.end() {
            self.patience = lateness.clamp(*PATIENCE.start(), *PATIENCE.end());
            self.changed = now;
        }
    }

    fn calm_down(&mut self, now: u64) {
        if now.saturating_sub(self.changed) > CALM {
            self.patience = self.patience.saturating_sub(5).max(*PATIENCE.start());
            self.changed = now;
        }
    }

    fn in_use(&self) -> impl Iterator<Item = &Waiting> {
        let used = self.used;
        self.waiting.iter().enumerate().filter(move |(place, _)| used & (1 << place) != 0).map(|(_, of)| of)
    }

    /// When a gap is given up.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.in_use().map(|waiting| waiting.until).min()
    }

    /// The next one that waits no longer: it is in order now, or what is missing before it is given up.
    pub(super) fn due(&mut self, now: u64) -> Option<Came<'_>> {
        let expected = self.expected?;
        let is_over = self.used.count_ones() >= u32::try_from(MOST).unwrap_or(u32::MAX)
            || self.deadline().is_some_and(|until| until <= now);
        let used = self.used;
        let places = self.waiting.iter().enumerate().filter(|(place, _)| used & (1 << place) != 0);
        let distance = |waiting: &Waiting| waiting.header.sequence.wrapping_sub(expected);
        let (place, ahead) =
            places.map(|(place, waiting)| (place, distance(waiting))).min_by_key(|(_, ahead)| *ahead)?;
        if ahead > 0 && !is_over {
            return None;
        }
        if ahead > 0 {
            self.gave_up = now;
        }
        self.used &= !(1 << place);
        let waiting = self.waiting.get(place)?;
        self.expected = Some(waiting.header.sequence.wrapping_add(1));
        let body = waiting.octets.get(..waiting.length).unwrap_or_default();
        Some(Came { header: waiting.header, marker: waiting.marker, body, lost: ahead })
    }
}
