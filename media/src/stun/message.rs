//! The format of STUN messages (RFC 8489 §5, §14).

use super::{COOKIE, HEADER};

/// Whether a datagram on a media port is STUN: by its first byte (RFC 7983 §7), and since that alone is not enough on ports
/// where other protocols than RTP are spoken, by cookie and length too (RFC 8489 §6.3).
#[must_use]
pub(crate) fn is_stun(datagram: &[u8]) -> bool {
    header(datagram).is_some()
}

/// The type and the transaction ID.
pub(crate) fn header(datagram: &[u8]) -> Option<(u16, &[u8; 12])> {
    let (head, attributes) = datagram.split_first_chunk::<HEADER>()?;
    let ([k0, k1, l0, l1], rest) = head.split_first_chunk::<4>()?;
    let (cookie, id) = rest.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([*l0, *l1]));
    let right = *k0 < 4 && *cookie == COOKIE && length == attributes.len() && length.is_multiple_of(4);
    Some((u16::from_be_bytes([*k0, *k1]), id.first_chunk()?)).filter(|_| right)
}

/// The attributes of a message whose header is right: type, value, and where the attribute begins. The last is `Err` when
/// they do not fill the message.
pub(crate) struct Attributes<'a> {
    datagram: &'a [u8],
    at: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl<'a> Attributes<'a> {
    pub(crate) fn of(datagram: &'a [u8]) -> Self {
        Self { datagram, at: HEADER }
    }

    fn read(&self) -> Option<(u16, &'a [u8], usize)> {
        let rest = self.datagram.get(self.at..)?;
        let ([k0, k1, l0, l1], rest) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        // Padding is in the message too, whatever its value (RFC 8489 §14).
        rest.get(..length.next_multiple_of(4))?;
        Some((u16::from_be_bytes([*k0, *k1]), rest.get(..length)?, self.at))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8], usize), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.datagram.len() {
            return None;
        }
        match self.read() {
            Some((kind, value, at)) => {
                self.at = at + 4 + value.len().next_multiple_of(4);
                Some(Ok((kind, value, at)))
            }
            None => {
                self.at = self.datagram.len();
                Some(Err(Broken))
            }
        }
    }
}
