//! DTMF: the keys of a telephone, from the form that one leg has to that of the other.
//!
//! There are three: events in RTP (RFC 4733), INFO with a body, and tones in G.711. A [`Plan`] says what is made of which in one
//! direction of a stream; the `Translator` does it, without clock, chance, I/O, and without allocating once it is made. What comes
//! and goes by INFO is the signalling's: it is reported, and said on demand. Calls whose legs have the same form have none of this.

mod detector;
mod digit;
mod event;
#[cfg(any(test, feature = "fuzz"))]
mod fuzz;
mod g711;
pub mod info;
mod lane;
mod plan;
mod receiver;
mod report;
mod speaker;
mod tally;
#[cfg(test)]
mod tests;
mod tone;
mod translator;
mod twice;

pub use digit::Digit;
pub(crate) use digit::{COLUMNS, ROWS};
pub(crate) use event::Event;
#[cfg(feature = "fuzz")]
pub(crate) use fuzz::fuzzed;
pub use g711::Law;
pub use plan::Plan;
pub(crate) use plan::Way;
pub(crate) use speaker::Voice;
pub(crate) use tally::Tallies;
pub use tally::{ByForm, DtmfGauges, Form};
pub(crate) use translator::{Sent, Translator, Turn};

/// In which form a leg has keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// As the other side has them, as far as the leg can hear that. The default.
    #[default]
    Auto,
    /// As events; as tones where the peer has no events.
    Events,
    /// By INFO.
    Info,
    /// As tones.
    Tones,
}
