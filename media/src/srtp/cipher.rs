//! The transforms on one packet: encryption and tag of RTP and of RTCP (RFC 3711 §3.1, §3.4, RFC 7714 §8, §9).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::ctr::Aes;
use super::derive::{Label, derive};
use super::packet::RTCP_HEAD;
use super::{Failure, Kind, MasterKey};

/// The tag of AEAD suites (RFC 7714 §13.2).
const AEAD_TAG: usize = 16;
/// The E flag and the SRTCP index (RFC 3711 §3.4).
const RTCP_INDEX: usize = 4;
const ENCRYPTED: u32 = 1 << 31;

/// The session keys of SRTP or of SRTCP, expanded once.
#[expect(clippy::large_enum_variant, reason = "there are four for a leg, each read for every packet")]
pub(super) enum Cipher {
    Counter { aes: Aes, salt: Zeroizing<[u8; 14]>, mac: Hmac<Sha1>, tag: usize },
    Aead { key: LessSafeKey, salt: Zeroizing<[u8; 12]> },
}

/// A packet's place in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ssrc: u32,
    /// 48 bits of SRTP, 31 of SRTCP.
    pub(super) index: u64,
}

impl Place {
    /// SSRC and index, from the octet of the initial vector on that the SSRC has, two zero octets before it in AEAD.
    fn octets(self) -> [u8; 10] {
        let [s0, s1, s2, s3] = self.ssrc.to_be_bytes();
        let [_, _, i0, i1, i2, i3, i4, i5] = self.index.to_be_bytes();
        [s0, s1, s2, s3, i0, i1, i2, i3, i4, i5]
    }

    /// RFC 3711 §4.1.1.
    fn counter_vector(self, salt: &[u8; 14]) -> [u8; 16] {
        let mut vector = [0; 16];
        vector.iter_mut().zip(salt).for_each(|(octet, salt)| *octet = *salt);
        vector.iter_mut().skip(4).zip(self.octets()).for_each(|(octet, place)| *octet ^= place);
        vector
    }

    /// RFC 7714 §8.1, §9.1.
    fn nonce(self, salt: &[u8; 12]) -> Nonce {
        let mut vector = *salt;
        vector.iter_mut().skip(2).zip(self.octets()).for_each(|(octet, place)| *octet ^= place);
        Nonce::assume_unique_for_key(vector)
    }

    fn rolled(self) -> [u8; 4] {
        let [_, _, r0, r1, r2, r3, _, _] = self.index.to_be_bytes();
        [r0, r1, r2, r3]
    }
}

impl Cipher {
    /// `None` where the master key is not one of its suite.
    pub(super) fn new(master: &MasterKey, kind: Kind) -> Option<Self> {
        let suite = master.suite();
        let (encryption, authentication, salt) = match kind {
            Kind::Rtp => (Label::RtpEncryption, Label::RtpAuthentication, Label::RtpSalt),
            Kind::Rtcp => (Label::RtcpEncryption, Label::RtcpAuthentication, Label::RtcpSalt),
        };
        let key = derive::<32>(master, encryption)?;
        let key = key.get(..suite.key_length())?;
        if suite.is_aead() {
            let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
            let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
            return Some(Self::Aead { key, salt: derive::<12>(master, salt)? });
        }
        let authentication = derive::<20>(master, authentication)?;
        Some(Self::Counter {
            aes: Aes::new(key)?,
            salt: derive::<14>(master, salt)?,
            mac: Hmac::new_from_slice(&*authentication).ok()?,
            tag: if kind == Kind::Rtcp { 10 } else { suite.tag_length() },
        })
    }

    /// How many octets behind the payload a tag takes.
    pub(super) fn tag_length(&self) -> usize {
        match self {
            Self::Counter { tag, .. } => *tag,
            Self::Aead { .. } => AEAD_TAG,
        }
    }

    /// Protects RTP of `length` octets, of which `head` stay in the clear.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        (head, length): (usize, usize),
        place: Place,
        mki: &[u8],
    ) -> Result<usize, Failure> {
        let end = length + mki.len() + self.tag_length();
        let packet = buffer.get_mut(..end).ok_or(Failure::Malformed)?;
        let (clear, behind) = packet.split_at_mut_checked(length).ok_or(Failure::Malformed)?;
        match self {
            Self::Counter { aes, salt, mac, tag } => {
                let payload = clear.get_mut(head..).ok_or(Failure::Malformed)?;
                aes.apply(place.counter_vector(salt), payload);
                let mac = mac.clone().chain_update(&*clear).chain_update(place.rolled()).finalize();
                put(behind, [mki, mac.into_bytes().get(..*tag).unwrap_or_default()]);
            }
            Self::Aead { key, salt } => {
                let (aad, payload) = clear.split_at_mut_checked(head).ok_or(Failure::Malformed)?;
                let tag = key
                    .seal_in_place_separate_tag(place.nonce(salt), Aad::from(&*aad), payload)
                    .map_err(|_| Failure::Malformed)?;
                put(behind, [tag.as_ref(), mki]);
            }
        }
        Ok(end)
    }

    /// Checks and unprotects SRTP of `length` octets with an MKI of `mki`. Without `trial` the packet may be spoilt by a failure.
    pub(super) fn open_rtp(
        &self,
        buffer: &mut [u8],
        (head, length, mki): (usize, usize, usize),
        place: Place,
        trial: Option<&mut Vec<u8>>,
    ) -> Result<usize, Failure> {
        let end = length.checked_sub(mki + self.tag_length()).filter(|end| *end >= head);
        let end = end.ok_or(Failure::Malformed)?;
        let packet = buffer.get_mut(..length).ok_or(Failure::Malformed)?;
        match self {
            Self::Counter { aes, salt, mac, tag } => {
                let (clear, behind) = packet.split_at_mut_checked(end).ok_or(Failure::Malformed)?;
                let mac = mac.clone().chain_update(&*clear).chain_update(place.rolled()).finalize();
                same(mac.into_bytes().get(..*tag), behind.get(mki..))?;
                let payload = clear.get_mut(head..).ok_or(Failure::Malformed)?;
                aes.apply(place.counter_vector(salt), payload);
            }
            Self::Aead { key, salt } => {
                let sealed = packet.get_mut(..end + AEAD_TAG).ok_or(Failure::Malformed)?;
                let (aad, sealed) = sealed.split_at_mut_checked(head).ok_or(Failure::Malformed)?;
                open(key, place.nonce(salt), aad, sealed, trial)?;
            }
        }
        Ok(end)
    }

    /// Protects RTCP of `length` octets.
    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        length: usize,
        place: Place,
        mki: &[u8],
    ) -> Result<usize, Failure> {
        let end = length + RTCP_INDEX + mki.len() + self.tag_length();
        let packet = buffer.get_mut(..end).ok_or(Failure::Malformed)?;
        let index = (u32::try_from(place.index).map_err(|_| Failure::Expired)? | ENCRYPTED).to_be_bytes();
        match self {
            Self::Counter { aes, salt, mac, tag } => {
                let (clear, behind) =
                    packet.split_at_mut_checked(length + RTCP_INDEX).ok_or(Failure::Malformed)?;
                let (text, at_index) = clear.split_at_mut_checked(length).ok_or(Failure::Malformed)?;
                let payload = text.get_mut(RTCP_HEAD..).ok_or(Failure::Malformed)?;
                aes.apply(place.counter_vector(salt), payload);
                put(at_index, [&index, &[]]);
                let mac = mac.clone().chain_update(&*clear).finalize();
                put(behind, [mki, mac.into_bytes().get(..*tag).unwrap_or_default()]);
            }
            Self::Aead { key, salt } => {
                let (text, behind) = packet.split_at_mut_checked(length).ok_or(Failure::Malformed)?;
                let (head, payload) = text.split_at_mut_checked(RTCP_HEAD).ok_or(Failure::Malformed)?;
                let aad = Aad::from(rtcp_aad(head, index));
                let tag = key
                    .seal_in_place_separate_tag(place.nonce(salt), aad, payload)
                    .map_err(|_| Failure::Malformed)?;
                let (at_tag, behind) = behind.split_at_mut_checked(AEAD_TAG).ok_or(Failure::Malformed)?;
                put(at_tag, [tag.as_ref(), &[]]);
                put(behind, [&index, mki]);
            }
        }
        Ok(end)
    }

    /// The SRTCP index of a packet, which must be encrypted (RFC 4568 §6.3.2).
    pub(super) fn rtcp_index(&self, packet: &[u8], mki: usize) -> Result<u64, Failure> {
        let behind = match self {
            Self::Counter { tag, .. } => tag + mki,
            Self::Aead { .. } => mki,
        };
        let at = packet.len().checked_sub(behind + RTCP_INDEX).ok_or(Failure::Malformed)?;
        let Some([i0, i1, i2, i3, ..]) = packet.get(at..) else { return Err(Failure::Malformed) };
        let word = u32::from_be_bytes([*i0, *i1, *i2, *i3]);
        if word & ENCRYPTED == 0 { Err(Failure::Malformed) } else { Ok(u64::from(word & !ENCRYPTED)) }
    }

    /// Checks and unprotects SRTCP of `length` octets with an MKI of `mki`. Without `trial` the packet may be spoilt by a failure.
    pub(super) fn open_rtcp(
        &self,
        buffer: &mut [u8],
        (length, mki): (usize, usize),
        place: Place,
        trial: Option<&mut Vec<u8>>,
    ) -> Result<usize, Failure> {
        let end = length.checked_sub(RTCP_INDEX + mki + self.tag_length()).filter(|end| *end >= RTCP_HEAD);
        let end = end.ok_or(Failure::Malformed)?;
        let packet = buffer.get_mut(..length).ok_or(Failure::Malformed)?;
        match self {
            Self::Counter { aes, salt, mac, tag } => {
                let (clear, behind) =
                    packet.split_at_mut_checked(end + RTCP_INDEX).ok_or(Failure::Malformed)?;
                let mac = mac.clone().chain_update(&*clear).finalize();
                same(mac.into_bytes().get(..*tag), behind.get(mki..))?;
                let payload = clear.get_mut(RTCP_HEAD..end).ok_or(Failure::Malformed)?;
                aes.apply(place.counter_vector(salt), payload);
            }
            Self::Aead { key, salt } => {
                let index =
                    (u32::try_from(place.index).map_err(|_| Failure::Malformed)? | ENCRYPTED).to_be_bytes();
                let sealed = packet.get_mut(..end + AEAD_TAG).ok_or(Failure::Malformed)?;
                let (head, sealed) = sealed.split_at_mut_checked(RTCP_HEAD).ok_or(Failure::Malformed)?;
                open(key, place.nonce(salt), &rtcp_aad(head, index), sealed, trial)?;
            }
        }
        Ok(end)
    }
}

/// RFC 7714 §9.2.
fn rtcp_aad(head: &[u8], index: [u8; RTCP_INDEX]) -> [u8; RTCP_HEAD + RTCP_INDEX] {
    let mut aad = [0; RTCP_HEAD + RTCP_INDEX];
    put(&mut aad, [head, &index]);
    aad
}

/// Opens what is sealed with its tag behind it, in place or, as a trial, by way of other octets.
fn open(
    key: &LessSafeKey,
    nonce: Nonce,
    aad: &[u8],
    sealed: &mut [u8],
    trial: Option<&mut Vec<u8>>,
) -> Result<(), Failure> {
    let aad = Aad::from(aad);
    let Some(other) = trial else {
        return key.open_in_place(nonce, aad, sealed).map(|_| ()).map_err(|_| Failure::Unauthentic);
    };
    other.clear();
    other.extend_from_slice(sealed);
    let opened = key.open_in_place(nonce, aad, other).map_err(|_| Failure::Unauthentic)?;
    sealed.iter_mut().zip(opened).for_each(|(octet, opened)| *octet = *opened);
    Ok(())
}

/// Writes one after the other.
fn put(to: &mut [u8], parts: [&[u8]; 2]) {
    to.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, octet)| *to = *octet);
}

fn same(computed: Option<&[u8]>, received: Option<&[u8]>) -> Result<(), Failure> {
    let same: bool = computed.unwrap_or_default().ct_eq(received.unwrap_or_default()).into();
    if same && computed.is_some() { Ok(()) } else { Err(Failure::Unauthentic) }
}
