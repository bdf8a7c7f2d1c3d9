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
mod ending;
mod hand_over;
mod join;
mod refer;
mod request;
mod speaking;
mod takeover;
mod target;
mod who;

use super::{Call, Leg, LegNo};
use carry::CarriedRefer;
use media::PartyId;
use sip::dialog::DialogNo;
use sip::session::ReferId;
use sip::time::Mono;
use sip_types::{Fields, StatusCode};
use std::time::Duration;
use who::Who;

/// How long a transferor that knows of the success may take to hang up (RFC 5589 §6.1), before we do.
const GRACE: Duration = Duration::from_secs(2);

/// How long it takes until it is seen again whether a leg is free for a re-INVITE. What it waits for has limits of its own.
const PATIENCE: Duration = Duration::from_millis(200);

/// So many peers may take a place of one call; the first of more is forgotten.
const MOST_GRANTS: usize = 8;

/// A transfer under way: whom its target is dialled for.
pub(crate) struct Transfer {
    /// The transferor.
    pub(super) by: LegNo,
    /// The transferee.
    pub(super) of: LegNo,
    /// Where the transferor is told what comes of it.
    told: Option<ReferId>,
    /// How many legs there were before: those after them are dialled for the transferee.
    pub(super) before: usize,
    /// What the INVITE has besides what crosses.
    pub(super) fields: Fields,
    /// The media of each dialog of a target.
    targets: Vec<TargetDialog>,
    /// Whether the target is a leg of another call, which was not dialled for the transferee.
    moved: bool,
    /// The target that has answered, while it waits for the end of an exchange between the two others.
    answered: Option<(LegNo, PartyId)>,
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
    /// REFERs that have crossed.
    carried: Vec<CarriedRefer>,
    /// Who may take the place of a leg, because a peer of the call has referred them to it.
    granted: Vec<Who>,
    /// Legs that are still to be told by re-INVITE of whom they talk with.
    pub(super) news: Vec<LegNo>,
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
    fn grant(&mut self, who: Who) {
        if !self.granted.contains(&who) {
            self.granted.truncate(MOST_GRANTS - 1);
            self.granted.insert(0, who);
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
        self.state == super::State::Established && self.transfer().is_some_and(|transfer| transfer.by == no)
    }

    /// Whether somebody is being called: for the caller, or for whom a transfer concerns.
    pub(super) fn seeks(&self) -> bool {
        match self.state {
            super::State::SettingUp => true,
            super::State::Established => self.transfer().is_some_and(|transfer| transfer.answered.is_none()),
            super::State::Ending => false,
        }
    }

    /// Whether the target of a transfer has answered, and waits for its place: no other exchange begins before it has it.
    pub(super) fn hands_over(&self) -> bool {
        self.transfer().is_some_and(|transfer| transfer.answered.is_some())
    }

    /// Whether a re-INVITE of ours refreshes that leg's session at this moment, so that its peer can be asked nothing else.
    fn refreshes(&self, no: LegNo) -> bool {
        self.leg(no).is_some_and(|leg| leg.refreshing && leg.end.is_none())
    }

    /// Who has asked for the legs that are dialled: the caller, or the transferor.
    pub(super) fn asker(&self) -> &Leg {
        self.transfer().and_then(|transfer| self.leg(transfer.by)).unwrap_or(&self.caller)
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
            Some(transfer) => self.party(transfer.of),
            None => self.wrap.has_sdp().then_some(self.caller.party),
        }
    }
}
