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
mod expected;
mod failover;
mod glare;
mod identifier;
mod locating;
mod named;
mod names;
mod options;
mod outcome;
mod outgoing;
mod outside;
mod packages;
mod provenance;
mod refer;
mod reinvite;
mod reliable;
mod request;
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
pub use names::DialogNames;
pub use outside::Ask;
pub use provenance::{Provenance, Stray};
pub use refer::{NO_SUBSCRIPTION, Refer, ReferId};
pub use reliable::{OPTION as RELIABLE, Reliability};
pub use terminated::OPTION as TERMINATED;
pub use timer::{OPTION as TIMER, Refresher, TimerPart, TimerTerms, TimerView};
pub use uac::Invite;
pub use view::{DialogView, SessionView, Stage as SessionStage};

pub(crate) use ack::Ack;
pub(crate) use glare::Opening;
pub(crate) use identifier::Identified;
pub(crate) use locating::Locating;
pub(crate) use outgoing::{Flight, Outgoing, Purpose, aim};
pub(crate) use refer::Refers;
pub(crate) use reliable::{Heard, Sending};
pub(crate) use subscribing::Subscribing;
pub(crate) use timer::Timing;
pub(crate) use uas::refusal;
pub(crate) use whereabouts::Registered;

use crate::auth::client::Authorizer;
use crate::dialog::{Aim, Census, Dialog, DialogNo};
use crate::flow::{Destination, Flow, NetworkId};
use crate::ids::Tag;
use crate::location::{Fate, Found, Target};
use crate::received::Received;
use crate::settings::{Conduct, Listener, Settings};
use crate::time::Mono;
use crate::transaction::ServerId;
use bytes::Bytes;
use bytestring::ByteString;
use sip_types::{Fields, HeaderName, StatusCode, Uri};
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
}

/// A message body with the header fields that describe it.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Content-Type, -Disposition, -Encoding, -ID, -Language, MIME-Version.
    pub fields: Fields,
    /// The octets.
    pub bytes: Bytes,
}

/// What the owner adds to a message that the user agent composes.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Header fields, in order. Those of the dialog and the transaction are the user agent's own.
    pub fields: Fields,
    /// Feature parameters for our Contact, each with its leading `;` (RFC 3840).
    pub contact_params: ByteString,
    /// The body.
    pub body: Option<Body>,
}

/// A response to send.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The reason phrase; the registered one where it is empty.
    pub reason: ByteString,
    /// The rest.
    pub parts: Parts,
}

impl Reply {
    /// A response with the registered reason phrase and nothing more.
    pub fn new(status: StatusCode) -> Self {
        Self { status, reason: ByteString::new(), parts: Parts::default() }
    }

    /// Whether it is a final response of 300 or above.
    pub(crate) fn refuses(&self) -> bool {
        self.status.is_final() && !self.status.is_success()
    }
}

/// Why an intent was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// The session, dialog or request is gone.
    #[error("the session, dialog or request is gone")]
    Gone,
    /// The session is not in a state that allows it.
    #[error("the session is not in a state that allows it")]
    WrongState,
    /// A limit was reached.
    #[error("a limit was reached")]
    Full,
    /// The status is not of the kind that the intent sends.
    #[error("the status is not of the kind that the intent sends")]
    Status,
    /// The request has no usable Contact, so no dialog can be made.
    #[error("the peer's request can make no dialog")]
    NoDialog,
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

/// An INVITE of the peer that waits for our final response.
pub(crate) struct PendingInvite {
    pub(crate) server: ServerId,
    pub(crate) request: Received,
    /// The last provisional response sent other than 100.
    pub(crate) progressed: Option<(DialogNo, StatusCode)>,
    /// What it says of reliable provisional responses.
    pub(crate) reliability: Reliability,
    /// When it has waited for as long as its Expires allows.
    pub(crate) expires_at: Option<Mono>,
    /// Longest time without a provisional response.
    pub(crate) every: Duration,
    pub(crate) provisional_at: Mono,
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

/// One session.
pub(crate) struct Session {
    pub(crate) stage: Stage,
    pub(crate) network: NetworkId,
    /// What the owner calls the peer.
    pub(crate) label: u32,
    /// How the peer is treated, once that is known.
    pub(crate) conduct: Option<Conduct>,
    /// The addresses that the next hop of its INVITE or of its last request outside a dialog had, where it was a name.
    pub(crate) resolved: Vec<IpAddr>,
    /// How the targets of its INVITE were found, where its next hop was a name.
    pub(crate) found: Option<Box<Found>>,
    pub(crate) call_id: Box<str>,
    /// Our side's name-addr without tag.
    pub(crate) local: Box<str>,
    /// The peer's name-addr without tag.
    pub(crate) remote: Box<str>,
    /// Our tag: of every dialog if we called, of the first one if we were called.
    pub(crate) local_tag: Tag,
    /// Whether our INVITE set the session up; then the Call-ID is ours (RFC 3261 §14.1).
    pub(crate) caller: bool,
    pub(crate) dialogs: Vec<Dialog>,
    pub(crate) next_dialog: u16,
    /// The dialog that the 2xx confirmed.
    pub(crate) current: Option<DialogNo>,
    /// Where the INVITE is addressed to, while it is pending.
    pub(crate) aim: Option<Box<Aim>>,
    /// The number of the last INVITE that we sent outside a dialog.
    pub(crate) invite_seq: u32,
    /// What the last INVITE of ours was authorized with, which the ACK of each fork repeats (RFC 3261 §13.2.2.4).
    pub(crate) ack_credentials: Option<Box<Shown>>,
    /// The INVITE had a SIPS Request-URI: every request of the session goes over TLS (RFC 5630 §5.1.1).
    pub(crate) secure: bool,
    /// The way that the INVITE took.
    pub(crate) way: Option<Destination>,
    /// Whether requests in its dialogs take that way, and not that of the peer's Contact.
    pub(crate) keeps_way: bool,
    /// The flow that all of its requests take.
    pub(crate) flow: Option<Flow>,
    /// Whether outbound is applied to that flow, which is ours (RFC 5626 §4.3).
    pub(crate) outbound: bool,
    /// The GRUU that our Contact is (RFC 5627 §4.4).
    pub(crate) gruu: Option<Box<Uri>>,
    /// What its messages say in Session-ID (RFC 7989).
    pub(crate) identified: Option<Box<Identified>>,
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) next_outgoing: u16,
    pub(crate) incoming: Vec<Incoming>,
    pub(crate) reinvite: Option<Box<PendingInvite>>,
    /// The REFERs whose subscriptions stand; for nearly all sessions there were none.
    pub(crate) refers: Option<Box<Refers>>,
    pub(crate) unacked: Option<Box<Unacked>>,
    /// Our 2xx, for that dialog, which waits for PRACKs (RFC 3262 §3).
    pub(crate) held_answer: Option<Box<(DialogNo, Parts)>>,
    /// The number of an INVITE of ours whose 2xx the owner has not acknowledged yet.
    pub(crate) owed_ack: Option<u32>,
    pub(crate) cancel_sent: bool,
    /// A BYE that waits for the ACK of our 2xx (RFC 3261 §15).
    pub(crate) owed_bye: Option<Fields>,
    /// INVITE transactions of ours, those of targets that were given up included, that may still bring a 2xx.
    pub(crate) forks: u8,
    pub(crate) authorizer: Option<Box<Authorizer>>,
    /// The Info Packages that the peer takes, as its last Recv-Info said them (RFC 6086 §5.2).
    pub(crate) packages: Option<Box<str>>,
    /// What it knows of its timer (RFC 4028).
    pub(crate) timing: Option<Box<Timing>>,
    /// Whether the owner was told that it ended.
    pub(crate) told: bool,
    /// Whether the BYE that ended it carried credentials.
    pub(crate) bye_authenticated: bool,
}

impl Session {
    /// The peer's way to it is that of a request that sets its Contact (RFC 3261 §12.2): its NAT may have given it another
    /// address, or it may have opened another connection.
    pub(crate) fn take_way(&mut self, settings: &Settings, request: &Received) {
        let listener = settings.listener(request.flow.listener);
        self.keeps_way = listener.is_some_and(|listener| listener.binds_to_flow(request));
        self.way = Some(Destination::Flow(request.flow));
    }

    /// A session with nothing in it yet.
    pub(crate) fn new(stage: Stage, network: NetworkId, call_id: Box<str>, local_tag: Tag) -> Self {
        Self {
            stage,
            network,
            label: 0,
            conduct: None,
            resolved: Vec::new(),
            found: None,
            call_id,
            local: Box::default(),
            remote: Box::default(),
            local_tag,
            caller: false,
            dialogs: Vec::new(),
            next_dialog: 0,
            current: None,
            aim: None,
            invite_seq: 0,
            ack_credentials: None,
            secure: false,
            way: None,
            keeps_way: false,
            flow: None,
            outbound: false,
            gruu: None,
            identified: None,
            outgoing: Vec::new(),
            next_outgoing: 0,
            incoming: Vec::new(),
            reinvite: None,
            refers: None,
            unacked: None,
            held_answer: None,
            owed_ack: None,
            cancel_sent: false,
            owed_bye: None,
            forks: 0,
            authorizer: None,
            packages: None,
            timing: None,
            told: false,
            bye_authenticated: false,
        }
    }

    /// How the peer is treated on that listener.
    pub(crate) fn conduct(&self, listener: &Listener) -> Conduct {
        self.conduct.unwrap_or_else(|| Conduct::of(listener))
    }

    /// The dialog with that name.
    pub(crate) fn dialog(&self, no: DialogNo) -> Option<&Dialog> {
        self.dialogs.iter().find(|d| d.no == no)
    }

    /// The dialog with that name.
    pub(crate) fn dialog_mut(&mut self, no: DialogNo) -> Option<&mut Dialog> {
        self.dialogs.iter_mut().find(|d| d.no == no)
    }

    /// Adds a dialog. A session has one for nearly all of its life: room is made for one at a time.
    pub(crate) fn enter(&mut self, mut dialog: Dialog, census: &Census) {
        dialog.alive = Some(census.enter());
        self.dialogs.reserve_exact(1);
        self.dialogs.push(dialog);
    }

    /// The dialog that the 2xx confirmed.
    pub(crate) fn current_mut(&mut self) -> Option<&mut Dialog> {
        self.current.and_then(|no| self.dialog_mut(no))
    }

    /// A request of ours.
    pub(crate) fn outgoing_mut(&mut self, id: OutgoingId) -> Option<&mut Outgoing> {
        self.outgoing.iter_mut().find(|o| o.id == id)
    }

    /// Something becomes of a target of our INVITE.
    pub(crate) fn note_fate(&mut self, id: OutgoingId, target: &Target, fate: Fate) {
        let Some(found) = &mut self.found else { return };
        if self.outgoing.iter().any(|o| o.id == id && o.purpose == Purpose::Invite) {
            found.note(target.transport, target.address, fate);
        }
    }

    /// The same of the target that it was last sent to.
    pub(crate) fn note_fate_of_last(&mut self, id: OutgoingId, fate: Fate) {
        if self.found.is_none() {
            return;
        }
        let last = self.outgoing.iter().find(|o| o.id == id).and_then(|o| o.course.at.clone());
        if let Some(target) = last {
            self.note_fate(id, &target, fate);
        }
    }

    /// Whether a request of ours would still be sent: an INVITE until it is given up, BYE and ACK at any time, all
    /// else while the session stands.
    pub(crate) fn wants(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Invite => matches!(self.stage, Stage::Calling { cancel: None }),
            Purpose::Outside => matches!(self.stage, Stage::Asking { .. } | Stage::Subscribing(_)),
            Purpose::Reinvite => matches!(self.stage, Stage::Confirmed),
            Purpose::Update => {
                matches!(self.stage, Stage::Calling { cancel: None } | Stage::Called(_) | Stage::Confirmed)
            }
            Purpose::Prack => matches!(self.stage, Stage::Calling { .. } | Stage::Confirmed),
            Purpose::Request => {
                matches!(self.stage, Stage::Confirmed | Stage::Subscribed | Stage::Subscribing(_))
            }
            Purpose::Bye | Purpose::Ack => true,
        }
    }

    /// Takes a request of ours out.
    pub(crate) fn take_outgoing(&mut self, id: OutgoingId) -> Option<Outgoing> {
        let at = self.outgoing.iter().position(|o| o.id == id)?;
        let outgoing = self.outgoing.swap_remove(at);
        if self.outgoing.is_empty() {
            // For nearly all of its life a session waits for nothing.
            self.outgoing = Vec::new();
        }
        Some(outgoing)
    }

    /// The name of the next request of ours.
    pub(crate) fn name_outgoing(&mut self) -> OutgoingId {
        self.next_outgoing = self.next_outgoing.wrapping_add(1);
        if self.next_outgoing == OutgoingId::CANCEL.0 {
            self.next_outgoing = 0;
        }
        OutgoingId(self.next_outgoing)
    }

    /// The name of the next dialog.
    pub(crate) fn name_dialog(&mut self) -> DialogNo {
        let no = DialogNo(self.next_dialog);
        self.next_dialog = self.next_dialog.wrapping_add(1);
        no
    }

    /// Whether nothing keeps the session: neither side needs it any more, and its owner knows.
    pub(crate) fn is_spent(&self) -> bool {
        matches!(self.stage, Stage::Over)
            && self.told
            && self.forks == 0
            && self.outgoing.is_empty()
            && self.unacked.is_none()
            && !self.dialogs.iter().any(Dialog::awaits_prack)
    }

    /// Whether our INVITE is pending, and was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        matches!(self.stage, Stage::Calling { cancel: Some(_) })
    }
}
