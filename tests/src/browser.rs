//! The client's side of a WebSocket (RFC 6455), as a browser has it: the request to upgrade, masked frames, and what comes back.

/// What a browser asks with.
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: sbc.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// One connection of a browser.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    asked: bool,
    upgraded: bool,
    /// What has come and is not understood yet.
    came: Vec<u8>,
    /// Messages that have come.
    messages: Vec<u8>,
    /// A Close frame has come.
    pub(crate) closed: bool,
}

impl Browser {
    /// The request to upgrade, once.
    pub(crate) fn ask(&mut self) -> Option<&'static [u8]> {
        (!std::mem::replace(&mut self.asked, true)).then_some(REQUEST.as_bytes())
    }

    /// Whether messages can travel.
    pub(crate) fn is_open(&self) -> bool {
        self.upgraded
    }

    /// A message as one masked frame.
    pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x81];
        match u16::try_from(message.len()).unwrap() {
            short @ ..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                frame.push(0x80 | 126);
                frame.extend(long.to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(message.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// Takes bytes as they come.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.came.extend(bytes);
        if !self.upgraded {
            let Some(end) = self.came.windows(4).position(|four| four == b"\r\n\r\n") else { return };
            let answer: Vec<u8> = self.came.drain(..end + 4).collect();
            assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
            self.upgraded = true;
        }
        while let Some((first, from, to)) = self.next_frame() {
            match first & 0x0f {
                1 | 2 => self.messages.extend(&self.came[from..to]),
                8 => self.closed = true,
                _ => {}
            }
            self.came.drain(..to);
        }
    }

    /// The first byte of the next whole frame, and where its payload is. A server masks nothing, and Liaison parts nothing.
    fn next_frame(&self) -> Option<(u8, usize, usize)> {
        let (first, length) = (*self.came.first()?, usize::from(*self.came.get(1)?));
        assert!(first & 0x80 != 0 && length < 127, "a whole frame without mask, of no more than 64 KiB");
        let (from, length) = match length {
            126 => (4, usize::from(u16::from_be_bytes([*self.came.get(2)?, *self.came.get(3)?]))),
            short => (2, short),
        };
        (self.came.len() >= from + length).then_some((first, from, from + length))
    }

    /// Messages that have come, as far as there is room for them.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> usize {
        let read = self.messages.len().min(into.len());
        into[..read].copy_from_slice(&self.messages[..read]);
        self.messages.drain(..read);
        read
    }
}
