//! SRTP of a remote.

use std::sync::Arc;

use super::Srtp;
use super::context::Component;
use super::handshake::Handshake;
use crate::ContextId;
use crate::quality::Dropped;
use crate::srtp::{Failure, Kind, Protection, Receiver, Sender};

/// Where the keys of a remote are from.
pub(super) enum Guard {
    /// There are none: packets are taken and sent as they are.
    Plain,
    /// From its description.
    Told(Box<Secure>),
    /// From handshakes with it, of which there may have been none yet.
    Handshake(Box<Handshake>),
}

impl Guard {
    pub(super) fn new(wanted: Option<&Srtp>, id: ContextId) -> Self {
        match wanted {
            None => Self::Plain,
            Some(Srtp::Keys(keys)) => Self::Told(Box::new(Secure::new(keys, id.remote))),
            Some(Srtp::Dtls(terms)) => Self::Handshake(Box::new(Handshake::new(id, terms))),
        }
    }

    /// Goes over to what is wanted; what stays the same goes on. What came of a handshake is nothing to keys that were told, nor the
    /// other way round. Answers the handshakes that are over with that.
    pub(super) fn change(&mut self, wanted: Option<&Srtp>, id: ContextId) -> Option<Box<Handshake>> {
        match (&mut *self, wanted) {
            (Self::Told(secure), Some(Srtp::Keys(keys))) => secure.change(keys, id.remote),
            (Self::Handshake(handshake), Some(Srtp::Dtls(terms))) => handshake.change(terms),
            _ => {
                if let Self::Handshake(over) = std::mem::replace(self, Self::new(wanted, id)) {
                    return Some(over);
                }
            }
        }
        None
    }

    /// Whether there is a key for what comes by that component.
    pub(super) fn has_keys(&self, component: Component) -> bool {
        match self {
            Self::Plain => false,
            Self::Told(_) => true,
            Self::Handshake(handshake) => handshake.has_keys(component),
        }
    }

    /// The keys for what comes or goes by that component; `None` where it needs none.
    pub(super) fn keys(&mut self, component: Component) -> Result<Option<&mut Secure>, Dropped> {
        match self {
            Self::Plain => Ok(None),
            Self::Told(secure) => Ok(Some(secure)),
            Self::Handshake(handshake) => handshake.keys(component).map(Some).ok_or(Dropped::Unkeyed),
        }
    }

    pub(super) fn handshake(&mut self) -> Option<&mut Handshake> {
        match self {
            Self::Handshake(handshake) => Some(handshake),
            Self::Plain | Self::Told(_) => None,
        }
    }
}

/// The keys of a remote, at work.
pub(super) struct Secure {
    protection: Arc<Protection>,
    receiver: Receiver,
    /// `None` where there is no such key: nothing is sent then.
    sender: Option<Sender>,
}

impl Secure {
    /// With these keys, for the remote of that number on its pair: all of them may have been told the same key of ours.
    pub(super) fn new(protection: &Arc<Protection>, remote: u8) -> Self {
        Self {
            protection: Arc::clone(protection),
            receiver: Receiver::new(protection),
            sender: Sender::new(protection, remote),
        }
    }

    /// Goes over to what is wanted; what stays the same goes on.
    pub(super) fn change(&mut self, wanted: &Arc<Protection>, remote: u8) {
        if self.protection.receive != wanted.receive {
            self.receiver.renew(wanted);
        }
        if self.protection.send != wanted.send {
            self.sender = Sender::new(wanted, remote);
        }
        self.protection = Arc::clone(wanted);
    }

    /// Unprotects what came; as a trial, a failure leaves it as it is.
    pub(super) fn unprotect(
        &mut self,
        kind: Kind,
        buffer: &mut [u8],
        length: usize,
        trial: bool,
    ) -> Result<usize, Dropped> {
        self.receiver.unprotect(kind, buffer, length, trial).map_err(dropped)
    }

    /// Protects what goes.
    pub(super) fn protect(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, Dropped> {
        let sender = self.sender.as_mut().ok_or(Dropped::Unprotectable)?;
        sender.protect(kind, buffer, length).map_err(|_| Dropped::Unprotectable)
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
