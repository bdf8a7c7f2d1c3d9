//! Codecs of a party that are none of the other's: what its descriptions say of them, and what the relay is told.
//!
//! A party may be offered codecs that the other side has not ([`CallMedia::transcode`]), behind those that it has. Where it takes one that
//! the other side has too, nothing comes of it. Where not, the other side is answered with one of its own, and the relay transcodes.

mod edit;
mod speech;

use std::sync::Arc;

use sdp::{Description, Media};

use super::codec::{self, Codec};
use super::dtmf::{is_event, is_ours};
use super::party::{Link, Party, Stream};
use super::{CallMedia, Mode, own, sections};
use crate::transcode::{CodedView, Coding, Fate, Outgoing, Plan};
use crate::{PartyId, Ports};
use edit::{Added, Edit, Numbers, edited};
pub(super) use speech::Speech;

/// What a packet of ours has where the peer has not said what it wants, in ms.
const USUAL_MILLIS: u32 = 20;
/// What we say of the Opus that we take: that a packet may have something of the one before (RFC 7587 §6.1).
const OPUS: &str = "useinbandfec=1";
/// The events that we take (RFC 4733 §2.4.1).
const EVENTS: &str = "0-16";

/// How a stream of a party is transcoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamCoding {
    /// The codec that its peer sends, or the first of them.
    pub from: &'static str,
    /// The codec that it becomes.
    pub to: &'static str,
    /// Whether that is so now.
    pub is_now: bool,
    /// What was counted of what its peer sends.
    pub counted: CodedView,
}

impl CallMedia {
    /// The codecs that may be added to what a party is offered; to be told before its first description. Where media goes around us, or keys
    /// are the peers' own, this says nothing.
    pub fn transcode(&mut self, party: PartyId, codings: &[Coding]) {
        if let Ok(party) = self.party_mut(party) {
            party.codings = codings.into();
        }
    }

    /// How many directions of streams are transcoded.
    #[must_use]
    pub fn transcoded(&self) -> usize {
        let streams = self.parties.iter().flat_map(|party| &party.streams);
        let applied = streams.filter_map(|stream| stream.applied.as_ref());
        applied.filter(|settings| settings.transcode.is_some()).count()
    }

    /// Whether codecs of one may become those of the other.
    fn crosses(&self, to: PartyId, from: Option<PartyId>) -> bool {
        let has = |id: PartyId| self.party(id).is_ok_and(|party| !party.codings.is_empty());
        self.mode == Mode::Anchored && (has(to) || from.is_some_and(has))
    }

    /// A description of `from` as `to` is offered it: with the codecs that may be added, and those that `to` has described itself.
    pub(super) fn offered_codecs(
        &self,
        to: PartyId,
        from: Option<PartyId>,
        source: &Description,
    ) -> Option<Description> {
        if !self.crosses(to, from) {
            return None;
        }
        let party = self.party(to).ok()?;
        let local = party.local.as_ref().map(sections::reread);
        let remote = party.remote.as_ref().map(sections::reread);
        let told: Vec<_> = local.iter().flat_map(Description::media).collect();
        let theirs: Vec<_> = remote.iter().flat_map(Description::media).collect();
        edited(source, |section, media| {
            if !is_ours(media) {
                return Edit::default();
            }
            let has = codec::all(media);
            let codings: Vec<_> = has.iter().filter_map(coding).collect();
            if codings.is_empty() {
                // Of what is none of ours nothing can be made.
                return Edit::default();
            }
            let described = theirs.get(section).filter(|theirs| is_ours(theirs)).map(codec::all);
            let described = described.iter().flatten().filter_map(coding);
            let mut wanted: Vec<Coding> = Vec::new();
            for coding in party.codings.iter().copied().chain(described) {
                if !codings.contains(&coding) && !wanted.contains(&coding) {
                    wanted.push(coding);
                }
            }
            let told = told.get(section).map(codec::all).unwrap_or_default();
            let mut numbers = Numbers::new(source.media().flat_map(|media| codec::all(&media)), &has, &told);
            let mut back = Vec::new();
            for coding in &wanted {
                let before = told.iter().find(|told| self::coding(told) == Some(*coding));
                if let Some(number) = numbers.take(before, coding.payload()) {
                    back.push(Added::coding(number, *coding));
                }
            }
            let mut clocks: Vec<_> =
                has.iter().filter(|codec| is_event(codec)).filter_map(|of| of.clock_rate).collect();
            for coding in
                wanted.iter().filter(|_| !clocks.is_empty()).map(|coding| coding.clock()).collect::<Vec<_>>()
            {
                // Events have the clock of the audio that they are put into (RFC 4733 §2.1).
                if clocks.contains(&coding) {
                    continue;
                }
                clocks.push(coding);
                let before = told.iter().find(|told| is_event(told) && told.clock_rate == Some(coding));
                back.extend(numbers.take(before, None).map(|number| Added::events(number, coding)));
            }
            Edit { back, ..Edit::default() }
        })
    }

    /// A description of `from` as `to` is offered it, with other codecs if there is room to code them. Where there is none, neither has any
    /// that are none of the other's from now on.
    pub(super) fn with_codecs(
        &mut self,
        to: PartyId,
        from: PartyId,
        source: Description,
        ports: &mut dyn Ports,
    ) -> Description {
        let Some(coded) = self.offered_codecs(to, Some(from), &source) else { return source };
        let directions = 2 * source.media().filter(is_ours).count();
        let has = |id: PartyId| self.party(id).is_ok_and(|party| party.has_room(directions));
        if has(to) || has(from) {
            return coded;
        }
        match (ports.room(self.thread, directions), self.party_mut(to)) {
            (Some(room), Ok(party)) => {
                party.room = Some(Arc::new(room));
                coded
            }
            _ => {
                for party in self.parties.iter_mut().filter(|party| [to, from].contains(&party.id)) {
                    party.codings = Box::default();
                }
                source
            }
        }
    }

    /// Whether there is a stream of which nothing becomes, because it was to be transcoded and there is no room for it.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        let plans = self.parties.iter().flat_map(|party| &party.streams);
        let plans = plans.filter_map(|stream| stream.applied.as_ref()?.transcode.as_ref());
        plans.into_iter().any(|plan| plan.tally.is_refused())
    }

    /// A description of `from` as it answers that offer of `to`: without the codecs that `to` has not, and where none is left with one that
    /// it has.
    pub(super) fn answered_codecs(
        &self,
        to: PartyId,
        from: Option<PartyId>,
        source: &Description,
        offer: &Description,
    ) -> Option<Description> {
        if !self.crosses(to, from) {
            return None;
        }
        let offers: Vec<_> = offer.media().collect();
        edited(source, |section, media| {
            let both = offers.get(section).filter(|offer| is_ours(media) && is_ours(offer));
            both.map(|offer| answered(media, offer)).unwrap_or_default()
        })
    }

    /// What somebody has said as the party is told it, in answer to what it has asked, if it has.
    pub(super) fn coded_for(
        &self,
        to: &Party,
        from: &Party,
        said: Description,
        asked: Option<&Description>,
    ) -> Description {
        let coded = match asked {
            Some(asked) => self.answered_codecs(to.id, Some(from.id), &said, asked),
            None => self.offered_codecs(to.id, Some(from.id), &said),
        };
        coded.unwrap_or(said)
    }

    /// Whether codecs are changed between two streams.
    pub(super) fn is_coded(&self, party: &Party, peer: &Party, link: &Link, other: &Link) -> bool {
        self.crosses(party.id, Some(peer.id)) && link.speech.differs(&other.speech)
    }

    /// What becomes of the codecs in each stream of the party in that place.
    pub(super) fn codings(&self, index: usize) -> Vec<Option<Plan>> {
        let Some(party) = self.parties.get(index) else { return Vec::new() };
        let Some(peer) = party.peer.and_then(|peer| self.party(peer).ok()) else { return Vec::new() };
        if !self.crosses(party.id, Some(peer.id)) {
            return Vec::new();
        }
        let plan = |(section, (stream, other)): (usize, (&Stream, &Stream))| {
            let ours = |link: &&Link| link.rtp && !link.dtls;
            let (link, other) = stream.link.as_ref().filter(ours).zip(other.link.as_ref().filter(ours))?;
            let (from, to) = (&link.speech, &other.speech);
            if !from.differs(to) {
                return None;
            }
            let output = *to.go.first()?;
            let fate = |(payload, coding): &(u8, Coding)| (*payload, to.fate(*coding));
            let events = link.keypad.events_come().zip(other.keypad.events_go());
            let salt = (u64::from(party.id.0) << 32) ^ (section as u64) ^ (1 << 63);
            let [.., r0, r1, r2, r3] = self.salted(salt).to_be_bytes();
            Some(Plan {
                inputs: from.come.iter().map(fate).collect(),
                output: Outgoing { millis: to.millis.unwrap_or(USUAL_MILLIS), ..output },
                events,
                noise: from.noise.map(|(come, _)| (come, to.noise.map(|(_, go)| go))),
                ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
                tally: stream.coded.as_ref().map(|(.., tally)| Arc::clone(tally)).unwrap_or_default(),
            })
        };
        party.streams.iter().zip(&peer.streams).enumerate().map(plan).collect()
    }
}

impl Party {
    /// Whether room is kept for so many directions of its.
    fn has_room(&self, directions: usize) -> bool {
        self.room.as_ref().is_some_and(|room| room.directions() >= directions)
    }
}

impl Stream {
    /// How it is transcoded, or was last.
    pub(super) fn coding(&self) -> Option<StreamCoding> {
        let (from, to, tally) = self.coded.as_ref()?;
        let is_now = self.applied.as_ref().is_some_and(|settings| settings.transcode.is_some());
        Some(StreamCoding { from, to, is_now, counted: tally.read() })
    }
}

impl Plan {
    /// The names of what comes first and what becomes of it.
    pub(super) fn names(&self) -> (&'static str, &'static str) {
        let to = self.output.coding.name();
        let changed = |(_, fate): &(u8, Fate)| match fate {
            Fate::Coded(coding) => Some((coding.name(), to)),
            Fate::Law(from, to, _) => Some((Coding::G711(*from).name(), Coding::G711(*to).name())),
            Fate::Passed(..) => None,
        };
        self.inputs.iter().find_map(changed).unwrap_or((to, to))
    }
}

/// The codec of ours that a format is.
fn coding(codec: &Codec) -> Option<Coding> {
    Coding::of(codec.name(), codec.clock_rate?, codec.channels.unwrap_or(1))
}

/// What goes with speech and is none (RFC 4733, RFC 3389, RFC 2198).
fn is_auxiliary(codec: &Codec) -> bool {
    ["telephone-event", "CN", "red"].iter().any(|name| codec.name().eq_ignore_ascii_case(name))
}

fn is_noise(codec: &Codec) -> bool {
    codec.name().eq_ignore_ascii_case("CN") && codec.clock_rate == Some(8_000)
}

fn answered(media: &Media<'_>, offer: &Media<'_>) -> Edit {
    let (answered, offered) = (codec::all(media), codec::all(offer));
    let left = own::left_out(media, offer);
    if left.is_empty() {
        return Edit::default();
    }
    let is_left = |codec: &Codec| left.iter().any(|left| left.format == codec.format);
    let drop = left.iter().map(|codec| codec.format.clone()).collect();
    if answered.iter().any(|codec| !is_auxiliary(codec) && !is_left(codec)) {
        return Edit { drop, back: events(&answered, &offered, &is_left, None), ..Edit::default() };
    }
    let Some(first) = answered.iter().find_map(coding) else { return Edit::default() };
    // From law to law nothing is lost.
    let mut codings = offered.iter().filter_map(|codec| Some((codec, coding(codec)?)));
    let is_easy =
        |(_, coding): &(&Codec, Coding)| matches!((coding, first), (Coding::G711(_), Coding::G711(_)));
    let Some((chosen, coding)) = codings.clone().find(is_easy).or_else(|| codings.next()) else {
        return Edit::default();
    };
    let Ok(number) = chosen.format.parse() else { return Edit::default() };
    let mut back = events(&answered, &offered, &is_left, Some(coding.clock()));
    let noise = offered.iter().find(|codec| is_noise(codec) && coding.clock() == 8_000);
    let noise = noise.filter(|noise| !answered.iter().any(|codec| codec.format == noise.format));
    back.extend(noise.and_then(|noise| noise.format.parse().ok()).map(Added::noise));
    Edit { drop, front: vec![Added::coding(number, coding)], back, untimed: true }
}

/// Events of the offer, where the answer has some and all of those are left out.
fn events(
    answered: &[Codec],
    offered: &[Codec],
    is_left: &impl Fn(&Codec) -> bool,
    clock: Option<u32>,
) -> Vec<Added> {
    let mut all = answered.iter().filter(|codec| is_event(codec)).peekable();
    if all.peek().is_none() || all.any(|codec| !is_left(codec)) {
        return Vec::new();
    }
    let mut offered = offered.iter().filter(|codec| is_event(codec));
    let fits = |codec: &&Codec| clock.is_none() || codec.clock_rate == clock;
    let best = offered.clone().find(fits).or_else(|| offered.next());
    let added = best.and_then(|codec| Some(Added::events(codec.format.parse().ok()?, codec.clock_rate?)));
    added.into_iter().collect()
}
