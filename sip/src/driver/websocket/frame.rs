//! Frames, from a client and to it (RFC 6455 §5).

use bytes::{BufMut, Bytes, BytesMut};

/// The longest payload of a control frame (§5.5).
const CONTROL_MAX: usize = 125;
/// The longest header: two bytes, eight of length, four of mask.
const HEADER_MAX: usize = 14;

/// What a frame is (§5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong]
            .into_iter()
            .find(|opcode| *opcode as u8 == bits)
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Why frames cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// They break the protocol.
    Protocol,
    /// A text is not UTF-8.
    Encoding,
    /// A message is too long.
    TooLong,
}

impl Fault {
    /// The status code that says so (§7.4.1).
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::Encoding => 1007,
            Self::TooLong => 1009,
        }
    }
}

/// What frames make.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    Message(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    /// With the status code that the peer gave.
    Close(Option<u16>),
}

/// The header of a frame.
#[derive(Clone, Copy, Debug)]
struct Header {
    last: bool,
    opcode: Opcode,
    length: usize,
    mask: [u8; 4],
}

/// What of the frames makes no whole message yet.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// A header in parts.
    begun: Vec<u8>,
    /// The frame at hand, and how much of its payload has come.
    frame: Option<(Header, usize)>,
    /// The payload of a control frame, which may come between the frames of a message (§5.4).
    control: Vec<u8>,
    /// The message so far, and whether it is text.
    message: Vec<u8>,
    text: Option<bool>,
}

impl Decoder {
    /// Whether a frame or message has begun and not ended.
    pub(super) fn is_partial(&self) -> bool {
        !self.begun.is_empty() || self.frame.is_some() || self.text.is_some()
    }

    /// Takes from `bytes` up to the end of the next item; `None` if more is needed.
    pub(super) fn decode(&mut self, bytes: &mut &[u8], longest: usize) -> Result<Option<Item>, Fault> {
        loop {
            let (header, came) = match self.frame {
                Some(frame) => frame,
                None => match self.header(bytes, longest)? {
                    Some(header) => (header, 0),
                    None => return Ok(None),
                },
            };
            let want = header.length - came;
            let (payload, rest) = bytes.split_at_checked(want).unwrap_or((bytes, &[]));
            let into = if header.opcode.is_control() { &mut self.control } else { &mut self.message };
            let mask = header.mask.iter().cycle().skip(came % 4);
            into.extend(payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
            *bytes = rest;
            if payload.len() < want {
                self.frame = Some((header, came + payload.len()));
                return Ok(None);
            }
            self.frame = None;
            if let Some(item) = self.end(header)? {
                return Ok(Some(item));
            }
        }
    }

    /// A whole frame is there.
    fn end(&mut self, header: Header) -> Result<Option<Item>, Fault> {
        match header.opcode {
            Opcode::Ping => Ok(Some(Item::Ping(std::mem::take(&mut self.control)))),
            Opcode::Pong => {
                self.control = Vec::new();
                Ok(Some(Item::Pong))
            }
            Opcode::Close => close_code(&std::mem::take(&mut self.control)).map(|c| Some(Item::Close(c))),
            Opcode::Continuation | Opcode::Text | Opcode::Binary if !header.last => Ok(None),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                let message = std::mem::take(&mut self.message);
                match self.text.take() {
                    Some(true) if std::str::from_utf8(&message).is_err() => Err(Fault::Encoding),
                    _ => Ok(Some(Item::Message(message))),
                }
            }
        }
    }

    /// The next header, if all of it has come.
    fn header(&mut self, bytes: &mut &[u8], longest: usize) -> Result<Option<Header>, Fault> {
        loop {
            if let Some(header) = parse(&self.begun)? {
                self.begun.clear();
                self.admit(header, longest)?;
                return Ok(Some(header));
            }
            let Some((byte, rest)) = bytes.split_first().filter(|_| self.begun.len() < HEADER_MAX) else {
                return Ok(None);
            };
            self.begun.push(*byte);
            *bytes = rest;
        }
    }

    /// Whether a frame may come now, and be that long.
    fn admit(&mut self, header: Header, longest: usize) -> Result<(), Fault> {
        if header.opcode.is_control() {
            let whole = header.last && header.length <= CONTROL_MAX;
            return if whole { Ok(()) } else { Err(Fault::Protocol) };
        }
        match (header.opcode, self.text) {
            (Opcode::Continuation, None) | (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(Fault::Protocol);
            }
            (Opcode::Continuation, Some(_)) => {}
            (opcode, _) => self.text = Some(opcode == Opcode::Text),
        }
        if self.message.len().saturating_add(header.length) > longest {
            return Err(Fault::TooLong);
        }
        Ok(())
    }
}

/// Reads a header from exactly its bytes; `None` while some are missing.
fn parse(bytes: &[u8]) -> Result<Option<Header>, Fault> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let opcode = Opcode::of(first & 0x0f).filter(|_| first & 0x70 == 0).ok_or(Fault::Protocol)?;
    if second & 0x80 == 0 {
        // A client masks what it sends (§5.1).
        return Err(Fault::Protocol);
    }
    let (length, rest) = match (second & 0x7f, rest) {
        (126, [a, b, rest @ ..]) => (u64::from(u16::from_be_bytes([*a, *b])), rest),
        (127, rest) => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        (126, _) => return Ok(None),
        (short, rest) => (u64::from(short), rest),
    };
    // In as few bytes as possible (§5.2).
    let shortest = match second & 0x7f {
        126 => length > 125,
        127 => length > 0xffff && length >> 63 == 0,
        _ => true,
    };
    if !shortest {
        return Err(Fault::Protocol);
    }
    let Some((mask, _)) = rest.split_first_chunk() else { return Ok(None) };
    let length = usize::try_from(length).map_err(|_| Fault::TooLong)?;
    Ok(Some(Header { last: first & 0x80 != 0, opcode, length, mask: *mask }))
}

/// The status code of a Close frame, which may be left out (§5.5.1, §7.4).
fn close_code(payload: &[u8]) -> Result<Option<u16>, Fault> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(Fault::Protocol),
        [a, b, reason @ ..] => (u16::from_be_bytes([*a, *b]), reason),
    };
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Fault::Protocol);
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(Fault::Encoding);
    }
    Ok(Some(code))
}

/// The header of a whole message of ours, which is not masked (§5.1).
pub(super) fn header(opcode: Opcode, length: usize) -> Bytes {
    let mut out = BytesMut::with_capacity(HEADER_MAX);
    out.put_u8(0x80 | opcode as u8);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => out.put_u8(short),
        (_, Ok(medium)) => {
            out.put_u8(126);
            out.put_u16(medium);
        }
        (_, Err(_)) => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
    out.freeze()
}

/// A whole frame of ours.
pub(super) fn whole(opcode: Opcode, payload: &[u8]) -> Bytes {
    [&header(opcode, payload.len())[..], payload].concat().into()
}

/// A Close frame of ours.
pub(super) fn close(code: Option<u16>) -> Bytes {
    match code {
        Some(code) => whole(Opcode::Close, &code.to_be_bytes()),
        None => whole(Opcode::Close, &[]),
    }
}
