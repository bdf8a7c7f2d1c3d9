//! Which codecs there are.

use crate::dtmf::Law;

/// A codec that we have, with one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// PCMU or PCMA (ITU-T G.711).
    G711(Law),
    /// G.722 at 64 kbit/s.
    G722,
    /// Opus (RFC 6716).
    Opus,
    /// Linear samples of 16 bits (RFC 3551 §4.5.11).
    L16(Clock),
}

/// The clock rates that linear samples have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// 8,000 Hz.
    Narrow,
    /// 16,000 Hz.
    Wide,
    /// 48,000 Hz.
    Full,
}

impl Clock {
    /// Samples a second.
    #[must_use]
    pub fn hertz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
            Self::Full => 48_000,
        }
    }
}

impl Coding {
    /// That of an `a=rtpmap`; `None` where we have it not. Opus is always stated with two channels (RFC 7587 §7).
    #[must_use]
    pub fn of(name: &str, clock: u32, channels: u8) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let linear = [Clock::Narrow, Clock::Wide, Clock::Full];
        match (clock, channels) {
            (8_000, 1) if Law::of_name(name).is_some() => Law::of_name(name).map(Self::G711),
            (8_000, 1) if is("G722") => Some(Self::G722),
            (48_000, 2) if is("opus") => Some(Self::Opus),
            (clock, 1) if is("L16") => linear.into_iter().find(|known| known.hertz() == clock).map(Self::L16),
            _ => None,
        }
    }

    /// As `a=rtpmap` has it (RFC 3551 §6, RFC 7587 §7).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::G711(Law::Mu) => "PCMU",
            Self::G711(Law::A) => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
            Self::L16(_) => "L16",
        }
    }

    /// The RTP clock rate in Hz; that of G.722 is not that of its samples (RFC 3551 §4.5.2).
    #[must_use]
    pub fn clock(self) -> u32 {
        match self {
            Self::G711(_) | Self::G722 => 8_000,
            Self::Opus => 48_000,
            Self::L16(clock) => clock.hertz(),
        }
    }

    /// Samples a second, where it has one rate only.
    pub(crate) fn rate(self) -> Option<u32> {
        match self {
            Self::G711(_) => Some(8_000),
            Self::G722 => Some(16_000),
            Self::Opus => None,
            Self::L16(clock) => Some(clock.hertz()),
        }
    }

    /// Its static payload type (RFC 3551 §6).
    pub(crate) fn payload(self) -> Option<u8> {
        match self {
            Self::G711(Law::Mu) => Some(0),
            Self::G711(Law::A) => Some(8),
            Self::G722 => Some(9),
            Self::Opus | Self::L16(_) => None,
        }
    }

    /// The number of channels that `a=rtpmap` states.
    pub(crate) fn channels(self) -> u8 {
        if self == Self::Opus { 2 } else { 1 }
    }

    /// The longest packet in milliseconds that stays below what networks carry in one piece.
    pub(super) fn longest(self) -> u32 {
        match self {
            Self::G711(_) | Self::G722 | Self::Opus | Self::L16(Clock::Narrow) => 60,
            Self::L16(Clock::Wide) => 40,
            Self::L16(Clock::Full) => 10,
        }
    }
}

/// What a peer has said of the Opus that it takes (RFC 7587 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpusTerms {
    /// The highest average rate in bits a second.
    pub(crate) bitrate: Option<u32>,
    /// Whether it takes advantage of what a packet has of the one before.
    pub(crate) fec: bool,
    /// Whether packets are to have one size.
    pub(crate) constant: bool,
    /// The highest rate in Hz that it plays.
    pub(crate) playback: Option<u32>,
}

impl OpusTerms {
    /// Those of the parameters in `a=fmtp`.
    pub(crate) fn of(parameters: &str) -> Self {
        let mut terms = Self::default();
        for parameter in parameters.split(';') {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let value = value.trim().parse::<u32>().ok();
            let name = name.trim();
            if name.eq_ignore_ascii_case("maxaveragebitrate") {
                terms.bitrate = value;
            } else if name.eq_ignore_ascii_case("useinbandfec") {
                terms.fec = value == Some(1);
            } else if name.eq_ignore_ascii_case("maxplaybackrate") {
                terms.playback = value;
            } else if name.eq_ignore_ascii_case("cbr") {
                terms.constant = value == Some(1);
            }
        }
        terms
    }
}
