//! The sources of a peer, and what they are called beyond.

use std::sync::Arc;

use super::Veil;
use crate::rtcp::{self, Names, Whose};
use crate::rtp::Header;

/// Most sources of one stream that are known at a time; another one takes the place of that which was not there for longest. When that
/// comes again its name is the same.
const MOST_SOURCES: usize = 16;
/// Names that are tried where one is taken already.
const MOST_TRIES: u8 = 8;

/// One direction of a stream whose sources are called otherwise beyond.
#[derive(Debug)]
pub(crate) struct Veiled {
    veil: Arc<Veil>,
    sources: Vec<Source>,
    /// Where the one is that was there last.
    last: usize,
    turns: u64,
}

#[derive(Debug, Clone, Copy)]
struct Source {
    theirs: u32,
    ours: u32,
    /// Its first number beyond.
    first: u16,
    /// What is added to its sequence numbers; not known before it has sent one.
    sequence: Option<i32>,
    timestamp: u32,
    /// How many names were taken.
    again: u8,
    seen: u64,
}

impl Veiled {
    pub(crate) fn new(veil: &Arc<Veil>) -> Self {
        Self { veil: Arc::clone(veil), sources: Vec::with_capacity(MOST_SOURCES), last: 0, turns: 0 }
    }

    /// Goes over to another veil. Sources whose names stay go on as they are.
    pub(crate) fn change(this: &mut Option<Box<Self>>, veil: Option<&Arc<Veil>>) {
        match (this.as_mut(), veil) {
            (Some(before), Some(veil)) if before.veil.is_same(veil) => before.veil = Arc::clone(veil),
            (_, veil) => *this = veil.map(|veil| Box::new(Self::new(veil))),
        }
    }

    /// Gives a packet of RTP the names and numbers that it has beyond; false where it is none. `taken` is what a source of the other
    /// side is called (RFC 3550 §8.2).
    pub(crate) fn packet(&mut self, packet: &mut [u8], taken: Option<u32>) -> bool {
        let Some(header) = Header::read(packet) else { return false };
        let renumbers = self.veil.renumbers();
        let Some(source) = self.source(header.ssrc, taken) else { return false };
        let shift = *source.sequence.get_or_insert_with(|| match renumbers {
            true => i32::from(source.first) - i32::from(header.sequence),
            false => 0,
        });
        let timestamp = header.timestamp.wrapping_add(source.timestamp);
        let ours = source.ours;
        put(packet, 2, &shifted(header.sequence, shift).to_be_bytes());
        put(packet, 4, &timestamp.to_be_bytes());
        put(packet, 8, &ours.to_be_bytes());
        let count = packet.first().map_or(0, |first| usize::from(first & 15));
        for at in (12..12 + 4 * count).step_by(4) {
            let Some(place) = packet.get(at..at + 4).and_then(|octets| octets.try_into().ok()) else { break };
            if let Some(source) = self.source(u32::from_be_bytes(place), taken) {
                let ours = source.ours;
                put(packet, at, &ours.to_be_bytes());
            }
        }
        true
    }

    /// Makes of RTCP of the peer's what is true beyond; answers its length, `None` where it is no RTCP, or nothing is left of it.
    pub(crate) fn tell(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        if !rtcp::is_compound(buffer.get(..length)?) {
            return None;
        }
        let length = rtcp::hide(buffer, length, |cname| self.veil.cname(cname))?;
        rtcp::translate(buffer.get_mut(..length)?, &mut There(self));
        Some(length)
    }

    /// Makes of RTCP from beyond what is true for the peer.
    pub(crate) fn tell_back(&self, compound: &mut [u8]) {
        rtcp::translate(compound, &mut Back(self));
    }

    /// The source of that name, which has another one beyond than what is taken there; `None` never, for there is room.
    fn source(&mut self, theirs: u32, taken: Option<u32>) -> Option<&mut Source> {
        let here = |source: &Source| source.theirs == theirs;
        let found = if self.sources.get(self.last).is_some_and(here) {
            Some(self.last)
        } else {
            self.sources.iter().position(here)
        };
        let at = match found {
            Some(at) if taken.is_some() && self.sources.get(at).map(|source| source.ours) == taken => {
                let again = self.sources.get(at).map_or(0, |source| source.again.wrapping_add(1));
                let anew = self.named(theirs, again, taken);
                *self.sources.get_mut(at)? = anew;
                at
            }
            Some(at) => at,
            None => {
                let source = self.named(theirs, 0, taken);
                self.place(source)
            }
        };
        if at != self.last {
            self.turns += 1;
            for at in [self.last, at] {
                if let Some(source) = self.sources.get_mut(at) {
                    source.seen = self.turns;
                }
            }
            self.last = at;
        }
        self.sources.get_mut(at)
    }

    fn place(&mut self, source: Source) -> usize {
        if self.sources.len() < MOST_SOURCES {
            self.sources.push(source);
            return self.sources.len() - 1;
        }
        let oldest = self.sources.iter().enumerate().filter(|(at, _)| *at != self.last);
        let at = oldest.min_by_key(|(_, source)| source.seen).map_or(0, |(at, _)| at);
        if let Some(place) = self.sources.get_mut(at) {
            *place = source;
        }
        at
    }

    fn named(&self, theirs: u32, mut again: u8, taken: Option<u32>) -> Source {
        let mut name = self.veil.name(theirs, again);
        for _ in 0..MOST_TRIES {
            let is_taken = |ssrc| taken == Some(ssrc) || self.sources.iter().any(|other| other.ours == ssrc);
            if name.ssrc != 0 && !is_taken(name.ssrc) {
                break;
            }
            again = again.wrapping_add(1);
            name = self.veil.name(theirs, again);
        }
        Source {
            theirs,
            ours: name.ssrc,
            first: name.first,
            sequence: None,
            timestamp: name.timestamp,
            again,
            seen: self.turns,
        }
    }

    fn of_theirs(&self, theirs: u32) -> Option<&Source> {
        self.sources.iter().find(|source| source.theirs == theirs)
    }

    fn of_ours(&self, ours: u32) -> Option<&Source> {
        self.sources.iter().find(|source| source.ours == ours)
    }
}

/// What is called how beyond.
struct There<'a>(&'a mut Veiled);

/// What is called how here.
struct Back<'a>(&'a Veiled);

impl Names for There<'_> {
    fn ssrc(&mut self, whose: Whose, ssrc: u32) -> u32 {
        match whose {
            // Who only writes takes no place from who sends: a mixer's report may name many.
            Whose::Writer => {
                self.0.of_theirs(ssrc).map_or_else(|| self.0.veil.name(ssrc, 0).ssrc, |source| source.ours)
            }
            Whose::Either => self.0.of_theirs(ssrc).map_or(ssrc, |source| source.ours),
            Whose::Reader => ssrc,
        }
    }

    fn timestamp(&self, ssrc: u32, timestamp: u32) -> u32 {
        let known = self.0.of_theirs(ssrc).map(|source| source.timestamp);
        timestamp.wrapping_add(known.unwrap_or_else(|| self.0.veil.name(ssrc, 0).timestamp))
    }

    fn sent(&self, _: u32) -> (u32, u32) {
        (0, 0)
    }

    fn sequence(&self, _: u32, sequence: u16) -> u16 {
        sequence
    }

    fn extended(&self, _: u32, sequence: u32) -> u32 {
        sequence
    }
}

impl Names for Back<'_> {
    fn ssrc(&mut self, whose: Whose, ssrc: u32) -> u32 {
        match whose {
            Whose::Reader | Whose::Either => self.0.of_ours(ssrc).map_or(ssrc, |source| source.theirs),
            Whose::Writer => ssrc,
        }
    }

    fn timestamp(&self, _: u32, timestamp: u32) -> u32 {
        timestamp
    }

    fn sent(&self, _: u32) -> (u32, u32) {
        (0, 0)
    }

    fn sequence(&self, ssrc: u32, sequence: u16) -> u16 {
        shifted(sequence, self.0.shift(ssrc).wrapping_neg())
    }

    fn extended(&self, ssrc: u32, sequence: u32) -> u32 {
        sequence.wrapping_sub(self.0.shift(ssrc).cast_unsigned())
    }
}

impl Veiled {
    fn shift(&self, ours: u32) -> i32 {
        self.of_ours(ours).and_then(|source| source.sequence).unwrap_or(0)
    }
}

fn shifted(sequence: u16, shift: i32) -> u16 {
    let [.., high, low] = i32::from(sequence).wrapping_add(shift).to_be_bytes();
    u16::from_be_bytes([high, low])
}

fn put(packet: &mut [u8], at: usize, octets: &[u8]) {
    if let Some(place) = packet.get_mut(at..at + octets.len()) {
        place.copy_from_slice(octets);
    }
}
