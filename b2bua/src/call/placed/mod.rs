//! Calls that are placed from here (RFC 3725): nobody has called us, both sides are called. We are the controller.
//!
//! ```text
//!   order ─► place ─► dial the first: INVITE without an offer ─► 200 with its offer ─► ACK with an answer of our own
//!            ─► dial the other for it, as the target of a transfer: INVITE with what the first has offered ─► progress, answer
//!            ─► hand_over ─► the media is joined ─► re-INVITE of the first, where the other has answered anything else than it was told
//! ```
//! That is Flow III of RFC 3725 §4.3 up to the first ACK: nothing has to be known of the media, and no 200 waits for people, as
//! in Flow I. Then the other party gets an offer, which none of the flows for people gives it: so it can ring with early media, take
//! the call by what it consists of, and need not know delayed offers. A user agent with media of its own can afford
//! that. Where it relays, both parties send to it from the start, and whoever answers is heard at once; where media goes around it,
//! the first is told of the other's addresses by the re-INVITE. Of the ping-pong of re-INVITEs that Flow II is warned of for (§4.2)
//! there are a few at most, and only if a party has given other addresses or keys in its answer. Flow IV, which is recommended
//! for controllers without media, would have the first party answer a call without any, which many telephones refuse.
//!
//! No leg is the caller's, so that all of them are called legs; those of the first party are the calling side. The first that
//! answers is the partner of whom it is joined with, as after a transfer, and from then on nothing differs from any other call.

mod begin;
mod first;
mod order;
mod then;

use super::{Call, Leg, LegNo, State};
use config::Profile;
use media::PartyId;
use order::Party;
use sip::NetworkId;
use sip::session::Reply;
use sip_types::header::SessionUuid;
use std::sync::Arc;

/// What is kept of the order of a call.
pub(crate) struct Placed {
    /// Where the party that is dialled is called from.
    network: NetworkId,
    /// How that is treated.
    profile: Arc<Profile>,
    /// Whom to call once the first has answered; `None` from then on.
    then: Option<Box<Party>>,
    /// How many legs were dialled for the first, once it has answered.
    first_legs: Option<usize>,
    /// What stands for the end beyond us until there is one (RFC 7989 §6).
    pub(super) identifier: SessionUuid,
    /// Who is calling as the first party is told, and as the other one is, where the order says so.
    shown: [Option<Box<str>>; 2],
    /// How many legs were dialled for both, once they talk.
    legs: Option<usize>,
    /// Why nobody could be dialled at all: who has ordered the call hears of it, and there is none.
    refused: Option<Reply>,
}

impl Call {
    /// Whether it is placed, and who is rung first has not answered.
    pub(super) fn rings_first(&self) -> bool {
        let waits = self.placed.as_ref().is_some_and(|placed| placed.first_legs.is_none());
        waits && self.state == State::SettingUp
    }

    /// Whether a leg is of the calling side: the caller's, or one that was dialled for the first party.
    pub(crate) fn is_calling(&self, no: LegNo) -> bool {
        match &self.placed {
            Some(placed) => placed.first_legs.is_none_or(|legs| usize::from(no.0) <= legs),
            None => no == LegNo::CALLER,
        }
    }

    /// Whom a leg shows its peer by the order, while it speaks for the other party: not who that is.
    pub(super) fn ordered_name(&self, no: LegNo, of: LegNo) -> Option<&str> {
        let placed = self.placed.as_ref()?;
        let is_of_order = |no: LegNo| placed.legs.is_none_or(|legs| usize::from(no.0) <= legs);
        let [first, then] = &placed.shown;
        let shown = if self.is_calling(no) { first } else { then };
        shown.as_deref().filter(|_| is_of_order(no) && is_of_order(of))
    }

    /// Whether others are called for a leg, so that nothing comes of it without that one: the caller's, or that of who has answered
    /// first.
    pub(super) fn is_called_for(&self, no: LegNo) -> bool {
        match &self.placed {
            Some(placed) => placed.first_legs.is_some() && no == self.talk.calling(),
            None => no == LegNo::CALLER,
        }
    }

    /// Whether a leg has answered first and waits for the other party.
    pub(super) fn waits(&self, no: LegNo) -> bool {
        self.placed.is_some()
            && self.joined().is_none()
            && self.state == State::SettingUp
            && self.is_called_for(no)
    }

    /// The media of a leg of an answered call, or of one that waits.
    pub(super) fn standing_party(&self, no: LegNo) -> Option<PartyId> {
        self.party(no).or_else(|| self.leg(no).filter(|_| self.waits(no)).map(|leg| leg.party))
    }

    /// The legs of the called side, in the order of their dialling.
    pub(crate) fn called_legs(&self) -> &[Leg] {
        let first = self.placed.as_ref().map_or(0, |placed| placed.first_legs.unwrap_or(self.callees.len()));
        self.callees.get(first..).unwrap_or_default()
    }

    /// The network and the profile of who asks for the legs that are dialled.
    pub(super) fn asking_side(&self) -> Option<(NetworkId, &Profile)> {
        match &self.placed {
            Some(placed) if self.joined().is_none() => Some((placed.network, &placed.profile)),
            _ => self.asker().map(|asker| (asker.network, &*asker.profile)),
        }
    }
}
