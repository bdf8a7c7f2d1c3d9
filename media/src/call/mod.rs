//! One call's media.

mod agreement;
mod alone;
mod answer;
mod associate;
mod bundle;
mod codec;
mod coding;
mod connect;
mod dtmf;
mod ends;
mod ice;
mod judge;
mod left_out;
mod lent;
mod links;
mod meet;
mod offer;
mod own;
mod party;
mod sections;
mod secure;
mod standing;
mod tally;
#[cfg(test)]
mod tests;
mod transfer;
mod veil;
mod view;
mod wiping;
mod wiring;
mod worn;

use std::collections::VecDeque;

use sdp::Limits;

use crate::ice::Secret;
use crate::keying::Mint;
use crate::negotiate::{Misuse, Refusal};
use crate::relay::Command;
use crate::{Ice, MediaNetwork, PartyId, ThreadId};
pub use codec::Codec;
pub use coding::StreamCoding;
pub use dtmf::DtmfView;
pub use judge::{Bounds, Judged};
pub use left_out::{LeftOut, LeftOutBy};
use lent::Lent;
pub use own::Offered;
use party::{Exchange, Party, Side};
pub use standing::Standing;
pub use tally::Tally;
pub use transfer::{Mark, Moving};
pub use view::{Carriage, Guarded, PartyView, Silence, StreamView};

/// Whether media flows through us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Streams over UDP go through our relay, and no transport address of one side is seen on the other.
    Anchored,
    /// The peers' addresses, ports and transport attributes cross and media goes around us; `o=` is still our own.
    Bypass,
}

/// What becomes of streams over connections of the peers' own (TCP, SCTP, DCCP, the telephone network) while media is
/// anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connections {
    /// They are offered and answered with port 0 (RFC 3264 §6, §8.2). The default.
    #[default]
    Refused,
    /// Those over TCP are taken and made by us, and what comes by the one of one leg goes by that of the other; TLS goes through. Others are
    /// refused.
    Relayed,
    /// Their lines cross as they are, addresses of the peers included, and they go around us.
    Around,
}

impl Connections {
    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Around, Self::Around) => Self::Around,
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
            (Self::Relayed | Self::Around, _) => Self::Relayed,
        }
    }
}

/// The media of one call: its parties, what each has offered and answered, and the ports that it borrows.
///
/// A *party* is one dialog of one leg. A description for one party is made from that of another. What the relay has to
/// do for it is polled with [`Self::poll_command`].
///
/// Borrowed ports come back by commands only: a call that ends is to be closed ([`Self::close`]) and polled empty.
#[derive(Debug)]
pub struct CallMedia {
    mode: Mode,
    connections: Connections,
    limits: Limits,
    seed: u64,
    minted: u64,
    /// What ICE credentials are made of; without it there is no ICE.
    secret: Option<Secret>,
    /// A call takes all its ports from one relay thread.
    thread: Option<ThreadId>,
    parties: Vec<Party>,
    pairs: Vec<Lent>,
    commands: VecDeque<Command>,
    /// What reports of the relay call it.
    number: u64,
    /// Sections that were left out, until somebody asks.
    left_out: VecDeque<LeftOut>,
}

impl CallMedia {
    /// No parties yet. `seed` is random: the session identifiers of our `o=` lines come from it (RFC 8866 §5.2).
    #[must_use]
    pub fn new(mode: Mode, limits: Limits, seed: u64) -> Self {
        Self {
            mode,
            connections: Connections::default(),
            limits,
            seed,
            minted: 0,
            secret: None,
            thread: None,
            parties: Vec::new(),
            pairs: Vec::new(),
            commands: VecDeque::new(),
            number: 0,
            left_out: VecDeque::new(),
        }
    }

    /// The same with another treatment of streams over connections.
    #[must_use]
    pub fn with_connections(self, connections: Connections) -> Self {
        Self { connections, ..self }
    }

    /// Whether media flows through us.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Adds a dialog of a leg in `network`. An existing party of that id is replaced, its ports given back.
    pub fn add_party(&mut self, id: PartyId, network: &MediaNetwork) {
        self.remove_party(id);
        let session_id = self.mint();
        let mut party = Party::new(id, network, session_id);
        if self.secret.is_none() {
            party.ice = Ice::Off;
        }
        self.enter(party);
    }

    /// Adds another early dialog that goes with the first offer of `of`'s leg. If that offer is ours, `new` shares its
    /// ports and waits for its own answer; if it is theirs, `new` owes it an answer of its own, on ports of its own.
    ///
    /// # Errors
    /// [`Misuse::UnknownParty`], [`Misuse::NoOffer`], or [`Refusal::TooManyDialogs`].
    pub fn fork_party(&mut self, of: PartyId, new: PartyId) -> Result<(), Refusal> {
        self.remove_party(new);
        let session_id = self.mint();
        let parent = self.party(of)?;
        let mut party = parent.sibling(new, session_id);
        match parent.first_offer.clone().ok_or(Refusal::Misuse(Misuse::NoOffer))? {
            (Side::Them, offer) => {
                party.theirs.pending = Some(parent.first_keyed.clone());
                party.exchange = Exchange::Received(offer);
            }
            (Side::Us, offer) => {
                party.ours.pending = Some(parent.first_lines.clone());
                party.own = parent.own;
                party.own.version = sections::version(&offer).unwrap_or(parent.own.version);
                party.sent = Some(offer.clone());
                let offered = sections::count(&offer);
                let streams = parent.streams.iter().take(offered);
                let pairs: Vec<_> = streams
                    .map(|stream| (stream.offered(), stream.keys.clone(), stream.tls_id.clone()))
                    .collect();
                party.exchange = Exchange::Sent(offer);
                party.streams = self.share(pairs)?;
            }
        }
        // Where the other dialog answers their offer, it has keys of its own to answer with.
        party.mint = self.party_mut(of)?.mint.as_mut().and_then(Mint::split);
        self.enter(party);
        Ok(())
    }

    /// A call has two parties for nearly all of its life: room is made for one at a time.
    fn enter(&mut self, party: Party) {
        self.parties.reserve_exact(1);
        self.parties.push(party);
    }

    /// The party's dialog is confirmed: no other dialog will answer its first offer, and ports that were kept for such
    /// a one are given back.
    pub fn confirm(&mut self, party: PartyId) {
        let Ok(index) = self.index(party) else { return };
        let mut unused = Vec::new();
        if let Some(party) = self.parties.get_mut(index) {
            party.first_offer = None;
            party.forget_untaken();
            unused.extend(party.streams.iter_mut().filter_map(|stream| stream.spare.take()));
            for stream in party.streams.iter_mut().filter(|stream| stream.link.is_none() && !stream.fresh) {
                unused.extend(stream.context.take());
                stream.begin_keys_anew();
            }
        }
        for context in unused {
            self.let_go(index, context, false);
        }
    }

    /// These two parties' streams feed one another from now on, and whoever they were connected with before are not.
    pub fn connect(&mut self, a: PartyId, b: PartyId) {
        if self.index(a).is_err() || self.index(b).is_err() || a == b {
            return;
        }
        self.mark_worn();
        let mut touched = vec![a, b];
        for party in &mut self.parties {
            let wanted = match party.id {
                id if id == a => Some(b),
                id if id == b => Some(a),
                _ => party.peer.filter(|peer| *peer != a && *peer != b),
            };
            if party.peer != wanted {
                party.peer = wanted;
                touched.push(party.id);
            }
        }
        for party in touched {
            self.apply(party, false);
        }
    }

    /// Whether what a party's dialog is answered with now answers the first offer of its leg: nothing has been offered in it since.
    #[must_use]
    pub fn is_at_first_offer(&self, party: PartyId) -> bool {
        let Ok(party) = self.party(party) else { return false };
        let Some((Side::Them, first)) = &party.first_offer else { return true };
        match (&party.exchange, party.answered, &party.remote) {
            (Exchange::Received(offer), ..) => offer == first,
            (Exchange::Idle, Some(Side::Us), Some(remote)) => remote == first,
            (Exchange::Sent(_) | Exchange::Idle, ..) => false,
        }
    }

    /// The party's streams feed nobody's any more, and nobody's feed them, until it is [connected](Self::connect) again.
    pub fn part(&mut self, party: PartyId) {
        let both = |other: &Party| other.id == party || other.peer == Some(party);
        let parted: Vec<_> = self
            .parties
            .iter_mut()
            .filter(|other| both(other))
            .map(|other| {
                other.peer = None;
                other.id
            })
            .collect();
        for party in parted {
            self.apply(party, false);
        }
    }

    /// The party's dialog is over: its ports are given back, unless another dialog shares them.
    pub fn remove_party(&mut self, party: PartyId) {
        let Ok(index) = self.index(party) else { return };
        self.mark_worn();
        let removed = self.parties.swap_remove(index);
        self.give_back(removed.streams);
        self.drop_transport(removed.bundle);
        let orphans: Vec<_> = self
            .parties
            .iter_mut()
            .filter(|other| other.peer == Some(party))
            .map(|other| {
                other.peer = None;
                other.id
            })
            .collect();
        for orphan in orphans {
            self.apply(orphan, false);
        }
    }

    /// Nobody sends or is heard any more (RFC 3261 §15.1.1): all ports are given back. What was negotiated and counted
    /// is still told.
    pub fn stop(&mut self) {
        (0..self.parties.len()).for_each(|index| self.silence_all(index));
    }

    /// Gives back the ports of all streams of the party in that place, and wipes its keys.
    fn silence_all(&mut self, index: usize) {
        for section in 0.. {
            let stream = self.parties.get_mut(index).and_then(|party| party.streams.get_mut(section));
            let Some(stream) = stream else { break };
            let applied = stream.applied.take().is_some();
            let spare = stream.spare.take();
            if let Some(context) = stream.context.take() {
                self.drop_context(context, applied);
            }
            spare.into_iter().for_each(|spare| self.drop_context(spare, false));
        }
        if let Some(party) = self.parties.get_mut(index) {
            party.wipe();
            party.room = None;
        }
        let bundle = self.parties.get_mut(index).and_then(|party| party.bundle.take());
        self.drop_transport(bundle);
    }

    /// The call is over: all parties are removed. The commands are still to be polled.
    pub fn close(&mut self) {
        while let Some(party) = self.parties.last().map(|party| party.id) {
            self.remove_party(party);
        }
    }

    /// The next thing for the relay to do, in order.
    pub fn poll_command(&mut self) -> Option<Command> {
        let command = self.commands.pop_front();
        if command.is_none() {
            self.commands.shrink_to_fit();
        }
        command
    }

    fn index(&self, party: PartyId) -> Result<usize, Refusal> {
        let found = self.parties.iter().position(|candidate| candidate.id == party);
        found.ok_or(Refusal::Misuse(Misuse::UnknownParty))
    }

    fn party(&self, party: PartyId) -> Result<&Party, Refusal> {
        let found = self.parties.iter().find(|candidate| candidate.id == party);
        found.ok_or(Refusal::Misuse(Misuse::UnknownParty))
    }

    fn party_mut(&mut self, party: PartyId) -> Result<&mut Party, Refusal> {
        let found = self.parties.iter_mut().find(|candidate| candidate.id == party);
        found.ok_or(Refusal::Misuse(Misuse::UnknownParty))
    }

    /// A session identifier, unrelated on the face of it to the others of the call; 62 bits, since peers keep it
    /// signed (splitmix64).
    fn mint(&mut self) -> u64 {
        self.minted += 1;
        self.salted(self.minted) >> 2
    }

    /// What comes of the seed and that number.
    fn salted(&self, salt: u64) -> u64 {
        let mut z = self.seed.wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
