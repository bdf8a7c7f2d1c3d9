//! Where a request goes (RFC 3263): from a URI to targets in order, and what is remembered of them.
//!
//! ```text
//!   URI ─► NextHop ─► Lookup ─► questions ─► Names ─► shell ─► name server
//!                       │◄───── answers ◄─────┘
//!                       ▼
//!                    targets, in order ─► Health skips those that are down ─► Race, over streams
//! ```

mod found;
mod health;
mod hop;
mod lookup;
mod names;
mod race;
mod records;
mod service;
mod settings;
mod target;
mod weights;

pub use found::{Fate, Found, Holding, Source, Told, Tried};
pub use health::{Place, TargetGauges, TargetState, TargetView, Trouble};
pub use hop::{hop_transport, is_secure_hop, numeric_hop};
pub use race::ConnectId;
pub use records::{Answer, Naptr, Query, QueryId, Question, RecordKind, Records, Srv};
pub use settings::{Limits, Settings};

pub(crate) use health::Health;
pub(crate) use hop::{HopHost, NextHop, domain};
pub(crate) use lookup::{Lookup, Step};
pub(crate) use names::{Asked, Names};
pub(crate) use race::{Race, RaceStep};
pub(crate) use target::{Reach, Target};

slotmap::new_key_type! {
    /// Names a look-up of a request of ours.
    pub(crate) struct LookupId;
}
