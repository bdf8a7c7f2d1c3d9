//! A party is given another partner: one of this call, or one that comes from another call.

use bytes::Bytes;
use sdp::Direction;

use super::bundle::Bundled;
use super::lent::Lent;
use super::party::{Exchange, Party, Side, Stream};
use super::{CallMedia, sections};
use crate::relay::{Command, TcpOrder};
use crate::{ContextId, PartyId, ThreadId};

/// A party on its way from one call to another, with its ports.
#[derive(Debug)]
#[must_use = "its ports come back with the call that takes it in"]
pub struct Moving {
    party: Party,
    pairs: Vec<Lent>,
    thread: Option<ThreadId>,
}

/// What was sent to a party last.
#[derive(Debug)]
pub struct Mark(Option<(u64, Option<Bytes>)>);

impl CallMedia {
    /// The party is about to be joined with another one. What its last answer left out only because our offer did not allow
    /// it, as the partner before had it on hold, is no more left out of what is made from that description, until it
    /// describes itself again.
    pub fn introduce(&mut self, party: PartyId) {
        if let Ok(party) = self.party_mut(party) {
            party.introduced = true;
        }
    }

    /// Whether an offer of ours to the party says what stands already, whatever its version, so that there is no need to send it.
    #[must_use]
    pub fn stands(&self, party: PartyId, offer: &[u8]) -> bool {
        let local = self.party(party).ok().and_then(|party| party.local.as_deref());
        local.is_some_and(|local| said(local).eq(said(offer)))
    }

    /// What was sent to the party last, for [`Self::withdraw`].
    #[must_use]
    pub fn mark(&self, party: PartyId) -> Mark {
        let party = self.party(party).ok();
        Mark(party.map(|party| (party.own.version, party.sent.clone())))
    }

    /// The offer to the party that was made since then is not sent: it is as if it had never been made, and its version is that of
    /// the next one (RFC 3264 §8).
    pub fn withdraw(&mut self, party: PartyId, since: Mark) {
        self.offer_failed(party);
        if let (Ok(party), Some((version, sent))) = (self.party_mut(party), since.0) {
            (party.own.version, party.sent) = (version, sent);
        }
    }

    /// The party talks with nobody any more: its ports are given back. What was negotiated and counted is still told.
    pub fn retire(&mut self, party: PartyId) {
        let Ok(index) = self.index(party) else { return };
        self.part(party);
        self.silence_all(index);
    }

    /// Takes a party out, for another call to take it in ([`Self::take_in`]).
    pub fn part_with(&mut self, party: PartyId) -> Option<Moving> {
        let index = self.index(party).ok()?;
        self.part(party);
        let mut party = self.parties.swap_remove(index);
        let mut pairs: Vec<Lent> = Vec::with_capacity(party.streams.len());
        let mine: Vec<_> = party.contexts().collect();
        for stream in &mut party.streams {
            if let Some(spare) = stream.spare.take() {
                self.drop_context(spare, false);
            }
            let Some(context) = stream.context else { continue };
            let of_pair = mine.iter().filter(|of| of.pair == context.pair);
            let bit = |of: &ContextId| 1u16.checked_shl(of.remote.into()).unwrap_or_default();
            let only = of_pair.fold(0, |only, of| only | bit(of));
            if pairs.iter().any(|lent| lent.pair.id == context.pair) {
                continue;
            }
            match self.pairs.iter().position(|lent| lent.pair.id == context.pair) {
                Some(at) if self.pairs.get(at).is_some_and(|lent| lent.contexts == only) => {
                    pairs.push(self.pairs.swap_remove(at));
                }
                // What another dialog shares stays with it.
                _ => {
                    if let Some((context, applied)) = stream.strip() {
                        self.drop_context(context, applied);
                    }
                }
            }
        }
        let stays = |bundle: &Bundled| !pairs.iter().any(|lent| lent.pair.id == bundle.context.pair);
        self.drop_transport(party.bundle.take_if(|bundle| stays(bundle)));
        let thread = self.thread.filter(|_| !pairs.is_empty());
        if self.pairs.is_empty() {
            self.thread = None;
        }
        Some(Moving { party, pairs, thread })
    }

    /// Takes in a party of another call, under that name. It keeps its ports where they are of the relay thread that this call's
    /// are of; else it gets others with our next offer, which is due then.
    pub fn take_in(&mut self, id: PartyId, moving: Moving) {
        self.remove_party(id);
        let Moving { mut party, pairs, thread } = moving;
        (party.id, party.peer) = (id, None);
        if self.thread.is_none() || thread.is_none() || self.thread == thread {
            self.thread = self.thread.or(thread);
            self.pairs.extend(pairs);
        } else {
            party.streams.iter_mut().for_each(|stream| {
                stream.strip();
            });
            party.bundle = None;
            for Lent { pair, tcp, .. } in pairs {
                let pair = pair.id;
                self.commands.extend(tcp.then_some(Command::Tcp(TcpOrder::Release { pair })));
                self.commands.push_back(Command::Release { pair });
            }
        }
        self.enter(party);
    }
}

/// The lines of a description that say something: not its origin, and not what holds where nothing is said (RFC 3264 §5.1).
fn said(description: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = description.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    lines.filter(|line| !line.starts_with(b"o=") && *line != b"a=sendrecv")
}

impl Party {
    /// All that it has on ports of ours.
    fn contexts(&self) -> impl Iterator<Item = ContextId> {
        let of_bundle = self.bundle.as_ref().map(|bundle| bundle.context);
        self.streams.iter().filter_map(|stream| stream.context).chain(of_bundle)
    }

    /// The direction of a section of its last description as it would be towards somebody whom it has not been told of: `stated`
    /// is what it says there.
    pub(super) fn willing(&self, section: usize, stated: Direction) -> Direction {
        let answered = self.answered == Some(Side::Them) && self.exchange == Exchange::Idle;
        let offer = self.local.as_ref().filter(|_| self.introduced && answered).map(sections::reread);
        let offered = offer.as_ref().and_then(|offer| Some(offer.media().nth(section)?.direction()));
        offered.map_or(stated, |ours| {
            Direction::new(stated.sends() || !ours.receives(), stated.receives() || !ours.sends())
        })
    }
}

impl Stream {
    /// Lets go of the ports, whatever was negotiated for them; answers them, and whether the relay knows them.
    fn strip(&mut self) -> Option<(ContextId, bool)> {
        (self.link, self.fresh) = (None, false);
        self.begin_keys_anew();
        let applied = self.applied.take().is_some();
        (self.connected, self.coded) = (None, None);
        self.context.take().map(|context| (context, applied))
    }
}
