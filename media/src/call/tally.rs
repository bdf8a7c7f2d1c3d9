//! What a call detail record keeps of a party's media.

use super::judge::played;
use super::{CallMedia, Guarded, StreamCoding, codec, sections};
use crate::PartyId;
use crate::quality::{Quality, Snapshot};

/// One stream of a party.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The media type.
    pub media: String,
    /// The names of its formats in their order.
    pub codecs: Vec<String>,
    /// How it was protected last.
    pub guarded: Guarded,
    /// Whether it goes through our relay.
    pub relayed: bool,
    /// How it was transcoded last.
    pub coding: Option<StreamCoding>,
    /// What was counted; all zero when it is not relayed.
    pub counted: Snapshot,
    /// What that amounts to.
    pub quality: Quality,
    /// How often it has become poor.
    pub poor: u32,
}

impl CallMedia {
    /// One for each media section that was negotiated with a party, in order.
    #[must_use]
    pub fn tally(&self, party: PartyId) -> Vec<Tally> {
        let Ok(party) = self.party(party) else { return Vec::new() };
        let (Some(local), Some(remote)) = (&party.local, &party.remote) else { return Vec::new() };
        let remote = sections::reread(remote);
        let mut tallies = Vec::with_capacity(party.streams.len());
        for (section, (theirs, stream)) in remote.media().zip(&party.streams).enumerate() {
            let codecs = if theirs.line().port == 0 {
                let local = sections::reread(local);
                local.media().nth(section).map(|ours| codec::names(&ours)).unwrap_or_default()
            } else {
                codec::names(&theirs)
            };
            let counted = party.counted(section);
            tallies.push(Tally {
                media: theirs.line().media.to_owned(),
                codecs,
                guarded: Guarded::of(stream, theirs.line().proto, party.transport_counters(section)),
                relayed: stream.link.is_some(),
                coding: stream.coding(),
                counted,
                quality: Quality::of(&counted, played(&theirs, counted.payload).as_deref()),
                poor: stream.poor().1,
            });
        }
        tallies
    }
}
