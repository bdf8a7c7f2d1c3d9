//! What a source is called.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::Mac;
use zeroize::Zeroizing;

use crate::rtcp::CNAME_LENGTH;
use crate::stun::Key256;

/// By what the sources of a stream are called on the other side.
#[derive(Clone, PartialEq, Eq)]
pub struct Veil {
    secret: Zeroizing<[u8; 32]>,
    /// Sequence numbers and timestamps are others too.
    numbers: bool,
}

impl std::fmt::Debug for Veil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Veil").field("numbers", &self.numbers).finish_non_exhaustive()
    }
}

/// What becomes of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) ssrc: u32,
    /// The number of its first packet, below 2^15: a first loss shall not be taken for a wrap (RFC 3711 §3.3.1).
    pub(crate) first: u16,
    /// What is added to its timestamps.
    pub(crate) timestamp: u32,
}

impl Veil {
    /// With 256 bits that nobody can guess. `numbers`: nothing but the headers of packets has sequence numbers and timestamps, so that
    /// these may be others as well.
    #[must_use]
    pub fn new(secret: [u8; 32], numbers: bool) -> Self {
        Self { secret: secret.into(), numbers }
    }

    /// The same, where numbers stay as they are.
    pub(crate) fn without_numbers(&self) -> Self {
        Self { secret: self.secret.clone(), numbers: false }
    }

    /// Whether numbers are others, too.
    pub(crate) fn renumbers(&self) -> bool {
        self.numbers
    }

    /// Whether both call a source the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.secret == other.secret
    }

    /// What a source is called; `again` of these names were taken already.
    pub(crate) fn name(&self, ssrc: u32, again: u8) -> Name {
        let [r0, r1, r2, r3] = ssrc.to_be_bytes();
        let [s0, s1, s2, s3, n0, n1, t0, t1, t2, t3, ..] = self.mixed(b's', &[r0, r1, r2, r3, again]);
        Name {
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            first: u16::from_be_bytes([n0 & 0x7f, n1]),
            timestamp: if self.numbers { u32::from_be_bytes([t0, t1, t2, t3]) } else { 0 },
        }
    }

    /// What an endpoint is called (RFC 7022 §4.2): the same in all of its streams.
    pub(crate) fn cname(&self, theirs: &[u8]) -> [u8; CNAME_LENGTH] {
        let mixed = self.mixed(b'c', theirs);
        let mut text = [b'A'; CNAME_LENGTH];
        // 12 octets are 16 characters.
        let _ = STANDARD_NO_PAD.encode_slice(mixed.get(..12).unwrap_or_default(), &mut text);
        text
    }

    fn mixed(&self, what: u8, octets: &[u8]) -> [u8; 32] {
        let mut mac: Key256 = crate::stun::key256_of(&*self.secret);
        mac.update(&[what]);
        mac.update(octets);
        mac.finalize().into_bytes().into()
    }
}
