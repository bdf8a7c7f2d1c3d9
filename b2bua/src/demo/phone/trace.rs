//! What a telephone has sent and got, message by message.

use bytes::Bytes;
use sip::time::Mono;
use sip_types::{Limits, Message};
use std::sync::{Arc, Mutex, PoisonError};

/// Messages that are kept of one telephone; a call has some ten.
const KEPT: usize = 200;

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// When it was sent or had come.
    pub(crate) at: Mono,
    /// Whether the telephone sent it.
    pub(crate) sent: bool,
    /// The message.
    pub(crate) message: Message,
}

/// The messages of one telephone, in order; shared between its thread and whoever looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<Entry>>>);

impl Trace {
    /// Notes a message. What is none (a keepalive) is left out.
    pub(super) fn note(&self, at: Mono, sent: bool, bytes: &Bytes) {
        let Ok(message) = Message::parse(bytes.clone(), &Limits::default()) else { return };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() < KEPT {
            entries.push(Entry { at, sent, message });
        }
    }

    /// All so far.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
