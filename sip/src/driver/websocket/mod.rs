//! SIP in WebSocket messages, the server's side (RFC 6455, RFC 7118), without I/O.

mod frame;
mod handshake;
#[cfg(test)]
mod tests;

pub use handshake::Rules;

use bytes::Bytes;
use frame::{Decoder, Item, Opcode};
use handshake::Upgrade;
use std::sync::Arc;

/// Why a WebSocket connection ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// The request to upgrade was refused; the answer says why.
    Refused,
    /// The peer closed it; the answer is a Close frame.
    Left,
    /// The peer broke the protocol; the answer is a Close frame.
    Fault,
}

/// What bytes have brought.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// The connection ends once the answers are written.
    pub(crate) close: Option<Close>,
    /// The handshake came to its end.
    pub(crate) opened: bool,
    /// A ping of either kind was answered (RFC 6455 §5.5.2, RFC 5626 §3.5.1).
    pub(crate) pinged: bool,
    /// A pong came; on a WebSocket none is waited for.
    pub(crate) ponged: bool,
}

/// How far a connection has come.
enum State {
    /// The request to upgrade is not complete.
    Shaking(Vec<u8>),
    Open(Decoder),
    /// A Close frame is sent; what comes is dropped (RFC 6455 §1.4).
    Closed,
}

/// One connection.
pub(crate) struct WebSocket {
    state: State,
    rules: Arc<Rules>,
}

impl WebSocket {
    /// A connection that nothing has come on.
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self { state: State::Shaking(Vec::new()), rules }
    }

    /// Takes bytes as they come. The SIP messages that they complete are appended to `messages`, what is to be
    /// written in answer to `answers`. `longest` is that of a message, in bytes.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        longest: usize,
        messages: &mut Vec<Bytes>,
        answers: &mut impl Extend<Bytes>,
    ) -> Fed {
        let State::Shaking(buffer) = &mut self.state else {
            return self.decode(bytes, longest, messages, answers);
        };
        buffer.extend_from_slice(bytes);
        match handshake::read(buffer, &self.rules) {
            Upgrade::Incomplete => Fed::default(),
            Upgrade::Refused(answer) => {
                answers.extend([answer]);
                self.state = State::Closed;
                Fed { close: Some(Close::Refused), ..Fed::default() }
            }
            Upgrade::Accepted { answer, used } => {
                answers.extend([answer]);
                let rest = buffer.split_off(used);
                self.state = State::Open(Decoder::default());
                Fed { opened: true, ..self.decode(&rest, longest, messages, answers) }
            }
        }
    }

    /// Whether the handshake is over.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_partial(&self) -> bool {
        matches!(&self.state, State::Open(decoder) if decoder.is_partial())
    }

    fn decode(
        &mut self,
        bytes: &[u8],
        longest: usize,
        messages: &mut Vec<Bytes>,
        answers: &mut impl Extend<Bytes>,
    ) -> Fed {
        let mut fed = Fed::default();
        let mut rest = bytes;
        while let State::Open(decoder) = &mut self.state {
            match decoder.decode(&mut rest, longest) {
                Ok(None) => break,
                Ok(Some(Item::Message(message))) => take(message, messages, answers, &mut fed),
                Ok(Some(Item::Ping(payload))) if !fed.pinged => {
                    // However many came at once, one answer shows that we live; the last one is enough (§5.5.3).
                    fed.pinged = true;
                    answers.extend([frame::whole(Opcode::Pong, &payload)]);
                }
                Ok(Some(Item::Ping(_) | Item::Pong)) => {}
                Ok(Some(Item::Close(code))) => {
                    self.close(Close::Left, frame::close(code), answers, &mut fed);
                }
                Err(fault) => {
                    self.close(Close::Fault, frame::close(Some(fault.code())), answers, &mut fed);
                }
            }
        }
        fed
    }

    fn close(&mut self, why: Close, answer: Bytes, answers: &mut impl Extend<Bytes>, fed: &mut Fed) {
        answers.extend([answer]);
        self.state = State::Closed;
        fed.close = Some(why);
    }
}

/// One WebSocket message: a SIP message, or a keep-alive (RFC 5626 §3.5.1).
fn take(message: Vec<u8>, messages: &mut Vec<Bytes>, answers: &mut impl Extend<Bytes>, fed: &mut Fed) {
    match message.as_slice() {
        [] | b"\r\n" => {}
        b"\r\n\r\n" => {
            fed.pinged = true;
            answers.extend([frame::whole(Opcode::Text, b"\r\n")]);
        }
        _ => messages.push(message.into()),
    }
}

/// What stands before a message of ours: text where it is UTF-8, else binary (RFC 7118 §4.2).
pub(crate) fn header(message: &[u8]) -> Bytes {
    let opcode = if std::str::from_utf8(message).is_ok() { Opcode::Text } else { Opcode::Binary };
    frame::header(opcode, message.len())
}
