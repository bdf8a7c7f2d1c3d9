//! What a leg wants of the protection of its streams.

use std::sync::Arc;

use crate::dtls::{Identity, Version};
use crate::srtp::Suite;

/// How streams of RTP are protected on a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SrtpUse {
    /// By nobody but the peers themselves: keys cross as they are written, packets unread (RFC 7879 §3.1). The default.
    #[default]
    EndToEnd,
    /// As [`Self::EndToEnd`] beside a leg of the same kind or of that; as [`Self::AsOffered`] as soon as it is to talk with one whose
    /// keys end with us, for no two such legs understand one another.
    Auto,
    /// As the peer offers, plain or secure. Offers of ours have what stands, and are plain where nothing does.
    AsOffered,
    /// Not at all: streams are offered as plain RTP, and secure ones are refused.
    Off,
    /// Where the peer can: what keys need goes with an offer of plain RTP (RFC 8643). What the peer offers is taken, plain or secure.
    Opportunistic,
    /// Streams are offered as secure ones. What the peer offers is taken, plain or secure.
    Preferred,
    /// Always: nothing plain is offered or taken.
    Required,
}

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keying {
    /// From the descriptions (RFC 4568).
    Sdes,
    /// From a handshake on the stream's own port, by certificates whose fingerprints the descriptions have (RFC 5763).
    Dtls,
}

/// What a leg wants, and what it may do.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// How its streams are protected.
    pub srtp: SrtpUse,
    /// Where keys may come from, the preferred first: those that are taken. An offer has one transport protocol, and so one of them, the
    /// first; all of them only with plain RTP (RFC 8643 §3.1). Where the first may not be used, an offer that must be secure has the next.
    pub keying: Box<[Keying]>,
    /// The suites that we offer, the preferred first, and take.
    pub suites: Arc<[Suite]>,
    /// Whether keys may be told at all: they are good for nothing where others read the signalling (RFC 4568 §8.3).
    pub keys: bool,
    /// Whom the peer takes us for; without it there is no DTLS.
    pub identity: Option<Arc<Identity>>,
    /// The newest version of DTLS that is spoken.
    pub dtls: Version,
    /// The peer is a browser, as far as is known: an offer with DTLS has `SAVPF`, a group of its own for bundling, and ICE (RFC 8834, RFC
    /// 8835, RFC 9429 §5.2.1).
    pub browser: bool,
}

impl Security {
    /// Whether keys of this leg end with us.
    pub(crate) fn ends(&self) -> bool {
        !matches!(self.srtp, SrtpUse::EndToEnd | SrtpUse::Auto)
    }

    /// The same for a leg that has its keys end in place of leaving them to the peers, or for one that takes none of the peers' own.
    pub(crate) fn ending(&self) -> Self {
        let srtp = if self.srtp == SrtpUse::Auto { SrtpUse::AsOffered } else { SrtpUse::Off };
        Self { srtp, ..self.clone() }
    }

    /// Whether keys may come from there.
    pub(super) fn takes(&self, keying: Keying) -> bool {
        self.keying.contains(&keying) && self.has(keying)
    }

    /// What an offer of ours has, where nothing stands.
    pub(crate) fn offered(&self) -> &[Keying] {
        let usable = self.keying.iter().position(|keying| self.has(*keying));
        match (self.srtp, usable) {
            (SrtpUse::EndToEnd | SrtpUse::Auto | SrtpUse::AsOffered | SrtpUse::Off, _) | (_, None) => &[],
            (SrtpUse::Preferred, Some(at)) if at > 0 => &[],
            (SrtpUse::Opportunistic, Some(at)) => {
                let rest = self.keying.get(at..).unwrap_or_default();
                let all = rest.iter().all(|keying| self.has(*keying));
                if all { rest } else { rest.get(..1).unwrap_or_default() }
            }
            (SrtpUse::Preferred | SrtpUse::Required, Some(at)) => {
                self.keying.get(at..=at).unwrap_or_default()
            }
        }
    }

    /// Whether keys may be had from there at all.
    pub(crate) fn has(&self, keying: Keying) -> bool {
        match keying {
            Keying::Sdes => self.keys,
            Keying::Dtls => self.identity.is_some(),
        }
    }
}
