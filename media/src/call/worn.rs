//! Keys of ours that one dialog of a leg has used up to a roll-over, and another one has only been told.
//!
//! Dialogs that answer one offer of ours have one key of ours (RFC 4568 §7.3), and no index may come twice under it, whoever a packet is
//! for (RFC 3711 §9.1). To whom nothing has been sent yet takes the roll-over counter for 0 (RFC 3711 §3.3.1), and where it is not, what we
//! send is noise to it. Another key of ours is due for it then.

use super::CallMedia;
use super::party::Stream;
use crate::relay::Srtp;
use crate::srtp::MasterKey;
use crate::{PairId, PartyId};

impl CallMedia {
    /// Whether another key of ours is due for a party, which the next offer to it will have: until then it may understand nothing.
    #[must_use]
    pub fn key_is_due(&self, party: PartyId) -> bool {
        self.party(party).is_ok_and(|party| party.streams.iter().any(|stream| stream.stale))
    }

    /// Marks the streams whose key has rolled over for another dialog, before anything was sent in them.
    pub(super) fn mark_worn(&mut self) {
        let rolled: Vec<(PairId, MasterKey)> = (self.parties.iter())
            .flat_map(|party| &party.streams)
            .filter(|stream| stream.counters.as_ref().is_some_and(|counters| counters.has_rolled()))
            .filter_map(|stream| stream.told_key().map(|(pair, key)| (pair, key.clone())))
            .collect();
        if rolled.is_empty() {
            return;
        }
        for stream in self.parties.iter_mut().flat_map(|party| &mut party.streams) {
            let shares = |stream: &Stream| {
                stream
                    .told_key()
                    .is_some_and(|(pair, key)| rolled.iter().any(|(at, of)| (*at, of) == (pair, key)))
            };
            stream.stale |= stream.is_unheard() && shares(stream);
        }
    }
}

impl Stream {
    /// The key that its peer was told of ours, at which pair.
    fn told_key(&self) -> Option<(PairId, &MasterKey)> {
        let keys = self.link.as_ref()?.srtp.as_ref().and_then(Srtp::keys)?;
        Some((self.context?.pair, &keys.send))
    }

    /// Whether nothing was sent to its peer.
    fn is_unheard(&self) -> bool {
        self.counters.as_ref().is_none_or(|counters| counters.snapshot().sent.packets == 0)
    }
}
