//! How the targets of a next hop were found, and what became of each: for people who ask why a call went where it went.

use super::health::Trouble;
use super::records::{Answer, Naptr, Question, RecordKind, Records, Srv};
use super::target::Target;
use crate::flow::Transport;
use sip_types::StatusCode;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How the targets of a host name were found (RFC 3263).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The name.
    pub name: Box<str>,
    /// What was asked, in order: NAPTR, SRV, addresses, as far as it went.
    pub questions: Vec<Told>,
    /// What is not known of it, and not asked while somebody only looks.
    pub open: Vec<Question>,
    /// What that led to, in order.
    pub targets: Vec<Tried>,
}

/// A question and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The question.
    pub question: Question,
    /// The answer.
    pub holds: Holding,
}

/// An answer as it holds at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The answer.
    pub answer: Arc<Answer>,
    /// Where it comes from.
    pub source: Source,
    /// How much longer it is used.
    pub left: Duration,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A name server has just said so.
    Told,
    /// It was told earlier, and its time is not over.
    Remembered,
    /// Its time is over, and no name server says anything better (RFC 8767 §4).
    Outdated,
}

/// A target and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Its transport.
    pub transport: Transport,
    /// Its address.
    pub address: SocketAddr,
    /// What became of it.
    pub fate: Fate,
}

/// What becomes of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was not needed so far.
    Waiting,
    /// No listener of the network leads there.
    NoListener,
    /// It was known to be down, and passed over while there are others.
    Skipped(Trouble),
    /// The request goes there.
    Tried,
    /// Another address of its host took the connection first (RFC 8305 §5).
    Slower,
    /// It has asked for fewer requests (RFC 7339 §5.5).
    Withheld,
    /// It was tried, and failed.
    Failed(Trouble),
    /// It has responded; the last status.
    Answered(StatusCode),
}

impl Found {
    /// What a look-up has led to, as each is judged before any is tried.
    pub(crate) fn lead_to(&mut self, targets: &[Target], fates: &[Fate]) {
        let tried = targets.iter().zip(fates).map(|(target, fate)| Tried {
            transport: target.transport,
            address: target.address,
            fate: *fate,
        });
        self.targets = tried.collect();
    }

    /// Something becomes of a target.
    pub(crate) fn note(&mut self, transport: Transport, address: SocketAddr, fate: Fate) {
        let meant = |tried: &&mut Tried| tried.transport == transport && tried.address == address;
        if let Some(tried) = self.targets.iter_mut().find(meant) {
            tried.fate = fate;
        }
    }
}

impl RecordKind {
    /// The mnemonic of the type (RFC 1035 §3.2.2).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Naptr => "NAPTR",
            Self::Srv => "SRV",
            Self::A => "A",
            Self::Aaaa => "AAAA",
        }
    }
}

impl Answer {
    /// Each record as a zone file writes what is behind its type.
    #[must_use]
    pub fn records(&self) -> Vec<String> {
        match self {
            Self::Found { records: Records::Naptr(all), .. } => all.iter().map(Naptr::to_string).collect(),
            Self::Found { records: Records::Srv(all), .. } => all.iter().map(Srv::to_string).collect(),
            Self::Found { records: Records::Address(all), .. } => {
                all.iter().map(|ip| ip.to_string()).collect()
            }
            Self::Absent { .. } | Self::Refused | Self::Silent => Vec::new(),
        }
    }
}

impl fmt::Display for Naptr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { order, preference, flags, service, replacement } = self;
        let replacement = replacement.trim_end_matches('.');
        write!(f, "{order} {preference} \"{flags}\" \"{service}\" \"\" {replacement}.")
    }
}

impl fmt::Display for Srv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { priority, weight, port, target } = self;
        write!(f, "{priority} {weight} {port} {}.", target.trim_end_matches('.'))
    }
}

/// One line: `SRV _sip._udp.a.example: 10 60 5060 b.example. (told, for 60 s)`.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.question.kind.name(), self.question.name)?;
        let Holding { answer, source, left } = &self.holds;
        match **answer {
            Answer::Found { .. } => f.write_str(&answer.records().join(", "))?,
            Answer::Absent { .. } => f.write_str("none")?,
            Answer::Refused => return f.write_str("refused"),
            Answer::Silent => return f.write_str("no answer"),
        }
        let source = match source {
            Source::Told => "told",
            Source::Remembered => "remembered",
            Source::Outdated => "outdated",
        };
        write!(f, " ({source}, for {} s)", left.as_secs())
    }
}

/// One line: `udp 192.0.2.1:5060: silent`.
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.transport.name(), self.address)?;
        match self.fate {
            Fate::Waiting => f.write_str("not needed"),
            Fate::NoListener => f.write_str("no listener leads there"),
            Fate::Skipped(trouble) => write!(f, "passed over, as it was {}", trouble.as_str()),
            Fate::Tried => f.write_str("tried"),
            Fate::Slower => f.write_str("slower than another address of its host"),
            Fate::Withheld => f.write_str("has asked for fewer requests"),
            Fate::Failed(trouble) => f.write_str(trouble.as_str()),
            Fate::Answered(status) => write!(f, "answered {}", status.as_u16()),
        }
    }
}

impl Trouble {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::OutOfReach => "out of reach",
            Self::Unavailable => "unavailable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_reads_as_name_servers_and_targets_said() {
        let told = |kind, name: &str, answer, source| {
            let holds = Holding { answer: Arc::new(answer), source, left: Duration::from_millis(59_500) };
            Told { question: Question::new(kind, name), holds }.to_string()
        };
        let ttl = Duration::from_secs(60);
        let naptr = Naptr {
            order: 10,
            preference: 50,
            flags: "s".into(),
            service: "SIP+D2U".into(),
            replacement: "_sip._udp.a.example".into(),
        };
        let srv = |target: &str| Srv { priority: 10, weight: 60, port: 5060, target: target.into() };
        let lines = [
            told(
                RecordKind::Naptr,
                "A.example",
                Answer::Found { records: Records::Naptr(vec![naptr]), ttl },
                Source::Told,
            ),
            told(
                RecordKind::Srv,
                "_sip._udp.a.example",
                Answer::Found { records: Records::Srv(vec![srv("b.example"), srv("c.example.")]), ttl },
                Source::Remembered,
            ),
            told(RecordKind::Aaaa, "b.example", Answer::Absent { ttl }, Source::Outdated),
            told(RecordKind::A, "b.example", Answer::Refused, Source::Told),
            told(RecordKind::A, "c.example", Answer::Silent, Source::Told),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        NAPTR a.example: 10 50 "s" "SIP+D2U" "" _sip._udp.a.example. (told, for 59 s)
        SRV _sip._udp.a.example: 10 60 5060 b.example., 10 60 5060 c.example. (remembered, for 59 s)
        AAAA b.example: none (outdated, for 59 s)
        A b.example: refused
        A c.example: no answer
        "#);
    }

    #[test]
    fn a_target_reads_as_it_fared() {
        let address = "192.0.2.1:5060".parse().unwrap();
        let read = |fate| Tried { transport: Transport::Udp, address, fate }.to_string();
        assert_eq!(read(Fate::Answered(StatusCode::RINGING)), "udp 192.0.2.1:5060: answered 180");
        assert_eq!(
            read(Fate::Skipped(Trouble::OutOfReach)),
            "udp 192.0.2.1:5060: passed over, as it was out of reach"
        );
    }
}
