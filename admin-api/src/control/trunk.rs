//! Read models of trunks.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::values::Timestamp;

/// Every trunk of the configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrunkList {
    /// By name.
    pub trunks: Vec<Trunk>,
}

/// A trunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trunk {
    /// Its name.
    #[schema(examples("provider"))]
    pub name: String,
    /// The network that it is in.
    #[schema(examples("carrier"))]
    pub network: String,
    /// Our registration with it; null unless the configuration has us register.
    pub registration: Option<TrunkRegistration>,
}

/// Our registration with a trunk (RFC 3261 §10.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrunkRegistration {
    /// The address-of-record.
    #[schema(examples("+4930123456@sip.example.com"))]
    pub address: String,
    /// The user part of our contact.
    #[schema(examples("provider"))]
    pub contact_user: String,
    /// How it is.
    pub state: TrunkRegistrationState,
    /// The registrar that REGISTERs go to.
    #[schema(examples("sip:registrar.example.com"))]
    pub registrar: String,
    /// When the binding ends unless it is refreshed; null while there is none.
    pub expires_at: Option<Timestamp>,
    /// When the next REGISTER is due; null while one is under way, and when none is to come.
    pub next_register_at: Option<Timestamp>,
    /// Attempts that failed in a row.
    pub failures: u32,
    /// What the last attempt failed with: the status of a response, or what there was instead of one; null when it was
    /// granted.
    #[schema(examples("403", "timeout"))]
    pub failure: Option<String>,
    /// The route of calls to the trunk, in order: its Service-Route (RFC 3608), else the edge proxy.
    pub service_route: Vec<String>,
    /// The GRUU (RFC 5627) that calls with the trunk go by; null while the registrar has given none.
    #[schema(examples("sip:+4930123456@sip.example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"))]
    pub public_gruu: Option<String>,
    /// The one that anonymous calls go by, another after each REGISTER; null while the registrar has given none.
    #[schema(examples("sip:tgruu.7hs3kq@sip.example.com;gr"))]
    pub temporary_gruu: Option<String>,
    /// The flows that it is made of with outbound (RFC 5626), by number; what stands above is of the first that is registered.
    pub flows: Vec<TrunkFlow>,
    /// The shard that sees to it; null before it has begun.
    pub shard: Option<u16>,
}

/// One flow of a registration with a trunk (RFC 5626 §4.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrunkFlow {
    /// Its number, `reg-id`.
    #[schema(examples(1))]
    pub reg_id: u32,
    /// How its registration is.
    pub state: TrunkRegistrationState,
    /// The edge proxy or registrar that it leads to.
    #[schema(examples("sip:edge1.example.com;transport=tcp"))]
    pub proxy: String,
    /// The address at its other end; null unless the flow stands and outbound is applied to it.
    #[schema(value_type = Option<String>, examples("192.0.2.7:5060"))]
    pub peer: Option<SocketAddr>,
    /// Whether a keepalive on it was answered; null while none are sent.
    pub keepalives_answered: Option<bool>,
    /// When its binding ends unless it is refreshed; null while there is none.
    pub expires_at: Option<Timestamp>,
    /// When its next REGISTER is due; null while one is under way, and when none is to come.
    pub next_register_at: Option<Timestamp>,
    /// Attempts that failed in a row.
    pub failures: u32,
    /// What the last attempt failed with, as above.
    #[schema(examples("unreachable"))]
    pub failure: Option<String>,
}

/// How a registration with a trunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrunkRegistrationState {
    /// It has not begun; a flow also while another one stands that has to stand alone, as the registrar lacks outbound.
    Waiting,
    /// A REGISTER is under way.
    Registering,
    /// It stands, and is refreshed when the time comes.
    Registered,
    /// The last attempt failed; a binding that was granted before may stand until it ends.
    Failed,
    /// The REGISTER that removes the binding is under way.
    Unregistering,
    /// The binding was removed.
    Unregistered,
}
