//! Which sections can share a transport, as payload types tell (RFC 9143 §9.1).

use sdp::Media;

use super::extension;

/// Whether a section can be beside those: it has no payload type of theirs for anything else
/// (RFC 9143 §9.1.1). One that has some of theirs is told from them by its tag in each packet alone.
pub(crate) fn fits<'a>(media: &Media<'a>, mut beside: impl Iterator<Item = Media<'a>>) -> bool {
    beside.all(|other| {
        let tagged = || extension(media).is_some() && extension(&other).is_some();
        let alike = media.line().media == other.line().media;
        let mut common =
            media.line().formats().filter(|format| other.line().formats().any(|of| of == *format));
        common.all(|format| alike && meaning(media, format) == meaning(&other, format) && tagged())
    })
}

/// What is said of a payload type.
fn meaning<'a>(media: &Media<'a>, format: &str) -> (Option<String>, Option<&'a str>) {
    let payload = format.parse().ok();
    let map = media.rtp_maps().find(|map| Some(map.payload) == payload).map(|map| {
        format!("{}/{}/{}", map.encoding, map.clock_rate, map.parameters.unwrap_or("1")).to_ascii_lowercase()
    });
    let parameters = media.format_parameters().find(|fmtp| fmtp.format == format);
    (map, parameters.map(|fmtp| fmtp.parameters))
}
