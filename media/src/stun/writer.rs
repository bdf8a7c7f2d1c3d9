//! Messages as they are written.

use std::net::SocketAddr;

use hmac::Mac;

use super::{
    COOKIE, ERROR_CODE, FINGERPRINT, FINGERPRINT_LENGTH, HEADER, Key, Key256, MESSAGE_INTEGRITY,
    MESSAGE_INTEGRITY_SHA256, Masked, UNKNOWN_ATTRIBUTES, fingerprint, integrity, integrity_sha256,
};

/// A message that is being written, into memory that is used again for the next one.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    id: [u8; 12],
}

impl<'a> Writer<'a> {
    /// Begins a message of that type.
    pub(crate) fn new(out: &'a mut Vec<u8>, kind: u16, id: &[u8; 12]) -> Self {
        out.clear();
        out.extend(kind.to_be_bytes());
        out.extend([0, 0]);
        out.extend(COOKIE);
        out.extend(id);
        Self { out, id: *id }
    }

    /// Adds an attribute, padded with zeros (RFC 8489 §14).
    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.out.extend(kind.to_be_bytes());
        self.out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.out.extend(value);
        self.out.resize(self.out.len().next_multiple_of(4), 0);
        self.state_length(0);
        self
    }

    /// Adds what may be attributes.
    #[cfg(feature = "fuzz")]
    pub(crate) fn raw(&mut self, attributes: &[u8]) -> &mut Self {
        self.out.extend(attributes);
        self.state_length(0);
        self
    }

    /// Adds an address under the mask.
    pub(crate) fn address(&mut self, kind: u16, address: SocketAddr) -> &mut Self {
        let masked = Masked::new(&self.id, address);
        self.attribute(kind, masked.as_bytes())
    }

    /// Adds an ERROR-CODE (RFC 8489 §14.8).
    pub(crate) fn error(&mut self, code: u16, reason: &str) -> &mut Self {
        let [class, number] = [code / 100, code % 100].map(|part| u8::try_from(part).unwrap_or_default());
        let mut value = vec![0, 0, class, number];
        value.extend(reason.as_bytes());
        self.attribute(ERROR_CODE, &value)
    }

    /// Adds UNKNOWN-ATTRIBUTES (RFC 8489 §14.9).
    pub(crate) fn unknown(&mut self, kinds: impl Iterator<Item = u16>) -> &mut Self {
        let value: Vec<u8> = kinds.flat_map(u16::to_be_bytes).collect();
        self.attribute(UNKNOWN_ATTRIBUTES, &value)
    }

    /// Adds MESSAGE-INTEGRITY over what is there.
    pub(crate) fn integrity(&mut self, key: &Key) -> &mut Self {
        match integrity(key, self.out, self.out.len()) {
            Some(mac) => self.attribute(MESSAGE_INTEGRITY, &mac.finalize().into_bytes()),
            None => self,
        }
    }

    /// Adds MESSAGE-INTEGRITY-SHA256 over what is there.
    pub(crate) fn integrity_sha256(&mut self, key: &Key256) -> &mut Self {
        match integrity_sha256(key, self.out, self.out.len(), 32) {
            Some(mac) => self.attribute(MESSAGE_INTEGRITY_SHA256, &mac.finalize().into_bytes()),
            None => self,
        }
    }

    /// Adds the FINGERPRINT, which comes last.
    pub(crate) fn fingerprint(&mut self) -> &mut Self {
        self.state_length(FINGERPRINT_LENGTH);
        let sum = fingerprint(self.out);
        self.attribute(FINGERPRINT, &sum.to_be_bytes())
    }

    /// Writes the length in the header, with so much more to come.
    fn state_length(&mut self, more: usize) {
        let length = u16::try_from(self.out.len().saturating_sub(HEADER) + more).unwrap_or_default();
        if let Some(place) = self.out.get_mut(2..4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
}
