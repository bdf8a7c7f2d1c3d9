//! Read models of what is registered.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use super::values::Timestamp;

/// Which part of the list of registrations is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationQuery {
    /// Only addresses-of-record after this one.
    pub after: Option<String>,
    /// Most registrations in the page.
    pub limit: u16,
}

/// One page of registrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegistrationPage {
    /// By address-of-record.
    pub registrations: Vec<Registration>,
    /// The cursor of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// What is registered for an address-of-record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Registration {
    /// The address-of-record.
    #[schema(examples("alice@example.com"))]
    pub address: String,
    /// Its bindings, never none, in the order that they were made.
    pub bindings: Vec<Binding>,
}

/// The subscriptions to what is registered for an address-of-record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubscriptionList {
    /// In the order that they began.
    pub subscriptions: Vec<Subscription>,
}

/// A subscription to what is registered for an address-of-record (RFC 3680).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Subscription {
    /// The address-of-record.
    #[schema(examples("alice@example.com"))]
    pub address: String,
    /// The user who subscribes.
    #[schema(examples("alice"))]
    pub user: String,
    /// Where the last SUBSCRIBE came from.
    #[schema(value_type = String, examples("192.0.2.7:5060"))]
    pub source: SocketAddr,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
    /// Notifications that were sent.
    pub notifications: u32,
}

/// A contact of an address-of-record, and the way there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Binding {
    /// The contact.
    #[schema(examples("sip:alice@192.0.2.7:5060"))]
    pub contact: String,
    /// Preference in thousandths, 0 to 1000 (RFC 3261 §20.10).
    pub q: u16,
    /// The instance, a URN (RFC 5626 §4.1); null where the device names none.
    pub instance: Option<String>,
    /// Which of the instance's flows it is (RFC 5626 §4.2); null without outbound.
    pub reg_id: Option<u32>,
    /// The Path to the contact (RFC 3327), nearest to us first.
    pub path: Vec<String>,
    /// Where the last REGISTER came from.
    #[schema(value_type = String, examples("192.0.2.7:5060"))]
    pub source: SocketAddr,
    /// Whether it is reached there only, because of a NAT, and not at its contact.
    pub behind_nat: bool,
    /// What the device calls itself.
    pub user_agent: Option<String>,
    /// When it was made.
    pub registered_at: Timestamp,
    /// When it was last refreshed.
    pub refreshed_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
}
