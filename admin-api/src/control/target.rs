//! Read models of targets.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::values::{Seconds, Timestamp};

/// Every target that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TargetList {
    /// By network, transport and address.
    pub targets: Vec<Target>,
}

/// An address that requests of ours were sent to, as one shard remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Target {
    /// The network that it is reached from.
    #[schema(examples("carrier"))]
    pub network: String,
    /// The transport.
    #[schema(examples("udp"))]
    pub transport: String,
    /// Its address.
    #[schema(value_type = String, examples("192.0.2.10:5060"))]
    pub address: SocketAddr,
    /// How it is.
    pub state: TargetState,
    /// What was wrong with it when it was last heard of, or missed; null when it answers.
    pub trouble: Option<TargetTrouble>,
    /// When it began to answer, or not to.
    pub since: Timestamp,
    /// When it was last heard of, or missed.
    pub last_news_at: Timestamp,
    /// How long it is still skipped; null unless it is held.
    pub held_seconds: Option<Seconds>,
    /// The shard that remembers it.
    pub shard: u16,
}

/// How a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// It answers.
    Up,
    /// It is skipped while there are others.
    Held,
    /// It was held, and the next request tries it.
    Due,
}

/// What is wrong with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetTrouble {
    /// It did not answer in time.
    Silent,
    /// The transport failed: no connection, or an ICMP error.
    OutOfReach,
    /// It answered 503 with Retry-After.
    Unavailable,
}
