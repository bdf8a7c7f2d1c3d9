//! SRTP of a remote.

use std::sync::Arc;

use super::Srtp;
use super::context::Component;
use super::handshake::Handshake;
use super::senders::Senders;
use crate::ContextId;
use crate::quality::Dropped;
use crate::srtp::{Failure, Kind, Protection, Receiver, Sender};

/// Where the keys of a remote are from.
pub(super) enum Guard {
    /// There are none: packets are taken and sent as they are.
    Plain,
    /// From its description.
    Told(Box<Told>),
    /// From handshakes with it, of which there may have been none yet.
    Handshake(Box<Handshake>),
}

impl Guard {
    pub(super) fn new(wanted: Option<&Srtp>, id: ContextId, senders: &mut Senders) -> Self {
        match wanted {
            None => Self::Plain,
            Some(Srtp::Keys(keys)) => Self::Told(Box::new(Told::new(keys, senders))),
            Some(Srtp::Dtls(terms)) => Self::Handshake(Box::new(Handshake::new(id, terms))),
        }
    }

    /// Goes over to what is wanted; what stays the same goes on. What came of a handshake is nothing to keys that were told, nor the
    /// other way round. Answers the handshakes that are over with that.
    pub(super) fn change(
        &mut self,
        wanted: Option<&Srtp>,
        id: ContextId,
        senders: &mut Senders,
    ) -> Option<Box<Handshake>> {
        match (&mut *self, wanted) {
            (Self::Told(told), Some(Srtp::Keys(keys))) => told.change(keys, senders),
            (Self::Handshake(handshake), Some(Srtp::Dtls(terms))) => handshake.change(terms),
            _ => {
                let mut before = std::mem::replace(self, Self::new(wanted, id, senders));
                before.end(senders);
                if let Self::Handshake(over) = before {
                    return Some(over);
                }
            }
        }
        None
    }

    /// Its remote goes, or what it goes by: keys of ours that nobody else has are wiped.
    pub(super) fn end(&mut self, senders: &mut Senders) {
        if let Self::Told(told) = self {
            told.end(senders);
        }
    }

    /// Whether there is a key for what comes by that component.
    pub(super) fn has_keys(&self, component: Component) -> bool {
        match self {
            Self::Plain => false,
            Self::Told(_) => true,
            Self::Handshake(handshake) => handshake.has_keys(component),
        }
    }

    /// Unprotects what came by that component, where it is protected; as a trial, a failure leaves it as it is.
    pub(super) fn unprotect(
        &mut self,
        (component, kind): (Component, Kind),
        buffer: &mut [u8],
        length: usize,
        trial: bool,
    ) -> Result<usize, Dropped> {
        let receiver = match self {
            Self::Plain => return Ok(length),
            Self::Told(told) => &mut told.receiver,
            Self::Handshake(handshake) => &mut handshake.keys(component).ok_or(Dropped::Unkeyed)?.receiver,
        };
        receiver.unprotect(kind, buffer, length, trial).map_err(dropped)
    }

    /// Protects what goes by that component, where it is to be.
    pub(super) fn protect(
        &mut self,
        (component, kind): (Component, Kind),
        buffer: &mut [u8],
        length: usize,
        (senders, now_millis): (&mut Senders, u64),
    ) -> Result<usize, Dropped> {
        let sender = match self {
            Self::Plain => return Ok(length),
            Self::Told(told) => told.sender(senders, now_millis),
            Self::Handshake(handshake) => handshake.keys(component).ok_or(Dropped::Unkeyed)?.sender.as_mut(),
        };
        let sender = sender.ok_or(Dropped::Unprotectable)?;
        sender.protect(kind, buffer, length).map_err(|_| Dropped::Unprotectable)
    }

    /// Whether the key of descriptions that is at work has rolled over; one of a handshake is known to one peer alone.
    pub(super) fn has_rolled(&self, senders: &Senders) -> bool {
        match self {
            Self::Told(told) => told.at.is_some_and(|at| senders.has_rolled(at)),
            Self::Plain | Self::Handshake(_) => false,
        }
    }

    pub(super) fn handshake(&mut self) -> Option<&mut Handshake> {
        match self {
            Self::Handshake(handshake) => Some(handshake),
            Self::Plain | Self::Told(_) => None,
        }
    }
}

/// Keys from descriptions.
pub(super) struct Told {
    protection: Arc<Protection>,
    receiver: Receiver,
    /// Where ours is; `None` where there is no such key: nothing is sent then.
    at: Option<usize>,
    /// Where the one is that was ours before.
    before: Option<Before>,
}

/// A key of ours that is used on until the peer shows that it has heard of the next one: by a packet with a key of its own that it has
/// told together with that (RFC 4568 §7.1.4 has the gap that would be there else), or after some time.
struct Before {
    at: usize,
    until_millis: Option<u64>,
}

/// How long a peer may be silent before it is taken to know our next key.
const CHANGE_MILLIS: u64 = 1_000;

impl Told {
    fn new(protection: &Arc<Protection>, senders: &mut Senders) -> Self {
        Self {
            protection: Arc::clone(protection),
            receiver: Receiver::new(protection),
            at: senders.enter(&protection.send),
            before: None,
        }
    }

    /// Goes over to what is wanted; what stays the same goes on.
    fn change(&mut self, wanted: &Arc<Protection>, senders: &mut Senders) {
        if self.protection.receive != wanted.receive {
            self.receiver.renew(wanted);
        }
        if self.protection.send != wanted.send {
            let before = std::mem::replace(&mut self.at, senders.enter(&wanted.send));
            self.forget_before(senders);
            match before {
                Some(at) if self.receiver.is_waiting() => {
                    self.before = Some(Before { at, until_millis: None });
                }
                Some(at) => senders.leave(at),
                None => {}
            }
        }
        self.protection = Arc::clone(wanted);
    }

    fn end(&mut self, senders: &mut Senders) {
        self.forget_before(senders);
        self.at.take().into_iter().for_each(|at| senders.leave(at));
    }

    fn forget_before(&mut self, senders: &mut Senders) {
        self.before.take().into_iter().for_each(|before| senders.leave(before.at));
    }

    fn sender<'a>(&mut self, senders: &'a mut Senders, now_millis: u64) -> Option<&'a mut Sender> {
        if let Some(before) = &mut self.before {
            let until = *before.until_millis.get_or_insert(now_millis.saturating_add(CHANGE_MILLIS));
            if self.receiver.is_waiting() && now_millis < until {
                return senders.get(before.at);
            }
            self.forget_before(senders);
        }
        senders.get(self.at?)
    }
}

/// Keys from a handshake, which nobody else has.
pub(super) struct Secure {
    protection: Arc<Protection>,
    receiver: Receiver,
    /// `None` where there is no such key: nothing is sent then.
    sender: Option<Sender>,
}

impl Secure {
    pub(super) fn new(protection: &Arc<Protection>) -> Self {
        Self {
            protection: Arc::clone(protection),
            receiver: Receiver::new(protection),
            sender: Sender::new(&protection.send),
        }
    }

    /// Goes over to those of another one; what stays the same goes on.
    pub(super) fn change(&mut self, wanted: &Arc<Protection>) {
        if self.protection.receive != wanted.receive {
            self.receiver.renew(wanted);
        }
        if self.protection.send != wanted.send {
            self.sender = Sender::new(&wanted.send);
        }
        self.protection = Arc::clone(wanted);
    }
}

fn dropped(failure: Failure) -> Dropped {
    match failure {
        Failure::Malformed => Dropped::Malformed,
        Failure::Unauthentic => Dropped::Unauthentic,
        Failure::Replayed => Dropped::Replayed,
        Failure::Expired | Failure::Sources => Dropped::Unprotectable,
    }
}
