//! The framing of connections for the fuzz targets, which cannot reach it otherwise.

use super::framer::Framer;
use super::websocket::{Rules, WebSocket};
use bytes::Bytes;
use sip_types::Limits;
use std::sync::Arc;

/// The messages of a TCP connection whose bytes come in these pieces, and whether it could be followed to its end.
pub fn tcp<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Bytes>, bool) {
    let (mut framer, limits, mut messages) = (Framer::default(), Limits::default(), Vec::new());
    for piece in pieces {
        if framer.feed(piece, &limits, &mut messages).is_err() {
            return (messages, false);
        }
    }
    (messages, true)
}

/// The messages of a WebSocket whose bytes, after the handshake, come in these pieces, and whether it is still open.
pub fn websocket<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Bytes>, bool) {
    let longest = Limits::default().message;
    let mut socket = WebSocket::new(Arc::new(Rules { path: "/".into(), origins: None, longest }));
    let (mut messages, mut answers) = (Vec::new(), Vec::new());
    let handshake = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
    let _ = socket.feed(handshake, longest, &mut messages, &mut answers);
    for piece in pieces {
        if socket.feed(piece, longest, &mut messages, &mut answers).close.is_some() {
            return (messages, false);
        }
    }
    (messages, socket.is_open())
}
