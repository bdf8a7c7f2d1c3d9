//! What the relay is told.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::bundle::Share;
use super::tcp;
use crate::dtls;
use crate::dtmf::{Digit, Plan};
use crate::ice::Credentials;
use crate::ice::full::Terms;
use crate::quality::Counters;
use crate::srtp::Protection;
use crate::transcode;
use crate::veil::Veil;
use crate::{ContextId, PairId, PartyId, Payloads, Rate, Ssrcs, ThreadId};

/// An order to a relay thread. Orders for a pair that was since lent to someone else are ignored.
#[derive(Debug, Clone)]
pub enum Command {
    /// Sets up a remote context, or changes it.
    Set {
        /// Which.
        context: ContextId,
        /// What it shall be.
        settings: Box<Settings>,
        /// A new offer or answer came from the remote: the latch may move once (RFC 7362 §4, 6).
        unlatch: bool,
        /// Where its packets are counted.
        counters: Arc<Counters>,
    },
    /// Answers connectivity checks on a pair whose offer has these credentials (RFC 8445 §7.3): who answers the offer is not known
    /// yet.
    Expect {
        /// Which.
        pair: PairId,
        /// Ours, of the offer.
        local: Credentials,
    },
    /// Says a key that has come from a remote by INFO to whom its packets go, as the plan of its stream has it.
    Say {
        /// The remote that it has come from.
        context: ContextId,
        /// Which key.
        digit: Digit,
        /// For how many milliseconds.
        millis: u32,
    },
    /// Forgets a remote context; the pair stays lent.
    Clear {
        /// Which.
        context: ContextId,
    },
    /// About connections, for the thread that has those.
    Tcp(tcp::Order),
    /// Forgets all remote contexts of a pair and gives it back; it is lent again after its quarantine.
    Release {
        /// Which.
        pair: PairId,
    },
}

impl Command {
    /// The thread that has to carry it out.
    #[must_use]
    pub fn thread(&self) -> ThreadId {
        match self {
            Self::Set { context, .. } | Self::Say { context, .. } | Self::Clear { context } => {
                context.pair.thread
            }
            Self::Expect { pair, .. } | Self::Release { pair } => pair.thread,
            Self::Tcp(order) => order.pair().thread,
        }
    }
}

/// A remote context: where a peer is, and to whom its packets go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where its description says that it takes media.
    pub remote: SocketAddr,
    /// Where it takes RTCP (RFC 3605, else the next port); not used when `mux`.
    pub remote_rtcp: SocketAddr,
    /// Whose packets are taken.
    pub sources: Sources,
    /// False when nothing may be sent to it, RTCP neither: its connection address is 0.0.0.0 (RFC 3264 §8.4).
    pub send: bool,
    /// RTP and RTCP share the first port on this leg (RFC 5761).
    pub mux: bool,
    /// Its packets are RTP or SRTP: sequence numbers and timestamps are read for statistics.
    pub rtp: bool,
    /// DTLS is between the peers and crosses; elsewhere it is dropped.
    pub dtls: bool,
    /// ICE says whose packets are taken and where to, in place of `remote` and `sources`.
    pub ice: Option<IceSettings>,
    /// Whom its packets go to; dropped and counted while `None`.
    pub peer: Option<ContextId>,
    /// Clock rates in Hz of the payload types that it sends, where they are not the static ones.
    pub clocks: Box<[(u8, u32)]>,
    /// The payload types that are taken from it; `None` where any is.
    pub payloads: Option<Payloads>,
    /// How much RTP is taken from it; `None` where any is.
    pub rate: Option<Rate>,
    /// Which sources are its own; `None` where nothing is known of them.
    pub ssrcs: Option<Ssrcs>,
    /// SRTP between us and it; `None` where packets are taken and sent as they are.
    pub srtp: Option<Srtp>,
    /// What becomes of the keys that it presses; `None` where they go as they come.
    pub dtmf: Option<Arc<Plan>>,
    /// By which names its sources go on; `None` where by their own.
    pub veil: Option<Arc<Veil>>,
    /// What becomes of the codecs that it sends; `None` where they go as they come.
    pub transcode: Option<Arc<transcode::Plan>>,
    /// Its share in a transport that several sections have; `None` where it has one for itself.
    pub share: Option<Box<Share>>,
}

/// A key that was heard in a stream whose plan says that it is to be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The number of the call.
    pub call: u64,
    /// Who has pressed it.
    pub party: PartyId,
    /// Whom it was pressed for.
    pub peer: PartyId,
    /// Which.
    pub digit: Digit,
    /// For how many milliseconds.
    pub millis: u32,
}

/// Where the keys of a stream's SRTP come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Srtp {
    /// From the descriptions (RFC 4568).
    Keys(Arc<Protection>),
    /// From a handshake between us and the peer (RFC 5764). Until it is done nothing is taken or sent.
    Dtls(Arc<dtls::Terms>),
}

impl Srtp {
    /// The keys, where descriptions have them.
    #[must_use]
    pub fn keys(&self) -> Option<&Arc<Protection>> {
        match self {
            Self::Keys(keys) => Some(keys),
            Self::Dtls(_) => None,
        }
    }
}

/// The ICE session of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceSettings {
    /// Our credentials.
    pub local: Credentials,
    /// The peer's username fragment.
    pub remote: Box<str>,
    /// What a full agent goes by; without it we are lite.
    pub(crate) full: Option<Arc<Terms>>,
    /// RTCP is a component of its own: it has no share in the port of RTP, and the peer has candidates for it.
    pub rtcp: bool,
}

/// Whose packets a context takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// Those from the address of the description; what is sent goes there.
    Described,
    /// Those from the address of the description and its port; what is sent goes there. The remote is a leg of ours, which the relay itself
    /// finds out.
    Exactly,
    /// Those from this address, whatever the port; what is sent goes where they came from.
    Only(IpAddr),
    /// Any; what is sent goes where they came from.
    Any,
}
