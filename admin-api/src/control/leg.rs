//! Read models of a leg and its media.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::call::Party;
use super::location::Location;
use super::values::{Seconds, Timestamp};

/// One of our user agents in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Leg {
    /// Which side of the call it faces.
    pub role: LegRole,
    /// The state of its dialog.
    pub state: LegState,
    /// Where its peer is.
    pub party: Party,
    /// The Call-ID of this leg; no two legs share one.
    #[schema(examples("b7Jx0e1QmZ@203.0.113.5"))]
    pub sip_call_id: String,
    /// The identifier of its peer in Session-ID (RFC 7989); null where it has none.
    #[schema(examples("ab30317f1a784dc48ff824d0d3715d86"))]
    pub session_id: Option<String>,
    /// Our tag; null while we have sent none.
    pub local_tag: Option<String>,
    /// The peer's tag in the dialog that the leg goes by; null while it has none.
    pub remote_tag: Option<String>,
    /// Our URI in the dialog: From of the requests that we send.
    #[schema(examples("sip:alice@example.com"))]
    pub local_uri: String,
    /// The peer's URI in the dialog: To of the requests that we send.
    #[schema(examples("sip:+15551234@example.net"))]
    pub remote_uri: String,
    /// The URI that this leg dialled; null on the calling leg.
    #[schema(examples("sip:+15551234@192.0.2.9"))]
    pub target: Option<String>,
    /// The peer's Contact, where requests in the dialog go (RFC 3261 §12.2.1.1); null while it is unknown.
    #[schema(examples("sip:gw7@192.0.2.9:5060;transport=udp"))]
    pub remote_target: Option<String>,
    /// The route set of the dialog, the next hop first (RFC 3261 §12.1).
    pub route_set: Vec<String>,
    /// The transport protocol towards the next hop; null while it is unknown.
    #[schema(examples("udp"))]
    pub transport: Option<String>,
    /// Our address of signalling; null while it is unknown.
    #[schema(value_type = Option<String>, examples("203.0.113.5:5060"))]
    pub local_address: Option<SocketAddr>,
    /// The next hop's address of signalling; null while it is unknown.
    #[schema(value_type = Option<String>, examples("192.0.2.9:5060"))]
    pub remote_address: Option<SocketAddr>,
    /// How its next hop was found, and what became of each target; null on the calling leg, and where the next hop is an
    /// address or a connection that is there.
    pub location: Option<Location>,
    /// What times its session (RFC 4028); null without a session timer.
    pub session_timer: Option<SessionTimer>,
    /// The early dialogs that are still open: several when the far side forks.
    pub early_dialogs: Vec<EarlyDialog>,
    /// When the leg sent or received its first INVITE.
    pub started_at: Timestamp,
    /// When its dialog was confirmed; null before.
    pub confirmed_at: Option<Timestamp>,
    /// How it ended; null while it lives.
    pub end: Option<LegEnd>,
    /// Its media streams in the order of the `m=` lines; empty before the first session description.
    pub streams: Vec<Stream>,
}

/// Which side of a call a leg faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegRole {
    /// The side that called us.
    Calling,
    /// A side that we call.
    Called,
}

/// The state of a leg's dialog, as RFC 4235 §3.7.1 names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegState {
    /// INVITE sent, nothing heard.
    Trying,
    /// A provisional response without a tag was heard or sent.
    Proceeding,
    /// At least one early dialog.
    Early,
    /// A 2xx was heard or sent.
    Confirmed,
    /// BYE, CANCEL or a failure ended it.
    Terminated,
}

/// The session timer of a leg (RFC 4028).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionTimer {
    /// The session interval.
    pub interval_seconds: Seconds,
    /// Who refreshes the session.
    pub refresher: SessionRefresher,
    /// True where the peer knows nothing of timers and we refresh for ourselves.
    pub alone: bool,
    /// When we refresh next, or end the call if the peer does not.
    pub due_at: Timestamp,
}

/// Who refreshes a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionRefresher {
    /// We do.
    Us,
    /// The peer does.
    Peer,
}

/// One early dialog of a leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EarlyDialog {
    /// The peer's tag.
    pub remote_tag: String,
    /// The peer's Contact; null when its provisional response had none.
    pub remote_target: Option<String>,
    /// The status code of the last provisional response in it.
    #[schema(minimum = 101, maximum = 199)]
    pub last_status: u16,
}

/// How a leg ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LegEnd {
    /// When it ended.
    pub at: Timestamp,
    /// The final status code of its INVITE, when that is what ended it; null for BYE.
    #[schema(minimum = 200, maximum = 699)]
    pub status: Option<u16>,
    /// Who or what ended it.
    #[schema(examples("BYE from the peer"))]
    pub cause: String,
    /// The Reason that came with the end, or went with it where we ended the leg (RFC 3326); null without one.
    #[schema(examples("SIP;cause=200;text=\"Call completed elsewhere\""))]
    pub reason: Option<String>,
}

/// One media stream of a leg: one `m=` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stream {
    /// The media type of the `m=` line.
    #[schema(examples("audio"))]
    pub media: String,
    /// The transport protocol of the `m=` line.
    #[schema(examples("RTP/AVP"))]
    pub protocol: String,
    /// The direction negotiated, as we would write it in this leg.
    pub direction: Direction,
    /// True when the stream passes through our relay; false in bypass.
    pub anchored: bool,
    /// The formats negotiated, the preferred one first.
    pub codecs: Vec<Codec>,
    /// Our media address in this leg; null in bypass, and for a rejected stream.
    #[schema(value_type = Option<String>, examples("203.0.113.5:30000"))]
    pub local_address: Option<SocketAddr>,
    /// Where we send to; null while it is unknown.
    #[schema(value_type = Option<String>, examples("192.0.2.9:40000"))]
    pub remote_address: Option<SocketAddr>,
    /// What came from the peer; null in bypass.
    pub received: Option<MediaCounters>,
    /// What we sent to the peer; null in bypass.
    pub sent: Option<MediaCounters>,
}

/// The direction of a stream (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Both ways.
    Sendrecv,
    /// From us to the peer only.
    Sendonly,
    /// From the peer to us only.
    Recvonly,
    /// Neither way.
    Inactive,
}

/// One format of an `m=` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Codec {
    /// The format as it stands in the `m=` line: for RTP the payload type.
    #[schema(examples("111"))]
    pub format: String,
    /// The encoding name; null for a format without `rtpmap`.
    #[schema(examples("opus"))]
    pub name: Option<String>,
    /// The clock rate in Hz; null as for `name`.
    #[schema(examples(48000))]
    pub clock_rate_hz: Option<u32>,
    /// The number of channels; null when it is not stated, which means one.
    #[schema(examples(2))]
    pub channels: Option<u8>,
    /// The value of `fmtp`; null when there is none.
    #[schema(examples("minptime=10;useinbandfec=1"))]
    pub parameters: Option<String>,
}

/// Counters of one direction of a stream, since the stream began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct MediaCounters {
    /// RTP packets (for other protocols: datagrams) that were relayed.
    pub packets: u64,
    /// Their length in bytes, without IP and UDP headers.
    pub bytes: u64,
    /// RTCP packets that were relayed.
    pub rtcp_packets: u64,
    /// Packets that were dropped: from a wrong source, malformed, or with nowhere to go.
    pub dropped_packets: u64,
    /// Cumulative number of packets lost (RFC 3550 §A.3; negative when duplicates came); null when the
    /// sequence numbers are not readable.
    pub lost_packets: Option<i64>,
    /// Interarrival jitter (RFC 3550 §6.4.1); null when it is not measured.
    pub jitter_seconds: Option<Seconds>,
    /// When the last packet was relayed; null before the first.
    pub last_packet_at: Option<Timestamp>,
}
