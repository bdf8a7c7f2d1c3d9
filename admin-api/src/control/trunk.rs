//! Read models of trunks.

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
    /// The route of calls to the trunk (RFC 3608), in order.
    pub service_route: Vec<String>,
    /// The shard that sees to it; null before it has begun.
    pub shard: Option<u16>,
}

/// How a registration with a trunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrunkRegistrationState {
    /// It has not begun.
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
