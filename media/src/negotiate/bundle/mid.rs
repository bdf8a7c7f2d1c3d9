//! The header extension that has identification tags (RFC 9143 §15.2).

use sdp::{Attribute, Media};

const URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// Numbers that elements of one byte can have (RFC 8285 §4.2).
const NUMBERS: std::ops::RangeInclusive<u8> = 1..=14;

/// Whether an attribute maps it.
pub(crate) fn is_extension(attribute: &Attribute<'_>) -> bool {
    map(attribute).is_some_and(|(_, uri)| uri == URI)
}

/// The number that a section has for it.
pub(crate) fn extension(media: &Media<'_>) -> Option<u8> {
    media
        .section()
        .attributes()
        .filter_map(|attribute| map(&attribute))
        .find(|(_, uri)| *uri == URI)
        .map(|(number, _)| number)
}

/// A number for it that no section has for something else.
pub(crate) fn free_extension<'a>(sections: &(impl Iterator<Item = Media<'a>> + Clone)) -> Option<u8> {
    let is_free = |number: &u8| {
        let mut numbers = sections.clone().flat_map(|media| media.section().attributes());
        numbers.all(|attribute| map(&attribute).is_none_or(|(taken, _)| taken != *number))
    };
    NUMBERS.rev().find(is_free)
}

/// `a=extmap:<number>[/<direction>] <URI> …` (RFC 8285 §8).
fn map<'a>(attribute: &Attribute<'a>) -> Option<(u8, &'a str)> {
    let text = attribute.text().filter(|_| attribute.name == "extmap")?;
    let (number, rest) = text.trim_ascii().split_once(' ')?;
    let number = number.split('/').next()?.parse().ok()?;
    Some((number, rest.split_ascii_whitespace().next()?))
}
