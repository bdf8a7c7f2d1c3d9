//! Read models of the TURN servers, and credentials for them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::values::{Cursor, Seconds};

/// Which part of the list of allocations is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnQuery {
    /// Only those after this one.
    pub after: Option<Cursor>,
    /// Most allocations in the page.
    pub limit: u16,
    /// Only those in this network.
    pub network: Option<String>,
    /// Only those of this user.
    pub user: Option<String>,
}

/// One page of allocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TurnAllocationPage {
    /// By network, and there by port.
    pub allocations: Vec<TurnAllocation>,
    /// The cursor of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<Cursor>,
}

/// An allocation of a TURN server (RFC 8656 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TurnAllocation {
    /// The network of the server.
    #[schema(examples("access"))]
    pub network: String,
    /// Whose it is: what the username has after the colon.
    #[schema(examples("alice"))]
    pub user: String,
    /// How the client reaches the server.
    pub transport: TurnTransport,
    /// Where the client is seen.
    #[schema(examples("203.0.113.7:40000"))]
    pub client: String,
    /// The relayed transport address, as the client was told.
    #[schema(examples("192.0.2.1:50000"))]
    pub relayed_address: String,
    /// How long it has been there.
    pub age_seconds: Seconds,
    /// How long it lasts without a refresh.
    pub left_seconds: Seconds,
    /// Addresses that there is a permission for.
    #[schema(examples(json!(["192.0.2.1"])))]
    pub permissions: Vec<String>,
    /// The channels that are bound.
    pub channels: Vec<TurnChannel>,
    /// What went from the client to peers.
    pub to_peers: TurnTraffic,
    /// What went from peers to the client.
    pub to_client: TurnTraffic,
}

/// How a client reaches a TURN server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TurnTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// A channel of an allocation (RFC 8656 §12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TurnChannel {
    /// Its number, from 16384 to 20479.
    pub number: u16,
    /// The peer that it is bound to.
    #[schema(examples("192.0.2.1:20000"))]
    pub peer: String,
}

/// What was relayed in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TurnTraffic {
    /// Packets.
    pub packets: u64,
    /// Bytes of application data.
    pub bytes: u64,
}

/// Credentials to make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnCredentialsOrder {
    /// Whom they are for, whose quotas count. Printable ASCII without quotes and backslashes.
    #[schema(examples("alice"), min_length = 1)]
    pub user: String,
    /// How long they are good for, in seconds; `credential_lifetime` of the server at the most, and where nothing is said.
    #[schema(minimum = 1)]
    pub ttl: Option<u32>,
    /// The network of the server; may be left out where only one has a server.
    #[schema(examples("access"))]
    pub network: Option<String>,
}

/// Credentials for a TURN server, in the form of draft-uberti-behave-turn-rest-00 §2.2.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TurnCredentials {
    /// When they end, in seconds since 1970, a colon, and the user.
    #[schema(examples("1893456000:alice"))]
    pub username: String,
    /// The password.
    #[schema(examples("mGXkPtBcGqq0lwDGBCmKNE5Lzg8="))]
    pub password: String,
    /// How long they are good for, in seconds.
    pub ttl: u32,
    /// The server (RFC 7065), in the order of its listeners.
    #[schema(examples(json!(["turn:192.0.2.1:3478?transport=udp"])))]
    pub uris: Vec<String>,
}

impl std::fmt::Debug for TurnCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnCredentials").field("username", &self.username).finish_non_exhaustive()
    }
}
