//! Fingerprints of certificates (RFC 8122 §5).

use std::fmt;

/// A hash function that a fingerprint may be made with, from the weakest to the strongest (RFC 8122 §5; MD5 and MD2 must not be used).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hash {
    /// `sha-1`: taken from a peer that has nothing better.
    Sha1,
    /// `sha-224`.
    Sha224,
    /// `sha-256`: what ours are made with.
    Sha256,
    /// `sha-384`.
    Sha384,
    /// `sha-512`.
    Sha512,
}

impl Hash {
    const ALL: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// As descriptions call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The number of octets of a hash.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The one of that name; case does not matter, as tokens of RFC 3279 are written either way.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name().eq_ignore_ascii_case(name))
    }
}

/// The hash of a certificate in DER.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint {
    /// What it was made with.
    pub hash: Hash,
    /// The hash, as long as the function's.
    pub octets: Box<[u8]>,
}

/// A fingerprint that is none: its octets cannot be read, or are not as many as its hash function makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the fingerprint cannot be read")]
pub struct NoFingerprint;

impl Fingerprint {
    /// Reads the value of `a=fingerprint`; `None` for one by a hash function that we don't know, or that must not be used. Octets in
    /// lower case are taken, too.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn parse(value: &str) -> Result<Option<Self>, NoFingerprint> {
        let (name, octets) = value.trim_ascii().split_once([' ', '\t']).ok_or(NoFingerprint)?;
        let Some(hash) = Hash::named(name) else { return Ok(None) };
        let octets: Option<Box<[u8]>> = octets.trim_ascii_start().split(':').map(octet).collect();
        let octets = octets.filter(|octets| octets.len() == hash.length()).ok_or(NoFingerprint)?;
        Ok(Some(Self { hash, octets }))
    }
}

/// As `a=fingerprint` has it.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        let mut before = ' ';
        for octet in &self.octets {
            write!(f, "{before}{octet:02X}")?;
            before = ':';
        }
        Ok(())
    }
}

fn octet(text: &str) -> Option<u8> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u8::from_str_radix(text, 16).ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHA1: &str = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";

    #[test]
    fn rfc8122_5_what_descriptions_say_is_read_and_written() {
        let read = Fingerprint::parse(SHA1).unwrap().unwrap();
        assert_eq!((read.hash, read.octets[0], read.octets.len()), (Hash::Sha1, 0x4a, 20));
        assert_eq!(read.to_string(), SHA1);
        let lower = SHA1.to_ascii_lowercase().replace("sha-1", "SHA-1");
        assert_eq!(Fingerprint::parse(&lower), Ok(Some(read)));
    }

    // conforms: RFC8842-5.1-5
    #[test]
    fn each_hash_function_has_its_name_and_length() {
        for (name, length) in
            [("sha-1", 20), ("sha-224", 28), ("sha-256", 32), ("sha-384", 48), ("sha-512", 64)]
        {
            let value = format!("{name} 0A{}", ":0B".repeat(length - 1));
            assert_eq!(Fingerprint::parse(&value).unwrap().unwrap().to_string(), value);
        }
    }

    // conforms: RFC8122-5-2
    #[test]
    fn rfc8122_5_md5_md2_and_what_is_unknown_are_passed_over() {
        for name in ["md5", "md2", "sha3-256"] {
            assert_eq!(Fingerprint::parse(&SHA1.replace("sha-1", name)), Ok(None));
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_an_error() {
        let short = SHA1.trim_end_matches(":AB");
        for value in [
            "",
            "sha-1",
            "sha-1 ",
            short,
            &format!("{SHA1}:00"),
            &SHA1.replace(":AD", ":+D"),
            &SHA1.replace(':', "-"),
        ] {
            assert_eq!(Fingerprint::parse(value), Err(NoFingerprint), "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,100}") {
            let _ = Fingerprint::parse(&text);
        }

        #[test]
        fn what_is_written_is_read_again(octets in proptest::collection::vec(any::<u8>(), 48)) {
            let fingerprint = Fingerprint { hash: Hash::Sha384, octets: octets.into() };
            prop_assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Ok(Some(fingerprint)));
        }
    }
}
