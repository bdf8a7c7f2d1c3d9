//! How messages are told from each other.

use super::super::framer::{Crlf, Framer, Unframed};
use super::super::websocket::{Fed, Rules, WebSocket};
use bytes::Bytes;
use smallvec::SmallVec;
use std::sync::Arc;

/// Asks whether the peer lives (RFC 5626 §4.4.1).
pub(super) const PING: &[u8] = b"\r\n\r\n";
/// The answer to a ping.
const PONG: &[u8] = b"\r\n";

/// What is to be written in answer to bytes that came.
pub(super) type Answers = SmallVec<[Bytes; 2]>;

/// What messages are told from each other by.
pub(super) enum Framing {
    /// By Content-Length (RFC 3261 §18.3).
    Length(Framer),
    /// By WebSocket messages.
    WebSocket(Box<WebSocket>),
}

impl Framing {
    /// By Content-Length, or on a WebSocket that these rules are for.
    pub(super) fn new(websocket: Option<Arc<Rules>>) -> Self {
        match websocket {
            Some(rules) => Self::WebSocket(Box::new(WebSocket::new(rules))),
            None => Self::Length(Framer::default()),
        }
    }

    /// Takes bytes as they come; the messages that they complete are appended to `inbox`.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        limits: &sip_types::Limits,
        inbox: &mut Vec<Bytes>,
        answers: &mut Answers,
    ) -> Result<Fed, Unframed> {
        match self {
            Self::Length(framer) => {
                let Crlf { pinged, ponged } = framer.feed(bytes, limits, inbox)?;
                answers.extend(pinged.then(|| Bytes::from_static(PONG)));
                Ok(Fed { pinged, ponged, ..Fed::default() })
            }
            Self::WebSocket(socket) => Ok(socket.feed(bytes, limits.message, inbox, answers)),
        }
    }

    /// A ping is sent; `false` on a WebSocket, where none is.
    pub(super) fn pings(&mut self) -> bool {
        match self {
            Self::Length(framer) => {
                framer.expect_pong();
                true
            }
            Self::WebSocket(_) => false,
        }
    }

    /// Whether a message has begun and not ended.
    pub(super) fn is_partial(&self) -> bool {
        match self {
            Self::Length(framer) => framer.is_partial(),
            Self::WebSocket(socket) => socket.is_partial(),
        }
    }
}
