//! Keys of a party: in which form it has them, what its descriptions say of that, and what the relay is told.

mod edit;
mod keypad;

use std::ops::RangeInclusive;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sdp::{Description, Media};

use super::codec::{self, Codec};
use super::party::{Link, Party, Stream};
use super::{CallMedia, Mode, sections};
use crate::dtmf::{Digit, Form, Law, Plan, Voice, Wanted, Way};
use crate::negotiate::is_secure;
use crate::relay::Command;
use crate::rtcp::CNAME_LENGTH;
use crate::{ContextId, PartyId};
use edit::{Edit, free, write};
pub(super) use keypad::Keypad;

/// How a party's keys stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DtmfView {
    /// The form that it has them in; `None` where nothing was settled, so that they go as they come.
    pub form: Option<Form>,
    /// Whether those that it presses reach the other side in another form.
    pub translated: bool,
    /// Whether they would have to, and cannot, as the stream is secret between the two sides or flows around us.
    pub sealed: bool,
    /// How many of its keys were heard, of those that are translated.
    pub heard: u32,
    /// How many were said to it.
    pub said: u32,
}

/// Clock rates in Hz that audio has. Events of others are none: of what a peer calls the clock, it depends how many packets a key is.
const CLOCKS: RangeInclusive<u32> = 8_000..=192_000;

impl CallMedia {
    /// In which form a party has keys; to be told before its first description. Where media goes around us this says nothing.
    pub fn dtmf(&mut self, party: PartyId, wanted: Wanted) {
        if let Ok(party) = self.party_mut(party) {
            party.dtmf = wanted;
        }
    }

    /// The number that [reports](crate::relay::Report) have; to be told before the first description.
    pub fn numbered(&mut self, call: u64) {
        self.number = call;
    }

    /// Whether a key that a party sends by INFO is said to the other side in another form.
    #[must_use]
    pub fn takes_info(&self, from: PartyId) -> bool {
        self.speaks(from).is_some()
    }

    /// Says a key that a party has sent by INFO to the other side; false where its INFO has to cross.
    pub fn say(&mut self, from: PartyId, digit: Digit, millis: u32) -> bool {
        let Some(context) = self.speaks(from) else { return false };
        self.commands.push_back(Command::Say { context, digit, millis });
        true
    }

    fn speaks(&self, from: PartyId) -> Option<ContextId> {
        let says = |stream: &&Stream| {
            let plan = stream.applied.as_ref().and_then(|settings| settings.dtmf.as_ref());
            plan.is_some_and(|plan| matches!(plan.way, Way::Said(_)))
        };
        self.party(from).ok()?.streams.iter().find(says)?.context
    }

    /// How a party's keys stand; `None` before it has a stream for them.
    #[must_use]
    pub fn dtmf_view(&self, party: PartyId) -> Option<DtmfView> {
        let found = self.party(party).ok()?;
        let peer = found.peer.and_then(|peer| self.party(peer).ok());
        let link = found.streams.iter().find_map(|stream| stream.link.as_ref().filter(|link| link.rtp));
        let around = found.streams.iter().any(|stream| stream.around);
        if link.is_none() && !around {
            return None;
        }
        let form = match (found.dtmf, link.map(|link| &link.keypad)) {
            (Wanted::Info, _) => Some(Form::Info),
            (Wanted::Tones, _) => Some(Form::Tones),
            (_, Some(keypad)) if keypad.come.is_some() => Some(Form::Events),
            (Wanted::Events, Some(_)) => Some(Form::Tones),
            (Wanted::Events | Wanted::Auto, _) => None,
        };
        let unlike = |peer: &Party| peer.dtmf != found.dtmf;
        let sealed = around || link.is_some_and(|link| link.dtls);
        let plan = |stream: &Stream| stream.applied.as_ref().is_some_and(|settings| settings.dtmf.is_some());
        Some(DtmfView {
            form,
            translated: found.streams.iter().any(plan),
            sealed: sealed && peer.is_some_and(unlike),
            heard: count(found).0,
            said: peer.map_or(0, |peer| count(peer).1),
        })
    }

    /// Which of two legs have keys in forms of their own: between others descriptions say of events what they said.
    fn forms(&self, to: PartyId, from: Option<PartyId>) -> (Wanted, Wanted) {
        let wanted = |id| self.party(id).map(|party| party.dtmf).unwrap_or_default();
        (wanted(to), from.map(wanted).unwrap_or_default())
    }

    /// A description of `from` as `to` is offered it: with events where it is to press keys so, without where it is not.
    pub(super) fn offered_keys(
        &self,
        to: PartyId,
        from: Option<PartyId>,
        source: &Description,
    ) -> Option<Description> {
        let (wanted, other) = self.forms(to, from);
        let local = self.party(to).ok().and_then(|party| party.local.as_ref()).map(sections::reread);
        let told: Vec<_> = local.iter().flat_map(Description::media).collect();
        self.edited((wanted, other), source, |section, media, events| {
            let mut edit = Edit::default();
            if refuses(wanted) {
                edit.drop = events.iter().map(|codec| codec.format.clone()).collect();
            } else if events.is_empty() && has_own(wanted, other) {
                let clock = clock(media);
                let before = told.get(section).and_then(|told| events_of(told).into_iter().find(has(clock)));
                let before = before.filter(|codec| !uses(media, &[], &codec.format));
                let before = before.and_then(|codec| codec.format.parse().ok());
                let number = before.or_else(|| free(source.media().chain(told.iter().copied())));
                edit.add = number.map(|number| (number, clock));
            }
            edit
        })
    }

    /// A description of `from` as it answers that offer of `to`: with events where the offer has them and we translate what comes, and
    /// without those that it has not.
    pub(super) fn answered_keys(
        &self,
        to: PartyId,
        from: Option<PartyId>,
        source: &Description,
        offer: &Description,
    ) -> Option<Description> {
        let (wanted, other) = self.forms(to, from);
        let offers: Vec<_> = offer.media().collect();
        self.edited((wanted, other), source, |section, media, events| {
            let mut offered = offers.get(section).map(events_of).unwrap_or_default();
            offered.retain(has_a_clock);
            let is_offered = |codec: &Codec| offered.iter().any(|other| other.clock_rate == codec.clock_rate);
            let stays = |codec: &Codec| !refuses(wanted) && is_offered(codec);
            let drop: Vec<_> =
                events.iter().filter(|codec| !stays(codec)).map(|codec| codec.format.clone()).collect();
            let mut edit = Edit { drop, add: None };
            if !refuses(wanted) && !events.iter().any(stays) && has_own(wanted, other) {
                let clock = clock(media);
                let is_free = |codec: &&Codec| !uses(media, &edit.drop, &codec.format);
                let mut free = offered.iter().filter(is_free);
                let best = free.clone().find(|codec| has(clock)(codec)).or_else(|| free.next());
                edit.add = best.and_then(|codec| Some((codec.format.parse().ok()?, codec.clock_rate?)));
            }
            edit
        })
    }

    /// The description with what is to become of the events of each section where they are ours to change; `None` where nothing is.
    fn edited(
        &self,
        forms: (Wanted, Wanted),
        source: &Description,
        edit: impl Fn(usize, &Media<'_>, &[Codec]) -> Edit,
    ) -> Option<Description> {
        if self.mode == Mode::Bypass || forms == (Wanted::Auto, Wanted::Auto) {
            return None;
        }
        let edits: Vec<_> = source
            .media()
            .enumerate()
            .map(|(section, media)| match is_ours(&media) {
                true => edit(section, &media, &events_of(&media)),
                false => Edit::default(),
            })
            .collect();
        if edits.iter().all(|edit| edit.drop.is_empty() && edit.add.is_none()) {
            return None;
        }
        let mut text = Vec::with_capacity(1_024);
        for line in source.session().lines() {
            text.extend_from_slice(line.bytes());
        }
        for (media, edit) in source.media().zip(&edits) {
            write(&mut text, &media, edit, source.line_end());
        }
        Some(sections::reread(&text.into()))
    }

    /// What becomes of the keys in each stream of the party in that place.
    pub(super) fn plans(&self, index: usize) -> Vec<Option<Arc<Plan>>> {
        let Some(party) = self.parties.get(index) else { return Vec::new() };
        let Some(peer) = party.peer.and_then(|peer| self.party(peer).ok()) else { return Vec::new() };
        let mut plans = Vec::new();
        for (section, (stream, other)) in party.streams.iter().zip(&peer.streams).enumerate() {
            let ours = |link: &&Link| link.rtp && !link.dtls;
            let links = stream.link.as_ref().filter(ours).zip(other.link.as_ref().filter(ours));
            let forms = (party.dtmf, peer.dtmf);
            let made = links.and_then(|(link, other)| way(forms, (&link.keypad, &other.keypad)));
            // Where codecs are changed, the coder gives events the numbers of the other side.
            let is_coded = |plan: &Made| {
                matches!(plan, (Some(_), _, Way::Said(Voice::Events { .. })))
                    && links.is_some_and(|(link, other)| self.is_coded(party, peer, link, other))
            };
            let made = made.filter(|made| !is_coded(made));
            plans.push(made.map(|(events, tones, way)| {
                let salt = (u64::from(party.id.0) << 32) ^ section as u64;
                let [.., r0, r1, r2, r3] = self.salted(salt).to_be_bytes();
                Arc::new(Plan {
                    events,
                    tones,
                    way,
                    call: self.number,
                    party: party.id,
                    peer: peer.id,
                    ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
                    cname: cname([self.salted(!salt), self.salted(salt ^ OTHER)]),
                })
            }));
        }
        plans
    }
}

type Made = (Option<(u8, u32)>, Box<[(u8, Law)]>, Way);

/// What is heard of a party and what becomes of it, where something does.
fn way((wanted, other): (Wanted, Wanted), (from, to): (&Keypad, &Keypad)) -> Option<Made> {
    let events = from.come.filter(|_| !refuses(wanted));
    let tones = to.plays.map(|(payload, law)| Voice::Tones { payload, law });
    let voice = match other {
        Wanted::Info => None,
        Wanted::Tones => tones,
        Wanted::Events | Wanted::Auto => {
            let go = to.go.map(|(payload, clock, events)| Voice::Events { payload, clock, events });
            go.or(tones)
        }
    };
    let way = voice.map_or(Way::Reported, Way::Said);
    let listened =
        if events.is_none() { from.hears.iter().flatten().copied().collect() } else { Box::default() };
    let nothing = Box::default;
    match (wanted, other, way) {
        // Both hear what the other one sends, or nobody has said that they do not.
        (Wanted::Auto, Wanted::Auto, _) if events.is_none() || to.go.is_some() => None,
        (Wanted::Info, _, Way::Reported) => None,
        (Wanted::Info, ..) => Some((None, nothing(), way)),
        (_, _, Way::Said(Voice::Events { payload, clock, .. })) if events.is_some() => {
            // The numbers may be others; another clock is another stream.
            let (number, rate) = events?;
            (number != payload && rate == clock).then(|| (events, nothing(), way))
        }
        (_, _, Way::Said(Voice::Tones { .. })) if events.is_none() => match wanted {
            Wanted::Tones => None,
            // Tones cross as they are; INFO is said.
            _ => Some((None, nothing(), way)),
        },
        _ => Some((events, listened, way)),
    }
}

/// Whether a leg has no events.
fn refuses(wanted: Wanted) -> bool {
    matches!(wanted, Wanted::Info | Wanted::Tones)
}

/// Whether a leg has events of its own, whatever the other one has.
fn has_own(wanted: Wanted, other: Wanted) -> bool {
    wanted == Wanted::Events || wanted == Wanted::Auto && refuses(other)
}

/// A stream of audio that is not secret between the two sides.
pub(super) fn is_ours(media: &Media<'_>) -> bool {
    let line = media.line();
    line.media == "audio" && line.port != 0 && line.proto.contains("RTP") && !is_secure(line.proto)
}

fn events_of(media: &Media<'_>) -> Vec<Codec> {
    codec::all(media).into_iter().filter(is_event).collect()
}

pub(super) fn is_event(codec: &Codec) -> bool {
    codec.name().eq_ignore_ascii_case("telephone-event")
}

fn has(clock: u32) -> impl Fn(&Codec) -> bool {
    move |codec| codec.clock_rate == Some(clock)
}

/// Whether a clock rate is one of audio.
fn has_a_clock(codec: &Codec) -> bool {
    codec.clock_rate.is_some_and(|clock| CLOCKS.contains(&clock))
}

/// The clock rate that events of a stream have: that of its first codec.
fn clock(media: &Media<'_>) -> u32 {
    let codecs = codec::all(media).into_iter();
    codecs.filter(has_a_clock).find_map(|codec| codec.clock_rate).unwrap_or(8_000)
}

/// Whether a section has a format, other than those that are dropped.
fn uses(media: &Media<'_>, dropped: &[String], format: &str) -> bool {
    media.line().formats().any(|used| used == format) && !dropped.iter().any(|dropped| dropped == format)
}

/// What is another number than any party and section are.
const OTHER: u64 = 1 << 63;

/// 96 bits of these as a name of ours (RFC 7022 §5).
fn cname([first, second]: [u64; 2]) -> [u8; CNAME_LENGTH] {
    let mut octets = [0; 16];
    octets
        .iter_mut()
        .zip(first.to_be_bytes().into_iter().chain(second.to_be_bytes()))
        .for_each(|(to, from)| *to = from);
    let mut text = [b'A'; CNAME_LENGTH];
    // 12 octets are 16 characters.
    let _ = STANDARD_NO_PAD.encode_slice(octets.get(..12).unwrap_or_default(), &mut text);
    text
}

/// Keys of a party that were heard, and those of them that were said to the other side.
fn count(party: &Party) -> (u32, u32) {
    let counted = party.streams.iter().filter_map(|stream| stream.counters.as_ref());
    counted.map(|counters| counters.snapshot()).fold((0, 0), |(heard, said), of| {
        (heard.saturating_add(of.digits_heard), said.saturating_add(of.digits_said))
    })
}
