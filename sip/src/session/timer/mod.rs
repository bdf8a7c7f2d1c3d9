//! Session timers (RFC 4028): each session has its own with its peer, whatever another leg of a call has.
//!
//! ```text
//!                  2xx with Session-Expires                 half of the interval, where we refresh
//!   no timer ────────────────────────────────► Standing ──────────────────────────► asked for, or under way
//!      ▲                                          ▲  │                                   │         │
//!      │        2xx without Session-Expires       │  │ the interval is nearly over       │ 2xx     │ 408, 481,
//!      └──────────────────────────────────────────┤  ▼                                   │         ▼ silence
//!                                                 │ BYE                                  │        BYE
//!                                                 └──────────────────────────────────────┘
//! ```
//! Every 2xx to an INVITE or re-INVITE, of either side, begins the interval anew. `negotiate` says by whom and how long from what
//! both sides say; it keeps nothing. `standing` is what has been agreed and when it is due.

mod client;
mod negotiate;
mod refresh;
mod server;
mod standing;
mod terms;

pub(crate) use client::refreshes;
pub use standing::TimerView;
pub(crate) use standing::Timing;
pub use terms::{Refresher, TimerPart, TimerTerms};

/// The option tag (RFC 4028 §12.3).
pub const OPTION: &str = "timer";

/// The least interval that there is, in seconds (RFC 4028 §4).
const LEAST: u32 = 90;
