//! Questions to name servers, and their answers.

use std::net::IpAddr;
use std::time::Duration;

/// Names a pending [`Query`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub(crate) u64);

/// A question to the name servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Comes back in `handle_resolved`.
    pub id: QueryId,
    /// What is asked.
    pub question: Question,
}

/// What is asked of a name server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// The type of records.
    pub kind: RecordKind,
    /// The owner name, in lower case and without a dot at its end.
    pub name: Box<str>,
}

/// A type of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// Services of a domain (RFC 3403).
    Naptr,
    /// Hosts of a service (RFC 2782).
    Srv,
    /// IPv4 addresses of a host.
    A,
    /// IPv6 addresses of a host (RFC 3596).
    Aaaa,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There are such records.
    Found {
        /// The records, in the order of the name server.
        records: Records,
        /// How long they may be used.
        ttl: Duration,
    },
    /// There is no such name, or it has no such records.
    Absent {
        /// How long that may be believed (RFC 2308 §5).
        ttl: Duration,
    },
    /// A name server answered with an error, or a limit of ours refused the question.
    Refused,
    /// No name server answered in time.
    Silent,
}

/// Records of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// NAPTR.
    Naptr(Vec<Naptr>),
    /// SRV.
    Srv(Vec<Srv>),
    /// A or AAAA.
    Address(Vec<IpAddr>),
}

/// One NAPTR record (RFC 3403 §4.1). One that rewrites by regular expression is none of SIP's (RFC 3263 §4.1) and is
/// left out by the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Records of a lower order come first; those of a higher one are not looked at once one fits.
    pub order: u16,
    /// Among equal orders the lower preference comes first.
    pub preference: u16,
    /// What the replacement is: `s` for the owner name of SRV records.
    pub flags: Box<str>,
    /// The service, `SIP+D2U` and the like.
    pub service: Box<str>,
    /// The name to go on with.
    pub replacement: Box<str>,
}

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower ones come first.
    pub priority: u16,
    /// The share of requests among equal priorities.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host; empty for the root, which says that the service is not there.
    pub target: Box<str>,
}

impl Question {
    /// A question about a name as a message or record has it.
    pub fn new(kind: RecordKind, name: &str) -> Self {
        let name = name.strip_suffix('.').unwrap_or(name);
        Self { kind, name: name.to_ascii_lowercase().into_boxed_str() }
    }
}

impl Answer {
    /// Whether a name server said something about the name, be it that there is none.
    pub(crate) fn is_told(&self) -> bool {
        matches!(self, Self::Found { .. } | Self::Absent { .. })
    }

    /// The NAPTR records, if those were found.
    pub(crate) fn naptr(&self) -> &[Naptr] {
        match self {
            Self::Found { records: Records::Naptr(records), .. } => records,
            _ => &[],
        }
    }

    /// The SRV records, if those were found.
    pub(crate) fn srv(&self) -> &[Srv] {
        match self {
            Self::Found { records: Records::Srv(records), .. } => records,
            _ => &[],
        }
    }

    /// The addresses, if those were found.
    pub(crate) fn addresses(&self) -> &[IpAddr] {
        match self {
            Self::Found { records: Records::Address(addresses), .. } => addresses,
            _ => &[],
        }
    }
}
