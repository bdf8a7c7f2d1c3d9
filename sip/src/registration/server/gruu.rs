//! Globally routable user agent URIs (RFC 5627): made and understood.

use super::aor::Aor;
use super::binding::Binding;
use super::directory::Instance;
use crate::ids::Ids;
use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sip_types::Uri;
use subtle::ConstantTimeEq;

/// What the user part of a temporary GRUU begins with (RFC 5627 §A.2).
const PREFIX: &str = "tgruu.";
/// Characters of the encrypted block, and bytes of its signature.
const BLOCK: usize = 22;
const SIGNATURE: usize = 10;

/// Names an instance of an address-of-record in its temporary GRUUs: 48 random bits, another one each time that the
/// GRUUs of before are void (RFC 5627 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceNo(pub u64);

impl InstanceNo {
    pub(super) fn fresh(ids: &mut dyn Ids) -> Self {
        Self(ids.next_u64() >> 16)
    }
}

/// Makes temporary GRUUs, and reads them again: the algorithm of RFC 5627 §A.2. Whoever has the same key reads the
/// GRUUs of another.
pub struct GruuKeys {
    cipher: Aes128,
    mac: Hmac<Sha256>,
}

impl GruuKeys {
    /// Keys for encryption and signature.
    #[must_use]
    pub fn new(encryption: &[u8; 16], signature: &[u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104 §2)")]
        let mac = Hmac::<Sha256>::new_from_slice(signature).expect("a key of any length");
        Self { cipher: Aes128::new(encryption.into()), mac }
    }

    /// A new temporary GRUU; no two are alike, and nobody else sees which belong together.
    pub(super) fn temporary(&self, no: InstanceNo, scheme: &str, domain: &str, ids: &mut dyn Ids) -> String {
        let mut block = [0u8; 16];
        // 80 bits of chance, 48 of the number.
        let chance = u128::from(ids.next_u64()) << 64 | u128::from(ids.next_u64());
        let plain = chance << 48 | u128::from(no.0 & 0xffff_ffff_ffff);
        block.copy_from_slice(&plain.to_be_bytes());
        let mut encrypted = block.into();
        self.cipher.encrypt_block(&mut encrypted);
        let encrypted: [u8; 16] = encrypted.into();
        let (block, signature) =
            (URL_SAFE_NO_PAD.encode(encrypted), URL_SAFE_NO_PAD.encode(self.sign(&encrypted)));
        format!("{scheme}:{PREFIX}{block}{signature}@{domain};gr")
    }

    /// The instance that the user part of a temporary GRUU means; `None` for what we have not signed.
    pub(super) fn read(&self, user: &str) -> Option<InstanceNo> {
        let text = user.strip_prefix(PREFIX)?;
        let (block, signature) = text.split_at_checked(BLOCK)?;
        let encrypted: [u8; 16] = URL_SAFE_NO_PAD.decode(block).ok()?.try_into().ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !bool::from(self.sign(&encrypted).ct_eq(&signature)) {
            return None;
        }
        let mut plain = encrypted.into();
        self.cipher.decrypt_block(&mut plain);
        let plain = u128::from_be_bytes(plain.into());
        u64::try_from(plain & 0xffff_ffff_ffff).ok().map(InstanceNo)
    }

    fn sign(&self, block: &[u8; 16]) -> [u8; SIGNATURE] {
        let mut mac = self.mac.clone();
        mac.update(block);
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; SIGNATURE];
        for (to, from) in short.iter_mut().zip(full) {
            *to = from;
        }
        short
    }
}

/// The GRUUs of one contact (RFC 5627 §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gruus {
    /// The public one: the same for as long as the address-of-record is there.
    pub public: String,
    /// A temporary one that nobody has seen yet.
    pub temporary: String,
    /// CSeq of the REGISTER that the first temporary one that is still good was made for (RFC 5628 §5).
    pub first_cseq: u32,
}

/// The GRUUs of a binding of an address-of-record with these instances, the temporary one new; `None` for a binding
/// without an instance.
#[must_use]
pub fn gruus(
    aor: &Aor,
    binding: &Binding,
    instances: &[Instance],
    keys: &GruuKeys,
    ids: &mut dyn Ids,
) -> Option<Gruus> {
    let instance = instances.iter().find(|i| binding.instance.as_ref() == Some(&i.urn))?;
    let scheme = binding.uri.scheme_text().to_ascii_lowercase();
    Some(Gruus {
        public: public(&scheme, aor, &instance.urn)?,
        temporary: keys.temporary(instance.no, &scheme, aor.domain(), ids),
        first_cseq: instance.first_cseq,
    })
}

/// The public GRUU of an instance: the address-of-record with the instance's URN (RFC 5627 §A.1).
fn public(scheme: &str, aor: &Aor, instance: &str) -> Option<String> {
    let bare = aor_uri(scheme, aor)?;
    Some(bare.with_param("gr", Some(instance)).to_string())
}

/// The address-of-record as a URI.
pub(super) fn aor_uri(scheme: &str, aor: &Aor) -> Option<Uri> {
    let user = aor.user().map(sip_types::escape_user);
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    format!("{scheme}:{user}{}", aor.domain()).parse().ok()
}

/// What a URI with `gr` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An instance of an address-of-record.
    Public(Aor, Box<str>),
    /// The instance with that number.
    Temporary(InstanceNo),
}

/// Reads a GRUU; `None` for a URI that is none, or that is not of our making.
pub(super) fn read(keys: &GruuKeys, uri: &Uri) -> Option<Meaning> {
    match uri.param("gr")? {
        Some(instance) => {
            let instance = sip_types::unescape(instance)?;
            Some(Meaning::Public(Aor::of(uri)?, instance.as_ref().into()))
        }
        None => keys.read(uri.user()?).map(Meaning::Temporary),
    }
}
