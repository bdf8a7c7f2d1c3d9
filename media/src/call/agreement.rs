//! Whether one party has been told what the other one has said.

use sdp::{Attribute, Description, Direction, Line, Media};

use super::party::{Exchange, Party, Side};
use super::{CallMedia, Mode, own, sections};
use crate::PartyId;
use crate::keying::Profile;
use crate::negotiate::{Described, is_extension, is_transport};

impl CallMedia {
    /// Whether an offer of ours to that party waits for its answer.
    #[must_use]
    pub fn awaits_answer(&self, party: PartyId) -> bool {
        self.party(party).is_ok_and(|party| matches!(party.exchange, Exchange::Sent(_)))
    }

    /// Whether an offer of that party waits for ours.
    #[must_use]
    pub fn owes_answer(&self, party: PartyId) -> bool {
        self.party(party).is_ok_and(|party| matches!(party.exchange, Exchange::Received(_)))
    }

    /// Whether what stands as our description towards `to` is what `from` has described, as far as the offers of `to` have room for
    /// it (RFC 3264 §6), and by which key of ours: the same streams, with the same formats and attributes, in the same directions. Where one of the two has
    /// described nothing yet, there is nothing to be told.
    #[must_use]
    pub fn knows(&self, to: PartyId, from: PartyId) -> bool {
        let (Ok(to), Ok(from)) = (self.party(to), self.party(from)) else { return true };
        let (Some(told), Some(said)) = (&to.local, &from.remote) else { return true };
        if to.streams.iter().any(|stream| stream.stale) {
            return false;
        }
        let (told, mut said) = (self.told_plainly(to, told), self.as_seen_by(to, from, said));
        if to.made
            && let Some(taken) = to.remote.as_ref().map(sections::reread)
        {
            let said = self.coded_for(to, from, said, Some(&taken));
            let said = self.answered_keys(to.id, Some(from.id), &said, &taken).unwrap_or(said);
            return self.serves(&taken, &said, from);
        }
        let asked = to.remote.as_ref().filter(|_| to.answered == Some(Side::Us)).map(sections::reread);
        said = self.coded_for(to, from, said, asked.as_ref());
        let keyed = match &asked {
            Some(asked) => self.answered_keys(to.id, Some(from.id), &said, asked),
            None => self.offered_keys(to.id, Some(from.id), &said),
        };
        said = keyed.unwrap_or(said);
        let (mut tolds, mut saids) = (told.media(), said.media());
        let mut asks = asked.as_ref().map(|asked| asked.media());
        for section in 0.. {
            let (told, said) = (tolds.next(), saids.next());
            if told.is_none() && said.is_none() {
                break;
            }
            let ask = asks.as_mut().map(Iterator::next);
            // What is not offered cannot be answered.
            let has_room = ask.as_ref().is_none_or(|ask| ask.as_ref().is_some_and(is_open));
            let said =
                said.filter(|_| has_room).and_then(|said| Some((self.stated(from, section, &said)?, said)));
            let told = told.filter(is_open);
            let same = match (&told, &said) {
                (None, None) => true,
                (Some(told), Some((direction, said))) => {
                    let most = ask.flatten().map_or(Direction::SendRecv, |ask| ask.direction().reversed());
                    told.direction() == direction.and(most) && self.are_alike(told, said)
                }
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !same {
                return false;
            }
        }
        true
    }

    /// Whether what `to` was told leads to where `from` is: in one stream that both have, if either has any, what either side can
    /// understand goes to the place that stands, by the keys that stand.
    #[must_use]
    pub fn reaches(&self, to: PartyId, from: PartyId) -> bool {
        let (Ok(to), Ok(from)) = (self.party(to), self.party(from)) else { return true };
        let (Some(told), Some(said)) = (&to.local, &from.remote) else { return true };
        let (told, said) = (self.told_plainly(to, told), self.as_seen_by(to, from, said));
        let asked = to.remote.as_ref().filter(|_| to.answered == Some(Side::Us)).map(sections::reread);
        let said = self.coded_for(to, from, said, asked.as_ref());
        let around = self.mode == Mode::Bypass;
        let leads = |told: &Media<'_>, said: &Media<'_>| {
            let (a, b) = (told.line(), said.line());
            let formats = || b.formats.split(' ');
            let common = a.formats.split(' ').any(|format| formats().any(|of| of == format));
            let place = !around || (a.port, told.connection()) == (b.port, said.connection());
            a.media == b.media && is_one(a.proto, b.proto) && common && place && keys(told).eq(keys(said))
        };
        let is_any = told.media().chain(said.media()).any(|media| is_open(&media));
        let mut pairs = told.media().zip(said.media());
        !is_any || pairs.any(|(told, said)| is_open(&told) && is_open(&said) && leads(&told, &said))
    }

    /// Whether what a party has answered to an offer of our own is good enough for what the other one has said to that answer: it
    /// will send nothing that the other one does not take, in no direction that it does not.
    fn serves(&self, taken: &Description, said: &Description, from: &Party) -> bool {
        let mut saids = said.media();
        taken.media().enumerate().all(|(section, taken)| {
            let said = saids.next().and_then(|said| Some((self.stated(from, section, &said)?, said)));
            match (is_open(&taken), said) {
                (false, said) => said.is_none(),
                (true, None) => false,
                (true, Some((direction, said))) => {
                    direction == taken.direction().reversed() && own::left_out(&taken, &said).is_empty()
                }
            }
        }) && saids.all(|said| !is_open(&said))
    }

    /// The direction that a section states for whoever is told of it; `None` where it is no stream for the other side.
    fn stated(&self, from: &Party, section: usize, said: &Media<'_>) -> Option<Direction> {
        if self.mode == Mode::Bypass {
            return is_open(said).then(|| said.direction());
        }
        let direction = match self.described(section, said, from.reach()) {
            Ok(Described::Relayed(endpoint)) => endpoint.direction,
            Ok(Described::Around) => said.direction(),
            Ok(Described::Rejected | Described::Refused) | Err(_) => return None,
        };
        Some(self.willing(from.introduced.then_some(from.id), section, direction))
    }

    /// Whether two sections say the same of what is ours to pass on; where media goes around us, of the transport as well.
    fn are_alike(&self, a: &Media<'_>, b: &Media<'_>) -> bool {
        let (first, second) = (a.line(), b.line());
        let around = self.mode == Mode::Bypass;
        let lines = (first.media, first.formats) == (second.media, second.formats)
            && is_one(first.proto, second.proto);
        let transports = !around || (first.port, a.connection()) == (second.port, b.connection());
        let feedback = first.proto.eq_ignore_ascii_case(second.proto);
        lines && transports && crossing(a, around, feedback).eq(crossing(b, around, feedback))
    }
}

fn is_open(media: &Media<'_>) -> bool {
    media.line().port != 0
}

/// What a section says of its keys.
fn keys<'a>(media: &Media<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let names = [b"crypto:".as_slice(), b"fingerprint:", b"tls-id:", b"key-mgmt:"];
    let lines = media.section().lines().filter(|line| line.kind() == b'a').map(|line| line.value());
    lines.filter(move |value| names.iter().any(|name| value.starts_with(name)))
}

/// Whether two transport protocols are the same, but for feedback, of which each leg is told as it can.
pub(super) fn is_one(a: &str, b: &str) -> bool {
    let both_plain = [a, b].into_iter().all(|proto| matches!(Profile::of(proto), Profile::Plain { .. }));
    both_plain || a == b
}

/// The lines of a section that cross as they are, those of feedback among them where both have it.
fn crossing<'a>(
    media: &Media<'a>,
    around: bool,
    feedback: bool,
) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
    let crosses = move |line: &Line<'_>| {
        let attribute = Some(line.value()).filter(|_| line.kind() == b'a');
        let is_direction = attribute.and_then(Direction::parse).is_some();
        let attribute = attribute.and_then(Attribute::parse);
        let is = |name: &str| attribute.is_some_and(|attribute| attribute.name == name);
        let is_own = attribute.is_some_and(|attribute| is_transport(attribute) || is_extension(&attribute))
            || is("mid");
        let is_left = !feedback && (is("rtcp-fb") || is("rtcp-rsize"));
        line.kind() != b'c' && !is_direction && !is_left && (around || !is_own)
    };
    media.section().lines().skip(1).filter(crosses).map(|line| (line.kind(), line.value()))
}
