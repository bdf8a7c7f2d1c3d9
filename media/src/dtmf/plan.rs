//! What is to be made of the keys in one direction of a stream.

use super::{Law, Voice};
use crate::PartyId;
use crate::rtcp::CNAME_LENGTH;

/// How keys go from one leg to the other where the two have them in different forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The payload type and the clock rate in Hz of the events that come.
    pub(crate) events: Option<(u8, u32)>,
    /// The payload types of G.711 in which tones are listened for; none where they are not.
    pub(crate) tones: Box<[(u8, Law)]>,
    /// What becomes of what is heard.
    pub(crate) way: Way,
    /// Whose keys they are, for reports: a number of the call, and the party.
    pub(crate) call: u64,
    pub(crate) party: PartyId,
    /// Whom they are for: what was pressed for another is not said to it.
    pub(crate) peer: PartyId,
    /// What a stream of our own is called, where the party sends none.
    pub(crate) ssrc: u32,
    /// And who sends it (RFC 7022 §4.2).
    pub(crate) cname: [u8; CNAME_LENGTH],
}

/// What becomes of a key that is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is said in the stream.
    Said(Voice),
    /// It is reported to whoever sets contexts up.
    Reported,
    /// Nothing: numbers go on as they are.
    Nowhere,
}

impl Plan {
    /// One by which nothing is done any more.
    pub(crate) fn idle(&self) -> Self {
        Self { events: None, tones: Box::default(), way: Way::Nowhere, ..self.clone() }
    }
}
