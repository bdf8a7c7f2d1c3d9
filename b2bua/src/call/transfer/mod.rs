//! Transfer (RFC 3515, RFC 5589): a leg asks for another partner of the one that it talks with.
//!
//! ```text
//!   transferor's REFER ─► referred ─┬─ nobody's dialog ─► dial the target ─► target: progress, answer ─┐
//!                                   └─ a dialog of ours ─► attended: the other call's leg moves here ──┴─► hand_over
//!   hand_over ─► the media is joined ─► NOTIFY 200 ─► renegotiate: re-INVITEs, where there is something to say
//!                                                └─► the transferor is released
//! ```
//! The target is dialled for the transferee by the rules of dialling: routes of the transferor's network, forks, failover. Until
//! it answers nothing changes for the two who talk, and if nobody answers, nothing has.

mod attended;
mod carry;
mod elsewhere;
mod ending;
mod hand_over;
mod join;
mod outside;
mod pick_up;
mod refer;
mod request;
mod speaking;
mod takeover;
mod taker;
mod target;
mod who;

pub(crate) use elsewhere::ReferWord;

use super::{Call, Leg, LegNo};
use carry::CarriedRefer;
use elsewhere::Waiting;
use media::PartyId;
use sip::dialog::DialogNo;
use sip::session::{ReferId, RequestId, SessionId};
use sip::time::Mono;
use sip_types::{Fields, StatusCode};
use std::time::Duration;
use who::Permit;

/// How long a transferor that knows of the success may take to hang up (RFC 5589 §6.1), before we do.
const GRACE: Duration = Duration::from_secs(2);

/// How long it takes until it is seen again whether a leg is free for a re-INVITE. What it waits for has limits of its own.
const PATIENCE: Duration = Duration::from_millis(200);

/// So many peers may take a place of one call; the first of more is forgotten.
const MOST_GRANTS: usize = 8;

/// A transfer under way: whom its target is dialled for.
pub(crate) struct Transfer {
    /// The transferor; `None` where the call was placed from here, and nobody asks for a target but who placed it.
    pub(super) by: Option<LegNo>,
    /// The transferee, or who has answered first.
    pub(super) of: LegNo,
    /// Where the transferor is told what comes of it.
    told: Option<(SessionId, ReferId)>,
    /// How many legs there were before: those after them are dialled for the transferee.
    pub(super) before: usize,
    /// What the INVITE has besides what crosses.
    pub(super) fields: Fields,
    /// The media of each dialog of a target.
    targets: Vec<TargetDialog>,
    /// Whether the target is a leg of another call, which was not dialled for the transferee.
    moved: bool,
    /// Whether somebody has picked up for the target, who is answered with all that the transferee has for it.
    picked_up: bool,
    /// The target that has answered, while it waits for the end of an exchange between the two others.
    answered: Option<(LegNo, PartyId)>,
}

/// A REFER that is to be answered.
#[derive(Clone, Copy)]
struct Asking {
    id: RequestId,
    /// `None`: it is in the dialog of its leg; else it is outside, and this says whether its sender is reached on its flow.
    outside: Option<bool>,
}

/// A dialog of a target.
struct TargetDialog {
    leg: LegNo,
    /// `None`: it answers without a tag so far.
    dialog: Option<DialogNo>,
    party: PartyId,
    /// Whether it has described its media.
    described: bool,
    /// Whether it has done so reliably.
    settled: bool,
}

/// What transfers have left to do in a call, and how many there were.
#[derive(Default)]
pub(crate) struct Transfers {
    /// The one under way.
    pub(super) now: Option<Transfer>,
    /// Those that have been accepted, for the record.
    pub(crate) log: Vec<Logged>,
    /// Legs that were replaced, each with the time when it is released, if it does not hang up itself.
    leaving: Vec<(LegNo, Mono)>,
    /// How often a leg's place was to be taken by INVITE (RFC 3891).
    takeovers: usize,
    /// Who has picked up, and is answered with what the caller's ACK brings.
    owes: Option<LegNo>,
    /// REFERs that have crossed.
    carried: Vec<CarriedRefer>,
    /// REFERs that wait for what another shard says of the dialog that they name.
    waiting: Vec<Waiting>,
    /// Who may take the place of a leg, because a peer of the call has referred them to it.
    granted: Vec<Permit>,
    /// Legs that are still to be told by re-INVITE of whom they talk with.
    pub(super) news: Vec<LegNo>,
    /// Who is to be told anew once both have been told, because the other has answered with other addresses or keys than before.
    again: Option<LegNo>,
    /// Those among them that speak for another name than before.
    renamed: Vec<LegNo>,
}

/// A transfer, for the record.
pub(crate) struct Logged {
    /// The transferor.
    pub(crate) by: LegNo,
    /// The transferee.
    pub(crate) of: LegNo,
    /// The target, as Refer-To names it.
    pub(crate) to: Box<str>,
    /// The leg that took the transferor's place.
    pub(crate) target: Option<LegNo>,
    /// What has come of it.
    pub(crate) status: Option<StatusCode>,
}

impl Transfers {
    /// As many may take a place as there are REFERs under way in a call.
    fn grant(&mut self, permit: Permit) {
        self.granted.truncate(MOST_GRANTS - 1);
        self.granted.insert(0, permit);
    }

    /// One of those is over, or used up. Each REFER has given one.
    fn take_back(&mut self, permit: &Permit) {
        if let Some(at) = self.granted.iter().position(|granted| granted == permit) {
            self.granted.remove(at);
        }
    }
}

impl Transfer {
    /// The search for whom a leg that stands is to talk with, after so many legs.
    pub(super) fn for_first(of: LegNo, before: usize) -> Self {
        Self {
            by: None,
            of,
            told: None,
            before,
            fields: Fields::default(),
            targets: Vec::new(),
            moved: false,
            picked_up: false,
            answered: None,
        }
    }
}

impl Call {
    /// The transfer under way.
    pub(super) fn transfer(&self) -> Option<&Transfer> {
        self.transfers.as_ref()?.now.as_ref()
    }

    fn transfer_mut(&mut self) -> Option<&mut Transfer> {
        self.transfers.as_mut()?.now.as_mut()
    }

    /// Whether a transfer is under way that this leg has asked for.
    pub(super) fn transfers_by(&self, no: LegNo) -> bool {
        self.state == super::State::Established
            && self.transfer().is_some_and(|transfer| transfer.by == Some(no))
    }

    /// Whether somebody is being called: for the caller, or for whom a transfer concerns.
    pub(super) fn seeks(&self) -> bool {
        match self.state {
            super::State::SettingUp => !self.hands_over(),
            super::State::Established => self.transfer().is_some_and(|transfer| transfer.answered.is_none()),
            super::State::Ending => false,
        }
    }

    /// Whether the target of a transfer has answered, and waits for its place: no other exchange begins before it has it.
    pub(super) fn hands_over(&self) -> bool {
        self.transfer().is_some_and(|transfer| transfer.answered.is_some())
    }

    /// Whether a re-INVITE of ours refreshes that leg's session at this moment, so that its peer can be asked nothing else.
    pub(super) fn refreshes(&self, no: LegNo) -> bool {
        self.leg(no).is_some_and(|leg| leg.refreshing && leg.end.is_none())
    }

    /// Who has asked for the legs that are dialled: the caller, or the transferor. Of a placed call, the leg that stands, if one does.
    pub(super) fn asker(&self) -> Option<&Leg> {
        let asker = self.transfer().and_then(|transfer| self.leg(transfer.by.unwrap_or(transfer.of)));
        asker.or(self.caller.as_ref())
    }

    /// The leg that others are dialled for: the caller's, the transferee's, or that of who has answered first.
    pub(super) fn sought_for(&self) -> Option<&Leg> {
        self.transfer().map_or(self.caller.as_ref(), |transfer| self.leg(transfer.of))
    }

    /// The media of the leg that a target is dialled for.
    pub(super) fn sought_party(&self) -> Option<PartyId> {
        let of = self.transfer()?.of;
        self.party(of).or_else(|| self.leg(of).map(|leg| leg.party))
    }

    /// The legs that are dialled for who is sought: of a transfer under way its targets, not those that came before it.
    pub(super) fn dialled(&self) -> &[Leg] {
        self.callees.get(self.before()..).unwrap_or_default()
    }

    /// How many called legs there were before those.
    pub(super) fn before(&self) -> usize {
        self.transfer().map_or(0, |transfer| transfer.before)
    }

    /// Whose media the legs that are dialled are offered, if it is known: the caller's, or the transferee's.
    pub(super) fn offered(&self) -> Option<PartyId> {
        match self.transfer() {
            Some(_) => self.sought_party(),
            None => self.caller.as_ref().filter(|_| self.wrap.has_sdp()).map(|caller| caller.party),
        }
    }
}
