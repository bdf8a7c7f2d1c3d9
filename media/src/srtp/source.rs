//! What is kept of each synchronization source under a key.

use super::Failure;
use super::window::Window;

/// Most sources under one key, of which nearly all have one. Which indices one of them has used is never forgotten: it could
/// not come again, or its key stream would.
pub(super) const MOST_SOURCES: usize = 1_024;

/// So many packets in a row that are too old begin a stream anew.
const STALE: u8 = 3;

/// One source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) ssrc: u32,
    pub(super) rtp: Window,
    pub(super) rtcp: Window,
    /// The index of the next SRTCP packet that we send.
    pub(super) next_rtcp: u64,
    /// What is added to the sequence numbers that we protect, since its sender began anew below what it had used.
    shift: u16,
    /// How many packets in a row were too old to be protected.
    stale: u8,
}

impl Source {
    pub(super) fn new(ssrc: u32) -> Self {
        Self { ssrc, rtp: Window::default(), rtcp: Window::default(), next_rtcp: 0, shift: 0, stale: 0 }
    }

    /// The index to protect a packet with, which none was protected with before; the sequence number that it gets is in it.
    ///
    /// A sender that begins again below the numbers that it has used gets the numbers that follow: the same ones would make
    /// the same key stream again.
    pub(super) fn index_to_send(&mut self, sequence: u16) -> Result<u64, Failure> {
        let index = |source: &Self| {
            let shifted = sequence.wrapping_add(source.shift);
            source.rtp.estimate(shifted).unwrap_or(u64::from(shifted))
        };
        let wanted = index(self);
        let Err(failure) = self.rtp.check(wanted) else {
            self.stale = 0;
            return Ok(wanted);
        };
        let highest = self.rtp.highest().unwrap_or(wanted);
        if highest - wanted < super::window::WINDOW {
            return Err(failure);
        }
        self.stale += 1;
        if self.stale < STALE {
            return Err(failure);
        }
        let [.., high, low] = (highest + 1).to_be_bytes();
        self.shift = u16::from_be_bytes([high, low]).wrapping_sub(sequence);
        self.stale = 0;
        Ok(highest + 1)
    }
}

/// The sources under a key.
#[derive(Debug, Default)]
pub(super) struct Sources {
    sources: Vec<Source>,
    /// Where the one was that was asked for last.
    last: usize,
}

impl Sources {
    /// Where a source is.
    pub(super) fn find(&mut self, ssrc: u32) -> Option<usize> {
        if self.sources.get(self.last).is_some_and(|source| source.ssrc == ssrc) {
            return Some(self.last);
        }
        let at = self.sources.iter().position(|source| source.ssrc == ssrc)?;
        self.last = at;
        Some(at)
    }

    pub(super) fn get(&self, at: usize) -> Option<&Source> {
        self.sources.get(at)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Source> {
        self.sources.get_mut(at)
    }

    /// Keeps another source.
    pub(super) fn add(&mut self, source: Source) -> Result<usize, Failure> {
        if self.sources.len() >= MOST_SOURCES {
            return Err(Failure::Sources);
        }
        self.sources.push(source);
        self.last = self.sources.len() - 1;
        Ok(self.last)
    }
}
