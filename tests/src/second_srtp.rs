//! A second opinion on SRTP: the crate `webrtc-srtp`, behind guards against what it does wrong when it is taken bare.
//!
//! What the guards are for (version 0.17.2): SRTCP that is shorter than its own tail is a panic; SRTCP that says that it is not
//! encrypted comes back before its tag was looked at; without options there is no protection against replay; sources are kept before
//! anything of them was authentic; there is no MKI; extensions are read, and where they are odd the payload begins elsewhere; a jump
//! of more than 2^15 under the first roll-over counter is never followed.

use std::collections::HashMap;

use media::srtp::{Failure, Kind, MasterKey, Mki, Suite, Transform};
use webrtc_srtp::context::Context;
use webrtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use webrtc_srtp::protection_profile::ProtectionProfile as Profile;

/// As many as ours keeps.
const MOST_SOURCES: usize = 1_024;
/// The window of ours.
const WINDOW: usize = 128;

/// What one master key protects in one direction.
pub struct Second {
    suite: Suite,
    octets: Box<[u8]>,
    mki: Option<Mki>,
    /// A context for each source of which something was authentic, and the last sequence number of it.
    sources: HashMap<u32, (Context, Option<u16>)>,
}

impl Second {
    /// With a master key and its salt, as [`MasterKey::new`] takes them.
    #[must_use]
    pub fn new(suite: Suite, octets: &[u8], mki: Option<Mki>) -> Option<Self> {
        MasterKey::new(suite, octets).ok()?;
        Some(Self { suite, octets: octets.into(), mki, sources: HashMap::new() })
    }

    /// Whether it has no opinion of a packet: one whose extension it reads otherwise than by its length, or that jumps where it cannot
    /// follow.
    #[must_use]
    pub fn abstains(&self, kind: Kind, packet: &[u8]) -> bool {
        if kind == Kind::Rtcp {
            return false;
        }
        let Some((ssrc, sequence)) = source_of(kind, packet) else { return false };
        let last = self.sources.get(&ssrc).and_then(|(_, last)| *last);
        let jumps = last.is_some_and(|last| last.abs_diff(sequence) > 0x7f00);
        jumps || has_odd_extension(packet)
    }

    fn context(&self) -> Result<Context, Failure> {
        let profile = match self.suite {
            Suite::AesCm128Sha1Tag80 => Profile::Aes128CmHmacSha1_80,
            Suite::AesCm128Sha1Tag32 => Profile::Aes128CmHmacSha1_32,
            Suite::AesCm256Sha1Tag80 => Profile::Aes256CmHmacSha1_80,
            Suite::AesCm256Sha1Tag32 => Profile::Aes256CmHmacSha1_32,
            Suite::AeadAes128Gcm => Profile::AeadAes128Gcm,
            Suite::AeadAes256Gcm => Profile::AeadAes256Gcm,
        };
        let (key, salt) = self.octets.split_at(self.suite.key_length());
        let replay = (Some(srtp_replay_protection(WINDOW)), Some(srtcp_replay_protection(WINDOW)));
        Context::new(key, salt, profile, replay.0, replay.1).map_err(|_| Failure::Malformed)
    }

    /// How long what stands behind the payload is, without an MKI.
    fn tail(&self, kind: Kind) -> usize {
        let tag = match (self.suite.is_aead(), kind) {
            (true, _) => 16,
            (false, Kind::Rtp) => self.suite.tag_length(),
            (false, Kind::Rtcp) => 10,
        };
        if kind == Kind::Rtcp { tag + 4 } else { tag }
    }

    /// Where an MKI stands, counted from the end (RFC 3711 §3.1, RFC 7714 §8, §9).
    fn behind_mki(&self, kind: Kind) -> usize {
        match (self.suite.is_aead(), kind) {
            (true, _) => 0,
            (false, Kind::Rtp) => self.suite.tag_length(),
            (false, Kind::Rtcp) => 10,
        }
    }

    fn without_mki(&self, kind: Kind, packet: &[u8]) -> Result<Vec<u8>, Failure> {
        let Some(mki) = &self.mki else { return Ok(packet.to_vec()) };
        let end = packet.len().checked_sub(self.behind_mki(kind)).ok_or(Failure::Malformed)?;
        let start = end.checked_sub(mki.octets().len()).ok_or(Failure::Malformed)?;
        if &packet[start..end] != mki.octets() {
            return Err(Failure::Unauthentic);
        }
        Ok([&packet[..start], &packet[end..]].concat())
    }

    fn with_mki(&self, kind: Kind, packet: Vec<u8>) -> Vec<u8> {
        let Some(mki) = &self.mki else { return packet };
        let at = packet.len() - self.behind_mki(kind);
        [&packet[..at], mki.octets(), &packet[at..]].concat()
    }

    /// Has the context of a source do something; a new one is kept once that went well.
    fn with_source(
        &mut self,
        (ssrc, sequence): (u32, Option<u16>),
        job: impl FnOnce(&mut Context) -> Result<Vec<u8>, webrtc_srtp::Error>,
    ) -> Result<Vec<u8>, Failure> {
        if let Some((context, last)) = self.sources.get_mut(&ssrc) {
            let done = job(context).map_err(failure)?;
            *last = sequence.or(*last);
            return Ok(done);
        }
        if self.sources.len() >= MOST_SOURCES {
            return Err(Failure::Sources);
        }
        let mut context = self.context()?;
        let done = job(&mut context).map_err(failure)?;
        self.sources.insert(ssrc, (context, sequence));
        Ok(done)
    }
}

impl Transform for Second {
    fn protect(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, Failure> {
        let packet = buffer.get(..length).ok_or(Failure::Malformed)?.to_vec();
        let (ssrc, sequence) = source_of(kind, &packet).ok_or(Failure::Malformed)?;
        let made = match kind {
            Kind::Rtp => {
                self.with_source((ssrc, Some(sequence)), |of| of.encrypt_rtp(&packet).map(Into::into))
            }
            Kind::Rtcp => self.with_source((ssrc, None), |of| of.encrypt_rtcp(&packet).map(Into::into)),
        }?;
        put(buffer, &self.with_mki(kind, made))
    }

    fn unprotect(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, Failure> {
        let packet = buffer.get(..length).ok_or(Failure::Malformed)?;
        let packet = self.without_mki(kind, packet)?;
        let (ssrc, sequence) = source_of(kind, &packet).ok_or(Failure::Malformed)?;
        let least = if kind == Kind::Rtcp { 8 } else { 12 };
        if packet.len() < least + self.tail(kind) {
            return Err(Failure::Malformed);
        }
        if kind == Kind::Rtcp {
            let index = packet.len() - if self.suite.is_aead() { 4 } else { self.tail(kind) };
            if packet[index] & 0x80 == 0 {
                return Err(Failure::Malformed);
            }
        }
        let made = match kind {
            Kind::Rtp => {
                self.with_source((ssrc, Some(sequence)), |of| of.decrypt_rtp(&packet).map(Into::into))
            }
            Kind::Rtcp => self.with_source((ssrc, None), |of| of.decrypt_rtcp(&packet).map(Into::into)),
        }?;
        put(buffer, &made)
    }
}

fn failure(error: webrtc_srtp::Error) -> Failure {
    use webrtc_srtp::Error;
    match error {
        Error::SrtpSsrcDuplicated(..) | Error::SrtcpSsrcDuplicated(..) => Failure::Replayed,
        Error::ErrTooShortRtp | Error::ErrTooShortRtcp => Failure::Malformed,
        _ => Failure::Unauthentic,
    }
}

/// The source, and of RTP the sequence number.
fn source_of(kind: Kind, packet: &[u8]) -> Option<(u32, u16)> {
    let at = if kind == Kind::Rtcp { 4 } else { 8 };
    let ssrc = packet.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)?;
    let sequence = packet.get(2..4)?.try_into().ok().map(u16::from_be_bytes)?;
    (packet[0] >> 6 == 2).then_some((ssrc, sequence))
}

/// Whether there is an extension of RFC 8285: whatever is in it, ours goes by its length.
fn has_odd_extension(packet: &[u8]) -> bool {
    let at = 12 + 4 * usize::from(packet[0] & 0x0f);
    let profile = packet.get(at..at + 2);
    let read =
        profile.is_some_and(|profile| profile == [0xbe, 0xde] || (profile[0] == 0x10 && profile[1] < 16));
    packet[0] & 0x10 != 0 && read
}

fn put(buffer: &mut [u8], octets: &[u8]) -> Result<usize, Failure> {
    buffer.get_mut(..octets.len()).ok_or(Failure::Malformed)?.copy_from_slice(octets);
    Ok(octets.len())
}
