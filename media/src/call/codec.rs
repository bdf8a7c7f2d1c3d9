//! What the formats of a media section mean.

use sdp::{Media, RtpMap};

use crate::rtp::{static_clock, static_name};

/// A format of a stream and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codec {
    /// The format of the `m=` line; in RTP the payload type.
    pub format: String,
    /// The encoding's name, from `a=rtpmap` or the static payload types (RFC 3551 §6); `None` where it is not known.
    pub encoding: Option<String>,
    /// The RTP clock rate in Hz, from there too.
    pub clock_rate: Option<u32>,
    /// The number of channels, where it is stated.
    pub channels: Option<u8>,
    /// The parameters of `a=fmtp`, as written.
    pub parameters: Option<String>,
}

impl Codec {
    /// The encoding's name; the format itself where it is not known.
    #[must_use]
    pub fn name(&self) -> &str {
        self.encoding.as_deref().unwrap_or(&self.format)
    }
}

/// The formats of a section in their order.
pub(super) fn all(media: &Media<'_>) -> Vec<Codec> {
    let maps = maps(media);
    let is_rtp = is_rtp(media);
    let parameters: Vec<_> = media.format_parameters().collect();
    let codec = |format: &str| {
        let (payload, map) = meaning(is_rtp, &maps, format);
        Codec {
            format: format.to_owned(),
            encoding: encoding(payload, map).map(str::to_owned),
            clock_rate: map.map(|map| map.clock_rate).or_else(|| payload.and_then(static_clock)),
            channels: map.and_then(|map| map.parameters?.parse().ok()),
            parameters: parameters
                .iter()
                .find(|fmtp| fmtp.format == format)
                .map(|fmtp| fmtp.parameters.to_owned()),
        }
    };
    media.line().formats().map(codec).collect()
}

/// Their names alone, each as [`Codec::name`] has it.
pub(super) fn names(media: &Media<'_>) -> Vec<String> {
    let maps = maps(media);
    let is_rtp = is_rtp(media);
    let name = |format| {
        let (payload, map) = meaning(is_rtp, &maps, format);
        encoding(payload, map).unwrap_or(format).to_owned()
    };
    media.line().formats().map(name).collect()
}

/// Whether formats are payload types.
fn is_rtp(media: &Media<'_>) -> bool {
    media.line().proto.contains("RTP")
}

fn maps<'a>(media: &Media<'a>) -> Vec<RtpMap<'a>> {
    media.rtp_maps().collect()
}

/// The payload type that a format is, and its `a=rtpmap`.
fn meaning<'m, 'a>(
    is_rtp: bool,
    maps: &'m [RtpMap<'a>],
    format: &str,
) -> (Option<u8>, Option<&'m RtpMap<'a>>) {
    let payload = format.parse::<u8>().ok().filter(|_| is_rtp);
    (payload, maps.iter().find(|map| Some(map.payload) == payload))
}

fn encoding<'a>(payload: Option<u8>, map: Option<&RtpMap<'a>>) -> Option<&'a str> {
    map.map(|map| map.encoding).or_else(|| payload.and_then(static_name))
}
