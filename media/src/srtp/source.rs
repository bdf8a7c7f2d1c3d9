//! What is kept of each synchronization source under a key.

use std::collections::BTreeMap;

use super::Failure;
use super::window::Window;

/// Most sources that are at hand under one key; nearly all keys have one. Another takes the place of the one that was there last longest ago,
/// of which no more is kept than where it was.
pub(super) const MOST_SOURCES: usize = 1_024;

/// Most sources that are known besides. Of one that we send nothing may be forgotten: it could come again, and its key stream with it. So
/// with these there are no others under the key. Of those that come from a peer, any one is forgotten then.
pub(super) const MOST_PAST: usize = 16_384;

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

/// Where a source was that is not at hand.
#[derive(Debug, Clone, Copy)]
struct Past {
    rtp: Option<u64>,
    rtcp: Option<u64>,
    next_rtcp: u64,
}

/// The sources under a key.
#[derive(Debug, Default)]
pub(super) struct Sources {
    sources: Vec<Source>,
    /// Where the one was that was asked for last.
    last: usize,
    /// When each was asked for last, by how many were before.
    asked: Vec<u64>,
    turns: u64,
    past: BTreeMap<u32, Past>,
}

impl Sources {
    /// Where a source is.
    pub(super) fn find(&mut self, ssrc: u32) -> Option<usize> {
        if self.sources.get(self.last).is_some_and(|source| source.ssrc == ssrc) {
            return Some(self.last);
        }
        let at = self.sources.iter().position(|source| source.ssrc == ssrc)?;
        self.turn_to(at);
        Some(at)
    }

    /// Another source is the last one: what was there meanwhile was asked for until now.
    fn turn_to(&mut self, at: usize) {
        self.turns += 1;
        for asked in [self.last, at] {
            if let Some(asked) = self.asked.get_mut(asked) {
                *asked = self.turns;
            }
        }
        self.last = at;
    }

    pub(super) fn get(&self, at: usize) -> Option<&Source> {
        self.sources.get(at)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Source> {
        self.sources.get_mut(at)
    }

    /// A source that is not at hand: as it was, or a new one.
    pub(super) fn recall(&self, ssrc: u32) -> Source {
        let mut source = Source::new(ssrc);
        if let Some(past) = self.past.get(&ssrc) {
            source.rtp = Window::after(past.rtp);
            source.rtcp = Window::after(past.rtcp);
            source.next_rtcp = past.next_rtcp;
        }
        source
    }

    /// Keeps one that was not at hand. `sends`: it is one of those that we protect.
    pub(super) fn add(&mut self, source: Source, sends: bool) -> Result<usize, Failure> {
        if self.sources.len() < MOST_SOURCES {
            self.sources.push(source);
            self.asked.push(0);
            self.turn_to(self.sources.len() - 1);
            return Ok(self.last);
        }
        let known = self.past.contains_key(&source.ssrc);
        if self.past.len() >= MOST_PAST && !known {
            if sends {
                return Err(Failure::Sources);
            }
            self.past.pop_first();
        }
        let longest = self.asked.iter().enumerate().min_by_key(|(_, asked)| **asked);
        let at = longest.map_or(0, |(at, _)| at);
        let Some(place) = self.sources.get_mut(at) else { return Err(Failure::Sources) };
        let before = std::mem::replace(place, source);
        self.past.remove(&source.ssrc);
        let (rtp, rtcp) = (before.rtp.highest(), before.rtcp.highest());
        self.past.insert(before.ssrc, Past { rtp, rtcp, next_rtcp: before.next_rtcp });
        self.turn_to(at);
        Ok(at)
    }
}
