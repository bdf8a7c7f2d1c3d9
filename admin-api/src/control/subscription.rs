//! Read models of subscriptions that are carried from one side to the other.

use serde::Serialize;
use utoipa::ToSchema;

use super::values::{Cursor, Timestamp};

/// Which part of the list of carried subscriptions is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedQuery {
    /// Only those after this one.
    pub after: Option<Cursor>,
    /// Most subscriptions in the page.
    pub limit: u16,
}

/// One page of carried subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CarriedSubscriptionPage {
    /// By shard, and there in the order that they began.
    pub subscriptions: Vec<CarriedSubscription>,
    /// The cursor of the next page; null on the last one.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<Cursor>,
}

/// A subscription from one side to the other (RFC 6665): two usages with a bridge between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CarriedSubscription {
    /// Its name, which is its place in the list.
    #[schema(examples("0-17"))]
    pub id: String,
    /// The Event of the SUBSCRIBE.
    #[schema(examples("presence"))]
    pub event: String,
    /// The URI of From.
    #[schema(examples("sip:alice@example.com"))]
    pub from_uri: String,
    /// What is subscribed to, as the subscriber calls it.
    #[schema(examples("sip:bob@example.com"))]
    pub request_uri: String,
    /// What its notifier says of it.
    pub state: CarriedState,
    /// Who subscribes: we are its notifier.
    pub subscriber: CarriedUsage,
    /// Whom it subscribes to: we are its subscriber.
    pub notifier: CarriedUsage,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
    /// Notifications that have come from the notifier.
    pub notifications: u32,
}

/// How far a subscription has come (RFC 6665 §4.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CarriedState {
    /// Nothing has been told.
    NotifyWait,
    /// Whether it may be is not decided.
    Pending,
    /// It may be.
    Active,
    /// It is over, and one side has not confirmed that.
    Terminated,
}

/// One side of a carried subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CarriedUsage {
    /// The network.
    #[schema(examples("carrier"))]
    pub network: String,
    /// The trunk; null for a user or a stranger.
    #[schema(examples("provider"))]
    pub trunk: Option<String>,
    /// The Call-ID of the dialog there.
    #[schema(examples("a84b4c76e66710@192.0.2.7"))]
    pub sip_call_id: String,
}
