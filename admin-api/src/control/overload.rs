//! Read models of overload.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::values::Seconds;

/// Overload, here and at servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Overload {
    /// The shards of this node, by number.
    pub shards: Vec<ShardLoad>,
    /// The servers that have told of their load in answer to requests of ours (RFC 7339), by network and address.
    pub servers: Vec<ServerLoad>,
}

/// The load of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShardLoad {
    /// Its number.
    pub shard: u16,
    /// Whether it has its clients send less.
    pub overloaded: bool,
    /// The share of its time that it worked lately, in percent.
    pub occupancy_percent: u32,
    /// The share of what it is offered that it takes, in percent.
    pub taken_percent: u32,
}

/// What a server has told of its load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServerLoad {
    /// The network that it is reached from.
    #[schema(examples("carrier"))]
    pub network: String,
    /// Its address.
    #[schema(value_type = String, examples("192.0.2.10:5060"))]
    pub address: SocketAddr,
    /// What it asks for; null while it takes everything.
    pub restriction: Option<Restriction>,
    /// The sequence number of what it said last; null where it says none.
    #[schema(examples("1282321615.78200"))]
    pub sequence: Option<String>,
    /// Requests that were sent to it since it is remembered, repetitions left out.
    pub requests_sent: u64,
    /// Requests that were not sent because of what it had asked for.
    pub requests_withheld: u64,
}

/// What a server asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Restriction {
    /// How it is counted.
    pub algorithm: RestrictionAlgorithm,
    /// By loss: the percentage of requests to leave out. By rate: the requests a second to send at most.
    pub value: u32,
    /// How long that counts still, unless it is told again.
    pub left_seconds: Seconds,
}

/// How requests are reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestrictionAlgorithm {
    /// A percentage is left out (RFC 7339 §7).
    Loss,
    /// No more than so many a second are sent (RFC 7415).
    Rate,
}
