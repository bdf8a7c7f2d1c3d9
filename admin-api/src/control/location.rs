//! Read models of how a next hop was found (RFC 3263).

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::target::TargetTrouble;
use super::values::Seconds;

/// How a next hop was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Location {
    /// The host that was looked up, or its address.
    #[schema(examples("sip.example.com"))]
    pub host: String,
    /// What name servers were asked, in order: NAPTR, SRV, addresses, as far as it went.
    pub questions: Vec<NameQuestion>,
    /// What that led to, in order.
    pub targets: Vec<LocatedTarget>,
}

/// A question to the name servers, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NameQuestion {
    /// The type of the records.
    #[schema(examples("SRV"))]
    pub record: String,
    /// Their name.
    #[schema(examples("_sip._udp.sip.example.com"))]
    pub name: String,
    /// The answer.
    pub answer: NameAnswer,
    /// The records, each as a zone file has it behind its type.
    #[schema(examples(json!(["10 60 5060 a.example.com."])))]
    pub records: Vec<String>,
    /// Where the answer comes from; null while there is none.
    pub source: Option<AnswerSource>,
    /// How much longer it is used from then on: what is left of the TTL; null while there is no answer.
    pub left_seconds: Option<Seconds>,
}

/// An answer of the name servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameAnswer {
    /// There are such records.
    Found,
    /// There is no such name, or it has no such records.
    Absent,
    /// A name server answered with an error, or a limit of ours refused the question.
    Refused,
    /// No name server answered in time.
    Silent,
    /// It is not known, and nobody has been asked.
    Unknown,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerSource {
    /// A name server was asked for it.
    Told,
    /// It was told earlier, and its TTL is not over.
    Remembered,
    /// Its TTL is over, and no name server says anything better (RFC 8767 §4).
    Outdated,
}

/// An address that a next hop led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LocatedTarget {
    /// The transport.
    #[schema(examples("udp"))]
    pub transport: String,
    /// The address.
    #[schema(value_type = String, examples("192.0.2.10:5060"))]
    pub address: SocketAddr,
    /// What became of it.
    pub outcome: TargetOutcome,
    /// What is or was wrong with it; null unless it was passed over or failed.
    pub trouble: Option<TargetTrouble>,
    /// The status of its last response; null unless it answered.
    #[schema(minimum = 100, maximum = 699)]
    pub status: Option<u16>,
}

/// What became of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetOutcome {
    /// It was not needed so far.
    Waiting,
    /// No listener of the network leads there.
    NoListener,
    /// It was known to be down, and passed over while there are others.
    PassedOver,
    /// The request goes there.
    Tried,
    /// Another address of its host took the connection first (RFC 8305 §5).
    Slower,
    /// It has asked for fewer requests (RFC 7339 §5.5).
    Withheld,
    /// It was tried, and failed.
    Failed,
    /// It has responded.
    Answered,
}

/// Where calls to a trunk would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrunkTargets {
    /// The trunk.
    #[schema(examples("carrier-east"))]
    pub trunk: String,
    /// By shard, and by the order of its URIs.
    pub targets: Vec<TrunkTarget>,
}

/// Where one URI of a trunk would lead at this moment, as one shard knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrunkTarget {
    /// The URI.
    #[schema(examples("sip:sip.example.com"))]
    pub uri: String,
    /// The shard that knows this.
    pub shard: u16,
    /// How it would be found; null where no listener of the network has the transport that it asks for.
    pub location: Option<Location>,
}
