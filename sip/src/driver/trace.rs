//! A line of the log for each message that comes or goes: where, and its start line. Never the message: it holds secrets.

use super::sockets::Bind;
use crate::flow::ListenerId;
use std::net::SocketAddr;

/// Start lines are cut to that many bytes.
const LONGEST: usize = 256;

/// Which way a message goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    In,
    Out,
}

/// Logs a message at the level trace; costs a comparison where that is off.
pub(super) fn message(
    direction: Direction,
    listeners: &[Bind],
    listener: ListenerId,
    peer: SocketAddr,
    bytes: &[u8],
) {
    if tracing::enabled!(tracing::Level::TRACE) {
        write(direction, listeners.get(usize::from(listener.0)), peer, bytes);
    }
}

#[cold]
fn write(direction: Direction, listener: Option<&Bind>, peer: SocketAddr, bytes: &[u8]) {
    let Some(listener) = listener else { return };
    let direction = match direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    let (transport, local) = (listener.transport.uri_param(), listener.address);
    let start_line = start_line(bytes);
    tracing::trace!(direction, transport, %local, %peer, start_line, bytes = bytes.len(), "message");
}

/// The first line, so that it is one line of the log, too.
fn start_line(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let line = bytes.get(..end.min(LONGEST)).unwrap_or_default();
    String::from_utf8_lossy(line).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_message_the_first_line_is_logged_without_what_would_end_it() {
        assert_eq!(start_line(b"BYE sip:a@b SIP/2.0\r\nAuthorization: x\r\n\r\n"), "BYE sip:a@b SIP/2.0");
        assert_eq!(start_line(b"\x1b[31mno\xff"), "\u{fffd}[31mno\u{fffd}");
        assert_eq!(start_line(&[b'a'; 1000]).len(), LONGEST);
    }
}
