//! The server's part: challenges, and the check of what comes back.
//!
//! A [`Challenger`] holds no state beside its key; the nonce counts seen are in [`Windows`], which several shards can share.
//! Never for ACK and CANCEL (RFC 3261 §22.1).

mod accepted;
mod challenger;
mod nonce;
mod presented;
mod shared;
mod uri;
mod verdict;
mod window;

pub use accepted::Accepted;
pub use challenger::{Challenger, Settings, SettingsError};
pub use nonce::NonceId;
pub use presented::{Presented, Reading, credentials};
pub use shared::SharedWindows;
pub use uri::UriCheck;
pub use verdict::{Fault, Refusal, StaleCause, Verdict};
pub use window::{Claim, NonceWindows, Windows};

#[cfg(test)]
mod tests;
