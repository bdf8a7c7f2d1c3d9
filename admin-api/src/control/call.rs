//! Read models of calls.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::leg::Leg;
use super::values::{CallId, Cursor, Seconds, Timestamp};

/// Which calls to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallQuery {
    /// Only calls after this place.
    pub after: Option<Cursor>,
    /// Most calls to return: 1 to [`CallQuery::MAX_LIMIT`].
    pub limit: u16,
    /// Only calls that match it.
    pub filter: CallFilter,
}

impl CallQuery {
    /// The limit when the client names none.
    pub const DEFAULT_LIMIT: u16 = 50;
    /// The highest limit that a client may name.
    pub const MAX_LIMIT: u16 = 500;
}

/// Conditions that a call must meet, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallFilter {
    /// One of its legs is with this trunk.
    pub trunk: Option<String>,
    /// One of its legs is in this network.
    pub network: Option<String>,
    /// It is in this state.
    pub state: Option<CallState>,
    /// The peer of one of its legs has this identifier in Session-ID (RFC 7989): 32 hexadecimal digits.
    pub session_id: Option<String>,
}

/// One page of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallPage {
    /// The calls, ordered by (shard, sequence). May be fewer than asked for, or none, although more follow.
    pub calls: Vec<CallSummary>,
    /// The `cursor` of the next page; null after the last one.
    #[schema(value_type = Option<String>, examples("00000000000000000007"))]
    pub next_cursor: Option<Cursor>,
}

/// One call, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallSummary {
    /// Our own name of the call.
    pub id: CallId,
    /// How far it has come.
    pub state: CallState,
    /// The side that called, or that was rung first; after a transfer, who stayed.
    pub calling: Party,
    /// The side that is called; null until a route has been chosen.
    pub called: Option<Party>,
    /// The URI of the From header field, as it came; of a call that was placed here, the first party.
    #[schema(examples("sip:alice@example.com"))]
    pub from_uri: String,
    /// The URI of the To header field, as it came; of a call that was placed here, the other party.
    #[schema(examples("sip:+15551234@example.net"))]
    pub to_uri: String,
    /// The Request-URI of the first INVITE, as it came; of a call that was placed here, the other party.
    #[schema(examples("sip:+15551234@example.net"))]
    pub request_uri: String,
    /// When the first INVITE came, or went.
    pub started_at: Timestamp,
    /// When both legs had a confirmed dialog; null before.
    pub established_at: Option<Timestamp>,
    /// Time since the first INVITE.
    pub age_seconds: Seconds,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// It has no confirmed dialog on both legs yet.
    SettingUp,
    /// It has a confirmed dialog on both legs.
    Established,
    /// At least one leg is being ended, and the rest follows.
    Ending,
}

/// What part we have in a call (RFC 7092 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CallRole {
    /// No media is described.
    SignallingOnly,
    /// Media flows around us, between addresses that we have told each side in descriptions of our own.
    SdpModifying,
    /// We relay media, and look into none.
    MediaRelay,
}

/// What part we have had from a moment on. Legs are told by their places in the list of legs, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoleSince {
    /// From when on.
    pub at: Timestamp,
    /// Which.
    pub role: CallRole,
    /// The calling leg that it is had between.
    pub calling_leg: u8,
    /// The called one.
    pub called_leg: u8,
}

/// Which side of the border a party is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Party {
    /// Its network.
    #[schema(examples("carrier"))]
    pub network: String,
    /// Its trunk; null when it is no trunk.
    #[schema(examples("carrier-east"))]
    pub trunk: Option<String>,
}

/// One call with its legs, their media, and the reasons for what was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: CallSummary,
    /// Its legs: the calling one first, then those towards the called side in the order they were dialled.
    pub legs: Vec<Leg>,
    /// What part we have between the two at this moment (RFC 7092).
    pub role: CallRole,
    /// What that has been since the answer: each part from its moment on, between those legs; the last 64.
    pub roles: Vec<RoleSince>,
    /// Whether it was placed by this API: then nobody has called, and the first party, once it has answered, is the calling side.
    pub placed: bool,
    /// Whether what the sides prove to each other crosses (`carry.credentials`): then a challenge of a BYE of ours cannot be
    /// answered.
    pub credentials_carried: bool,
    /// What policy decided, in order.
    pub policy_trail: Vec<PolicyStep>,
}

/// One decision of policy, with its explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyStep {
    /// When it was decided.
    pub at: Timestamp,
    /// What it was about.
    #[schema(examples("route"))]
    pub subject: String,
    /// What was decided.
    #[schema(examples("trunk carrier-east"))]
    pub decision: String,
    /// Why: the rule that applied.
    #[schema(examples("routes[2]: prefix +1555 is the longest match"))]
    pub reason: String,
}
