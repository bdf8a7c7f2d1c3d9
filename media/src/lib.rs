//! The media of a call: what was offered and answered on each leg, and the relay that carries the packets.
//!
//! [`CallMedia`] is a core without I/O. It is told which descriptions came and asked for those to send, and it says by
//! [`CallMedia::poll_command`] what the relay shall do; whoever drives it polls until `None` after every call that
//! changes something, and carries each command out (`relay::Link::carry_out`, or [`VirtualPorts::carry_out`] in a
//! simulation). Everything that needs sockets, threads and clocks is in [`relay`]. [`turn`] is a server on its own, without I/O.

mod call;
mod chance;
pub mod dtls;
pub mod dtmf;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod ice;
mod id;
mod keying;
mod msrp;
mod negotiate;
mod network;
mod police;
mod ports;
mod quality;
pub mod relay;
mod rtcp;
mod rtp;
pub mod srtp;
mod stun;
pub mod transcode;
pub mod turn;
mod veil;

pub use call::{
    Bounds, CallMedia, Carriage, Codec, Connections, DtmfView, Guarded, Judged, LeftOut, LeftOutBy, Mark,
    Mode, Moving, Offered, PartyView, Silence, Standing, StreamCoding, StreamView, Tally,
};
pub use ice::desk::Notice;
pub use ice::full::{CandidateKind, Progress};
pub use ice::reach::{Beyond, Reach};
pub use ice::traversal::{Auth, Server, Transport, Traversal};
pub use ice::{Component, Credentials, Ice, Secret, Standing as IceStanding};
pub use id::{ContextId, MAX_CONTEXTS, NetworkId, PairId, PartyId, ThreadId};
pub use keying::{CryptoLine, Keying, Security, SrtpUse};
pub use negotiate::{Bundling, Misuse, Refusal, Warning};
pub use network::{Dscp, Latching, Marks, MediaNetwork};
pub use police::{Payloads, Police, Rate, Ssrcs, Together};
pub use ports::{PortPair, Ports, PortsError, VirtualPorts};
pub use quality::{Counters, Flow, IceSnapshot, Quality, Snapshot, Told, Voice};
pub use sdp::{Direction, Limits};
pub use turn::client::Failure as ServerFailure;
pub use veil::Veil;
