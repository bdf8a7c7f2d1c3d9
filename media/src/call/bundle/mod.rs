//! The sections of a leg that share a transport (RFC 9143).
//!
//! Which of them do is what the last two descriptions have agreed on. Each keeps a remote of its own at the relay, on the ports of the
//! transport, which is the remote of the one that was there first: it stays what it is when that section goes.

mod offering;
mod taking;

use std::sync::Arc;

use bytes::Bytes;
use sdp::{Description, Media};

use super::answer::Outcome;
use super::links::can_share;
use super::party::{Party, Side, Stream};
use super::{CallMedia, Mode, sections};
use crate::keying::Keying;
use crate::negotiate::{Bundle, Bundling, Member, apart, extension, is_secure};
use crate::quality::{Counters, Snapshot};
use crate::relay::{Command, Settings, Share, Tags};
use crate::{ContextId, PairId, PartyId, Ports, Refusal};

/// The transport that sections share.
#[derive(Debug)]
pub(super) struct Bundled {
    /// Its remote, which is a section's as well, or was.
    pub(super) context: ContextId,
    /// What is counted of it.
    pub(super) counters: Arc<Counters>,
    /// How packets of each section are told.
    pub(super) sections: Vec<(usize, Tags)>,
    /// What the relay was told of it last, while no section is there.
    applied: Option<Settings>,
}

impl CallMedia {
    /// What is done about bundling on a party's leg; to be told before the first description.
    pub fn bundle(&mut self, party: PartyId, bundling: Bundling) {
        if let Ok(party) = self.party_mut(party) {
            party.bundling = bundling;
        }
    }

    /// A description of a peer in which each section of its group says what its transport is.
    pub(super) fn taken_apart(&self, text: &Bytes, description: Description) -> (Bytes, Description) {
        match self.mode {
            Mode::Bypass => (text.clone(), description),
            Mode::Anchored => match apart(&description) {
                Some(text) => (text.clone(), Description::reread(text)),
                None => (text.clone(), description),
            },
        }
    }
}

impl Party {
    /// The sections that share a transport by the descriptions that stand, or the one that is alone in its group.
    pub(super) fn bundled(&self) -> Vec<Member> {
        let (Some(local), Some(remote)) = (&self.local, &self.remote) else { return Vec::new() };
        let agreed = agreed(self.answered.unwrap_or(Side::Them), local, remote);
        agreed.into_iter().filter(|member| self.link(member.section).is_some()).collect()
    }

    /// The ports that they have.
    fn base(&self, bundled: &[Member]) -> Option<PairId> {
        let first = || self.streams.get(bundled.first()?.section)?.context;
        self.bundle.as_ref().map(|bundle| bundle.context).or_else(first).map(|context| context.pair)
    }

    /// Whether a stream can be on those ports: it has others for nothing that flows.
    fn is_free_for(&self, section: usize, base: Option<PairId>) -> bool {
        let Some(stream) = self.streams.get(section) else { return true };
        stream.link.is_none() || stream.context.map(|context| context.pair) == base
    }

    /// What the transport of a section is counted by.
    pub(super) fn transport_counters(&self, section: usize) -> Option<&Arc<Counters>> {
        let bundle = self.bundle.as_ref().filter(|bundle| bundle.tags(section).is_some());
        let own = || self.streams.get(section)?.counters.as_ref();
        bundle.map(|bundle| &bundle.counters).or_else(own)
    }

    /// What is counted of a section.
    pub(super) fn counted(&self, section: usize) -> Snapshot {
        let own = self.streams.get(section).and_then(|stream| stream.counters.as_ref());
        let mut counted = own.map(|counters| counters.snapshot()).unwrap_or_default();
        if let Some(bundle) = self.bundle.as_ref().filter(|bundle| bundle.tags(section).is_some()) {
            let transport = bundle.counters.snapshot();
            (counted.ice, counted.dtls, counted.source) = (transport.ice, transport.dtls, transport.source);
        }
        counted
    }

    /// The header extension for tags that a section has on this leg, and its tag.
    fn tag(&self, section: usize) -> Option<(u8, Box<str>)> {
        if let Some(tags) = self.bundle.as_ref().and_then(|bundle| bundle.tags(section)) {
            return Some((tags.extension?, tags.mid.clone()));
        }
        let (local, remote) =
            (sections::reread(self.local.as_ref()?), sections::reread(self.remote.as_ref()?));
        let (ours, theirs) = (local.media().nth(section)?, remote.media().nth(section)?);
        Some((extension(&ours).filter(|number| extension(&theirs) == Some(*number))?, ours.mid()?.into()))
    }
}

impl Bundled {
    pub(super) fn tags(&self, section: usize) -> Option<&Tags> {
        self.sections.iter().find(|(of, _)| *of == section).map(|(_, tags)| tags)
    }
}

impl CallMedia {
    /// The remote of a section on those ports, in place of what it had elsewhere.
    pub(super) fn context_on(
        &mut self,
        party: PartyId,
        section: usize,
        base: PairId,
    ) -> Result<ContextId, Refusal> {
        let stream = self.stream_at(party, section)?;
        if let Some(context) = stream.context.filter(|context| context.pair == base) {
            return Ok(context);
        }
        let context = self.another_on(base).ok_or(Refusal::TooManyDialogs)?;
        let stream = self.stream_at(party, section)?;
        let applied = stream.applied.take().is_some();
        stream.fresh = true;
        if let Some(before) = stream.context.replace(context) {
            self.let_go(self.index(party)?, before, applied);
        }
        Ok(context)
    }

    /// The remote of a section that is in no group: other ports than those of the group that it was in.
    pub(super) fn lone_context(
        &mut self,
        party: PartyId,
        section: usize,
        ports: &mut dyn Ports,
    ) -> Result<ContextId, Refusal> {
        let found = self.party(party)?;
        let context = found.streams.get(section).and_then(|stream| stream.context);
        match context.filter(|context| found.shares(section, *context)) {
            Some(_) => self.other_context(party, section, ports),
            None => self.stream_context(party, section, ports),
        }
    }

    /// Puts the sections that an exchange has bundled on one transport: each gets a remote there. `keep`: other dialogs may still answer the
    /// offer that had ports for each. One that is left on ports of a group which it is not in has none.
    pub(super) fn gather(&mut self, index: usize, agreed: &[Member], outcomes: &mut [Outcome], keep: bool) {
        let is_live =
            |outcomes: &[Outcome], section| matches!(outcomes.get(section), Some(Outcome::Relayed(..)));
        let live: Vec<_> = agreed
            .iter()
            .map(|member| member.section)
            .filter(|section| is_live(outcomes, *section))
            .collect();
        let Some(party) = self.parties.get(index) else { return };
        let first = live.first().and_then(|section| party.streams.get(*section)?.context);
        let base = party.bundle.as_ref().map(|bundle| bundle.context).or(first.filter(|_| live.len() > 1));
        for section in 0..outcomes.len() {
            let Some(party) = self.parties.get(index) else { return };
            let Some(stream) = party.streams.get(section).filter(|_| is_live(outcomes, section)) else {
                continue;
            };
            let context = stream.context;
            let to = match base.filter(|_| live.contains(&section)) {
                Some(base) if context.is_some_and(|context| context.pair == base.pair) => continue,
                Some(base) => self.another_on(base.pair),
                None if !live.contains(&section)
                    && context.is_some_and(|context| party.shares(section, context)) =>
                {
                    stream.spare
                }
                None => continue,
            };
            let Some(to) = to else {
                if let Some(outcome) = outcomes.get_mut(section) {
                    *outcome = Outcome::Dead;
                }
                continue;
            };
            let Some(stream) = self.parties.get_mut(index).and_then(|party| party.streams.get_mut(section))
            else {
                return;
            };
            let (before, applied) = (stream.context.replace(to), stream.applied.take().is_some());
            let kept = keep && stream.spare.is_none();
            stream.spare = match stream.spare.take() {
                Some(spare) if spare == to => None,
                None if keep => before,
                spare => spare,
            };
            match before {
                Some(context) if kept && applied => self.commands.push_back(Command::Clear { context }),
                Some(context) if !kept => self.drop_context(context, applied),
                _ => {}
            }
        }
    }

    /// Notes what sections share a transport by the descriptions that stand now.
    pub(super) fn settle_bundle(&mut self, index: usize) {
        let Some(party) = self.parties.get_mut(index) else { return };
        let bundled = party.bundled();
        if bundled.is_empty() || bundled.len() == 1 && party.bundle.is_none() {
            if let Some(over) = party.bundle.take()
                && !party.streams.iter().any(|stream| stream.context == Some(over.context))
            {
                self.drop_context(over.context, true);
            }
            return;
        }
        let tags = party.tags_of(&bundled);
        let first = bundled.first().map(|member| member.section);
        let stands = party.bundle.take();
        let (context, counters, applied) = match stands {
            Some(Bundled { context, counters, applied, .. }) => (context, counters, applied),
            None => {
                let Some(stream) = first.and_then(|section| party.streams.get_mut(section)) else { return };
                let Some(context) = stream.context else { return };
                (context, Arc::clone(stream.counters.get_or_insert_default()), None)
            }
        };
        party.bundle = Some(Bundled { context, counters, sections: tags, applied });
    }

    /// What the relay is told of a transport whose section is gone.
    pub(super) fn apply_transport(&mut self, index: usize, settings: &[Option<Settings>]) {
        let Some(party) = self.parties.get_mut(index) else { return };
        let Some(bundle) = &mut party.bundle else { return };
        let (context, counters) = (bundle.context, Arc::clone(&bundle.counters));
        if party.streams.iter().any(|stream| stream.context == Some(context) && stream.link.is_some()) {
            bundle.applied = None;
            return;
        }
        let of_any = bundle.sections.iter().find_map(|(section, _)| settings.get(*section)?.as_ref());
        let Some(of_any) = of_any else { return };
        let share = Some(Box::new(Share { transport: context.remote, section: None }));
        let wanted = Settings { peer: None, dtmf: None, share, ..of_any.clone() };
        if bundle.applied.as_ref() == Some(&wanted) {
            return;
        }
        bundle.applied = Some(wanted.clone());
        self.commands.push_back(Command::Set {
            context,
            settings: Box::new(wanted),
            unlatch: false,
            counters,
        });
    }

    /// The shares of a party's streams in its transport.
    pub(super) fn shares(&self, index: usize) -> Vec<Option<Share>> {
        let Some(party) = self.parties.get(index) else { return Vec::new() };
        let Some(bundle) = &party.bundle else { return Vec::new() };
        let peer = party.peer.and_then(|peer| self.party(peer).ok());
        let share = |section: usize| {
            let tags = bundle.tags(section)?;
            let told = peer.and_then(|peer| peer.tag(section));
            let blank = told.is_none_or(|(number, mid)| Some(number) != tags.extension || mid != tags.mid);
            Some(Share { transport: bundle.context.remote, section: Some(Tags { blank, ..tags.clone() }) })
        };
        (0..party.streams.len()).map(share).collect()
    }

    /// Frees a context of a party, unless it is the transport of some of its sections.
    pub(super) fn let_go(&mut self, index: usize, context: ContextId, applied: bool) {
        let bundle = self.parties.get(index).and_then(|party| party.bundle.as_ref());
        if bundle.is_none_or(|bundle| bundle.context != context) {
            self.drop_context(context, applied);
        }
    }

    /// Lets go of the transport of a party's sections, which are gone.
    pub(super) fn drop_transport(&mut self, bundle: Option<Bundled>) {
        if let Some(bundle) = bundle {
            self.drop_context(bundle.context, true);
        }
    }
}

impl Party {
    /// Whether the ports of a stream are those of others of this party as well.
    fn shares(&self, section: usize, context: ContextId) -> bool {
        let of_bundle = self.bundle.as_ref().is_some_and(|bundle| bundle.context.pair == context.pair);
        let mut others = self.streams.iter().enumerate().filter(|(of, _)| *of != section);
        of_bundle || others.any(|(_, other)| other.context.is_some_and(|other| other.pair == context.pair))
    }

    /// Whether an offer of a stream has a handshake alone, or no keys at all.
    fn offers_alone(&self, section: usize) -> bool {
        let offers = self.offers(section).unwrap_or(&[Keying::Sdes]);
        offers.is_empty() || offers == [Keying::Dtls] && self.offers_secure(section)
    }

    /// How packets of these sections are told.
    fn tags_of(&self, bundled: &[Member]) -> Vec<(usize, Tags)> {
        let (Some(local), Some(remote)) = (&self.local, &self.remote) else { return Vec::new() };
        let (local, remote) = (sections::reread(local), sections::reread(remote));
        let of = |member: &Member| {
            let (ours, theirs) = (local.media().nth(member.section)?, remote.media().nth(member.section)?);
            let mut sources: Vec<u32> = Vec::new();
            for attribute in theirs.section().attributes().filter(|attribute| attribute.name == "ssrc") {
                let source = attribute.text().and_then(|text| text.split(' ').next()?.parse().ok());
                sources.extend(
                    source.filter(|source| !sources.contains(source) && sources.len() < MOST_SOURCES),
                );
            }
            let tags = Tags {
                mid: member.mid.clone(),
                extension: extension(&ours).filter(|number| extension(&theirs) == Some(*number)),
                blank: false,
                payloads: ours.line().formats().filter_map(|format| format.parse().ok()).collect(),
                sources: sources.into(),
            };
            Some((member.section, tags))
        };
        bundled.iter().filter_map(of).collect()
    }
}

impl Stream {
    /// Where it would be were it in no group.
    pub(super) fn offered(&self) -> Option<ContextId> {
        self.spare.or(self.context)
    }
}

/// The sections that two descriptions have bundled.
pub(super) fn agreed(answered: Side, local: &Bytes, remote: &Bytes) -> Vec<Member> {
    // Most have none, which is seen without reading them.
    let any = |text: &Bytes| memchr::memmem::find(text, b"a=group:BUNDLE").is_some();
    if !any(local) || !any(remote) {
        return Vec::new();
    }
    let (local, remote) = (sections::reread(local), sections::reread(remote));
    match answered {
        Side::Us => Bundle::agreed(&remote, &local),
        Side::Them => Bundle::agreed(&local, &remote),
    }
}

/// Sections that share a transport at the most; each has a remote at its ports, as other early dialogs have ([`crate::MAX_CONTEXTS`]).
const MOST_SECTIONS: usize = 12;

/// Sources of a section that are gone by from the beginning; others are learned.
const MOST_SOURCES: usize = 32;

/// Whether a section may be on a port that others share: nothing of it is for its peers alone, and no payload type looks like RTCP.
fn is_open(media: &Media<'_>) -> bool {
    !is_secure(media.line().proto) && can_share(media)
}
