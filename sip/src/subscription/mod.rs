//! Subscriptions (RFC 6665), without I/O and without the dialog that they live in.

pub mod dialog_info;
pub mod notifier;
pub mod subscriber;

use sip_types::StatusCode;

/// Whether a response to a NOTIFY or to a refresh ends the subscription (RFC 6665 §4.1.2.2, §4.2.2).
#[must_use]
pub fn ends(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}
