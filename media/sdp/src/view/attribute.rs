//! `a=` and `b=` (RFC 8866 §5.13, §6, §5.8).

use std::time::Duration;

use super::{Connection, media_line::cut};

/// `a=<name>` or `a=<name>:<value>` (RFC 8866 §5.13). Names are compared by case (RFC 8866 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The name before the colon.
    pub name: &'a str,
    /// All bytes after the first colon; `None` for a property attribute.
    pub value: Option<&'a [u8]>,
}

impl<'a> Attribute<'a> {
    /// Reads the value of an `a=` line; `None` when the name is not UTF-8.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (name, value) = match memchr::memchr(b':', value) {
            Some(colon) => (value.get(..colon)?, Some(value.get(colon + 1..)?)),
            None => (value.trim_ascii_end(), None),
        };
        Some(Self { name: std::str::from_utf8(name).ok()?, value })
    }

    /// The value when there is one and it is UTF-8.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        self.value.and_then(|value| std::str::from_utf8(value).ok())
    }
}

/// Which way media flows, seen from whoever wrote the description (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Direction {
    /// Both ways; what holds when nothing is stated (RFC 3264 §5.1).
    #[default]
    SendRecv,
    /// Towards the other side only.
    SendOnly,
    /// From the other side only.
    RecvOnly,
    /// Neither way; RTCP still flows.
    Inactive,
}

impl Direction {
    /// The direction of these two permissions.
    #[must_use]
    pub fn new(send: bool, receive: bool) -> Self {
        match (send, receive) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The direction that the value of an `a=` line states, if it is one.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        // Most attributes begin with another letter.
        if !matches!(value, [b's' | b'r' | b'i', ..]) {
            return None;
        }
        match value.trim_ascii_end() {
            b"sendrecv" => Some(Self::SendRecv),
            b"sendonly" => Some(Self::SendOnly),
            b"recvonly" => Some(Self::RecvOnly),
            b"inactive" => Some(Self::Inactive),
            _ => None,
        }
    }

    /// Whoever wrote it sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whoever wrote it receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same flow seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// `a=rtpmap:<payload type> <encoding>/<clock rate>[/<parameters>]` (RFC 8866 §6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpMap<'a> {
    /// The payload type, 0 to 127.
    pub payload: u8,
    /// The encoding's name; names are compared without case (RFC 4855 §3).
    pub encoding: &'a str,
    /// The RTP clock rate in Hz.
    pub clock_rate: u32,
    /// Encoding parameters: for audio the number of channels.
    pub parameters: Option<&'a str>,
}

impl<'a> RtpMap<'a> {
    /// Reads the attribute's value.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let (payload, map) = cut(value.trim_ascii(), b' ');
        let (encoding, rest) = cut(map?.trim_ascii_start(), b'/');
        let (clock_rate, parameters) = cut(rest?, b'/');
        let encoding = Some(encoding).filter(|name| !name.is_empty())?;
        let payload = payload.parse().ok().filter(|payload| *payload < 128)?;
        Some(Self { payload, encoding, clock_rate: clock_rate.parse().ok()?, parameters })
    }
}

/// `a=fmtp:<format> <parameters>` (RFC 8866 §6.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fmtp<'a> {
    /// A format of the `m=` line.
    pub format: &'a str,
    /// Its parameters, as written.
    pub parameters: &'a str,
}

impl<'a> Fmtp<'a> {
    /// Reads the attribute's value.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let (format, parameters) = value.trim_ascii().split_once(' ')?;
        Some(Self { format, parameters: parameters.trim_ascii_start() })
    }
}

/// `a=rtcp:<port> [<nettype> <addrtype> <address>]` (RFC 3605 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtcpAddress<'a> {
    /// Where RTCP goes.
    pub port: u16,
    /// Its address; that of the media when not stated.
    pub connection: Option<Connection<'a>>,
}

impl<'a> RtcpAddress<'a> {
    /// Reads the attribute's value.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let value = value.trim_ascii();
        let (port, rest) = value.split_once(' ').unwrap_or((value, ""));
        let connection = if rest.trim_ascii().is_empty() { None } else { Some(Connection::parse(rest)?) };
        Some(Self { port: port.parse().ok()?, connection })
    }
}

/// `a=group:<semantics> <mid> …` (RFC 5888 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'a> {
    /// What binds them: `LS`, `FID`, `BUNDLE`…
    pub semantics: &'a str,
    members: &'a str,
}

impl<'a> Group<'a> {
    /// Reads the attribute's value.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let value = value.trim_ascii();
        let (semantics, members) = value.split_once(' ').unwrap_or((value, ""));
        (!semantics.is_empty()).then_some(Self { semantics, members })
    }

    /// The identification tags of its members.
    #[must_use = "iterators do nothing unless used"]
    pub fn members(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.members.split(' ').filter(|member| !member.is_empty())
    }
}

/// `b=<bwtype>:<bandwidth>` (RFC 8866 §5.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bandwidth<'a> {
    /// `CT`, `AS`, `TIAS`, `RS`, `RR`…
    pub kind: &'a str,
    /// kbit/s for `CT` and `AS`, bit/s for `TIAS` (RFC 3890), `RS` and `RR` (RFC 3556).
    pub value: u64,
}

impl<'a> Bandwidth<'a> {
    /// Reads the value of a `b=` line.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let (kind, value) = value.trim_ascii().split_once(':')?;
        Some(Self { kind, value: value.parse().ok()? })
    }
}

/// The length of time that `ptime` or `maxptime` states (RFC 8866 §6.4, §6.5): milliseconds, fractions allowed.
#[must_use]
pub fn packet_time(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.trim_ascii().split_once('.').unwrap_or((value.trim_ascii(), ""));
    let millis: u32 = whole.parse().ok()?;
    let digits = |byte: &u8| byte.is_ascii_digit();
    if !fraction.bytes().all(|byte| digits(&byte)) {
        return None;
    }
    let nanos = fraction
        .bytes()
        .take(6)
        .fold((0u32, 100_000u32), |(sum, unit), byte| (sum + u32::from(byte - b'0') * unit, unit / 10));
    Some(Duration::from_millis(millis.into()) + Duration::from_nanos(nanos.0.into()))
}
