//! Subscriptions (RFC 6665), without I/O and without the dialog that they live in.

pub mod notifier;
