//! Peers with which a handshake of the newer version has failed.

use std::collections::VecDeque;

use super::{Failure, Fingerprint};

/// How many are remembered; beyond that the oldest is forgotten, and tried once more.
const MOST: usize = 1_024;

/// Alerts by which a peer says that it cannot do what we ask of it: handshake_failure, unsupported_certificate, illegal_parameter,
/// decode_error, protocol_version, insufficient_security, missing_extension, unsupported_extension (RFC 8446 §6.2).
const CANNOT: [u8; 8] = [40, 43, 47, 50, 70, 71, 109, 110];

/// Whether a handshake of the older version may succeed where one of the newer has failed so: with a peer whose certificate is of RSA
/// above all, which nobody is shown or everybody refuses.
pub(super) fn may_do_with_older(failure: Failure) -> bool {
    match failure {
        Failure::Alert(number) => CANNOT.contains(&number),
        Failure::NoCertificate
        | Failure::NoCipher
        | Failure::NoVersion
        | Failure::Protocol
        | Failure::Internal => true,
        Failure::Fingerprint | Failure::NoProfile | Failure::Timeout | Failure::Limit => false,
    }
}

/// Peers that are spoken to by the older version from the beginning, by the fingerprints of their certificates.
#[derive(Debug, Default)]
pub(super) struct Outdated(VecDeque<Box<[Fingerprint]>>);

impl Outdated {
    pub(super) fn has(&self, fingerprints: &[Fingerprint]) -> bool {
        self.0.iter().any(|known| **known == *fingerprints)
    }

    pub(super) fn add(&mut self, fingerprints: &[Fingerprint]) {
        if self.has(fingerprints) {
            return;
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(fingerprints.into());
    }
}
