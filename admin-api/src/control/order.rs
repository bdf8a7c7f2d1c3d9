//! The order of a call.

use serde::Deserialize;
use utoipa::ToSchema;

/// A call to place (RFC 3725): the first party is rung, and once it has answered, the other one.
///
/// Each party is called as somebody in a network would call it, or a trunk: what is said for both is for each of the two that does not
/// say it itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallOrder {
    /// Whom to ring first.
    pub first: OrderedParty,
    /// Whom to ring once the first has answered.
    pub then: OrderedParty,
    /// The network whose routes both are called by.
    #[schema(examples("enterprise"))]
    pub network: Option<String>,
    /// The trunk whose routes both are called by, in place of a network.
    #[schema(examples("pbx"))]
    pub trunk: Option<String>,
}

/// One party of a call to place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderedParty {
    /// Whom to call: a SIP, SIPS or tel URI, which is routed as the Request-URI of a caller would be.
    #[schema(examples("sip:+15551234@example.net"))]
    pub uri: String,
    /// The network whose routes it is called by.
    pub network: Option<String>,
    /// The trunk whose routes it is called by, in place of a network.
    pub trunk: Option<String>,
    /// Who is calling, as this party is told; the other party where nothing is said.
    pub from: Option<ShownCaller>,
    /// How long it may ring, in seconds. The `ring_limit` of its profile, if that is shorter.
    #[schema(minimum = 1)]
    pub ring_seconds: Option<u32>,
}

/// Who is calling, as a party is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownCaller {
    /// Its URI, in From; that of the other party where nothing is said.
    #[schema(examples("sip:service@example.com"))]
    pub uri: Option<String>,
    /// Its name in words.
    #[schema(examples("Customer Service"), max_length = 128)]
    pub display_name: Option<String>,
}
