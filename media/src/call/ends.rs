//! Whether keys of two parties that are to talk end with us: those of both, or those of neither.
//!
//! A leg that leaves it open ([`SrtpUse::Auto`]) does as the one that it talks with, and once its keys end, they do so for good: its peer
//! has keys of ours then. Until it is answered it may still turn out to be either: several are offered what it offers, each in its way.
//! Of a leg whose keys must not end nothing protected crosses to one whose keys do (RFC 7879 §3: the lines of keys cross whole, or there is
//! no end-to-end protection).

use bytes::Bytes;
use sdp::Description;

use super::party::{Exchange, Party, Side};
use super::{CallMedia, Mode, sections};
use crate::keying::{self, Keyed, Mint, Plain, SrtpUse};
use crate::negotiate::Refusal;
use crate::{ContextId, PartyId, Ports};

impl CallMedia {
    /// These two are to talk: where keys of one end with us, those of the other one do from now on, if that is open yet.
    ///
    /// # Errors
    /// What it has described is protected in no way that we can go by; nothing has changed then.
    pub(super) fn end_alike(&mut self, a: PartyId, b: PartyId) -> Result<(), Refusal> {
        let (of_a, of_b) = (&self.party(a)?.security, &self.party(b)?.security);
        match (of_a.srtp, of_b.srtp) {
            (SrtpUse::Auto, _) if of_b.ends() => self.end_keys(a, b),
            (_, SrtpUse::Auto) if of_a.ends() => self.end_keys(b, a),
            _ => Ok(()),
        }
    }

    /// Has the keys of a party end with us; ours are made of the secret of the one that it is to talk with.
    fn end_keys(&mut self, of: PartyId, beside: PartyId) -> Result<(), Refusal> {
        let party = self.party(of)?;
        let security = party.security.ending();
        let plain = |text: &Bytes| keying::offered(text, &sections::reread(text), &security);
        let received = match &party.exchange {
            Exchange::Received(offer) => Some(plain(offer)?),
            Exchange::Idle | Exchange::Sent(_) => None,
        };
        let first = match &party.first_offer {
            Some((Side::Them, offer)) => Some(plain(offer)?),
            Some((Side::Us, _)) | None => None,
        };
        let remote = party.remote.as_ref().map(plain).transpose()?;
        let mint = self.party_mut(beside)?.mint.as_mut().and_then(Mint::split);
        let party = self.party_mut(of)?;
        (party.security, party.mint) = (security, mint);
        if let Some(Plain { text, keyed }) = received {
            (party.exchange, party.theirs.pending) = (Exchange::Received(text), Some(keyed));
        }
        if let Some(Plain { text, keyed }) = first {
            (party.first_offer, party.first_keyed) = (Some((Side::Them, text)), keyed);
        }
        if let Some(Plain { text, keyed }) = remote {
            (party.remote, party.theirs.standing) = (Some(text), keyed);
        }
        Ok(())
    }

    /// Other ports for a stream whose keys are to be ours from now on, for packets by those before may still be on their way (RFC 8842 §5.1,
    /// RFC 4568 §7.1.4). Nothing flows by the ones that it has.
    pub(super) fn other_context(
        &mut self,
        party: PartyId,
        section: usize,
        ports: &mut dyn Ports,
    ) -> Result<ContextId, Refusal> {
        let stream = self.stream_at(party, section)?;
        if let Some(context) = stream.context.filter(|_| stream.fresh) {
            return Ok(context);
        }
        let context = self.borrow(party, ports)?;
        let stream = self.stream_at(party, section)?;
        stream.begin_keys_anew();
        let applied = stream.applied.take().is_some();
        stream.fresh = true;
        if let Some(before) = stream.context.replace(context) {
            self.let_go(self.index(party)?, before, applied);
        }
        Ok(context)
    }

    /// Whether an answer says again what it has said before keys of its party began to end with us: its own, that nobody has asked it for.
    pub(super) fn repeats(&self, party: &Party, answer: &Bytes) -> bool {
        if !(0..party.streams.len()).any(|section| party.is_unread(section)) {
            return false;
        }
        let Ok(answered) = sections::parse(answer, &self.limits) else { return false };
        let (answer, answered) = self.taken_apart(answer, answered);
        let plain = keying::offered(&answer, &answered, &party.security);
        plain.is_ok_and(|Plain { text, keyed }| {
            party.remote.as_ref() == Some(&text) && party.theirs.standing == keyed
        })
    }

    /// A description of `from` as `to` may be told of it, and what its sections say of keys that end with us.
    ///
    /// # Errors
    /// Nothing is left of it for this.
    pub(super) fn seen_by(
        &self,
        to: &Party,
        from: &Party,
        text: &Bytes,
    ) -> Result<(Description, Vec<Keyed>), Refusal> {
        let description = sections::reread(text);
        if from.security.ends() || !to.security.ends() || self.mode == Mode::Bypass {
            return Ok((description, from.theirs.last().clone()));
        }
        let Plain { text, keyed } = keying::offered(text, &description, &from.security.ending())?;
        Ok((sections::reread(&text), keyed))
    }

    /// The same, as it is where nothing is left.
    pub(super) fn as_seen_by(&self, to: &Party, from: &Party, text: &Bytes) -> Description {
        self.seen_by(to, from, text).map_or_else(|_| sections::reread(text), |(seen, _)| seen)
    }
}
