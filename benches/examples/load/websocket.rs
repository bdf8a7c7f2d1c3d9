//! As much of RFC 6455 as a client of SIP (RFC 7118) needs.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stream::Bytes;

/// Asks for the sub-protocol `sip`, and reads that it is there.
pub(crate) async fn greet(bytes: &mut Box<dyn Bytes>, server: SocketAddr) -> io::Result<()> {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    bytes.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // Nothing comes after it until we have sent something.
    while !answer.ends_with(b"\r\n\r\n") {
        if bytes.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    match answer.starts_with(b"HTTP/1.1 101") {
        true => Ok(()),
        false => Err(io::Error::other(String::from_utf8_lossy(&answer).into_owned())),
    }
}

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A message as one text frame, masked, as a client has to (RFC 6455 §5.3).
pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).expect("a message of ours");
    let mut frame = vec![0x81];
    match u8::try_from(length) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(message.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Where the payload of the first frame begins and ends, if it is whole.
pub(crate) fn payload(buffer: &[u8]) -> Option<(usize, usize)> {
    let short = usize::from(buffer.get(1)? & 0x7f);
    let (start, length) = match short {
        126 => (4, usize::from(u16::from_be_bytes([*buffer.get(2)?, *buffer.get(3)?]))),
        127 => panic!("an answer of more than 64 KiB"),
        _ => (2, short),
    };
    Some((start, start + length)).filter(|(_, end)| *end <= buffer.len())
}
