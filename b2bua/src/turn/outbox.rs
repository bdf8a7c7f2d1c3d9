//! What waits to be written to a connection.

use bytes::Bytes;
use std::cell::RefCell;
use std::collections::VecDeque;
use tokio::sync::Notify;

/// Bytes that wait.
const BYTES: usize = 65_536;
/// Messages that wait: two seconds of audio.
const MESSAGES: usize = 100;

/// Messages that wait to be written. The oldest data is dropped for which there is no room, as what is late is of no use; answers
/// are not, since nobody asks again on a connection.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: RefCell<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbox {
    /// Adds a message; false where that cost one: an older one, or itself.
    pub(super) fn put(&self, message: &[u8]) -> bool {
        let whole = self.waiting.borrow_mut().put(message);
        self.more.notify_one();
        whole
    }

    /// The next one, once there is any.
    pub(super) async fn next(&self) -> Bytes {
        loop {
            if let Some(message) = self.waiting.borrow_mut().take() {
                return message;
            }
            self.more.notified().await;
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.borrow().messages.is_empty()
    }
}

impl Waiting {
    fn put(&mut self, message: &[u8]) -> bool {
        let mut whole = true;
        while !self.has_room_for(message.len()) {
            whole = false;
            let Some(at) = self.messages.iter().position(|one| is_data(one)) else { return false };
            let dropped = self.messages.remove(at);
            self.bytes -= dropped.map_or(0, |dropped| dropped.len());
        }
        self.bytes += message.len();
        self.messages.push_back(Bytes::copy_from_slice(message));
        whole
    }

    /// The longest message has room where it is alone.
    fn has_room_for(&self, length: usize) -> bool {
        let count = self.messages.len();
        count == 0 || (count < MESSAGES && self.bytes + length <= BYTES)
    }

    fn take(&mut self) -> Option<Bytes> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        Some(message)
    }
}

/// Whether a message is data of a peer: on a channel, or in an indication (RFC 8656 §11.3, §12).
fn is_data(message: &[u8]) -> bool {
    matches!(message, [0x40..=0x7f, ..] | [0x00, 0x17, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(outbox: &Outbox) -> Vec<Bytes> {
        std::iter::from_fn(|| outbox.waiting.borrow_mut().take()).collect()
    }

    #[test]
    fn the_oldest_data_makes_room_and_answers_stay() {
        let outbox = Outbox::default();
        assert!(outbox.put(b"\x01\x03 an answer"));
        for number in 0..99 {
            assert!(outbox.put(&[0x40, 0, 0, number]));
        }
        assert!(!outbox.put(b"\x00\x17 an indication"));
        assert!(!outbox.put(b"\x01\x04 another"));
        let left = all(&outbox);
        assert_eq!(left.len(), MESSAGES);
        assert!(left[0].starts_with(b"\x01\x03") && left[1][..] == [0x40, 0, 0, 2]);
        assert!(left[98].starts_with(b"\x00\x17") && left[99].starts_with(b"\x01\x04"));
        assert!(outbox.is_empty() && outbox.put(b"\x40"));
    }

    #[test]
    fn so_many_bytes_wait_and_the_longest_message_alone() {
        let outbox = Outbox::default();
        assert!((0..4).all(|_| outbox.put(&[0x40; 16_384])));
        assert!(!outbox.put(&[0x41; 1_000]));
        assert_eq!(outbox.waiting.borrow().bytes, 3 * 16_384 + 1_000);
        assert!(!outbox.put(&[0x42; 65_550]));
        assert_eq!(all(&outbox), [Bytes::from(vec![0x42; 65_550])]);
        assert_eq!(outbox.waiting.borrow().bytes, 0);
    }

    #[test]
    fn answers_that_nobody_reads_are_bounded_too() {
        let outbox = Outbox::default();
        assert!((0..100).all(|_| outbox.put(b"\x01\x03")));
        assert!(!outbox.put(b"\x01\x04") && !outbox.put(b"\x40"));
        assert_eq!(all(&outbox), vec![Bytes::from_static(b"\x01\x03"); 100]);
    }
}
