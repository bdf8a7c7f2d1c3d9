//! Read models of a leg and its media.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::call::Party;
use super::location::Location;
use super::quality::{Hundredths, VoipMetrics};
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
    /// Its DTMF; null before there is a stream for it.
    pub dtmf: Option<Dtmf>,
    /// Its media streams in the order of the `m=` lines; empty before the first session description.
    pub streams: Vec<Stream>,
}

/// The DTMF of a leg. Which keys they were is never told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dtmf {
    /// In which form its peer has it; null where that is not settled, so that it goes as it comes.
    pub form: Option<DtmfForm>,
    /// True where what its peer presses reaches the other side in another form.
    pub translated: bool,
    /// True where it would have to, and cannot: the media is secret between the two sides, or flows around us.
    pub sealed: bool,
    /// Keys of its peer that were heard, of those that are translated.
    pub heard: u32,
    /// Keys that were sent to its peer in the form that it has.
    pub said: u32,
}

/// A form of DTMF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DtmfForm {
    /// Events in RTP (RFC 4733).
    Rfc4733,
    /// INFO.
    Info,
    /// Tones in the audio.
    Inband,
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
    /// How the stream is protected between us and the peer: the crypto suite (RFC 4568 §6.2); `end-to-end` where the peers have
    /// keys of their own (RFC 7879); null where we know of nothing, and until a handshake is done. Keys are never told.
    #[schema(examples("AES_CM_128_HMAC_SHA1_80"))]
    pub srtp: Option<String>,
    /// Where the keys come from: `sdes`, the session descriptions (RFC 4568); `dtls`, a handshake between us and the peer (RFC 5763); null
    /// where they are none of ours.
    #[schema(examples("dtls"))]
    pub keying: Option<String>,
    /// True when the stream passes through our relay; false in bypass.
    pub anchored: bool,
    /// The formats negotiated, the preferred one first.
    pub codecs: Vec<Codec>,
    /// The identification tag of the stream in its bundle (RFC 9143), where it shares its transport with others: address, ICE and handshake
    /// are those of all of them then. Null for a stream that has a transport of its own.
    #[schema(examples("1"))]
    pub bundle: Option<String>,
    /// Our media address in this leg; null in bypass, and for a rejected stream.
    #[schema(value_type = Option<String>, examples("203.0.113.5:30000"))]
    pub local_address: Option<SocketAddr>,
    /// Where we send to; null while it is unknown.
    #[schema(value_type = Option<String>, examples("192.0.2.9:40000"))]
    pub remote_address: Option<SocketAddr>,
    /// How the peer's ICE session with us stands; null without ICE.
    pub ice: Option<Ice>,
    /// How the handshake for the stream's keys stands; null where they come from elsewhere.
    pub dtls: Option<Dtls>,
    /// The time to the peer and back, by the reports with which it answers those that we carry to it (RFC 3550 §6.4.1); null while it
    /// has answered none.
    pub round_trip_seconds: Option<Seconds>,
    /// What the peer makes of the conversation; null where it does not say (RFC 3611 §4.7).
    pub voip_metrics: Option<VoipMetrics>,
    /// Whether a bound of the profile's `quality` is crossed.
    pub poor: bool,
    /// How what comes from the peer is transcoded; null where its codecs go on as they are.
    pub transcoding: Option<Transcoding>,
    /// What came from the peer; null in bypass.
    pub received: Option<MediaCounters>,
    /// What we sent to the peer; null in bypass.
    pub sent: Option<MediaCounters>,
}

/// What becomes of the codec of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Transcoding {
    /// The codec that the peer sends.
    #[schema(examples("PCMU"))]
    pub from: String,
    /// The codec that the other side gets.
    #[schema(examples("opus"))]
    pub to: String,
    /// Packets that were made of it.
    pub packets: u64,
    /// Lost packets of the peer in whose place something was made.
    pub concealed_packets: u64,
    /// Packets of the peer that came after something was made in their place, or twice.
    pub late_packets: u64,
    /// Packets of the peer whose format was not agreed on, or that are none of their codec.
    pub unknown_packets: u64,
    /// How long a packet waits at the moment for one that is missing before it.
    pub reorder_seconds: Seconds,
}

/// The ICE session of a stream (RFC 8445), in which we are the lite agent, or a full one where the network's media is behind a NAT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ice {
    /// How far it has come.
    pub state: IceState,
    /// Where the peer is in the selected pair of RTP; null before one is selected.
    #[schema(value_type = Option<String>, examples("192.0.2.9:40000"))]
    pub remote_address: Option<SocketAddr>,
    /// Where the peer is in the selected pair of RTCP; null before one is selected, and where RTCP shares the port of RTP.
    #[schema(value_type = Option<String>, examples("192.0.2.9:40001"))]
    pub remote_rtcp_address: Option<SocketAddr>,
    /// What the selected pair of RTP is made of; null where we are the lite agent, and before one is selected.
    pub candidates: Option<IcePair>,
    /// What that of RTCP is made of; null as well where RTCP shares the port of RTP.
    pub rtcp_candidates: Option<IcePair>,
    /// Connectivity checks of the peer that we have answered with success; 0 where we are a full agent.
    pub checks: u64,
    /// When the last of them came; null before the first.
    pub last_check_at: Option<Timestamp>,
}

/// What a pair of candidates is made of, in the words of RFC 8839: `host`, `srflx`, `prflx` or `relay`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IcePair {
    /// Ours, as the peer sees it.
    #[schema(examples("srflx"))]
    pub local: String,
    /// The peer's.
    #[schema(examples("host"))]
    pub remote: String,
}

/// The association of a stream whose keys come from a handshake between us and the peer (RFC 5763, RFC 5764).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dtls {
    /// How far it has come.
    pub state: DtlsState,
    /// Why there are no keys; null where it has not failed.
    #[schema(examples("fingerprint"))]
    pub failure: Option<String>,
    /// The number of the peer's fatal alert, where that is why.
    pub alert: Option<u8>,
    /// The suite of SRTP; null before there are keys.
    #[schema(examples("AEAD_AES_256_GCM"))]
    pub suite: Option<String>,
    /// The version of the protocol; null before there are keys.
    #[schema(examples("DTLS 1.2"))]
    pub version: Option<String>,
    /// The cipher suite of the handshake, as IANA names it; null before there are keys.
    #[schema(examples("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"))]
    pub cipher: Option<String>,
    /// How far that of RTCP has come; null where RTCP shares the port of RTP.
    pub rtcp_state: Option<DtlsState>,
    /// Packets of media, of either direction, that were dropped because there were no keys.
    pub unkeyed_packets: u64,
}

/// How far an association has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DtlsState {
    /// The peer has to begin and has not, or it is not known yet where it is.
    Waiting,
    /// Datagrams go back and forth.
    Handshaking,
    /// There are keys.
    Keyed,
    /// There are none, and nothing is taken or sent.
    Failed,
    /// The peer has ended it.
    Closed,
}

/// How far ICE has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum IceState {
    /// The peer has not chosen a pair for each component yet.
    Running,
    /// Media goes to the selected pairs.
    Completed,
    /// Neither a check nor media has come for 30 s (RFC 7675 §5.1): nothing is sent until something comes.
    Expired,
    /// We are a full agent and have found no way, or the peer has not consented for 30 s: nothing is sent before a restart.
    Failed,
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
    /// Packets that were dropped: from a wrong source, malformed, not authentic, replayed, not negotiated, or with nowhere to go.
    pub dropped_packets: u64,
    /// Packets among those that do not have the tag of the peer's key (SRTP).
    pub unauthentic_packets: u64,
    /// Packets among those that were there before, or are too old to tell (RFC 3711 §3.3.2).
    pub replayed_packets: u64,
    /// Packets among those whose payload type no description has.
    pub unnegotiated_packets: u64,
    /// Packets among those that were more than the rate of the descriptions.
    pub excess_packets: u64,
    /// Packets of sources (SSRC) that are none of the stream's, which are dropped only where `police.sources` of the profile says so.
    pub foreign_packets: u64,
    /// Cumulative number of packets lost (RFC 3550 §A.3; negative when duplicates came); null when the
    /// sequence numbers are not readable. Of what we sent it is what the peer reports; null while it reports nothing.
    pub lost_packets: Option<i64>,
    /// Interarrival jitter (RFC 3550 §6.4.1); null when it is not measured. Of what we sent it is what the peer reports.
    pub jitter_seconds: Option<Seconds>,
    /// An estimate of the mean opinion score, from 1 to 4.41, by losses, jitter and the time to the peer (E-model, ITU-T G.107); null where
    /// it is no audio of a codec that has been measured, and while nothing is known of losses.
    pub mos: Option<Hundredths>,
    /// When the last packet was relayed; null before the first.
    pub last_packet_at: Option<Timestamp>,
}
