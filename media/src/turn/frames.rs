//! Messages on a connection (RFC 8656 §12.5, RFC 8489 §6.2.2).

/// The longest message: the head of ChannelData with the most data it can have, padded; one of STUN is as long.
const LONGEST: usize = 65_556;

/// What comes on a connection, cut into messages. It holds one message at most.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
}

/// What came is neither STUN nor ChannelData, and where the next message begins cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither STUN nor ChannelData")]
pub struct Unframed;

impl Frames {
    /// Takes what came, and hands on each message that is whole.
    ///
    /// # Errors
    /// The connection has to be closed.
    pub fn receive(&mut self, mut came: &[u8], mut message: impl FnMut(&[u8])) -> Result<(), Unframed> {
        while !came.is_empty() {
            let wanted = length(&self.bytes)?.unwrap_or(4).saturating_sub(self.bytes.len());
            if self.bytes.is_empty()
                && let Some(whole) = length(came)?.and_then(|length| came.split_at_checked(length))
            {
                // Nothing is copied where a message came in one piece.
                message(whole.0);
                came = whole.1;
                continue;
            }
            let (part, rest) = came.split_at(wanted.min(came.len()));
            self.bytes.extend_from_slice(part);
            came = rest;
            if length(&self.bytes)? == Some(self.bytes.len()) {
                message(&self.bytes);
                self.bytes.clear();
                self.bytes.shrink_to(4_096);
            }
        }
        Ok(())
    }

    /// Whether a message has begun and is not whole.
    #[must_use]
    pub fn is_within(&self) -> bool {
        !self.bytes.is_empty()
    }
}

/// The length of the message that begins so; `None` while that is not known.
fn length(bytes: &[u8]) -> Result<Option<usize>, Unframed> {
    let before = match bytes.first() {
        None => return Ok(None),
        Some(0..=3) => 20,
        // A number that is reserved is no channel's; its message is as long as any (RFC 8656 §12.6).
        Some(0x40..=0x7f) => 4,
        Some(_) => return Err(Unframed),
    };
    let Some([_, _, l0, l1]) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = before + usize::from(u16::from_be_bytes([*l0, *l1]));
    // Attributes fill words already; ChannelData is padded (RFC 8656 §12.5).
    let length = if before == 4 { length.next_multiple_of(4) } else { length };
    if length <= LONGEST { Ok(Some(length)) } else { Err(Unframed) }
}
