//! Kamailio as a presence server behind Liaison: PUBLISH (RFC 3903), and subscriptions (RFC 6665).

use crate::lab::check;

#[test]
fn rfc3856_presence_is_published_subscribed_to_and_told_across() {
    check("presence.py", &["presence"], 60);
}

#[test]
fn rfc6665_a_subscription_that_nobody_refreshes_ends_on_both_sides() {
    check("presence.py", &["expiry"], 90);
}

#[test]
fn rfc3842_messages_waiting_are_told_across() {
    check("presence.py", &["waiting"], 60);
}
