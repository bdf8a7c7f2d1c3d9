//! Formats that are put into a section, or taken out of it.

use sdp::{Description, Media};

use super::super::codec::Codec;
use super::super::sections;
use super::{EVENTS, OPUS};
use crate::transcode::Coding;

/// What becomes of the formats of a section.
#[derive(Debug, Default)]
pub(super) struct Edit {
    pub(super) drop: Vec<String>,
    pub(super) front: Vec<Added>,
    pub(super) back: Vec<Added>,
    /// What it says of packet times is for the other side.
    pub(super) untimed: bool,
}

impl Edit {
    fn is_nothing(&self) -> bool {
        self.drop.is_empty() && self.front.is_empty() && self.back.is_empty()
    }
}

/// A format that is put in.
#[derive(Debug)]
pub(super) struct Added {
    number: u8,
    map: String,
    parameters: Option<&'static str>,
}

impl Added {
    pub(super) fn coding(number: u8, coding: Coding) -> Self {
        let channels = if coding.channels() == 2 { "/2" } else { "" };
        let map = format!("{}/{}{channels}", coding.name(), coding.clock());
        Self { number, map, parameters: (coding == Coding::Opus).then_some(OPUS) }
    }

    pub(super) fn events(number: u8, clock: u32) -> Self {
        Self { number, map: format!("telephone-event/{clock}"), parameters: Some(EVENTS) }
    }

    pub(super) fn noise(number: u8) -> Self {
        Self { number, map: "CN/8000".to_owned(), parameters: None }
    }
}

/// Payload types that are free.
pub(super) struct Numbers {
    taken: [bool; 128],
    /// Those that the section itself has: what was told before may be told again but for these.
    own: [bool; 128],
}

impl Numbers {
    pub(super) fn new(all: impl Iterator<Item = Codec>, own: &[Codec], told: &[Codec]) -> Self {
        let mut numbers = Self { taken: [false; 128], own: [false; 128] };
        let number = |codec: &Codec| codec.format.parse::<usize>().ok();
        let mark = |places: &mut [bool; 128], at| {
            if let Some(place) = places.get_mut(at) {
                *place = true;
            }
        };
        all.filter_map(|codec| number(&codec)).for_each(|at| mark(&mut numbers.taken, at));
        told.iter().filter_map(number).for_each(|at| mark(&mut numbers.taken, at));
        own.iter().filter_map(number).for_each(|at| mark(&mut numbers.own, at));
        numbers
    }

    /// The one that it was told by before, else the static one, else one that nothing has.
    pub(super) fn take(&mut self, before: Option<&Codec>, usual: Option<u8>) -> Option<u8> {
        let is_in =
            |places: &[bool; 128], number: u8| places.get(usize::from(number)).copied().unwrap_or(true);
        let before = before.and_then(|codec| codec.format.parse::<u8>().ok());
        let before = before.filter(|number| !is_in(&self.own, *number));
        let usual = usual.filter(|number| !is_in(&self.taken, *number));
        let number = before.or(usual).or_else(|| (96..=127).find(|number| !is_in(&self.taken, *number)))?;
        for places in [&mut self.taken, &mut self.own] {
            if let Some(place) = places.get_mut(usize::from(number)) {
                *place = true;
            }
        }
        Some(number)
    }
}

/// The description with each section changed so; `None` where nothing is.
pub(super) fn edited(source: &Description, edit: impl Fn(usize, &Media<'_>) -> Edit) -> Option<Description> {
    let edits: Vec<_> = source.media().enumerate().map(|(section, media)| edit(section, &media)).collect();
    if edits.iter().all(Edit::is_nothing) {
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

fn write(text: &mut Vec<u8>, media: &Media<'_>, edit: &Edit, end: &str) {
    if edit.is_nothing() {
        return media.section().lines().for_each(|line| text.extend_from_slice(line.bytes()));
    }
    let is_dropped = |format: &str| edit.drop.iter().any(|dropped| dropped == format);
    let line = media.line();
    let count = line.port_count.map(|count| format!("/{count}")).unwrap_or_default();
    text.extend_from_slice(format!("m={} {}{count} {}", line.media, line.port, line.proto).as_bytes());
    let kept = line.formats().filter(|format| !is_dropped(format)).map(str::to_owned);
    let numbers = |added: &[Added]| added.iter().map(|added| added.number.to_string()).collect::<Vec<_>>();
    for format in numbers(&edit.front).into_iter().chain(kept).chain(numbers(&edit.back)) {
        text.extend_from_slice(format!(" {format}").as_bytes());
    }
    text.extend_from_slice(end.as_bytes());
    for line in media.section().lines().skip(1) {
        let of = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"]
            .iter()
            .find_map(|name| line.bytes().strip_prefix(name.as_bytes()));
        let format = of.and_then(|of| of.split(|byte| byte.is_ascii_whitespace()).next());
        let is_time = [b"a=ptime:".as_slice(), b"a=maxptime:", b"a=minptime:"]
            .iter()
            .any(|name| line.bytes().starts_with(name));
        if edit.untimed && is_time {
            continue;
        }
        if !format.is_some_and(|format| std::str::from_utf8(format).is_ok_and(is_dropped)) {
            text.extend_from_slice(line.bytes());
        }
    }
    if !text.ends_with(b"\n") {
        text.extend_from_slice(end.as_bytes());
    }
    for Added { number, map, parameters } in edit.front.iter().chain(&edit.back) {
        text.extend_from_slice(format!("a=rtpmap:{number} {map}{end}").as_bytes());
        if let Some(parameters) = parameters {
            text.extend_from_slice(format!("a=fmtp:{number} {parameters}{end}").as_bytes());
        }
    }
}
