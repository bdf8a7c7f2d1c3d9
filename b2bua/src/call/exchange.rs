//! What two dialogs that go together are in the middle of: a change that one leg asks for in whatever its offer may stand, and
//! that the other leg is asked for in whatever it takes (RFC 6337 §2.2).

use super::conversion::Conversion;
use super::underway::Before;
use super::{Call, LegNo};
use bytes::Bytes;
use media::PartyId;
use sip::Received;
use sip::dialog::DialogNo;
use sip::session::{OutgoingId, RequestId};
use sip::time::Mono;

/// What two dialogs are in the middle of.
#[derive(Debug, Default)]
pub(crate) enum Exchange {
    /// Nothing.
    #[default]
    Idle,
    /// The caller's PRACK has an offer for which the far side can be asked once it has answered a PRACK of ours (RFC 6337 §4.3,
    /// UAC-IU).
    Waiting(Box<(RequestId, Received)>),
    /// What one leg asks for waits for the other leg's answer.
    Asked(Box<Asked>),
    /// That leg was sent an offer in a 2xx; its ACK, with the answer, is what the other leg's 2xx waits for, unless what that leg
    /// has offered is settled already.
    Answer { from: LegNo, settled: bool },
    /// Nobody waits any more for what a leg was asked: who asked for it gave up, or was told that it takes too long. What it
    /// changes is put back.
    GivenUp(Box<Asked>),
    /// What stood is put back on that leg; the answer concerns nobody else. It has a number in the call too.
    Restore { leg: LegNo, by: By, nth: u32 },
    /// A re-INVITE of ours offers that leg what `by` describes, which is to take the place of its partner.
    TakeOver { leg: LegNo, by: LegNo, offer: Bytes },
    /// A re-INVITE of ours tells that leg of its new partner.
    Renegotiate { leg: LegNo },
}

impl Exchange {
    /// Whether it is something.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self, Self::Idle)
    }
}

/// A change that a leg asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Which leg that is.
    pub(crate) from: LegNo,
    /// In what it asks.
    pub(crate) ask: Ask,
    /// In what the other leg is asked.
    pub(crate) by: By,
    /// What the other leg was offered, if anything.
    pub(crate) offer: Option<Bytes>,
    /// What was done about the offer.
    pub(crate) conversion: Conversion,
    /// Its number in the call.
    pub(crate) nth: u32,
    /// What has been settled of it before its final response.
    pub(crate) early: Early,
    /// How long it may take, once it has progressed.
    pub(crate) until: Option<Mono>,
    /// How long at most, however often it progresses.
    pub(crate) latest: Option<Mono>,
    /// Whether nobody waits for it any more.
    pub(crate) abandoned: bool,
    /// Whether it has failed after it was settled, and what it has changed is being undone.
    pub(crate) refused: bool,
    /// What had been described before, where a part of it may be settled ahead of the rest.
    pub(crate) before: Option<Box<Before>>,
}

/// What of a re-INVITE's offer and answer reliable provisional responses have brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Early {
    #[default]
    Nothing,
    /// Both, on the leg that is asked.
    Answered,
    /// The offer of that leg; the PRACK of the response with that number waits for the asker's answer.
    Owes(u32),
}

impl Early {
    /// The number of the response whose PRACK waits.
    pub(crate) fn owed(self) -> Option<u32> {
        match self {
            Self::Owes(number) => Some(number),
            Self::Nothing | Self::Answered => None,
        }
    }
}

impl Asked {
    /// Whether who asks has made an offer.
    pub(crate) fn offers(&self) -> bool {
        match self.conversion {
            Conversion::Carried => self.offer.is_some(),
            Conversion::Made => false,
            Conversion::Asked => true,
        }
    }

    /// A change that has just been asked for.
    pub(crate) fn new(from: LegNo, (ask, by): (Ask, By), offer: Option<Bytes>, nth: u32) -> Self {
        Self {
            from,
            ask,
            by,
            offer,
            conversion: Conversion::Carried,
            nth,
            early: Early::Nothing,
            until: None,
            latest: None,
            abandoned: false,
            refused: false,
            before: None,
        }
    }
}

/// What the peer of a leg asks for a change in, which waits for our answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Reinvite,
    Update(RequestId),
    Prack(RequestId),
}

/// What the peer of the other leg was asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Reinvite,
    Update(OutgoingId),
}

/// Two dialogs that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Between {
    /// Those of the established call.
    Standing,
    /// The early ones of the pair in that place.
    Early(usize),
}

/// The two dialogs, seen from one of the legs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides {
    /// The other leg.
    pub(crate) other: LegNo,
    /// The media of this one.
    pub(crate) here: PartyId,
    /// That of the other.
    pub(crate) there: PartyId,
    /// The dialog of the other leg, where it is early.
    pub(crate) dialog: Option<DialogNo>,
}

impl Call {
    /// The dialogs that a request of that leg, in that dialog, is for.
    pub(crate) fn between(&self, leg: LegNo, dialog: DialogNo) -> Option<Between> {
        if self.joined().is_some() {
            return self.other(leg).map(|_| Between::Standing);
        }
        let pair = match leg {
            LegNo::CALLER => self.pair_of_caller(dialog),
            _ => self.pairs.iter().position(|pair| pair.callee == leg && pair.callee_dialog == Some(dialog)),
        };
        pair.map(Between::Early)
    }

    /// The pair that an early dialog of the caller stands for. One that stands for all stands for whom it is answered by, else for
    /// whom it has been given media with.
    pub(crate) fn pair_of_caller(&self, dialog: DialogNo) -> Option<usize> {
        let pairs = || self.pairs.iter().enumerate().filter(|(_, pair)| pair.caller_dialog == dialog);
        let heard = pairs().find(|(_, pair)| pair.shown);
        let heard = heard.or_else(|| pairs().find(|(_, pair)| pair.caller_party.is_some()));
        heard.or_else(|| pairs().next()).map(|(at, _)| at)
    }

    /// The dialogs whose exchange waits for the answer to that UPDATE of ours on that leg.
    pub(crate) fn waiting_for(&self, leg: LegNo, sent: OutgoingId) -> Option<Between> {
        let waits = |exchange: &Exchange, other: Option<LegNo>| match exchange {
            Exchange::Asked(asked) | Exchange::GivenUp(asked) => {
                asked.by == By::Update(sent) && asked.from != leg && other.is_some()
            }
            Exchange::Restore { leg: of, by, .. } => *by == By::Update(sent) && *of == leg && other.is_some(),
            Exchange::Idle
            | Exchange::Waiting(_)
            | Exchange::Answer { .. }
            | Exchange::TakeOver { .. }
            | Exchange::Renegotiate { .. } => false,
        };
        if waits(&self.exchange, self.other(leg)) {
            return Some(Between::Standing);
        }
        let of = |callee| (leg == LegNo::CALLER || leg == callee).then_some(callee);
        self.pairs.iter().position(|pair| waits(&pair.exchange, of(pair.callee))).map(Between::Early)
    }

    /// The dialogs that exchange the change with that number.
    pub(crate) fn exchanging(&self, nth: u32) -> Option<Between> {
        let is = |exchange: &Exchange| match exchange {
            Exchange::Asked(asked) => asked.nth == nth,
            Exchange::Restore { nth: of, .. } => *of == nth,
            Exchange::Idle
            | Exchange::Waiting(_)
            | Exchange::Answer { .. }
            | Exchange::GivenUp(_)
            | Exchange::TakeOver { .. }
            | Exchange::Renegotiate { .. } => false,
        };
        if is(&self.exchange) {
            return Some(Between::Standing);
        }
        self.pairs.iter().position(|pair| is(&pair.exchange)).map(Between::Early)
    }

    /// The leg that is told by a re-INVITE of ours of what no other leg asks for.
    pub(crate) fn telling(&self) -> Option<LegNo> {
        match self.exchange {
            Exchange::TakeOver { leg, .. } | Exchange::Renegotiate { leg } => Some(leg),
            Exchange::Idle
            | Exchange::Waiting(_)
            | Exchange::Asked(_)
            | Exchange::Answer { .. }
            | Exchange::GivenUp(_)
            | Exchange::Restore { .. } => None,
        }
    }

    /// What two dialogs are in the middle of.
    pub(crate) fn exchange_of(&mut self, between: Between) -> Option<&mut Exchange> {
        match between {
            Between::Standing => Some(&mut self.exchange),
            Between::Early(at) => self.pairs.get_mut(at).map(|pair| &mut pair.exchange),
        }
    }

    /// Two dialogs, seen from that leg; `None` where the caller has not been answered in one yet.
    pub(crate) fn sides(&self, between: Between, leg: LegNo) -> Option<Sides> {
        match between {
            Between::Standing => {
                let other = self.other(leg)?;
                Some(Sides { other, here: self.party(leg)?, there: self.party(other)?, dialog: None })
            }
            Between::Early(at) => {
                let pair = self.pairs.get(at)?;
                let caller = pair.caller_party?;
                Some(match leg {
                    LegNo::CALLER => Sides {
                        other: pair.callee,
                        here: caller,
                        there: pair.callee_party,
                        dialog: Some(pair.callee_dialog?),
                    },
                    _ => Sides {
                        other: LegNo::CALLER,
                        here: pair.callee_party,
                        there: caller,
                        dialog: Some(pair.caller_dialog),
                    },
                })
            }
        }
    }

    /// What stood before stands again, on both legs (RFC 6141 §3.4).
    pub(crate) fn undo_offer(&mut self, sides: Sides) {
        self.media.offer_failed(sides.here);
        self.media.offer_failed(sides.there);
    }
}
