//! Calls: a leg towards the caller, legs towards the called side, and the bridge between them.
//!
//! ```text
//!   caller's INVITE ─► route ─► places ─► dial ─┬─► progress ─► early dialogs, kept apart
//!                                 ▲             ├─► answer ──► established ─► re-INVITEs, requests ─► end
//!                                 └──── fork ◄──┴─► failure ─► the next place, or the mapped response
//! ```
//! No message crosses: an event of one leg's user agent becomes an intent for the other's. Each file here is
//! one step of that way.

mod across;
mod agreement;
mod answer;
mod ask;
mod begin;
mod body;
mod caller;
mod change_failed;
mod choice;
mod conversion;
mod correlate;
pub(crate) mod decide;
mod dial;
mod early;
mod ending;
mod exchange;
mod failure;
mod flow;
mod fork;
mod guard;
mod history;
mod identity;
mod incoming;
mod keys;
mod left_out;
mod midway;
mod modify;
mod naming;
pub(crate) mod outside;
mod place;
mod placed;
mod prack;
mod progress;
mod protect;
mod quality;
mod redirect;
mod refresh;
mod request;
pub(crate) mod role;
mod stray;
mod talk;
mod terminated;
mod transfer;
mod underway;
mod update;
pub(crate) mod view;

pub(crate) use across::Across;
pub(crate) use caller::Caller;
pub(crate) use decide::reason;
pub(crate) use flow::BoundLegs;
pub(crate) use guard::CallTimer;
pub(crate) use outside::Outside;
pub(crate) use transfer::{Logged, ReferWord};

use crate::shard::Held;
use crate::snapshot::Snapshot;
use agreement::Apart;
use body::Wrap;
use bytes::Bytes;
use config::{Profile, TrunkName};
use conversion::Conversion;
use exchange::{Asked, Exchange};
use fork::Fork;
use keys::Keys;
use media::{CallMedia, PartyId};
use naming::Naming;
use place::Place;
use placed::Placed;
use policy::{Redirected, Trail};
use role::RoleSince;
use sip::dialog::DialogNo;
use sip::location::Found;
use sip::registration::server::Aor;
use sip::session::{OutgoingId, Reply, RequestId, SessionId};
use sip::time::Now;
use sip::{ConnectionId, Flow, NetworkId, Received};
use sip_types::header::SessionUuid;
use sip_types::{Fields, Method, StatusCode};
use std::sync::Arc;
use talk::Talk;
use transfer::Transfers;

slotmap::new_key_type! {
    /// Names a call within its shard.
    pub(crate) struct CallKey;
}

/// What goes on, or the response that refuses it.
pub(crate) type OrRefuse<T> = Result<T, Box<Reply>>;

/// A leg of a call: 0 is the caller's, which a call that was placed from here does not have, the others in the order of their dialling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LegNo(pub(crate) u8);

impl LegNo {
    pub(crate) const CALLER: Self = Self(0);
}

/// One of our user agents in a call.
pub(crate) struct Leg {
    pub(crate) no: LegNo,
    pub(crate) session: SessionId,
    pub(crate) network: NetworkId,
    pub(crate) trunk: Option<TrunkName>,
    pub(crate) profile: Arc<Profile>,
    /// The Request-URI of the INVITE.
    pub(crate) target: String,
    /// Whether it goes to a device of a registered user.
    pub(crate) device: bool,
    /// Whose device, where that is registered.
    pub(crate) user: Option<Aor>,
    /// The redirection that led to it, if one did.
    pub(crate) redirected: Option<Box<Redirected>>,
    /// The connection that its peer is reached on, and nowhere else.
    pub(crate) connection: Option<ConnectionId>,
    /// The flow to a trunk that it goes by (RFC 5626 §4.3).
    pub(crate) trunk_flow: Option<Flow>,
    /// Whether its peer takes another URI in From (RFC 4916).
    pub(crate) from_change: bool,
    /// Whether its peer has said that it takes no body of several parts (RFC 3261 §7.4.1).
    pub(crate) refuses_parts: bool,
    /// What it goes by towards a trunk.
    pub(crate) naming: Naming,
    /// What was done about the offer of its INVITE.
    pub(crate) conversion: Conversion,
    /// Which branch of the fork it is.
    pub(crate) branch: u16,
    /// What it has of the caller's Max-Breadth, until it is over.
    pub(crate) breadth: u8,
    /// The media of its first dialog.
    pub(crate) party: PartyId,
    pub(crate) started: Now,
    pub(crate) confirmed: Option<Now>,
    pub(crate) end: Option<LegEnd>,
    /// The Call-ID of its session.
    pub(crate) call_id: Box<str>,
    /// The identifier of its peer (RFC 7989), if that is known.
    pub(crate) identifier: Option<Box<SessionUuid>>,
    /// Whether a re-INVITE of ours refreshes its session; the answer concerns nobody else.
    pub(crate) refreshing: bool,
    /// A hash of the header fields of its peer's last re-INVITE that crossed.
    pub(crate) said: Option<u64>,
    /// The Reason that we ended it with.
    pub(crate) farewell: Option<String>,
    /// Once it is over: how whom it called was found, where that was by name.
    pub(crate) found: Option<Box<Found>>,
    /// Its place among the calls of its trunk.
    pub(crate) _in_trunk: Option<Held>,
}

impl Leg {
    /// Whether it may still be answered: it is neither over nor given up.
    pub(crate) fn rings(&self) -> bool {
        self.end.is_none() && self.confirmed.is_none() && self.farewell.is_none()
    }
}

/// How a leg ended.
#[derive(Clone, Debug)]
pub(crate) struct LegEnd {
    pub(crate) at: Now,
    pub(crate) status: Option<StatusCode>,
    pub(crate) cause: &'static str,
    /// The Reason that came or went with it.
    pub(crate) reason: Option<String>,
    /// How an answered leg was let go.
    pub(crate) release: Option<Release>,
}

/// How an answered leg was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// By the peer's BYE.
    ByPeer,
    /// By ours, which had a 2xx.
    Confirmed {
        /// It carried credentials, as the peer had challenged us.
        authenticated: bool,
    },
    /// By ours, which had none.
    Unconfirmed,
}

impl Release {
    /// As records and the API say it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ByPeer => "released by the peer",
            Self::Confirmed { authenticated: false } => "released",
            Self::Confirmed { authenticated: true } => "released, authenticated",
            Self::Unconfirmed => "released, not confirmed",
        }
    }
}

/// An early dialog of a called leg and the one that stands for it towards the caller.
pub(crate) struct Pair {
    pub(crate) callee: LegNo,
    /// `None`: the far side answers without a tag so far.
    pub(crate) callee_dialog: Option<DialogNo>,
    pub(crate) callee_party: PartyId,
    pub(crate) caller_dialog: DialogNo,
    /// `None` until the caller is to be answered in it.
    pub(crate) caller_party: Option<PartyId>,
    /// The status of the last provisional response.
    pub(crate) last_status: StatusCode,
    /// Whether the caller has heard of it.
    pub(crate) told: bool,
    /// Whether the far side has described its media.
    pub(crate) described: bool,
    /// Whether the caller has had that answer, ahead of the 2xx.
    pub(crate) shown: bool,
    /// Whether the far side has described it reliably: what it says later is no answer any more.
    pub(crate) settled: bool,
    /// Whether the caller has had it reliably, so that its 2xx has no description (RFC 3262 §5).
    pub(crate) agreed: bool,
    /// The number of a reliable response with an offer, whose PRACK waits for the caller's answer.
    pub(crate) owes: Option<u32>,
    /// Our answer to an offer of the far side's that we have asked for; its PRACK or ACK is to have it.
    pub(crate) reply: Option<Bytes>,
    /// What these dialogs are in the middle of besides.
    pub(crate) exchange: Exchange,
}

/// The one early dialog that stands for all of the called side towards a caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Only {
    pub(crate) dialog: DialogNo,
    /// Whether the caller has had an answer in it: that is its answer then (RFC 3261 §13.2.1).
    pub(crate) shown: bool,
    /// Whether it has had it reliably.
    pub(crate) agreed: bool,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    SettingUp,
    Established,
    Ending,
}

/// A request carried from one leg to the other that waits for its response.
pub(crate) struct Carried {
    pub(crate) from: LegNo,
    pub(crate) id: RequestId,
    pub(crate) to: LegNo,
    pub(crate) sent: OutgoingId,
    pub(crate) method: Method,
}

/// One call.
pub(crate) struct Call {
    pub(crate) id: Box<str>,
    /// Its place in the list of calls.
    pub(crate) sequence: u64,
    /// The configuration that it began under.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) state: State,
    /// The leg of who has called us; `None` where the call was placed from here.
    pub(crate) caller: Option<Leg>,
    pub(crate) callees: Vec<Leg>,
    pub(crate) pairs: Vec<Pair>,
    /// The one early dialog that the caller sees, where its profile wants no more.
    pub(crate) only: Option<Only>,
    /// What is done for its two legs, where what they were told of each other may not be what they have said.
    pub(crate) apart: Option<Apart>,
    /// Who talks with whom, or for whom others are called.
    pub(crate) talk: Talk,
    /// What the INVITEs of called legs have besides what crosses.
    pub(crate) fields: Option<Box<Fields>>,
    /// How it was placed, if it was.
    pub(crate) placed: Option<Box<Placed>>,
    /// Its transfers, if there ever was one.
    pub(crate) transfers: Option<Box<Transfers>>,
    /// What the dialogs of the pair that the answer chose are in the middle of.
    pub(crate) exchange: Exchange,
    /// A re-INVITE of one of them whose offer and answer are settled, while its final response is waited for.
    pub(crate) underway: Option<Box<Asked>>,
    /// How many changes have been taken across.
    pub(crate) exchanges: u32,
    pub(crate) carried: Vec<Carried>,
    /// DTMF that goes by INFO.
    pub(crate) keys: Option<Box<Keys>>,
    /// The places that have not been tried, and what came of the others.
    pub(crate) fork: Fork,
    pub(crate) media: CallMedia,
    pub(crate) parties: u32,
    /// The INVITE that called legs are dialled from, until the call is answered: the caller's, or what a REFER or an order asks for.
    pub(crate) invite: Option<Box<Received>>,
    /// How the caller's description was wrapped in its INVITE.
    pub(crate) wrap: Wrap,
    /// What part we have had in it, and between which legs, since it was answered.
    pub(crate) roles: Vec<RoleSince>,
    pub(crate) facts: CallFacts,
    pub(crate) trail: Trail,
    pub(crate) started: Now,
    pub(crate) answered: Option<Now>,
    /// Why we ended it, if we did.
    pub(crate) cause: Option<&'static str>,
    /// The leg whose peer hung up or gave up, if that ended the call.
    pub(crate) hung_up: Option<LegNo>,
    /// Its place among all calls.
    pub(crate) _in_node: Held,
}

/// What the caller said, or who placed the call, for views and records.
#[derive(Clone, Debug)]
pub(crate) struct CallFacts {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) request_uri: String,
    /// The Request-URI was a SIPS URI: so is that of every leg that we dial (RFC 5630 §5.1.1).
    pub(crate) secure: bool,
}

impl Call {
    /// The name of the leg that comes next; `None`: it has as many as can be told apart.
    pub(crate) fn next_leg(&self) -> Option<LegNo> {
        u8::try_from(self.callees.len() + 1).ok().map(LegNo)
    }

    /// The leg with that name.
    pub(crate) fn leg(&self, no: LegNo) -> Option<&Leg> {
        match no {
            LegNo::CALLER => self.caller.as_ref(),
            _ => self.callees.iter().find(|leg| leg.no == no),
        }
    }

    /// The leg with that name.
    pub(crate) fn leg_mut(&mut self, no: LegNo) -> Option<&mut Leg> {
        match no {
            LegNo::CALLER => self.caller.as_mut(),
            _ => self.callees.iter_mut().find(|leg| leg.no == no),
        }
    }

    /// Whether what the sides prove to each other crosses: then a BYE of ours may meet a challenge that nobody here can answer.
    pub(crate) fn carries_proofs(&self) -> bool {
        let carries = |leg: &Leg| leg.profile.carry.credentials;
        let mut called =
            self.callees.iter().filter(|leg| leg.no != self.talk.calling() && self.takes_part(leg));
        self.calling().is_some_and(carries) && called.any(carries)
    }

    /// The Call-ID that logs find it by: the caller's, or that of the first leg that we dialled.
    pub(crate) fn sip_call_id(&self) -> &str {
        self.legs().next().map_or("", |leg| &*leg.call_id)
    }

    /// The identifier (RFC 7989) of its calling side.
    pub(crate) fn session_id(&self) -> Option<&SessionUuid> {
        self.calling().or(self.caller.as_ref())?.identifier.as_deref()
    }

    /// Whether one of its ends has that identifier (RFC 7989).
    pub(crate) fn has_identifier(&self, wanted: &str) -> bool {
        let wanted = SessionUuid::parse(wanted);
        wanted.is_some() && self.legs().any(|leg| leg.identifier.as_deref().copied() == wanted)
    }

    /// Whether a called leg may still answer.
    pub(crate) fn rings(&self) -> bool {
        self.callees.iter().any(Leg::rings)
    }

    /// All legs, the caller's first.
    pub(crate) fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.caller.iter().chain(&self.callees)
    }

    /// A name for the media of another dialog.
    pub(crate) fn name_party(&mut self) -> PartyId {
        self.parties += 1;
        PartyId(self.parties)
    }
}
