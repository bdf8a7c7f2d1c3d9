//! A connectivity check as it is read.

use crate::stun::{
    Attributes, Broken, COMPREHENSION_OPTIONAL, FINGERPRINT, ICE_CONTROLLED, ICE_CONTROLLING,
    MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, PRIORITY, USE_CANDIDATE, USERNAME,
};

/// Unknown attributes that a refusal names: it stays short, whatever was sent.
pub(super) const NAMED: usize = 4;

/// What a check says.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    /// Our username fragment and the peer's (RFC 8445 §7.2.2); `None` if there is no USERNAME, or it has no colon.
    pub(super) users: Option<(&'a [u8], &'a [u8])>,
    /// Where MESSAGE-INTEGRITY is, and its value.
    pub(super) integrity: Option<(usize, &'a [u8])>,
    pub(super) priority: Option<u32>,
    pub(super) nominates: bool,
    /// The sender believes that it is controlled.
    pub(super) controlled: bool,
    pub(super) controlling: bool,
    /// What decides who controls where both or neither does.
    pub(super) tie: Option<u64>,
    /// The first attributes that must be understood and are not, zero where there are none.
    pub(super) unknown: [u16; NAMED],
}

impl<'a> Request<'a> {
    pub(super) fn read(datagram: &'a [u8]) -> Result<Self, Broken> {
        let mut request = Self::default();
        let mut protected = true;
        let mut has_username = false;
        for attribute in Attributes::of(datagram) {
            let (kind, value, at) = attribute?;
            match kind {
                // What comes after it is not protected, and so ignored (RFC 8489 §14.5).
                _ if !protected => {}
                MESSAGE_INTEGRITY => {
                    request.integrity = Some((at, value));
                    protected = false;
                }
                // Of several of one kind the first counts (RFC 8489 §14).
                USERNAME if !has_username => {
                    has_username = true;
                    request.users = split(value);
                }
                PRIORITY => {
                    let priority = value.try_into().map(u32::from_be_bytes).map_err(|_| Broken)?;
                    request.priority = request.priority.or(Some(priority));
                }
                USE_CANDIDATE => request.nominates = true,
                ICE_CONTROLLED | ICE_CONTROLLING => {
                    request.controlled |= kind == ICE_CONTROLLED;
                    request.controlling |= kind == ICE_CONTROLLING;
                    request.tie = value.try_into().ok().map(u64::from_be_bytes);
                }
                USERNAME | FINGERPRINT | MESSAGE_INTEGRITY_SHA256 => {}
                kind if kind < COMPREHENSION_OPTIONAL => request.note_unknown(kind),
                _ => {}
            }
        }
        Ok(request)
    }

    fn note_unknown(&mut self, kind: u16) {
        if let Some(free) = self.unknown.iter_mut().find(|slot| **slot == 0 || **slot == kind) {
            // Type 0 is reserved (RFC 8489 §18.3) and cannot be named apart; it counts as another reserved one.
            *free = kind.max(1);
        }
    }
}

fn split(username: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = username.iter().position(|byte| *byte == b':')?;
    Some((username.get(..colon)?, username.get(colon + 1..)?))
}
