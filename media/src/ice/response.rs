//! Answers to connectivity checks, written in place.

use std::net::SocketAddr;

use hmac::Mac;

use crate::stun::{
    COOKIE, ERROR, ERROR_CODE, FINGERPRINT, FINGERPRINT_LENGTH, HEADER, INTEGRITY_LENGTH, Key,
    MESSAGE_INTEGRITY, Masked, SUCCESS, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS, fingerprint, integrity,
};

/// Room for the longest answer: a header, an error with its reason, unknown attributes, integrity and fingerprint.
const ROOM: usize = 128;

/// An answer, ready to be sent.
#[derive(Clone, Copy)]
pub(super) struct Response {
    bytes: [u8; ROOM],
    length: usize,
}

impl Response {
    fn new(kind: u16, id: &[u8; 12]) -> Self {
        let mut response = Self { bytes: [0; ROOM], length: 0 };
        response.put(&kind.to_be_bytes());
        response.put(&[0, 0]);
        response.put(&COOKIE);
        response.put(id);
        response
    }

    /// The address that the check was seen from (RFC 8489 §14.2).
    pub(super) fn success(id: &[u8; 12], source: SocketAddr) -> Self {
        let mut response = Self::new(SUCCESS, id);
        response.attribute(XOR_MAPPED_ADDRESS, Masked::new(id, source).as_bytes());
        response
    }

    /// A refusal (RFC 8489 §14.8); `unknown` ends with the first zero.
    pub(super) fn error(id: &[u8; 12], code: u16, reason: &str, unknown: &[u16]) -> Self {
        let mut response = Self::new(ERROR, id);
        let mut value = [0; 32];
        let (class, number) = (code / 100, code % 100);
        let head = [0, 0, u8::try_from(class).unwrap_or_default(), u8::try_from(number).unwrap_or_default()];
        for (to, from) in value.iter_mut().zip(head.iter().chain(reason.as_bytes())) {
            *to = *from;
        }
        response.attribute(ERROR_CODE, value.get(..head.len() + reason.len()).unwrap_or_default());
        let mut named = [0; 2 * super::request::NAMED];
        let mut length = 0;
        for (to, kind) in named.chunks_mut(2).zip(unknown.iter().take_while(|kind| **kind != 0)) {
            to.copy_from_slice(&kind.to_be_bytes());
            length += 2;
        }
        if length > 0 {
            response.attribute(UNKNOWN_ATTRIBUTES, named.get(..length).unwrap_or_default());
        }
        response
    }

    /// Protects it with our password (RFC 8489 §9.1.3), if it is to be, and adds the FINGERPRINT (§14.7).
    pub(super) fn seal(mut self, key: Option<&Key>) -> Self {
        if let Some(key) = key {
            let at = self.length;
            let hash = self.bytes.get(..at).and_then(|message| integrity(key, message, at));
            if let Some(hash) = hash {
                self.attribute(MESSAGE_INTEGRITY, &hash.finalize().into_bytes());
                debug_assert_eq!(self.length - at, INTEGRITY_LENGTH);
            }
        }
        self.state_length(FINGERPRINT_LENGTH);
        let sum = fingerprint(self.as_bytes());
        self.attribute(FINGERPRINT, &sum.to_be_bytes());
        self
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.put(&kind.to_be_bytes());
        self.put(&u16::try_from(value.len()).unwrap_or_default().to_be_bytes());
        self.put(value);
        self.length = self.length.next_multiple_of(4).min(ROOM);
        self.state_length(0);
    }

    /// Writes the length in the header, with so much more to come.
    fn state_length(&mut self, more: usize) {
        let length = u16::try_from(self.length.saturating_sub(HEADER) + more).unwrap_or_default();
        if let Some(place) = self.bytes.get_mut(2..4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            place.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }
}
