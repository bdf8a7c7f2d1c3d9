//! How far an association has come, for those who look at it.

use crate::srtp::Suite;

/// How far an association is (RFC 5763 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The peer has to begin and has not, or it is not known yet where it is.
    Waiting,
    /// Datagrams go back and forth.
    Handshaking,
    /// There are keys.
    Keyed(Agreed),
    /// There are none, and why.
    Failed(Failure),
    /// The peer has ended it with close_notify.
    Closed,
}

impl Standing {
    /// A word for records: why there are no keys, where it has failed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Handshaking => "handshaking",
            Self::Keyed(_) => "keyed",
            Self::Failed(failure) => failure.name(),
            Self::Closed => "closed",
        }
    }
}

/// What a handshake has agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The suite of SRTP.
    pub suite: Suite,
    /// The version of DTLS.
    pub version: Version,
    /// The cipher suite of DTLS.
    pub cipher: Cipher,
}

/// A version of DTLS; a newer one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Version {
    /// 1.2 (RFC 6347).
    #[default]
    V1_2,
    /// 1.3 (RFC 9147).
    V1_3,
}

impl Version {
    /// As people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1_2 => "DTLS 1.2",
            Self::V1_3 => "DTLS 1.3",
        }
    }

    /// Its second number.
    fn minor(self) -> u8 {
        match self {
            Self::V1_2 => 2,
            Self::V1_3 => 3,
        }
    }
}

/// A cipher suite of DTLS, by its number (RFC 5246 §A.5, RFC 8446 §B.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cipher(pub u16);

impl Cipher {
    /// The name that IANA has for it, for those that we take.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x1301 => "TLS_AES_128_GCM_SHA256",
            0x1302 => "TLS_AES_256_GCM_SHA384",
            0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
            0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            0xcca8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            0xc00a => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            0xc014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
            _ => return None,
        })
    }
}

/// Why an association has no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Failure {
    /// The peer's certificate has none of the fingerprints of its description (RFC 8122 §5).
    #[error("the peer's certificate is not the one that its description has the fingerprint of")]
    Fingerprint,
    /// The peer has no certificate.
    #[error("the peer has shown no certificate")]
    NoCertificate,
    /// No suite of SRTP that both take, or the peer has none at all (RFC 5764 §4.1.1).
    #[error("no SRTP protection profile that both take")]
    NoProfile,
    /// No cipher suite, curve or signature of DTLS that both take.
    #[error("no cipher suite of DTLS that both take")]
    NoCipher,
    /// Another version of DTLS.
    #[error("no version of DTLS that both speak")]
    NoVersion,
    /// It was not done in the time that it has.
    #[error("the peer did not answer in time")]
    Timeout,
    /// The peer has sent a fatal alert of that number (RFC 5246 §7.2).
    #[error("the peer has sent alert {0}")]
    Alert(u8),
    /// The peer did what the protocol does not allow.
    #[error("the peer has broken the protocol")]
    Protocol,
    /// There are as many associations as may be.
    #[error("too many associations")]
    Limit,
    /// Something of our own does not work.
    #[error("no handshake can be made")]
    Internal,
}

impl Failure {
    /// How many there are, for counters.
    pub(crate) const COUNT: usize = 10;

    /// Its place among counters.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Fingerprint => 0,
            Self::NoCertificate => 1,
            Self::NoProfile => 2,
            Self::NoCipher => 3,
            Self::NoVersion => 4,
            Self::Timeout => 5,
            Self::Alert(_) => 6,
            Self::Protocol => 7,
            Self::Limit => 8,
            Self::Internal => 9,
        }
    }

    /// The failure of a place, with the number of an alert.
    fn at(index: u8, alert: u8) -> Option<Self> {
        Some(match index {
            0 => Self::Fingerprint,
            1 => Self::NoCertificate,
            2 => Self::NoProfile,
            3 => Self::NoCipher,
            4 => Self::NoVersion,
            5 => Self::Timeout,
            6 => Self::Alert(alert),
            7 => Self::Protocol,
            8 => Self::Limit,
            9 => Self::Internal,
            _ => return None,
        })
    }

    /// A word for metrics and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fingerprint => "fingerprint",
            Self::NoCertificate => "no-certificate",
            Self::NoProfile => "no-profile",
            Self::NoCipher => "no-cipher",
            Self::NoVersion => "no-version",
            Self::Timeout => "timeout",
            Self::Alert(_) => "alert",
            Self::Protocol => "protocol",
            Self::Limit => "limit",
            Self::Internal => "internal",
        }
    }
}

/// Failures by their reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures([u64; Failure::COUNT]);

impl Failures {
    /// How many there were of one reason; alerts are one, whatever their number.
    #[must_use]
    pub fn of(&self, failure: Failure) -> u64 {
        self.0.get(failure.index()).copied().unwrap_or_default()
    }

    /// How many there were of each, by [`Failure::name`].
    pub fn by_name(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = (0..).map_while(|index| Failure::at(index, 0)).map(Failure::name);
        names.zip(self.0)
    }

    pub(crate) fn new(counts: [u64; Failure::COUNT]) -> Self {
        Self(counts)
    }
}

/// One number for a standing, so that one thread can write it while others read; 0 is none.
pub(crate) fn packed(standing: Option<Standing>) -> u64 {
    let octets = match standing {
        None => [0; 5],
        Some(Standing::Waiting) => [1, 0, 0, 0, 0],
        Some(Standing::Handshaking) => [2, 0, 0, 0, 0],
        Some(Standing::Keyed(Agreed { suite, version, cipher })) => {
            let suite = Suite::ALL.iter().position(|known| *known == suite).unwrap_or_default();
            let [high, low] = cipher.0.to_be_bytes();
            [3, u8::try_from(suite).unwrap_or_default(), version.minor(), high, low]
        }
        Some(Standing::Failed(failure)) => {
            let alert = if let Failure::Alert(number) = failure { number } else { 0 };
            [4, u8::try_from(failure.index()).unwrap_or_default(), alert, 0, 0]
        }
        Some(Standing::Closed) => [5, 0, 0, 0, 0],
    };
    let [a, b, c, d, e] = octets;
    u64::from_be_bytes([0, 0, 0, a, b, c, d, e])
}

/// What [`packed`] has made a number of.
pub(crate) fn unpacked(number: u64) -> Option<Standing> {
    let [_, _, _, state, b, c, d, e] = number.to_be_bytes();
    Some(match state {
        1 => Standing::Waiting,
        2 => Standing::Handshaking,
        3 => {
            let suite = *Suite::ALL.get(usize::from(b))?;
            let version = [Version::V1_2, Version::V1_3].into_iter().find(|known| known.minor() == c)?;
            Standing::Keyed(Agreed { suite, version, cipher: Cipher(u16::from_be_bytes([d, e])) })
        }
        4 => Standing::Failed(Failure::at(b, c)?),
        5 => Standing::Closed,
        _ => return None,
    })
}
