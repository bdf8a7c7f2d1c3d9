//! One dialog of one leg: what it was told and what it told us.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use sdp::Direction;

use super::Guarded;
use super::bundle::Bundled;
use super::coding::Speech;
use super::connect::Tcp;
use super::dtmf::Keypad;
use super::judge::Verdict;
use crate::dtmf::Wanted;
use crate::keying::{Handshake, Keyed, Mint, Own as OwnKeys, Security};
use crate::negotiate::{Bundling, Own, Reach};
use crate::police::{Allowed, Together};
use crate::quality::Counters;
use crate::relay::{IceSettings, Settings, Srtp, TcpStream};
use crate::srtp::MasterKey;
use crate::transcode::{Coding, Room, Tally};
use crate::veil::Veil;
use crate::{ContextId, Ice, Latching, MediaNetwork, NetworkId, PartyId, Police};

/// Where the party stands in offer/answer (RFC 3264 §4).
///
/// ```text
///            receive_offer                 compose_answer
///   Idle ───────────────────► Received ───────────────────► Idle (we answered last)
///    │                            └── offer_failed ──────────► Idle (as before)
///    │       compose_offer                receive_answer
///    └─────────────────────► Sent ────────────────────────► Idle (they answered last)
///                                 └── offer_failed ──────────► Idle (as before)
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exchange {
    /// No offer is pending.
    Idle,
    /// The party's offer waits for our answer.
    Received(Bytes),
    /// Our offer waits for the party's answer.
    Sent(Bytes),
}

/// Who is on which side of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Us,
    Them,
}

#[derive(Debug)]
pub(super) struct Party {
    pub(super) id: PartyId,
    pub(super) network: NetworkId,
    pub(super) latching: Latching,
    pub(super) ice: Ice,
    /// Our ports in its network are behind a NAT, and ICE is that of a full agent.
    pub(super) behind: bool,
    pub(super) signalling: Option<IpAddr>,
    /// That is only where it was seen last.
    pub(super) seen: bool,
    pub(super) own: Own,
    pub(super) exchange: Exchange,
    /// Who wrote the answer that stands.
    pub(super) answered: Option<Side>,
    /// Their description that stands.
    pub(super) remote: Option<Bytes>,
    /// Ours that stands.
    pub(super) local: Option<Bytes>,
    /// The last of ours that was sent, whether it stands or not: what the next one is compared with.
    pub(super) sent: Option<Bytes>,
    /// The first offer of the leg and who wrote it, until no other dialog can answer it.
    pub(super) first_offer: Option<(Side, Bytes)>,
    pub(super) streams: Vec<Stream>,
    /// How many of the streams stood before the pending offer of ours.
    pub(super) standing: usize,
    pub(super) peer: Option<PartyId>,
    /// Our description that stands, or waits for its answer, was made without another party's.
    pub(super) made: bool,
    /// What may flow of each stream, as the party sees it, whatever was negotiated; the last one is for all further streams.
    pub(super) gate: Option<Box<[Direction]>>,
    /// It is about to be joined with somebody whom its description was not made for.
    pub(super) introduced: bool,
    /// What its leg wants of SRTP.
    pub(super) security: Security,
    /// Their keys, of the description that stands and of the one that does not yet.
    pub(super) theirs: Keys<Vec<Keyed>>,
    /// Ours.
    pub(super) ours: Keys<Lines>,
    /// Those of the first offer, of theirs or of ours.
    pub(super) first_keyed: Vec<Keyed>,
    pub(super) first_lines: Lines,
    /// What keys of ours are made with; `None` where it has none.
    pub(super) mint: Option<Mint>,
    /// In which form it has keys.
    pub(super) dtmf: Wanted,
    /// What it sees sources of the other side called; `None` where by their own names.
    pub(super) veil: Option<Arc<Veil>>,
    /// The codecs that may be added to what it is offered.
    pub(super) codings: Box<[Coding]>,
    /// Room for its streams at the thread that codes; early dialogs of a leg share it.
    pub(super) room: Option<Arc<Room>>,
    /// What is done about bundling.
    pub(super) bundling: Bundling,
    /// What is done about what was not negotiated.
    pub(super) police: Police,
    /// What all of its streams may send, by our description that stands.
    pub(super) together: Option<Arc<Together>>,
    /// The transport that several of its streams share.
    pub(super) bundle: Option<Bundled>,
}

/// What each section of a description of ours says of our keys.
pub(super) type Lines = Arc<[OwnKeys]>;

/// Keys of one side's descriptions.
#[derive(Debug, Default)]
pub(super) struct Keys<T> {
    pub(super) standing: T,
    pub(super) pending: Option<T>,
}

impl<T> Keys<T> {
    /// Those of the last description.
    pub(super) fn last(&self) -> &T {
        self.pending.as_ref().unwrap_or(&self.standing)
    }

    /// The pending description stands.
    pub(super) fn settle(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.standing = pending;
        }
    }
}

/// One media section of a party.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Our end of it.
    pub(super) context: Option<ContextId>,
    /// The one that it was offered with, where it shares a transport since and other dialogs may answer that offer.
    pub(super) spare: Option<ContextId>,
    /// Borrowed for the pending offer.
    pub(super) fresh: bool,
    /// What stands; `None` while not negotiated, rejected, or not ours to relay.
    pub(super) link: Option<Link>,
    /// Accepted, and carried by a connection of the peers' own.
    pub(super) around: bool,
    /// Seen from us.
    pub(super) direction: Direction,
    /// What the relay was told last.
    pub(super) applied: Option<Settings>,
    /// The same of a stream over TCP.
    pub(super) connected: Option<TcpStream>,
    /// How often another connection was agreed on.
    pub(super) connections: u32,
    pub(super) counters: Option<Arc<Counters>>,
    /// How it was when it was judged last, where it is.
    pub(super) verdict: Option<Box<Verdict>>,
    /// What its peer's codec has become last, and where that is counted.
    pub(super) coded: Option<(&'static str, &'static str, Arc<Tally>)>,
    /// Keys of ours that were told for it, one for each suite. They last as long as its port (RFC 4568 §7.1.4).
    pub(super) keys: Vec<MasterKey>,
    /// Its peer has come with other keys in answer to an offer that had our standing one: whether it knows how often that has rolled over
    /// cannot be told (RFC 4568 §7.1.4). Or that has rolled over for another dialog. Another one of ours is due.
    pub(super) stale: bool,
    /// How it was protected, once its keys are wiped.
    pub(super) was: Option<Guarded>,
    /// How many were made, whether they are told yet or not.
    pub(super) made: u32,
    /// What we call its DTLS association in offers (RFC 8842 §4); it lasts as long.
    pub(super) tls_id: Option<Box<str>>,
    /// The number of its last DTLS association ([`crate::dtls::Terms::association`]).
    pub(super) associations: u32,
}

/// A negotiated stream over UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) remote: SocketAddr,
    pub(super) remote_rtcp: SocketAddr,
    pub(super) send: bool,
    pub(super) mux: bool,
    pub(super) rtp: bool,
    /// DTLS is between the peers.
    pub(super) dtls: bool,
    /// What its ICE session is known by; `None` too with a peer that is lite as we are, where nobody makes checks and media goes
    /// where the descriptions say (RFC 8445 §8.2).
    pub(super) ice: Option<IceSettings>,
    pub(super) clocks: Box<[(u8, u32)]>,
    /// What its party may send.
    pub(super) allowed: Allowed,
    /// The sources that its party says it has.
    pub(super) ssrcs: Arc<[u32]>,
    pub(super) srtp: Option<Srtp>,
    /// What was said of the DTLS association that its keys come from.
    pub(super) association: Option<Association>,
    /// What it has for keys.
    pub(super) keypad: Keypad,
    /// Nothing but the headers of its packets has sequence numbers and timestamps.
    pub(super) bare: bool,
    /// What it has of codecs.
    pub(super) speech: Speech,
    /// How its connection comes about, where it is over TCP.
    pub(super) tcp: Option<Tcp>,
}

/// A DTLS association as descriptions have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) theirs: Handshake,
    /// What we have called it (RFC 8842 §4).
    pub(super) ours: Option<Box<str>>,
}

impl Party {
    pub(super) fn new(id: PartyId, network: &MediaNetwork, session_id: u64) -> Self {
        Self {
            id,
            network: network.id,
            latching: network.latching,
            ice: network.ice,
            behind: network.traversal.is_some(),
            signalling: None,
            seen: false,
            own: Own { session_id, version: FIRST_VERSION, address: network.address() },
            exchange: Exchange::Idle,
            answered: None,
            remote: None,
            local: None,
            sent: None,
            first_offer: None,
            streams: Vec::new(),
            standing: 0,
            peer: None,
            made: false,
            gate: None,
            introduced: false,
            security: Security::default(),
            theirs: Keys::default(),
            ours: Keys::default(),
            first_keyed: Vec::new(),
            first_lines: Lines::default(),
            mint: None,
            dtmf: Wanted::default(),
            veil: None,
            codings: Box::default(),
            room: None,
            bundling: Bundling::default(),
            police: Police::default(),
            together: None,
            bundle: None,
        }
    }

    /// What is known of its network.
    pub(super) fn reach(&self) -> Reach {
        Reach { ipv6: self.own.address.is_ipv6(), ice: self.ice != Ice::Off }
    }

    /// Another dialog of the same leg, with nothing negotiated in it.
    pub(super) fn sibling(&self, id: PartyId, session_id: u64) -> Self {
        let own = Own { session_id, version: FIRST_VERSION, address: self.own.address };
        Self {
            id,
            network: self.network,
            latching: self.latching,
            ice: self.ice,
            behind: self.behind,
            signalling: self.signalling,
            seen: self.seen,
            own,
            exchange: Exchange::Idle,
            answered: None,
            remote: None,
            local: None,
            sent: None,
            first_offer: self.first_offer.clone(),
            streams: Vec::new(),
            standing: 0,
            peer: None,
            made: false,
            gate: None,
            introduced: false,
            security: self.security.clone(),
            theirs: Keys::default(),
            ours: Keys::default(),
            first_keyed: self.first_keyed.clone(),
            first_lines: self.first_lines.clone(),
            mint: None,
            dtmf: self.dtmf,
            veil: self.veil.clone(),
            codings: self.codings.clone(),
            room: self.room.clone(),
            bundling: self.bundling,
            police: self.police,
            together: None,
            bundle: None,
        }
    }
}

impl Party {
    /// What the gate lets pass of a stream.
    pub(super) fn gate(&self, section: usize) -> Direction {
        let gate = self.gate.as_deref().unwrap_or_default();
        gate.get(section).or(gate.last()).copied().unwrap_or_default()
    }
}

/// RFC 3264 §5 asks for a first version far from the end of 64 bits.
const FIRST_VERSION: u64 = 1;
