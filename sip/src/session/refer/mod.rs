//! REFER in the dialog of a session (RFC 3515, RFC 7647), and the implicit subscription that comes of it (RFC 6665).
//!
//! ```text
//!   the peer's:  REFER ─► Event::Referred ─► accept_refer ─► NOTIFY 100 ─► tell_referrer ─► NOTIFY, the last one terminated
//!   ours:        refer ─► REFER ─► Event::Responded, and Event::ReferNotified for each NOTIFY
//! ```
//! The subscription is a second usage of the session's dialog and is over with the session.

mod referee;
mod referrer;
mod request;

pub use request::Refer;

use super::OutgoingId;
use crate::subscription::notifier::Subscription;
use bytestring::ByteString;
use referrer::Asked;
use sip_types::StatusCode;

/// The event package (RFC 3515 §3.1).
pub(crate) const PACKAGE: &str = "refer";

/// The option tag of RFC 4488.
pub const NO_SUBSCRIPTION: &str = "norefersub";

/// The option tag of RFC 4538: a request outside a dialog says which one it is about.
pub const TARGET_DIALOG: &str = "tdialog";

/// The option tag of RFC 7614 for a REFER that nothing is subscribed with.
pub const NO_SUBSCRIPTION_REQUIRED: &str = "nosub";

/// The option tag of RFC 7614 for a REFER whose sender subscribes by itself to what comes of it.
pub(crate) const EXPLICIT_SUBSCRIPTION: &str = "explicitsub";

/// Names a REFER of the peer within its session: by the number of its CSeq (RFC 3515 §2.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferId(pub(crate) u32);

/// The REFERs of a session whose subscriptions stand.
#[derive(Default)]
pub(crate) struct Refers {
    /// The number of the peer's first REFER that was accepted: only its NOTIFYs have no `id`.
    first: Option<u32>,
    /// Those of the peer that are told what comes of them.
    told: Vec<Told>,
    /// Ours.
    asked: Vec<Asked>,
}

/// A REFER of the peer, of which it is told.
struct Told {
    number: u32,
    subscription: Subscription,
    /// What is told next.
    status: StatusCode,
    reason: ByteString,
    /// The NOTIFY that waits for its response.
    under_way: Option<OutgoingId>,
}
