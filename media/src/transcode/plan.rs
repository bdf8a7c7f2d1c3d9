//! What is to become of one direction of a stream.

use std::sync::Arc;

use super::{Coding, OpusTerms, Tally};
use crate::dtmf::Law;

/// How the packets of a direction go on where the two legs have not the same codecs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What comes, by payload type.
    pub(crate) inputs: Box<[(u8, Fate)]>,
    /// What is made of what is coded anew.
    pub(crate) output: Outgoing,
    /// Events (RFC 4733): payload type and clock rate in Hz, of those that come and of those that go.
    pub(crate) events: Option<((u8, u32), (u8, u32))>,
    /// Comfort noise (RFC 3389): the payload type that comes, and that which goes; where there is none the noise is made.
    pub(crate) noise: Option<(u8, Option<u8>)>,
    /// What our stream is called as long as nothing has come: then by the name of its source.
    pub(crate) ssrc: u32,
    /// Where the streams of the party are counted.
    pub(crate) tally: Arc<Tally>,
}

/// What becomes of a payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The other side has this codec, by that number: its packets are given our numbers only.
    Passed(Coding, u8),
    /// From one law of G.711 to the other, code by code: as it comes, neither concealed nor delayed, so that a fax or a modem is not
    /// disturbed.
    Law(Law, Law, u8),
    /// It is decoded and coded anew.
    Coded(Coding),
}

/// A stream that we make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) payload: u8,
    pub(crate) coding: Coding,
    pub(crate) opus: OpusTerms,
    /// What a packet has, in ms.
    pub(crate) millis: u32,
}

impl PartialEq for Plan {
    /// Where it is counted is no part of it.
    fn eq(&self, other: &Self) -> bool {
        let of = |plan: &Self| (plan.output, plan.events, plan.noise, plan.ssrc);
        self.inputs == other.inputs && of(self) == of(other)
    }
}

impl Eq for Plan {}

impl Plan {
    /// What becomes of a payload type of audio.
    pub(super) fn fate(&self, payload: u8) -> Option<Fate> {
        self.inputs.iter().find(|(number, _)| *number == payload).map(|(_, fate)| *fate)
    }

    /// The codec that a payload type is of.
    pub(super) fn clock(&self, payload: u8) -> Option<u32> {
        self.fate(payload).map(|fate| match fate {
            Fate::Passed(coding, _) | Fate::Coded(coding) => coding.clock(),
            Fate::Law(..) => 8_000,
        })
    }
}
