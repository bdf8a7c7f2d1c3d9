//! A session description: what is read is written byte for byte, every line of it can be asked for, and with one line more
//! it reads again.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sdp::{Description, Limits, Section};
use std::hint::black_box;

fn look_at(section: Section<'_>) {
    black_box(section.connection());
    black_box(section.own_direction());
    black_box(section.bandwidths().count() + section.groups().count());
    for attribute in section.attributes() {
        black_box(attribute.text());
    }
}

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let Ok(mut description) = Description::parse(Bytes::copy_from_slice(input), &limits) else { return };
    let mut written = Vec::new();
    description.write(&mut written);
    assert_eq!(written, input, "it is written as it was read");
    black_box((description.origin(), description.line_end()));
    look_at(description.session());
    for media in description.media() {
        look_at(media.section());
        black_box((
            media.line(),
            media.connection(),
            media.direction(),
            media.rtcp(),
            media.rtcp_mux(),
            media.mid(),
        ));
        black_box(media.rtp_maps().count() + media.format_parameters().count());
    }
    let (lines, sections) = (description.lines().count(), description.media_count());
    assert!(description.insert(lines, b'a', b"inactive"));
    let again = Description::parse(description.to_bytes(), &Limits { lines: limits.lines + 1, ..limits });
    let again = again.expect("with one line more it is a description still");
    assert_eq!(again.media_count(), sections);
});
