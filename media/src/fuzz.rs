//! What the fuzz targets cannot reach otherwise.

use crate::ice::{Component, Heard, Responder, Session};
use crate::{Credentials, Secret};

/// Answers a datagram on a port with ICE, whose password nobody knows; true where it was taken for a check of somebody who does,
/// or an answer is longer than it may be.
#[must_use]
pub fn stun(datagram: &[u8]) -> bool {
    let local = Credentials { ufrag: "ours".into(), ..Secret::new([1, 2]).credentials(&[b"fuzz"]) };
    let source = std::net::SocketAddr::from(([192, 0, 2, 1], 4_000));
    let mut session = Session::new(local.ufrag.clone(), "them".into(), true);
    match Responder::new(&local).hear(datagram, source, false, 0) {
        Heard::Check(_) => true,
        Heard::Alive => {
            session.heard(Component::Rtp, source, 0);
            session.destination(Component::Rtp, 0).is_some()
        }
        Heard::Refused(_, refusal) => refusal.is_some_and(|refusal| refusal.as_bytes().len() > 128),
    }
}

/// Gives datagrams to an association, whose peer nobody is; true where somebody is taken for it, or has too many answers.
#[must_use]
pub fn dtls(input: &[u8]) -> bool {
    crate::dtls::fuzzed(input)
}

/// Gives a TURN server whatever comes; true where it serves somebody whom it must not, or somebody whom nobody is to reach.
#[must_use]
pub fn turn(input: &[u8]) -> bool {
    crate::turn::fuzzed(input)
}

/// Gives packets to a coder; true where more is made than there is time for.
#[must_use]
pub fn transcode(input: &[u8]) -> bool {
    crate::transcode::fuzzed(input)
}

/// Gives packets to a translator of DTMF; true where more is said than was heard, or than there is time for.
#[must_use]
pub fn dtmf(input: &[u8]) -> bool {
    crate::dtmf::fuzzed(input)
}

/// Translates compound RTCP there and back, and hides whom it is from; true where it is not what it was, or grows by more than it may.
#[must_use]
pub fn rtcp(input: &[u8]) -> bool {
    crate::rtcp::fuzzed(input)
}

/// Reads a packet of RTP with its header extensions, and gives it to the sections of a bundle; true where something is read that is not in
/// it, or changed that is not to be.
#[must_use]
pub fn rtp(input: &[u8]) -> bool {
    crate::relay::fuzzed(input)
}
