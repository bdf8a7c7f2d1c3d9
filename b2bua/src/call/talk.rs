//! Who talks with whom in a call.

use super::{Call, Leg, LegNo};
use media::PartyId;

/// The calling side of a call, and whom it talks with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Talk {
    /// Others are called for that leg: the caller's, or of a placed call who has answered first.
    Sought(LegNo),
    /// The answer, or the last transfer, has joined a called leg and its partner, each with its media. The partner is the caller, until
    /// a transfer puts another one in its place.
    Joined { called: (LegNo, PartyId), calling: (LegNo, PartyId) },
}

impl Talk {
    /// The leg of the calling side.
    pub(crate) fn calling(self) -> LegNo {
        match self {
            Self::Sought(calling) | Self::Joined { calling: (calling, _), .. } => calling,
        }
    }
}

impl Call {
    /// The two that talk: the called leg, its media, and that of its partner.
    pub(crate) fn joined(&self) -> Option<(LegNo, PartyId, PartyId)> {
        match self.talk {
            Talk::Sought(_) => None,
            Talk::Joined { called: (called, party), calling: (_, partner) } => Some((called, party, partner)),
        }
    }

    /// Whether a leg is one of the two that talk, or that may still do so: of an answered call, those that are joined.
    pub(crate) fn takes_part(&self, leg: &Leg) -> bool {
        self.joined().is_none_or(|(callee, ..)| leg.no == self.talk.calling() || leg.no == callee)
    }

    /// The leg of the calling side: the caller's, or of a placed call who has answered first, until a transfer puts another one in
    /// its place.
    pub(crate) fn calling(&self) -> Option<&Leg> {
        self.leg(self.talk.calling())
    }

    /// The leg on the other side of an answered call.
    pub(crate) fn other(&self, no: LegNo) -> Option<LegNo> {
        match self.talk {
            Talk::Joined { called: (called, _), calling: (calling, _) } if no == calling => Some(called),
            Talk::Joined { called: (called, _), calling: (calling, _) } if no == called => Some(calling),
            Talk::Joined { .. } | Talk::Sought(_) => None,
        }
    }

    /// The media of a leg of an answered call.
    pub(crate) fn party(&self, no: LegNo) -> Option<PartyId> {
        match self.talk {
            Talk::Joined { calling: (calling, party), .. } if no == calling => Some(party),
            Talk::Joined { called: (called, party), .. } if no == called => Some(party),
            Talk::Joined { .. } | Talk::Sought(_) => None,
        }
    }
}
