//! One dialog of one leg: what it was told and what it told us.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use sdp::Direction;

use crate::negotiate::Own;
use crate::quality::Counters;
use crate::relay::Settings;
use crate::{ContextId, Latching, MediaNetwork, NetworkId, PartyId};

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
    pub(super) signalling: Option<IpAddr>,
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
    /// It is about to be joined with somebody whom its description was not made for.
    pub(super) introduced: bool,
}

/// One media section of a party.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Our end of it.
    pub(super) context: Option<ContextId>,
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
    pub(super) counters: Option<Arc<Counters>>,
}

/// A negotiated stream over UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) remote: SocketAddr,
    pub(super) remote_rtcp: SocketAddr,
    pub(super) send: bool,
    pub(super) mux: bool,
    pub(super) rtp: bool,
    pub(super) clocks: Box<[(u8, u32)]>,
}

impl Party {
    pub(super) fn new(id: PartyId, network: &MediaNetwork, session_id: u64) -> Self {
        Self {
            id,
            network: network.id,
            latching: network.latching,
            signalling: None,
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
            introduced: false,
        }
    }

    /// Another dialog of the same leg, with nothing negotiated in it.
    pub(super) fn sibling(&self, id: PartyId, session_id: u64) -> Self {
        let own = Own { session_id, version: FIRST_VERSION, address: self.own.address };
        Self {
            id,
            network: self.network,
            latching: self.latching,
            signalling: self.signalling,
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
            introduced: false,
        }
    }
}

/// RFC 3264 §5 asks for a first version far from the end of 64 bits.
const FIRST_VERSION: u64 = 1;
