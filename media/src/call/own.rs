//! Offers that nobody else has made: of the codecs that we are told to offer, and what two offers have in common.

use bytes::Bytes;
use sdp::{Description, Direction, Media};

use super::codec::{self, Codec};
use super::party::Exchange;
use super::{CallMedia, Mode, sections};
use crate::keying::plain_profile;
use crate::negotiate::{Bundle, Bundling, Composition, Misuse, Refusal, Slot, compose, tags};
use crate::{PartyId, Ports};

/// An audio codec that an offer of our own names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// The payload type.
    pub payload: u8,
    /// The encoding's name.
    pub encoding: &'static str,
    /// The RTP clock rate in Hz.
    pub clock_rate: u32,
    /// The number of channels, where it is not one.
    pub channels: Option<u8>,
    /// The parameters of `a=fmtp`.
    pub parameters: Option<&'static str>,
}

impl CallMedia {
    /// Our offer to `to` of one audio stream with these codecs, before anybody has described anything for it.
    ///
    /// # Errors
    /// [`Misuse::OfferPending`]; [`Misuse::NothingDescribed`] where media goes around us, for then there is nothing of our own to
    /// offer; no ports.
    pub fn offer_own(
        &mut self,
        to: PartyId,
        codecs: &[Offered],
        ports: &mut dyn Ports,
    ) -> Result<Bytes, Refusal> {
        if self.party(to)?.exchange != Exchange::Idle {
            return Err(Refusal::Misuse(Misuse::OfferPending));
        }
        if self.mode == Mode::Bypass || codecs.is_empty() {
            return Err(Refusal::Misuse(Misuse::NothingDescribed));
        }
        let source = sections::reread(&described(codecs));
        let source = self.offered_keys(to, None, &source).unwrap_or(source);
        let standing = self.party(to)?.streams.len();
        let context = self.stream_context(to, 0, ports).inspect_err(|_| self.roll_back(to, standing))?;
        let port = self.port(context.pair).unwrap_or_default();
        let party = self.party(to)?;
        let [mux, browser] = [party.offers_dtls(0), party.offers_to_browser(0)];
        let profile = browser.then_some(plain_profile(true));
        let slots = [Slot::Relayed { port, mux, direction: Direction::SendRecv, profile }];
        let bundle = party.bundling != Bundling::Off && browser;
        let bundle = bundle.then(|| Bundle::new(tags(&source, &[0], |_| None), false)).flatten();
        let ice = self.offered_ice(to, &source, &slots, bundle.as_ref())?;
        let own = self.party(to)?.own;
        let text = compose(&Composition {
            source: &source,
            frame: None,
            answer: false,
            anchored: true,
            own,
            nowhere: None,
            slots: &slots,
            ice: &ice,
            bundle: bundle.as_ref(),
        });
        self.publish_offer(to, text, (standing, true))
    }
}

/// A description with one stream of these codecs.
fn described(codecs: &[Offered]) -> Bytes {
    let mut formats = String::new();
    let mut attributes = String::new();
    for Offered { payload, encoding, clock_rate, channels, parameters } in codecs {
        formats.push_str(&format!(" {payload}"));
        attributes.push_str(&format!("a=rtpmap:{payload} {encoding}/{clock_rate}"));
        if let Some(channels) = channels {
            attributes.push_str(&format!("/{channels}"));
        }
        attributes.push_str("\r\n");
        if let Some(parameters) = parameters {
            attributes.push_str(&format!("a=fmtp:{payload} {parameters}\r\n"));
        }
    }
    format!("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP{formats}\r\n{attributes}")
        .into()
}

/// What of a description can answer an offer that it was not made for: of each RTP stream the formats that the offer has too, by what
/// they mean and not by their numbers (RFC 3264 §6.1). A stream that has none of them is rejected. `None`: all of it can.
pub(super) fn common(source: &Description, offer: &Description) -> Option<Description> {
    let mut offered = offer.media();
    let left: Vec<Vec<Codec>> = source
        .media()
        .map(|media| offered.next().map_or_else(Vec::new, |offer| left_out(&media, &offer)))
        .collect();
    if left.iter().all(Vec::is_empty) {
        return None;
    }
    let mut text = Vec::new();
    for line in source.session().lines() {
        text.extend_from_slice(line.bytes());
    }
    for (media, left) in source.media().zip(&left) {
        write_without(&mut text, &media, left);
    }
    Some(sections::reread(&text.into()))
}

/// The formats of a stream that an offer of it does not have.
pub(super) fn left_out(media: &Media<'_>, offer: &Media<'_>) -> Vec<Codec> {
    let is_rtp = |media: &Media<'_>| media.line().proto.contains("RTP");
    if !is_rtp(media) || !is_rtp(offer) || media.line().port == 0 {
        return Vec::new();
    }
    let offered = codec::all(offer);
    codec::all(media).into_iter().filter(|codec| !offered.iter().any(|other| are_one(codec, other))).collect()
}

fn are_one(a: &Codec, b: &Codec) -> bool {
    let names = match (&a.encoding, &b.encoding) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (None, None) => a.format == b.format,
        (_, _) => false,
    };
    names && a.clock_rate == b.clock_rate && a.channels.unwrap_or(1) == b.channels.unwrap_or(1)
}

/// Whether what is left is a stream: events and comfort noise go with something.
fn is_stream(media: &Media<'_>, left: &[Codec]) -> bool {
    let stays = |codec: &Codec| !left.iter().any(|out| out.format == codec.format);
    let speaks =
        |codec: &Codec| !["telephone-event", "CN"].iter().any(|name| codec.name().eq_ignore_ascii_case(name));
    codec::all(media).iter().any(|codec| stays(codec) && speaks(codec))
}

/// Writes a section without these formats.
fn write_without(text: &mut Vec<u8>, media: &Media<'_>, left: &[Codec]) {
    let is_left = |format: &str| left.iter().any(|codec| codec.format == format);
    let line = media.line();
    let stands = is_stream(media, left) || left.is_empty();
    let port = if stands { line.port } else { 0 };
    text.extend_from_slice(format!("m={} {port} {}", line.media, line.proto).as_bytes());
    for format in line.formats().filter(|format| !stands || !is_left(format)) {
        text.extend_from_slice(format!(" {format}").as_bytes());
    }
    text.extend_from_slice(b"\r\n");
    for line in media.section().lines().skip(1) {
        let of = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"]
            .iter()
            .find_map(|name| line.bytes().strip_prefix(name.as_bytes()));
        let format = of.and_then(|of| of.split(|byte| byte.is_ascii_whitespace()).next());
        if !format.is_some_and(|format| std::str::from_utf8(format).is_ok_and(is_left)) {
            text.extend_from_slice(line.bytes());
        }
    }
}
