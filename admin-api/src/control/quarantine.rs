//! Read models of the quarantine.

use serde::Serialize;
use utoipa::ToSchema;

use super::values::Seconds;

/// Who is not heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Quarantine {
    /// Sources, IPv4 first, then flows.
    pub sources: Vec<QuarantinedSource>,
}

/// A source that is not heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QuarantinedSource {
    /// An address or prefix; of a source that users share, one address with its port.
    #[schema(examples("192.0.2.66", "2001:db8:0:1::/64", "192.0.2.1:5060"))]
    pub source: String,
    /// Refusals and challenges that led to it.
    pub refusals: u32,
    /// How long it lasts still.
    pub left_seconds: Seconds,
}
