//! What one master key protects in one direction (RFC 3711 §3.2).

use super::cipher::{Cipher, Place};
use super::key::{MOST_RTCP, MOST_RTP};
use super::packet::{Head, rtcp_source};
use super::source::{Source, Sources};
use super::{Failure, Kind, MasterKey, Transform};

/// The session keys of a master key, and the indices of its sources. Keys are wiped when it is dropped.
pub struct Context {
    rtp: Cipher,
    rtcp: Cipher,
    mki: Box<[u8]>,
    sources: Sources,
    /// How many packets are left for the key.
    rtp_left: u64,
    rtcp_left: u64,
    /// Whether a source that it protects has rolled over.
    rolled: bool,
    /// Where packets are tried that must not be spoilt.
    other: Vec<u8>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("sources", &self.sources).finish_non_exhaustive()
    }
}

/// What a key has been used for, without the key: to go on with it where it is used again, for no index may come twice under one key (RFC
/// 3711 §9.1).
#[derive(Debug)]
pub struct Used {
    sources: Sources,
    rtp_left: u64,
    rtcp_left: u64,
    rolled: bool,
}

impl Context {
    /// `None` where the key is not one of its suite, which [`MasterKey::new`] does not make.
    #[must_use]
    pub fn new(key: &MasterKey) -> Option<Self> {
        let (rtp_left, rtcp_left) = lifetimes(key);
        Some(Self {
            rtp: Cipher::new(key, Kind::Rtp)?,
            rtcp: Cipher::new(key, Kind::Rtcp)?,
            mki: mki(key),
            sources: Sources::default(),
            rtp_left,
            rtcp_left,
            rolled: false,
            other: Vec::new(),
        })
    }

    /// The same under the name and with the lifetime that its key has now, which were others before: what it has done counts.
    pub(super) fn go_by(self, before: &MasterKey, now: &MasterKey) -> Self {
        let ((rtp_before, rtcp_before), (rtp, rtcp)) = (lifetimes(before), lifetimes(now));
        let left = |left: u64, before: u64, now: u64| now.saturating_sub(before.saturating_sub(left));
        Self {
            mki: mki(now),
            rtp_left: left(self.rtp_left, rtp_before, rtp),
            rtcp_left: left(self.rtcp_left, rtcp_before, rtcp),
            ..self
        }
    }

    /// What is left of it when its keys are wiped.
    pub(super) fn used(self) -> Used {
        let Self { sources, rtp_left, rtcp_left, rolled, .. } = self;
        Used { sources, rtp_left, rtcp_left, rolled }
    }

    /// The same key again.
    pub(super) fn again(self, Used { sources, rtp_left, rtcp_left, rolled }: Used) -> Self {
        Self { sources, rtp_left, rtcp_left, rolled, ..self }
    }

    /// How packets name the key; empty where they do not.
    pub(super) fn mki(&self) -> &[u8] {
        &self.mki
    }

    /// Whether the packet names this key.
    pub(super) fn is_named(&self, kind: Kind, packet: &[u8]) -> bool {
        // RFC 3711 §3.1 has the MKI before the tag, RFC 7714 §8, §9 at the end.
        let behind = match self.cipher(kind) {
            cipher @ Cipher::Counter { .. } => cipher.tag_length(),
            Cipher::Aead { .. } => 0,
        };
        let end = packet.len().checked_sub(behind);
        let mki = end.and_then(|end| packet.get(end.checked_sub(self.mki.len())?..end));
        mki == Some(&*self.mki)
    }

    fn cipher(&self, kind: Kind) -> &Cipher {
        match kind {
            Kind::Rtp => &self.rtp,
            Kind::Rtcp => &self.rtcp,
        }
    }

    fn left(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Rtp => &mut self.rtp_left,
            Kind::Rtcp => &mut self.rtcp_left,
        }
    }

    /// Whether a source that it protects has rolled over (RFC 3711 §3.3.1).
    pub(super) fn has_rolled(&self) -> bool {
        self.rolled
    }

    /// The highest index of a source so far.
    pub(super) fn highest(&mut self, ssrc: u32) -> Option<u64> {
        let at = self.sources.find(ssrc)?;
        self.sources.get(at)?.rtp.highest()
    }

    /// As [`Transform::unprotect`]. `trial`: a failure leaves the packet as it is. `before` says what a source's highest index
    /// was under the key before: whether a new key begins with a roll-over counter of 0 is for the sender to say (RFC 3711
    /// §3.3.1, RFC 4568 §7.1.4).
    pub(super) fn open(
        &mut self,
        kind: Kind,
        buffer: &mut [u8],
        length: usize,
        trial: bool,
        before: impl FnOnce(u32) -> Option<u64>,
    ) -> Result<usize, Failure> {
        let packet = buffer.get(..length).ok_or(Failure::Malformed)?;
        if *self.left(kind) == 0 {
            return Err(Failure::Expired);
        }
        if !self.mki.is_empty() && !self.is_named(kind, packet) {
            return Err(Failure::Unauthentic);
        }
        let opened = match kind {
            Kind::Rtp => self.open_rtp(buffer, length, trial, before),
            Kind::Rtcp => self.open_rtcp(buffer, length, trial),
        };
        if opened.is_ok() {
            *self.left(kind) -= 1;
        }
        opened
    }

    fn open_rtp(
        &mut self,
        buffer: &mut [u8],
        length: usize,
        trial: bool,
        before: impl FnOnce(u32) -> Option<u64>,
    ) -> Result<usize, Failure> {
        let head = Head::of_rtp(buffer.get(..length).ok_or(Failure::Malformed)?)?;
        let (ssrc, sequence) = (head.ssrc, head.sequence);
        let at = (head.length, length, self.mki.len());
        let known = self.sources.find(ssrc);
        let source = known.and_then(|known| self.sources.get(known)).copied();
        let mut source = source.unwrap_or_else(|| self.sources.recall(ssrc));
        if let Some(index) = source.rtp.estimate(sequence) {
            source.rtp.check(index)?;
            let other = trial.then_some(&mut self.other);
            let length = self.rtp.open_rtp(buffer, at, Place { ssrc, index }, other)?;
            source.rtp.mark(index);
            return self.keep(known, source).map(|()| length);
        }
        // The first of its source: that it has rolled over already, in what was lost, is possible as well (RFC 4568 §6.4).
        let carried = before(ssrc).and_then(|highest| {
            let mut window = super::window::Window::default();
            window.mark(highest);
            window.estimate(sequence)
        });
        let rolled = (sequence < 0x8000).then_some(1 << 16 | u64::from(sequence));
        let mut failure = Failure::Unauthentic;
        for index in [Some(u64::from(sequence)), carried, rolled].into_iter().flatten() {
            match self.rtp.open_rtp(buffer, at, Place { ssrc, index }, Some(&mut self.other)) {
                Ok(length) => {
                    source.rtp.mark(index);
                    return self.keep(known, source).map(|()| length);
                }
                Err(why) => failure = why,
            }
        }
        Err(failure)
    }

    fn open_rtcp(&mut self, buffer: &mut [u8], length: usize, trial: bool) -> Result<usize, Failure> {
        let packet = buffer.get(..length).ok_or(Failure::Malformed)?;
        let ssrc = rtcp_source(packet)?;
        let index = self.rtcp.rtcp_index(packet, self.mki.len())?;
        let known = self.sources.find(ssrc);
        let source = known.and_then(|known| self.sources.get(known)).copied();
        let mut source = source.unwrap_or_else(|| self.sources.recall(ssrc));
        source.rtcp.check(index)?;
        let other = trial.then_some(&mut self.other);
        let length = self.rtcp.open_rtcp(buffer, (length, self.mki.len()), Place { ssrc, index }, other)?;
        source.rtcp.mark(index);
        self.keep(known, source).map(|()| length)
    }

    fn keep(&mut self, known: Option<usize>, source: Source) -> Result<(), Failure> {
        match known.and_then(|at| self.sources.get_mut(at)) {
            Some(kept) => *kept = source,
            None => {
                self.sources.add(source, false)?;
            }
        }
        Ok(())
    }

    fn source(&mut self, ssrc: u32) -> Result<&mut Source, Failure> {
        let at = match self.sources.find(ssrc) {
            Some(at) => at,
            None => self.sources.add(self.sources.recall(ssrc), true)?,
        };
        self.sources.get_mut(at).ok_or(Failure::Sources)
    }

    fn seal_rtp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Failure> {
        let head = Head::of_rtp(buffer.get(..length).ok_or(Failure::Malformed)?)?;
        let source = self.source(head.ssrc)?;
        let index = source.index_to_send(head.sequence)?;
        if index >= MOST_RTP {
            return Err(Failure::Expired);
        }
        source.rtp.mark(index);
        self.rolled |= index > u64::from(u16::MAX);
        let [.., high, low] = index.to_be_bytes();
        let [_, _, s0, s1, ..] = buffer else { return Err(Failure::Malformed) };
        (*s0, *s1) = (high, low);
        self.rtp.seal_rtp(buffer, (head.length, length), Place { ssrc: head.ssrc, index }, &self.mki)
    }

    fn seal_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Failure> {
        let ssrc = rtcp_source(buffer.get(..length).ok_or(Failure::Malformed)?)?;
        let source = self.source(ssrc)?;
        let index = source.next_rtcp;
        source.next_rtcp += 1;
        self.rtcp.seal_rtcp(buffer, length, Place { ssrc, index }, &self.mki)
    }
}

/// How many packets of SRTP and of SRTCP a key is for.
fn lifetimes(key: &MasterKey) -> (u64, u64) {
    let lifetime = key.lifetime().unwrap_or(MOST_RTP);
    (lifetime, lifetime.min(MOST_RTCP))
}

/// How packets name a key; empty where they do not.
fn mki(key: &MasterKey) -> Box<[u8]> {
    key.mki().map(|mki| mki.octets().into()).unwrap_or_default()
}

impl Transform for Context {
    fn protect(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, Failure> {
        if *self.left(kind) == 0 {
            return Err(Failure::Expired);
        }
        let sealed = match kind {
            Kind::Rtp => self.seal_rtp(buffer, length),
            Kind::Rtcp => self.seal_rtcp(buffer, length),
        }?;
        *self.left(kind) -= 1;
        Ok(sealed)
    }

    fn unprotect(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, Failure> {
        self.open(kind, buffer, length, false, |_| None)
    }
}
