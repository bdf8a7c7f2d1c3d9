//! Offers in INVITEs and re-INVITEs of ours that the other side has not made, and none where it has (`offers` of a profile).
//!
//! ```text
//!   "make"   INVITE ────────► │ ─ INVITE, our offer ─►       "ask"   INVITE, offer ──► │ ─ INVITE ──────────►
//!            ◄─ 200, offer ── │ ◄──── 200, answer ───                                  │ ◄─── 200, offer ────
//!            ─ ACK, answer ─► │ ─────── ACK ────────►                ◄─ 200, answer ── │ ──── ACK, answer ──►
//!                             │ ─ re-INVITE, if it has to be ─►
//! ```

use config::{OfferedCodec, Offers, Profile};
use media::{Mode, Offered};

/// What is done about the offer of an INVITE of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// It is the other side's, if that has one.
    #[default]
    Carried,
    /// It is ours, as the other side has none.
    Made,
    /// There is none, though the other side has one.
    Asked,
}

impl Conversion {
    /// For a leg with that profile; `offered` says whether the other side has an offer. Where media goes around us there is nothing of
    /// our own that could be offered or answered.
    pub(super) fn of(profile: &Profile, offered: bool, mode: Mode) -> Self {
        match (mode, profile.offers, offered) {
            (Mode::Anchored, Offers::Make, false) => Self::Made,
            (Mode::Anchored, Offers::Ask, true) => Self::Asked,
            (..) => Self::Carried,
        }
    }
}

/// The codecs of an offer of our own to a leg with that profile.
pub(super) fn codecs(profile: &Profile) -> Vec<Offered> {
    profile.offered_codecs.iter().map(|codec| offered(*codec)).collect()
}

fn offered(codec: OfferedCodec) -> Offered {
    let (payload, encoding, clock_rate) = match codec {
        OfferedCodec::Pcmu => (0, "PCMU", 8_000),
        OfferedCodec::Gsm => (3, "GSM", 8_000),
        OfferedCodec::Pcma => (8, "PCMA", 8_000),
        OfferedCodec::G722 => (9, "G722", 8_000),
        OfferedCodec::ComfortNoise => (13, "CN", 8_000),
        OfferedCodec::G729 => (18, "G729", 8_000),
        OfferedCodec::Opus => (96, "opus", 48_000),
        OfferedCodec::TelephoneEvent => (101, "telephone-event", 8_000),
    };
    let channels = (codec == OfferedCodec::Opus).then_some(2);
    let parameters = (codec == OfferedCodec::TelephoneEvent).then_some("0-15");
    Offered { payload, encoding, clock_rate, channels, parameters }
}
