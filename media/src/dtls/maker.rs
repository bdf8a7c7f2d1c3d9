//! Which handshake is made, of what version and by whom.

use std::sync::Arc;
use std::time::Instant;

use super::dimpl;
use super::engine::{Engine, Progress, Verify};
use super::records::Facts;
use super::{Failure, Role, Terms, Version, rtc};
use crate::srtp::Suite;

/// Datagrams that a ClientHello may come in.
const MOST_HEARD: usize = 16;

impl Version {
    /// Whether handshakes up to that version can be made with these suites. Those of 1.3 take any of three that a peer chooses, so that all
    /// of them have to be there: `AEAD_AES_256_GCM`, `AEAD_AES_128_GCM` and `AES_CM_128_HMAC_SHA1_80`.
    #[must_use]
    pub fn takes(self, suites: &[Suite]) -> bool {
        match self {
            Self::V1_2 => true,
            Self::V1_3 => dimpl::SUITES.iter().all(|suite| suites.contains(suite)),
        }
    }
}

/// Makes the handshakes of an association.
pub(super) struct Maker {
    role: Role,
    older: Arc<rtc::Maker>,
    newer: Option<dimpl::Maker>,
}

impl Maker {
    /// Handshakes by these terms, with a peer that has a certificate that `verify` accepts.
    ///
    /// # Errors
    /// Why none can be made.
    pub(super) fn new(terms: &Terms, verify: &Verify) -> Result<Self, Failure> {
        let (role, identity, suites) = (terms.role, &terms.identity, &terms.suites);
        let newer = terms.newest > Version::V1_2 && terms.newest.takes(suites);
        Ok(Self {
            role,
            older: Arc::new(rtc::Maker::new(role, identity, suites, Arc::clone(verify))?),
            newer: newer.then(|| dimpl::Maker::new(role, identity, Arc::clone(verify))).transpose()?,
        })
    }

    /// Whether there are two versions to begin with.
    pub(super) fn has_newer(&self) -> bool {
        self.newer.is_some()
    }

    /// A new handshake, `older` of 1.2 in any case; a client's has something to send at once.
    ///
    /// # Errors
    /// [`Failure::Internal`] where there are no random octets.
    pub(super) fn begin(&self, now: Instant, older: bool) -> Result<Box<dyn Engine>, Failure> {
        match &self.newer {
            Some(newer) if !older => {
                let engine = Box::new(newer.begin(now)?);
                if self.role == Role::Client {
                    return Ok(engine);
                }
                let undecided = Some(Heard { older: Arc::clone(&self.older), datagrams: Vec::new() });
                Ok(Box::new(Sensing { engine, undecided }))
            }
            _ => self.older.begin(now),
        }
    }
}

/// A server of 1.3 up to the end of a ClientHello, which says whether the client speaks that, too: else one of 1.2.
struct Sensing {
    engine: Box<dyn Engine>,
    /// What of a ClientHello has come, until it is known which version it is of.
    undecided: Option<Heard>,
}

struct Heard {
    older: Arc<rtc::Maker>,
    datagrams: Vec<(Facts, Vec<u8>)>,
}

impl Heard {
    fn push(&mut self, datagram: &[u8], facts: &Facts) {
        if self.datagrams.len() == MOST_HEARD {
            self.datagrams.remove(0);
        }
        self.datagrams.push((*facts, datagram.to_vec()));
    }
}

impl Engine for Sensing {
    fn receive(&mut self, now: Instant, datagram: &[u8], facts: &Facts) -> Result<Progress, Failure> {
        if let Some(heard) = &mut self.undecided {
            heard.push(datagram, facts);
        }
        let progress = self.engine.receive(now, datagram, facts);
        let Some(heard) = self.undecided.take_if(|_| matches!(progress, Err(Failure::NoVersion))) else {
            return progress;
        };
        self.engine = heard.older.begin(now)?;
        let mut progress = Ok(Progress::Going);
        for (facts, datagram) in &heard.datagrams {
            progress = self.engine.receive(now, datagram, facts);
        }
        progress
    }

    fn repeat(&mut self, now: Instant) -> Result<(), Failure> {
        self.engine.repeat(now)
    }

    fn due(&self) -> Option<Instant> {
        self.engine.due()
    }

    fn close(&mut self, now: Instant) {
        self.engine.close(now);
    }

    fn transmit(&mut self) -> Option<Vec<u8>> {
        let datagram = self.engine.transmit();
        if datagram.is_some() {
            // A HelloRetryRequest or more: it is 1.3.
            self.undecided = None;
        }
        datagram
    }
}
