//! One registration of ours, without I/O: when to send a REGISTER, and what its outcome means (RFC 3261 §10.2,
//! RFC 5626 §4.2 to §4.5).
//!
//! ```text
//!            start                2xx                       flow failed, refresh failed
//!   Idle ───────────► Sending ─────────► Waiting{Refresh} ──────────────────────────────┐
//!                      ▲  │ failure         │ time                                      │
//!                      │  ▼                 ▼                                           ▼
//!                      └─ Waiting{Retry} ◄─ (REGISTER again)             ◄──────── Waiting{Retry}
//!
//!   stop: Sending{expires 0} ──► Idle
//! ```
//! What the registrar has granted stays true while a refresh of it fails: [`Registration::bound`] tells until when.

mod answer;
mod backoff;
mod gruus;
mod machine;

pub use answer::{Answer, Extras, Fault, Own};
pub use backoff::Backoff;
pub use gruus::Gruus;
pub use machine::{Registration, Send, Settings, Stage};

#[cfg(test)]
mod tests;
