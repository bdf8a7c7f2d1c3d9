//! Sessions: the INVITE usage of one or more dialogs (RFC 3261 §13, §14, §15).
//!
//! ```text
//!   caller:  Calling ──2xx──► Confirmed ──► Ending ──► Over
//!               └────── failure, CANCEL ────────────────►
//!   callee:  Called ──2xx──► Confirmed ──► Ending ──► Over
//!               └────── failure, CANCEL ────────────────►
//! ```
//! `Ending` has a BYE of ours pending, or owes one until the ACK of our 2xx comes. `Over` stays for as long as
//! a fork may still answer our INVITE, which is then acknowledged and released.

mod ack;
mod bye;
mod challenge;
mod compose;
mod connected;
mod declared;
mod early_bye;
mod expected;
mod failover;
mod glare;
mod identifier;
mod locating;
mod names;
mod options;
mod outcome;
mod outgoing;
mod outside;
mod packages;
mod parts;
mod pending;
mod provenance;
mod refer;
mod reinvite;
mod reliable;
mod request;
mod state;
mod subscribed;
mod subscribing;
mod terminated;
mod timer;
mod uac;
mod uas;
mod update;
mod view;
mod whereabouts;

pub use connected::FROM_CHANGE;
pub use failover::Patience;
pub use identifier::Identifying;
pub use names::{DialogNames, NamedDialog};
pub use outside::Ask;
pub use parts::{Body, IntentError, Parts, Reply};
pub use provenance::{Provenance, Stray};
pub use refer::{NO_SUBSCRIPTION, NO_SUBSCRIPTION_REQUIRED, Refer, ReferId, TARGET_DIALOG};
pub use reliable::{OPTION as RELIABLE, Reliability};
pub use terminated::OPTION as TERMINATED;
pub use timer::{OPTION as TIMER, Refresher, TimerPart, TimerTerms, TimerView};
pub use uac::Invite;
pub use view::{DialogView, SessionView, Stage as SessionStage};

pub(crate) use ack::Ack;
pub(crate) use declared::Declared;
pub(crate) use glare::Opening;
pub(crate) use identifier::Identified;
pub(crate) use locating::Locating;
pub(crate) use outgoing::{Flight, Outgoing, Purpose, aim};
pub(crate) use pending::PendingInvite;
pub(crate) use refer::{EXPLICIT_SUBSCRIPTION, Refers};
pub(crate) use reliable::{Heard, Sending};
pub(crate) use state::Session;
pub(crate) use subscribing::Subscribing;
pub(crate) use timer::Timing;
pub(crate) use uas::refusal;
pub(crate) use whereabouts::Registered;

use crate::dialog::DialogNo;
use crate::received::Received;
use crate::time::Mono;
use crate::transaction::ServerId;
use sip_types::{Fields, HeaderName};
use std::net::IpAddr;
use std::time::Duration;

slotmap::new_key_type! {
    /// Names a session.
    pub struct SessionId;
}

/// Names a request of ours within its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutgoingId(pub(crate) u16);

impl OutgoingId {
    /// A CANCEL: nobody waits for its answer.
    pub(crate) const CANCEL: Self = Self(u16::MAX);
}

/// Names a request of the peer that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) ServerId);

/// Names a deadline of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SessionTimer {
    /// The pending INVITE of the peer needs another provisional response.
    Provisional,
    /// The peer's INVITE has waited for as long as it says it may.
    Expires,
    /// Our 2xx needs to be sent again, or has waited too long for its ACK.
    Unacked,
    /// A reliable provisional response of ours needs to be sent again, or has waited too long for its PRACK.
    Unpracked(DialogNo),
    /// The back-off after a 491 is over.
    Backoff(OutgoingId),
    /// The session is to be refreshed, or expires (RFC 4028 §10).
    Interval,
    /// A request of the peer has waited for as long as it may without a response.
    Trying(ServerId),
    /// The target of a request may have been silent for too long.
    Target(OutgoingId),
    /// The next connection of a race may begin.
    Race(OutgoingId),
    /// The sender of a REFER is to be told something, or its subscription is over.
    Refer(ReferId),
    /// A REFER of ours has been told of for as long as it is, or nothing has come of it (timer N, RFC 6665 §4.1.2.4).
    Referred(OutgoingId),
}

/// How far the session has come.
pub(crate) enum Stage {
    /// Our INVITE is pending; `cancel` holds the Reason once we gave it up.
    Calling { cancel: Option<Fields> },
    /// The peer's INVITE is pending.
    Called(Box<PendingInvite>),
    /// A 2xx stands.
    Confirmed,
    /// Requests of ours outside a dialog: one is pending, or further ones may follow.
    Asking {
        /// Whether it lasts until its owner ends it.
        lasting: bool,
    },
    /// The dialog of a SUBSCRIBE that we accepted (RFC 6665 §4.4.1).
    Subscribed,
    /// A SUBSCRIBE of ours, and the dialog that a NOTIFY makes of it (RFC 6665 §4.4.1).
    Subscribing(Box<Subscribing>),
    /// A BYE of ours is pending or owed.
    Ending,
    /// Only a fork of our INVITE may still answer.
    Over,
}

/// A 2xx of ours that waits for its ACK (RFC 3261 §13.3.1.4).
pub(crate) struct Unacked {
    pub(crate) server: ServerId,
    pub(crate) seq: u32,
    /// Whether it has an offer, which the ACK answers.
    pub(crate) offers: bool,
    pub(crate) interval: Duration,
    pub(crate) longest: Duration,
    pub(crate) repeat_at: Mono,
    pub(crate) give_up_at: Mono,
}

/// A request of the peer, other than INVITE, that waits for our final response.
pub(crate) struct Incoming {
    pub(crate) server: ServerId,
    pub(crate) dialog: DialogNo,
    pub(crate) request: Received,
}

/// Credentials and the address that they were shown to.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) to: IpAddr,
    pub(crate) fields: Vec<(HeaderName, String)>,
}
