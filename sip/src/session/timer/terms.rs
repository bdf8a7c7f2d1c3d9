//! What we want of session timers towards a peer.

use super::LEAST;

/// Our part in session timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerPart {
    /// None: as if we knew nothing of them.
    Off,
    /// There is a timer where the peer asks for one.
    Accept,
    /// We ask for one.
    Ask,
}

/// Who refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// We do.
    Us,
    /// The peer does.
    Peer,
}

/// How sessions with a peer are timed (RFC 4028).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerTerms {
    /// Our part.
    pub part: TimerPart,
    /// The interval that we ask for, and that a longer one of the peer's is made, in seconds; RFC 4028 §4 recommends 1800.
    pub expires: u32,
    /// The shortest interval that we take, in seconds; what is less than 90 counts as that (RFC 4028 §5).
    pub least: u32,
    /// Who is to refresh, where that is for us to say. `None`: as the peer chooses, and where it leaves the choice to us, we do.
    pub refresher: Option<Refresher>,
    /// Whether we refresh sessions with peers that know nothing of timers (RFC 4028 §7.2).
    pub alone: bool,
}

impl Default for TimerTerms {
    fn default() -> Self {
        Self { part: TimerPart::Off, expires: 1_800, least: LEAST, refresher: None, alone: false }
    }
}

impl TimerTerms {
    /// Whether we take part.
    pub fn takes_part(&self) -> bool {
        self.part != TimerPart::Off
    }

    /// The shortest interval that we take.
    pub(crate) fn floor(&self) -> u32 {
        self.least.max(LEAST)
    }

    /// The interval that we want.
    pub(crate) fn wanted(&self) -> u32 {
        self.expires.max(self.floor())
    }
}
