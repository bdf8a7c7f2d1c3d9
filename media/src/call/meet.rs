//! Two parties meet that have both made an offer: each is answered by what the other one has offered, as far as both can.

use bytes::Bytes;
use sdp::{Description, Media};

use super::agreement::is_one;
use super::party::Exchange;
use super::{CallMedia, own, sections};
use crate::negotiate::{Misuse, Refusal};
use crate::rtp::{static_clock, static_name};
use crate::{PartyId, Ports};

impl CallMedia {
    /// Our answers to the pending offers of two parties, that to `a` first: of each stream the formats that both have offered, by the
    /// numbers of whom they come from, as each sends by those of the other one (RFC 3264 §6.1).
    ///
    /// # Errors
    /// Why there are none, above all [`Refusal::Formats`] where they have nothing in common; nothing has changed then with `a`.
    pub fn answer_both(
        &mut self,
        a: PartyId,
        b: PartyId,
        ports: &mut dyn Ports,
    ) -> Result<(Bytes, Bytes), Refusal> {
        self.end_alike(a, b)?;
        let (of_a, of_b) = (self.offered_by(a)?, self.offered_by(b)?);
        let coded = |to, from, source: &Description, offer: &Description| {
            self.answered_codecs(to, Some(from), source, offer).unwrap_or_else(|| source.clone())
        };
        let for_a = in_common(&coded(a, b, &of_b, &of_a), &of_a);
        let for_b = in_common(&coded(b, a, &of_a, &of_b), &of_b);
        let is_alive = |media: Media<'_>| media.line().port != 0;
        if !for_a.media().any(is_alive) {
            return Err(Refusal::Formats);
        }
        let for_a = self.answered_keys(a, Some(b), &for_a, &of_a).unwrap_or(for_a);
        let for_b = self.answered_keys(b, Some(a), &for_b, &of_b).unwrap_or(for_b);
        let reach = |party: PartyId| Ok::<_, Refusal>(self.party(party)?.reach());
        let (a_reach, b_reach) = (reach(a)?, reach(b)?);
        // It may be refused here only by what its ports were borrowed for already.
        let to_b = self.answer_from(b, (&for_b, a_reach, None), ports)?;
        let to_a = self.answer_from(a, (&for_a, b_reach, None), ports)?;
        Ok((to_a, to_b))
    }

    /// Our answer to the pending offer of `to`, of what it has in common with the description of `from` that stands.
    ///
    /// # Errors
    /// As for [`Self::answer_both`].
    pub fn answer_to_standing(
        &mut self,
        to: PartyId,
        from: PartyId,
        ports: &mut dyn Ports,
    ) -> Result<Bytes, Refusal> {
        self.end_alike(to, from)?;
        let offer = self.offered_by(to)?;
        let source = self.party(from)?;
        let (reach, willing) = (source.reach(), source.introduced.then_some(from));
        let standing = source.remote.as_ref().ok_or(Refusal::Misuse(Misuse::NothingDescribed))?;
        let seen = self.seen_by(self.party(to)?, source, standing)?.0;
        let seen = self.answered_codecs(to, Some(from), &seen, &offer).unwrap_or(seen);
        let common = in_common(&seen, &offer);
        let common = self.answered_keys(to, Some(from), &common, &offer).unwrap_or(common);
        if !common.media().any(|media| media.line().port != 0) {
            return Err(Refusal::Formats);
        }
        self.answer_from(to, (&common, reach, willing), ports)
    }

    /// Whether one of two offers, of which at least the first is pending, can answer the other.
    ///
    /// # Errors
    /// [`Refusal::Formats`] where each has a stream and none would be left. Who offers no stream wants none.
    pub fn must_meet(&self, a: PartyId, b: PartyId) -> Result<(), Refusal> {
        let of_a = self.offered_by(a)?;
        let of_b = sections::reread(self.offer_to_answer(b)?);
        let is_alive = |media: &Media<'_>| media.line().port != 0;
        if !of_a.media().any(|media| is_alive(&media)) || !of_b.media().any(|media| is_alive(&media)) {
            return Ok(());
        }
        let of_a = self.answered_codecs(b, Some(a), &of_a, &of_b).unwrap_or(of_a);
        let common = own::common(&of_a, &of_b).unwrap_or(of_a);
        let mut pairs = common.media().zip(of_b.media());
        match pairs.any(|(a, b)| is_alive(&a) && is_alive(&b) && a.line().media == b.line().media) {
            true => Ok(()),
            false => Err(Refusal::Formats),
        }
    }

    fn offered_by(&self, party: PartyId) -> Result<Description, Refusal> {
        match &self.party(party)?.exchange {
            Exchange::Received(offer) => Ok(sections::reread(offer)),
            Exchange::Idle | Exchange::Sent(_) => Err(Refusal::Misuse(Misuse::NoOffer)),
        }
    }
}

/// What of a description somebody can take who has described that: streams of the same medium and protocol in the same place, with
/// the formats that both know. All others have port 0.
fn in_common(description: &Description, with: &Description) -> Description {
    let mut common = description.clone();
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut dropped: Vec<(std::ops::Range<usize>, Vec<String>)> = Vec::new();
    let mut theirs = with.media();
    for media in description.media() {
        let (line, section) = (media.line(), media.section());
        let same = theirs.next().filter(|other| {
            let other = other.line();
            other.media == line.media && is_one(other.proto, line.proto) && other.port != 0 && line.port != 0
        });
        let known = same.as_ref().map(formats).unwrap_or_default();
        let (kept, lost): (Vec<_>, Vec<_>) =
            formats(&media).into_iter().partition(|(_, name)| known.iter().any(|(_, other)| other == name));
        // Tones alone are no conversation.
        let speaks = kept.iter().any(|(_, name)| !is_auxiliary(name));
        let numbers = |list: Vec<(String, String)>| list.into_iter().map(|(number, _)| number);
        if speaks {
            let count = line.port_count.map(|count| format!("/{count}")).unwrap_or_default();
            let numbers: Vec<_> = numbers(kept).collect();
            let text = format!("{} {}{count} {} {}", line.media, line.port, line.proto, numbers.join(" "));
            lines.push((section.start(), text));
            dropped
                .push((section.start()..section.end(), lost.into_iter().map(|(number, _)| number).collect()));
        } else {
            lines.push((section.start(), format!("{} 0 {} {}", line.media, line.proto, line.formats)));
        }
    }
    for (at, text) in lines {
        common.replace(at, b'm', text.as_bytes());
    }
    common.retain(|line| {
        let lost = dropped.iter().find(|(lines, _)| lines.contains(&line.index())).map(|(_, lost)| lost);
        let (Some(lost), b'a', Some(text)) = (lost, line.kind(), line.text()) else { return true };
        let of = ["rtpmap:", "fmtp:", "rtcp-fb:"].into_iter().find_map(|name| text.strip_prefix(name));
        let number = of.and_then(|rest| rest.split_ascii_whitespace().next());
        number.is_none_or(|number| !lost.iter().any(|lost| lost == number))
    });
    common
}

/// The formats of a stream: each as it is numbered there, and by a name that does not depend on that.
fn formats(media: &Media<'_>) -> Vec<(String, String)> {
    let name = |format: &str| {
        let Ok(payload) = format.parse::<u8>() else { return format.to_ascii_lowercase() };
        let map = media.rtp_maps().find(|map| map.payload == payload);
        let (encoding, clock, more) = match map {
            Some(map) => (map.encoding, map.clock_rate, map.parameters.filter(|more| *more != "1")),
            None => (static_name(payload).unwrap_or(format), static_clock(payload).unwrap_or_default(), None),
        };
        format!("{encoding}/{clock}/{}", more.unwrap_or_default()).to_ascii_lowercase()
    };
    media.line().formats().map(|format| (format.to_owned(), name(format))).collect()
}

/// What goes with speech and is none (RFC 4733, RFC 3389, RFC 2198).
fn is_auxiliary(name: &str) -> bool {
    ["telephone-event/", "cn/", "red/"].iter().any(|auxiliary| name.starts_with(auxiliary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdp::Limits;

    fn read(text: &str) -> Description {
        let text = format!("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{text}");
        Description::parse(text.into_bytes().into(), &Limits::default()).unwrap()
    }

    fn common(of: &str, with: &str) -> String {
        let mut out = Vec::new();
        in_common(&read(of), &read(with)).write(&mut out);
        String::from_utf8(out).unwrap().split_once("t=0 0\r\n").unwrap().1.to_owned()
    }

    #[test]
    fn formats_are_compared_by_name_and_keep_their_numbers() {
        let of = "m=audio 4 RTP/AVP 96 8 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 x=1\r\na=rtpmap:101 telephone-event/8000\r\n";
        let with = "m=audio 6 RTP/AVP 111 0 8\r\na=rtpmap:111 OPUS/48000/2\r\n";
        assert_eq!(
            common(of, with),
            "m=audio 4 RTP/AVP 96 8\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 x=1\r\n"
        );
        assert_eq!(common(with, of), "m=audio 6 RTP/AVP 111 8\r\na=rtpmap:111 OPUS/48000/2\r\n");
    }

    #[test]
    fn streams_that_only_one_has_are_left_out_and_tones_alone_are_none() {
        let both = "m=audio 4 RTP/AVP 8\r\nm=video 6 RTP/AVP 31\r\n";
        assert_eq!(
            common(both, "m=audio 2 RTP/AVP 8\r\n"),
            "m=audio 4 RTP/AVP 8\r\nm=video 0 RTP/AVP 31\r\n"
        );
        assert_eq!(common("m=audio 4 RTP/SAVP 8\r\n", "m=audio 2 RTP/AVP 8\r\n"), "m=audio 0 RTP/SAVP 8\r\n");
        let tones = "a=rtpmap:101 telephone-event/8000\r\n";
        let of = format!("m=audio 4 RTP/AVP 0 101\r\n{tones}");
        assert_eq!(
            common(&of, &format!("m=audio 4 RTP/AVP 8 101\r\n{tones}")),
            format!("m=audio 0 RTP/AVP 0 101\r\n{tones}")
        );
    }
}
