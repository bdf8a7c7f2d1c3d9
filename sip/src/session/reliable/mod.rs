//! Reliable provisional responses (RFC 3262). Each early dialog has a numbering space of its own, for it is another user
//! agent to the one that hears it.

mod heard;
mod sending;
mod uac;
mod uas;

pub(crate) use heard::Heard;
pub(crate) use sending::Sending;

use crate::received::Received;
use crate::settings::Listener;
use sip_types::Headers;
use sip_types::header::{RSeq, Require, Supported};

/// The option tag (RFC 3262 §8.1).
pub const OPTION: &str = "100rel";

/// What an INVITE of the peer says of reliable provisional responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliability {
    /// Nothing, or we take no part.
    None,
    /// They may be reliable.
    Supported,
    /// Each but 100 has to be.
    Required,
}

impl Reliability {
    /// What that INVITE says, on that listener.
    pub(crate) fn of(listener: &Listener, request: &Received) -> Self {
        let headers = request.headers();
        let supports = |tags: Vec<Supported>| tags.iter().any(|tag| tag.is(OPTION));
        match listener.reliable {
            true if requires(headers) => Self::Required,
            true if headers.list().is_ok_and(supports) => Self::Supported,
            _ => Self::None,
        }
    }
}

fn requires(headers: &Headers) -> bool {
    headers.list::<Require>().is_ok_and(|tags| tags.iter().any(|tag| tag.is(OPTION)))
}

/// The number of a provisional response, where it is reliable (RFC 3262 §4).
fn number(headers: &Headers) -> Option<u32> {
    headers.get::<RSeq>().ok().flatten().filter(|_| requires(headers)).map(|rseq| rseq.0)
}
