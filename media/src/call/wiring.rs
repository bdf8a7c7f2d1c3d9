//! From what was negotiated to what the relay is told.

use std::sync::Arc;

use super::CallMedia;
use super::party::{Link, Party, Stream};
use crate::relay::{Command, Settings, Sources};
use crate::{ContextId, Latching, PartyId};

impl CallMedia {
    /// Tells the relay what has changed about a party's streams. `unlatch`: a new description came from it.
    pub(super) fn apply(&mut self, party: PartyId, unlatch: bool) {
        let Ok(index) = self.index(party) else { return };
        let peers = self.peer_contexts(index);
        let Some(party) = self.parties.get_mut(index) else { return };
        let sources = party.sources();
        for (section, stream) in party.streams.iter_mut().enumerate() {
            let peer = peers.get(section).copied().flatten();
            self.commands.extend(stream.apply(sources, peer, unlatch));
        }
    }

    /// Where each stream of this party goes: the live contexts of its peer.
    fn peer_contexts(&self, index: usize) -> Vec<Option<ContextId>> {
        let peer =
            self.parties.get(index).and_then(|party| party.peer).and_then(|peer| self.party(peer).ok());
        peer.map_or_else(Vec::new, |peer| peer.streams.iter().map(Stream::live_context).collect())
    }
}

impl Party {
    /// Whose packets are taken. Behind NAT nothing is until it is known where the signalling comes from.
    fn sources(&self) -> Option<Sources> {
        match self.latching {
            Latching::Described => Some(Sources::Described),
            Latching::SignallingSource => self.signalling.map(Sources::Only),
            Latching::AnySource => Some(Sources::Any),
        }
    }
}

impl Stream {
    fn live_context(&self) -> Option<ContextId> {
        self.context.filter(|_| self.link.is_some())
    }

    fn apply(&mut self, sources: Option<Sources>, peer: Option<ContextId>, unlatch: bool) -> Option<Command> {
        let context = self.context?;
        let wanted = self.link.as_ref().zip(sources).map(|(link, sources)| settings(link, sources, peer));
        let Some(wanted) = wanted else {
            return self.applied.take().map(|_| Command::Clear { context });
        };
        if self.applied.as_ref() == Some(&wanted) && !unlatch {
            return None;
        }
        self.applied = Some(wanted.clone());
        let counters = Arc::clone(self.counters.get_or_insert_default());
        Some(Command::Set { context, settings: wanted, unlatch, counters })
    }
}

fn settings(link: &Link, sources: Sources, peer: Option<ContextId>) -> Settings {
    Settings {
        remote: link.remote,
        remote_rtcp: link.remote_rtcp,
        sources,
        send: link.send,
        mux: link.mux,
        rtp: link.rtp,
        peer,
        clocks: link.clocks.clone(),
    }
}
