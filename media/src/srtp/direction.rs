//! What a leg has: the key that it sends with, and those that it receives with.

use std::sync::Arc;

use super::context::Used;
use super::{Context, Failure, Kind, MasterKey, Suite, Transform};

/// What was negotiated for a stream: with which key its peer protects what comes, and with which we protect what goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// The peer's keys: one, or several with identifiers (RFC 4568 §6.1).
    pub receive: Box<[MasterKey]>,
    /// Ours.
    pub send: MasterKey,
}

impl Protection {
    /// Whether none of the peer's keys is one of those before: who comes with others only may be another endpoint, to which nothing of
    /// ours is known (RFC 4568 §7.1.4).
    pub(crate) fn is_of_another(&self, receive: &[MasterKey]) -> bool {
        !self.receive.iter().any(|before| receive.iter().any(|now| now.is_same(before)))
    }

    /// What both are for.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.send.suite()
    }
}

/// Protects what goes to a peer.
#[derive(Debug)]
pub struct Sender(Context);

/// Unprotects what comes from a peer. Once it has changed its key, the one before is good until the first packet of the new
/// (RFC 4568 §7.1.4).
#[derive(Debug)]
pub struct Receiver {
    protection: Arc<Protection>,
    /// Each with its place among the keys of the protection.
    keys: Vec<(usize, Context)>,
    before: Vec<([u8; 16], Context)>,
    /// What those were used for that are wiped, by the names of their keys, the last ones last: a change may be undone.
    past: Vec<([u8; 16], Used)>,
}

/// Most keys of a peer that are remembered without being kept.
const MOST_PAST: usize = 16;

impl Sender {
    /// With that key, which has never been used.
    #[must_use]
    pub fn new(key: &MasterKey) -> Option<Self> {
        Context::new(key).map(Self)
    }

    /// With a key that has been used for that.
    #[must_use]
    pub fn again(key: &MasterKey, used: Used) -> Option<Self> {
        Context::new(key).map(|context| Self(context.again(used)))
    }

    /// What its key has been used for; the key itself is wiped.
    #[must_use]
    pub fn used(self) -> Used {
        self.0.used()
    }

    /// Whether a source has rolled over under its key: who has heard nothing of that takes what is sent for noise (RFC 3711 §3.3.1).
    #[must_use]
    pub fn has_rolled(&self) -> bool {
        self.0.has_rolled()
    }

    /// As [`Transform::protect`].
    ///
    /// # Errors
    /// As there.
    pub fn protect(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, Failure> {
        self.0.protect(kind, buffer, length)
    }
}

impl Receiver {
    /// With the keys of a protection.
    #[must_use]
    pub fn new(protection: &Arc<Protection>) -> Self {
        let keys = protection.receive.iter().enumerate();
        let keys = keys.filter_map(|(at, key)| Context::new(key).map(|context| (at, context))).collect();
        Self { protection: Arc::clone(protection), keys, before: Vec::new(), past: Vec::new() }
    }

    /// Whether nothing has come yet with keys that were told last.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.before.is_empty()
    }

    /// Takes over the keys of another protection. A key that stays goes on, whatever it is called now, and so does one that comes again: what
    /// was taken under it is not taken again, and counts towards its lifetime.
    pub fn renew(&mut self, protection: &Arc<Protection>) {
        self.forget_before();
        let mut stood = std::mem::take(&mut self.keys);
        for (at, key) in protection.receive.iter().enumerate() {
            let before = |(at, _): &(usize, Context)| self.protection.receive.get(*at);
            let same = stood.iter().position(|of| before(of).is_some_and(|before| before.is_same(key)));
            let context = match same.map(|same| stood.swap_remove(same)) {
                Some((before, context)) => {
                    self.protection.receive.get(before).map(|before| context.go_by(before, key))
                }
                None => {
                    let name = key.name();
                    let past = self.past.iter().position(|(past, _)| Some(*past) == name);
                    let past = past.map(|past| self.past.remove(past).1);
                    Context::new(key).map(|context| match past {
                        Some(used) => context.again(used),
                        None => context,
                    })
                }
            };
            self.keys.extend(context.map(|context| (at, context)));
        }
        let named =
            |(at, context): (usize, Context)| Some((self.protection.receive.get(at)?.name()?, context));
        self.before = stood.into_iter().filter_map(named).collect();
        self.protection = Arc::clone(protection);
    }

    /// The keys before are wiped.
    fn forget_before(&mut self) {
        let before = std::mem::take(&mut self.before);
        self.past.extend(before.into_iter().map(|(name, context)| (name, context.used())));
        self.past.drain(..self.past.len().saturating_sub(MOST_PAST));
    }

    /// As [`Transform::unprotect`]. `trial`: a failure leaves the packet as it is.
    ///
    /// # Errors
    /// As there.
    pub fn unprotect(
        &mut self,
        kind: Kind,
        buffer: &mut [u8],
        length: usize,
        trial: bool,
    ) -> Result<usize, Failure> {
        let Self { keys, before, .. } = self;
        let packet = buffer.get(..length).ok_or(Failure::Malformed)?;
        let named = |context: &&mut Context| context.mki().is_empty() || context.is_named(kind, packet);
        let current = keys.iter_mut().map(|(_, context)| context).find(named);
        let old = before.iter_mut().map(|(_, context)| context).find(named);
        match (current, old) {
            (Some(current), None) => current.open(kind, buffer, length, trial, |_| None),
            (current, Some(old)) => {
                if let Some(current) = current {
                    let known = |ssrc| old.highest(ssrc);
                    let opened = current.open(kind, buffer, length, true, known);
                    if opened.is_ok() {
                        self.forget_before();
                        return opened;
                    }
                }
                old.open(kind, buffer, length, trial, |_| None)
            }
            (None, None) => Err(Failure::Unauthentic),
        }
    }
}
