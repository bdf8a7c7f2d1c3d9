//! Events put into a description, or taken out.

use sdp::Media;

/// The number of events that an offer of ours has, where it is free.
const USUAL: u8 = 101;
/// The events that we take, and say (RFC 4733 §2.4.1): keys and the hook flash.
const TAKEN: &str = "0-16";
/// What becomes of the events in a section.
#[derive(Default)]
pub(super) struct Edit {
    pub(super) drop: Vec<String>,
    pub(super) add: Option<(u8, u32)>,
}

/// A payload type that none of these has.
pub(super) fn free<'a>(sections: impl Iterator<Item = Media<'a>>) -> Option<u8> {
    let mut taken = [false; 128];
    for media in sections {
        for format in media.line().formats().filter_map(|format| format.parse::<usize>().ok()) {
            if let Some(place) = taken.get_mut(format) {
                *place = true;
            }
        }
    }
    let is_free = |number: &u8| taken.get(usize::from(*number)).is_some_and(|taken| !taken);
    [USUAL].into_iter().chain(96..=127).find(is_free)
}

/// Writes a section with its events changed.
pub(super) fn write(text: &mut Vec<u8>, media: &Media<'_>, edit: &Edit, end: &str) {
    let is_dropped = |format: &str| edit.drop.iter().any(|dropped| dropped == format);
    let line = media.line();
    let count = line.port_count.map(|count| format!("/{count}")).unwrap_or_default();
    text.extend_from_slice(format!("m={} {}{count} {}", line.media, line.port, line.proto).as_bytes());
    for format in line.formats().filter(|format| !is_dropped(format)) {
        text.extend_from_slice(format!(" {format}").as_bytes());
    }
    if let Some((number, _)) = edit.add {
        text.extend_from_slice(format!(" {number}").as_bytes());
    }
    text.extend_from_slice(end.as_bytes());
    for line in media.section().lines().skip(1) {
        let of = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"]
            .iter()
            .find_map(|name| line.bytes().strip_prefix(name.as_bytes()));
        let format = of.and_then(|of| of.split(|byte| byte.is_ascii_whitespace()).next());
        if !format.is_some_and(|format| std::str::from_utf8(format).is_ok_and(is_dropped)) {
            text.extend_from_slice(line.bytes());
        }
    }
    if let Some((number, clock)) = edit.add {
        if !text.ends_with(b"\n") {
            text.extend_from_slice(end.as_bytes());
        }
        let lines = format!("a=rtpmap:{number} telephone-event/{clock}{end}a=fmtp:{number} {TAKEN}{end}");
        text.extend_from_slice(lines.as_bytes());
    }
}
