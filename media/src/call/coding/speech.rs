//! What two accepted sections have of codecs.

use sdp::Media;

use super::super::codec;
use super::super::dtmf::is_ours;
use super::{coding, is_noise};
use crate::transcode::{Coding, Fate, OpusTerms, Outgoing};

/// More codecs than this of one section are not looked at.
const MOST: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::call) struct Speech {
    /// What the peer sends.
    pub(super) come: Box<[(u8, Coding)]>,
    /// What it takes, in its order.
    pub(super) go: Box<[Outgoing]>,
    /// Comfort noise: the payload types that come and go.
    pub(super) noise: Option<(u8, u8)>,
    /// The packet time that it wants, in ms.
    pub(super) millis: Option<u32>,
}

impl Speech {
    pub(in crate::call) fn of(ours: &Media<'_>, theirs: &Media<'_>) -> Self {
        // Ours has the protocol of its keys, theirs is as it is without them where they end with us.
        if !is_ours(ours) && !is_ours(theirs) {
            return Self::default();
        }
        let (all, of_theirs) = (codec::all(ours), codec::all(theirs));
        let number = |codec: &codec::Codec| codec.format.parse::<u8>().ok();
        let has = |codecs: &[codec::Codec], wanted| codecs.iter().any(|codec| coding(codec) == Some(wanted));
        let come = all.iter().filter_map(|codec| Some((number(codec)?, coding(codec)?)));
        let go = of_theirs.iter().filter_map(|codec| {
            let opus = codec.parameters.as_deref().map(OpusTerms::of).unwrap_or_default();
            Some(Outgoing { payload: number(codec)?, coding: coding(codec)?, opus, millis: 0 })
        });
        let noise = |codecs: &[codec::Codec]| codecs.iter().find(|codec| is_noise(codec)).and_then(number);
        Self {
            come: come.filter(|(_, coding)| has(&of_theirs, *coding)).take(MOST).collect(),
            go: go.filter(|outgoing| has(&all, outgoing.coding)).take(MOST).collect(),
            noise: noise(&all).zip(noise(&of_theirs)),
            millis: millis(theirs),
        }
    }

    /// Whether something has to be done so that what both send is what the other one takes. Where they prefer the same nothing has: one
    /// that would send another codec all the same has been answered without it.
    pub(super) fn differs(&self, other: &Self) -> bool {
        let (Some(first), Some(theirs)) = (self.go.first(), other.go.first()) else { return false };
        first.coding != theirs.coding && (self.misses(other) || other.misses(self))
    }

    /// Whether it sends something that the other one does not take.
    fn misses(&self, other: &Self) -> bool {
        self.come.iter().any(|(_, coding)| !other.go.iter().any(|outgoing| outgoing.coding == *coding))
    }

    /// What becomes of that codec where this is the other side.
    pub(super) fn fate(&self, coding: Coding) -> Fate {
        let same = self.go.iter().find(|outgoing| outgoing.coding == coding);
        let law = |outgoing: &Outgoing| match (coding, outgoing.coding) {
            (Coding::G711(from), Coding::G711(to)) => Some(Fate::Law(from, to, outgoing.payload)),
            (..) => None,
        };
        let passed = same.map(|outgoing| Fate::Passed(coding, outgoing.payload));
        passed.or_else(|| self.go.iter().find_map(law)).unwrap_or(Fate::Coded(coding))
    }
}

/// The packet time that a section asks for, within the longest that it takes (RFC 8866 §6.4, §6.5).
fn millis(media: &Media<'_>) -> Option<u32> {
    let number =
        |name| std::str::from_utf8(media.section().attribute(name)?.value?).ok()?.trim().parse::<f32>().ok();
    let (wanted, most) = (number("ptime"), number("maxptime"));
    let millis = wanted.map(|wanted| most.map_or(wanted, |most| wanted.min(most)))?;
    // Those that all of our codecs have.
    [60u8, 40, 30, 20].into_iter().find(|whole| f32::from(*whole) <= millis).or(Some(10)).map(u32::from)
}
