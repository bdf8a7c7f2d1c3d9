//! `a=crypto` (RFC 4568 §9).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::srtp::{MasterKey, Mki, Suite};

/// Padding is written, and not asked for (RFC 4568 §6.1).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Most keys in one line.
const MOST_KEYS: usize = 16;

/// A crypto attribute that we can go by: its suite is known, its keys have the right length, and no parameter asks for what we
/// don't do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptoLine {
    /// What an answer names it by.
    pub tag: u32,
    /// One key, or several with identifiers.
    pub keys: Box<[MasterKey]>,
}

impl CryptoLine {
    /// Reads the value of the attribute; `None` for one that is not to be accepted (RFC 4568 §6.3, §7.1.2): it cannot be read, or
    /// wants `UNENCRYPTED_SRTP`, `UNENCRYPTED_SRTCP`, `UNAUTHENTICATED_SRTP`, a key derivation rate, forward error correction or
    /// a parameter that we don't know. One that begins with a dash may be ignored, and so may the hint for a window.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split([' ', '\t']).filter(|word| !word.is_empty());
        let tag = words.next()?;
        let suite = Suite::named(words.next()?)?;
        let keys: Option<Vec<MasterKey>> =
            words.next()?.split(';').take(MOST_KEYS + 1).map(|key| read_key(suite, key)).collect();
        let keys = keys.filter(|keys| keys.len() <= MOST_KEYS)?;
        let length = |key: &MasterKey| key.mki().map(|mki| mki.octets().len());
        let named_alike = keys.windows(2).all(|pair| match pair {
            [a, b] => length(a).is_some() && length(a) == length(b),
            _ => true,
        });
        let ignored = |word: &str| word.starts_with('-') || word.strip_prefix("WSH=").is_some_and(is_number);
        let is_tag = is_number(tag) && tag.len() <= 9;
        (is_tag && named_alike && words.all(ignored))
            .then_some(Self { tag: tag.parse().ok()?, keys: keys.into() })
    }

    /// Its suite.
    #[must_use]
    pub fn suite(&self) -> Option<Suite> {
        self.keys.first().map(MasterKey::suite)
    }
}

/// The value of an attribute with one key of ours.
pub(crate) fn compose(tag: u32, key: &MasterKey) -> Zeroizing<String> {
    let encoded = Zeroizing::new(BASE64.encode(key.octets()));
    let mut value = Zeroizing::new(String::with_capacity(128));
    value.push_str("crypto:");
    value.push_str(itoa::Buffer::new().format(tag));
    value.push(' ');
    value.push_str(key.suite().name());
    value.push_str(" inline:");
    value.push_str(&encoded);
    if let Some(lifetime) = key.lifetime() {
        value.push('|');
        value.push_str(itoa::Buffer::new().format(lifetime));
    }
    if let Some(mki) = key.mki() {
        value.push_str(&format!("|{}:{}", mki.value(), mki.octets().len()));
    }
    value
}

fn read_key(suite: Suite, text: &str) -> Option<MasterKey> {
    let (method, info) = text.split_once(':')?;
    if !method.eq_ignore_ascii_case("inline") {
        return None;
    }
    let mut fields = info.split('|');
    let octets = Zeroizing::new(BASE64.decode(fields.next()?).ok()?);
    let mut key = MasterKey::new(suite, &octets).ok()?;
    let mut next = fields.next();
    if let Some(lifetime) = next.filter(|field| !field.contains(':')) {
        key = key.with_lifetime(read_lifetime(lifetime)?).ok()?;
        next = fields.next();
    }
    if let Some(mki) = next {
        let (value, length) = mki.split_once(':')?;
        if !is_number(value) || !is_number(length) {
            return None;
        }
        key = key.with_mki(Mki::new(value.parse().ok()?, length.parse().ok()?).ok()?);
    }
    fields.next().is_none().then_some(key)
}

fn read_lifetime(text: &str) -> Option<u64> {
    match text.strip_prefix("2^") {
        Some(power) => 1u64.checked_shl(Some(power).filter(|power| is_number(power))?.parse().ok()?),
        None => text.parse().ok().filter(|_| is_number(text)),
    }
}

/// Digits without a leading zero.
fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'))
}
