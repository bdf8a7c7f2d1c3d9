//! What two descriptions agree on for keys.

use sdp::Media;

use super::{has_a_clock, is_event, is_ours};
use crate::call::codec::{self, Codec};
use crate::dtmf::Law;

/// What a negotiated stream has for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::call) struct Keypad {
    /// The payload type and the clock rate of the events that the party sends.
    pub(super) come: Option<(u8, u32)>,
    /// The same of those that it takes, and which those are, one bit each.
    pub(super) go: Option<(u8, u32, u32)>,
    /// Payload types of G.711 that it sends.
    pub(super) hears: [Option<(u8, Law)>; 2],
    /// That which it takes, the one that it prefers.
    pub(super) plays: Option<(u8, Law)>,
}

impl Keypad {
    /// The payload type and the clock rate of the events that the party sends.
    pub(in crate::call) fn events_come(&self) -> Option<(u8, u32)> {
        self.come
    }

    /// The same of those that it takes.
    pub(in crate::call) fn events_go(&self) -> Option<(u8, u32)> {
        self.go.map(|(payload, clock, _)| (payload, clock))
    }

    /// What two accepted sections have for keys.
    pub(in crate::call) fn of(ours: &Media<'_>, theirs: &Media<'_>) -> Self {
        // Ours has the protocol of its keys, theirs is as it is without them where they end with us.
        if !is_ours(ours) && !is_ours(theirs) {
            return Self::default();
        }
        let (mut ours, theirs) = (codec::all(ours), codec::all(theirs));
        let number = |codec: &Codec| codec.format.parse::<u8>().ok();
        let is_event = |codec: &&Codec| is_event(codec) && has_a_clock(codec);
        // What both have at the same clock is agreed on; the peer has said which of them it prefers.
        let agreed = theirs.iter().filter(is_event).find_map(|theirs| {
            let mut ours = ours.iter().filter(is_event);
            let ours = ours.find(|ours| ours.clock_rate == theirs.clock_rate)?;
            let (clock, events) = (theirs.clock_rate?, listed(theirs.parameters.as_deref()));
            Some(((number(ours)?, clock), (number(theirs)?, clock, events)))
        });
        let (come, go) = agreed.unzip();
        let law = |codec: &Codec| {
            Law::of_name(codec.name())
                .filter(|_| codec.clock_rate == Some(8_000) && codec.channels.unwrap_or(1) == 1)
        };
        let plays = theirs.iter().find_map(|codec| Some((number(codec)?, law(codec)?)));
        ours.retain(|codec| theirs.iter().any(|other| law(other).is_some() && law(other) == law(codec)));
        let mut hears = ours.iter().filter_map(|codec| Some((number(codec)?, law(codec)?)));
        let hears = [hears.next(), hears.next()];
        Self { come, go, hears, plays }
    }
}

/// The events from 0 to 31 that a list has (RFC 4733 §2.4.1), one bit each; without a list they are the keys (§2.5.1.1).
fn listed(events: Option<&str>) -> u32 {
    const KEYS: u32 = 0xffff;
    let Some(events) = events.filter(|events| !events.trim().is_empty()) else { return KEYS };
    let bits = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let bounds = first.trim().parse::<u32>().ok().zip(last.trim().parse::<u32>().ok());
        let Some((first, last)) = bounds else { return 0 };
        (first..=last.min(31)).fold(0, |bits, event| bits | 1u32.checked_shl(event).unwrap_or_default())
    };
    events.split(',').map(bits).fold(0, |all, bits| all | bits)
}
